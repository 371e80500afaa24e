"""The page right after the first sign-in with a link, where the first passkey is added."""

import re
from typing import Any

from litestar.testing import TestClient

from sanpo.ground.csrf import csrf_token
from sanpo.people import make_sign_in_link
from tests.people.authenticator import Authenticator
from tests.people.conftest import OPERATOR, Client, Town


def test_first_passkey_is_offered_right_after_a_link_and_not_to_those_who_have_one(
    town: Town, client: Client, device: Authenticator
) -> None:
    def press() -> tuple[TestClient[Any], str]:
        http, link = client(), make_sign_in_link(town.city, OPERATOR, town.hanako.resident_id)
        http.follow_redirects = False
        http.headers["Accept-Language"] = "ja"
        return http, http.post("/people/link", data={"token": link.token}).headers["location"]

    http, offered = press()
    assert offered == "/people/welcome"
    page = http.get(offered)
    button = re.search(r'data-passkey="register" data-options-url="([^"]+)" data-verify-url="([^"]+)"', page.text)
    assert button is not None
    assert "佐藤 花子" in page.text
    http.headers["x-csrf-token"] = csrf_token(town.city.keys, http.cookies["sanpo"])
    label = re.search(r'name="label" value="([^"]+)"', page.text)
    assert label is not None
    credential = device.create(http.post(button[1], json={"label": label[1]}).json())
    assert http.post(button[2], json=credential).json() == {"redirect": "/people/me?done=passkey_added"}
    assert label[1] in http.get("/people/me").text
    assert http.get(offered).headers["location"] == "/people/me"
    assert press()[1] == "/"


def test_first_passkey_is_not_offered_at_an_address_where_none_can_be_made(town: Town, client: Client) -> None:
    link = make_sign_in_link(town.city, OPERATOR, town.hanako.resident_id)
    http = client()
    http.base_url = "http://127.0.0.1:8000"
    http.follow_redirects = False
    assert http.post("/people/link", data={"token": link.token}).headers["location"] == "/"
    assert "data-passkey" not in http.get("/people/welcome").text

"""The portal's pages over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from litestar.testing import TestClient

from sanpo import app
from sanpo.ground.city import City
from tests.portal.reading import read

Make = Callable[[], TestClient[Any]]


def test_front_page_is_public_and_japanese_first(client: Make) -> None:
    response = client().get("/")
    assert response.status_code == 200
    assert read(response.text).all("html") == [{"lang": "ja"}]
    assert "script-src 'unsafe" not in response.headers["content-security-policy"]
    assert "'unsafe-inline'" not in response.headers["content-security-policy"]


def test_language_switch_is_remembered(client: Make) -> None:
    http = client()
    switch = next(link for link in read(http.get("/accessibility").text).links if link.startswith("/language/"))
    assert http.get(switch).url.path == "/accessibility"
    assert read(http.get("/").text).all("html") == [{"lang": "en"}]


def test_assets_of_the_shell_exist(client: Make) -> None:
    http = client()
    page = read(http.get("/").text)
    addresses = [a["href"] for a in page.all("link") if a["rel"] == "stylesheet"] + [
        a["src"] for a in page.all("script")
    ]
    assert len(addresses) == 2
    for address in addresses:
        assert http.get(address).status_code == 200


def test_style_guide_is_shown_in_a_test_city(client: Make) -> None:
    assert client().get("/portal/styleguide").status_code == 200


def test_style_guide_is_absent_from_a_real_city(city: City) -> None:
    real = replace(city, settings=replace(city.settings, mode="production"))
    with TestClient(app.create_app(real), raise_server_exceptions=False) as http:
        assert http.get("/portal/styleguide").status_code == 404


def test_unknown_page_is_explained_in_the_shell(client: Make) -> None:
    response = client().get("/no/such/page")
    assert response.status_code == 404
    assert "ページが見つかりません" in response.text

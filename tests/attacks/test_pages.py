"""Pages, which OpenAPI does not name: every route, as everybody, with hostile addresses and forms. None crashes, none
changes anything without the token of the session, none shows one resident another's name."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.ground.ids import new_id
from tests.attacks.siege import Siege

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
WITHOUT_COOKIE = "/oauth/token"
"""Authenticated by the client itself, so that a cookie has no part in it."""
SEGMENTS = ("%00%ff", "..%2f..%2fetc", "9" * 400, "<script>alert(1)<", "%0d%0aX:1")
VALUES = ("", "\x00", "9" * 40, "0001-01-01", "<script>alert(1)</script>", "\U0001f600" * 400)
QUERY = ("day", "before", "next", "done", "agreement", "form", "state", "limit", "lang", "open_only")
FORM = (
    "decision", "sha256", "verdict", "note", "draft", "agreement", "sql", "token",
    "language", "credential_id", "session_id", "resident_id", "next", "dataset", "release", "add", "remove", "measure",
    "filters-0-column", "filters-0-value", "measures-0-level", "joins-0-on-hour", "target-dataset", "base-0-value",
)  # fmt: skip
ROLES = ("resident", *(pytest.param(role, marks=pytest.mark.long) for role in ("officer", "anonymous", "analyst")))


@pytest.fixture(scope="module")
def visitors(siege: Siege) -> dict[str, TestClient[Any]]:
    return {
        "anonymous": siege.stranger(),
        "resident": siege.browser(siege.residents[13].resident_id),
        "analyst": siege.browser(siege.analyst.staff_id),
        "officer": siege.browser(siege.world.officer.staff_id),
    }


def routes(siege: Siege) -> Iterator[tuple[str, str]]:
    """Every method and address that the application answers; places in an address are in braces."""
    for route in siege.web.routes:
        for method in getattr(route, "methods", ()):
            if method not in ("OPTIONS", "HEAD") and not route.path.startswith(("/schema", "/static")):
                yield method, route.path


def filled(path: str, segment: str) -> str:
    return re.sub(r"\{[^}]*\}", lambda _: segment, path)


def check(answer: Any, *what: object) -> None:
    """No crash, and nothing of what was sent comes back as markup."""
    assert answer.status_code < 500, what
    assert not answer.headers.get("content-type", "").startswith("text/html") or "<script>alert" not in answer.text, (
        what
    )


def test_every_change_needs_the_token_of_the_session(siege: Siege, visitors: dict[str, TestClient[Any]]) -> None:
    changes = [(method, path) for method, path in routes(siege) if method in UNSAFE and path != WITHOUT_COOKIE]
    assert len(changes) > 25
    for role in ("resident", "officer"):
        cookies = visitors[role].cookies
        good = visitors[role].headers["x-csrf-token"]
        for method, path in changes:
            http = siege.stranger()
            http.cookies = cookies
            address = filled(path, new_id("agr"))
            # 400 and 404 where the body or the identifier was looked at first: nothing is done then either.
            siege.refused(http.request(method, address, json={}), 400, 403, 404)
            siege.refused(http.request(method, address, data={"csrf_token": "0" * 64}), 400, 403, 404)
            other_site = {"x-csrf-token": good, "origin": "https://evil.example"}
            siege.refused(http.request(method, address, json={}, headers=other_site), 400, 403, 404)
        assert visitors[role].get("/people/me").status_code == 200, "nobody was signed out"


@pytest.mark.parametrize("role", ROLES)
def test_hostile_address_crashes_no_route(siege: Siege, visitors: dict[str, TestClient[Any]], role: str) -> None:
    http = visitors[role]
    for method, path in routes(siege):
        for segment in SEGMENTS if "{" in path else ("",):
            if method == "GET":
                answer = http.get(filled(path, segment))
                check(answer, path, segment)
                assert "x" not in answer.headers


@pytest.mark.parametrize("role", ROLES)
def test_hostile_query_crashes_no_page(siege: Siege, visitors: dict[str, TestClient[Any]], role: str) -> None:
    http = visitors[role]
    pages = [path for method, path in routes(siege) if method == "GET" and "{" not in path]
    assert len(pages) > 15
    for path in pages:
        for value in VALUES:
            answer = http.get(path, params=dict.fromkeys(QUERY, value))
            check(answer, path, value)


@pytest.mark.parametrize("role", ROLES)
def test_hostile_form_crashes_no_page(siege: Siege, visitors: dict[str, TestClient[Any]], role: str) -> None:
    http = visitors[role]
    for method, path in routes(siege):
        if method != "POST" or path.startswith(("/api/", "/oauth/")) or path in ("/people/sign-out", "/people/act-for"):
            continue
        for value in VALUES:
            answer = http.post(filled(path, new_id("agr")), data=dict.fromkeys(FORM, value))
            check(answer, path, value)
            assert answer.status_code != 303, "nothing of this was sense"
        repeated = {"content-type": "application/x-www-form-urlencoded"}
        for body in (b"", b"&&&===", b"decision=a&decision=b", b"%", b"\xff\xfe=\xff", b"a" * 100_000):
            answer = http.post(filled(path, new_id("agr")), content=body, headers=repeated)
            check(answer, path, body[:20])


def test_no_route_shows_one_resident_anothers_name(siege: Siege, visitors: dict[str, TestClient[Any]]) -> None:
    """Residents are called 名前0, 名前1 … : the last of them reads every page that there is."""
    for method, path in routes(siege):
        if method == "GET":
            text = visitors["resident"].get(filled(path, siege.agreement.agreement_id)).text
            assert set(re.findall(r"名前\d+", text)) <= {"名前13"}, path
    assert "名前13" in visitors["resident"].get("/people/me").text

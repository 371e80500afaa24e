"""Requests that no honest program sends: too large, of the wrong shape or type, with somebody else's address in them."""

import json
from typing import Any

import pytest

from sanpo.ground.web import safe_next
from tests.attacks.siege import SQL, Siege

MEGABYTE = 1024 * 1024
JSON = {"content-type": "application/json"}
OTHER_SITES = (
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\t\\evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "/ok\r\nSet-Cookie: sanpo=x",
    "/ok\x00",
    "/x\\..\\..\\evil.example",
    "/\u2028/evil.example",
    "evil.example",
    "",
)


@pytest.mark.parametrize("path", ["/api/cleanroom/questions", "/api/consent/agreements", "/oauth/token"])
def test_oversized_body_is_refused(siege: Siege, path: str) -> None:
    http = siege.program()
    form = path == "/oauth/token"
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else JSON
    body = b"a=" + b"x" * (5 * MEGABYTE) if form else b'{"sql":"' + b"x" * (5 * MEGABYTE) + b'"}'
    siege.refused(http.post(path, content=body, headers=headers), 413)


def test_oversized_form_is_refused(siege: Siege) -> None:
    http = siege.browser(siege.residents[0].resident_id)
    del http.headers["x-csrf-token"]  # so that the body is read for the token first
    body = b"csrf_token=x&a=" + b"x" * (5 * MEGABYTE)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    siege.refused(http.post("/people/me/language", content=body, headers=headers), 413)


BODIES: dict[str, bytes] = {
    "empty": b"",
    "cut_off": b'{"sql": "select',
    "not_json": b"select 1",
    "null": b"null",
    "number": b"1",
    "text": b'"x"',
    "list": b"[]",
    "not_utf8": b'{"sql": "\xff\xfe"}',
    "lone_surrogate": b'{"sql": "\\ud800"}',
    "not_a_number": b'{"sql": NaN}',
    "wrong_type": b'{"sql": 5}',
    "wrong_type_inside": b'{"question": {"dataset": 5, "measures": "x"}}',
    "unknown_field": b'{"sql": "select 1", "admission": {"bits": "////"}}',
    "lists_10000_deep": b'{"sql":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "objects_10000_deep": b'{"question":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    "huge_number": b'{"sql": ' + b"9" * 100_000 + b"}",
}


@pytest.mark.parametrize("name", BODIES)
def test_body_of_the_wrong_shape_is_refused(siege: Siege, name: str) -> None:
    http = siege.program()
    assert http.post("/api/cleanroom/questions", content=json.dumps({"sql": SQL}), headers=JSON).status_code == 200
    siege.refused(http.post("/api/cleanroom/questions", content=BODIES[name], headers=JSON), 400)
    analyst = siege.browser(siege.analyst.staff_id)
    siege.refused(analyst.post("/api/consent/agreements", content=BODIES[name], headers=JSON), 400)
    resident = siege.browser(siege.residents[0].resident_id)
    grants = f"/api/consent/grants/{siege.agreement.agreement_id}"
    siege.refused(resident.post(grants, content=BODIES[name], headers=JSON), 400)
    draft = {"draft": BODIES[name].decode(errors="replace") or " "}
    siege.refused(analyst.post("/consent/organisation", data=draft), 400)


def test_text_with_nul_is_refused_wherever_a_column_would_hold_it(siege: Siege) -> None:
    """PostgreSQL has no form for NUL; the refusal comes before or instead of a crash."""
    officer, analyst = (siege.browser(who.staff_id) for who in (siege.world.officer, siege.analyst))
    program, resident = siege.program(), siege.browser(siege.residents[0].resident_id)
    organisation_id = siege.world.university.organisation_id
    foreign, agreement = siege.foreign.agreement_id, siege.agreement.agreement_id
    organisation = {"name_ja": "\x00", "name_en": "A", "kind": "company", "contact": "tel:0"}
    staff = {"role": "analyst", "name": "a\x00b"}
    for http, method, path, body in [
        (officer, "POST", f"/api/consent/agreements/{foreign}/close", {"note": "a\x00b"}),
        (officer, "POST", "/api/people/organisations", organisation),
        (officer, "POST", f"/api/people/organisations/{organisation_id}/staff", staff),
        (analyst, "POST", f"/api/people/organisations/{organisation_id}/clients", {"name": "\x00"}),
        (
            program,
            "POST",
            f"/api/returns/agreements/{agreement}/reports",
            {"side": "giver", "quantity": 1, "note": "\x00"},
        ),
        (resident, "POST", f"/api/consent/grants/{agreement}", {"decision": "give", "sha256": "\x00"}),
        (resident, "GET", "/api/consent/agreements/agr_%00", None),
        (resident, "GET", "/api/consent/receipts/evt_%00", None),
        (resident, "GET", "/api/journal/proofs/ent_%00", None),
        (resident, "GET", "/api/journal/tile/0/%00", None),
        (program, "GET", "/api/consent/notices?before=%00", None),
        (program, "GET", "/api/consent/agreements?state=%00", None),
        (resident, "GET", "/static/%00", None),
        (resident, "GET", "/consent/agreements/%00", None),
        (resident, "GET", "/consent/receipts/%00", None),
    ]:
        siege.refused(http.request(method, path, json=body), 400, 404, 409)


def test_number_out_of_range_is_refused(siege: Siege) -> None:
    officer, resident = siege.browser(siege.world.officer.staff_id), siege.browser(siege.residents[0].resident_id)
    for number in ("99999999999", "-1", "9" * 30, "9" * 5_000, "1e9", "\u0665"):
        siege.refused(officer.delete(f"/api/people/representatives/{number}"), 400, 404)
        siege.refused(resident.get("/api/journal/entries", params={"limit": number}), 400)
        assert resident.get("/returns", params={"before": number}).status_code in (200, 400)
    program = siege.program()
    for quantity in (2**63, -1, 1.5, "1", None, True):
        body = {"side": "giver", "quantity": quantity}
        siege.refused(program.post(f"/api/returns/agreements/{siege.agreement.agreement_id}/reports", json=body), 400)


@pytest.mark.parametrize("address", OTHER_SITES)
def test_next_never_leads_to_another_site_or_into_a_header(siege: Siege, address: str) -> None:
    assert safe_next("/consent?done=given#top") == "/consent?done=given#top"
    assert safe_next(address) == "/"
    browser = siege.browser(siege.residents[0].resident_id)
    for path in ("/language/ja", "/people/sign-in"):
        moved = browser.get(path, params={"next": address})
        assert moved.headers["location"] == "/"
        assert "sanpo=" not in moved.headers.get("set-cookie", "")
    page = siege.stranger().get("/people/sign-in", params={"next": address}).text
    assert "evil.example" not in page
    assert "javascript:" not in page


def test_path_traversal_in_static_files_finds_nothing(siege: Siege) -> None:
    http = siege.stranger()
    for path in (
        "../../../pyproject.toml",
        "..%2f..%2f..%2fpyproject.toml",
        "%2e%2e/%2e%2e/%2e%2e/pyproject.toml",
        "..%5c..%5cpyproject.toml",
        "....//....//pyproject.toml",
        "..%252f..%252fpyproject.toml",
        "%00",
        "app.js%00.css",
        "/etc/passwd",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "file:///etc/passwd",
        "~root/.bashrc",
        "a" * 300,
        "a/" * 3_000,
        "",
        ".",
    ):
        siege.refused(http.get(f"/static/{path}"), 404)


def test_method_override_does_nothing(siege: Siege) -> None:
    officer = siege.browser(siege.world.officer.staff_id)
    path = f"/api/people/clients/{siege.study.client_id}/keys"
    for headers in ({"x-http-method-override": "DELETE"}, {"x-method-override": "PUT"}, {"x-http-method": "PUT"}):
        siege.refused(officer.post(path, json={"keys": []}, headers=headers), 405)
        siege.refused(officer.post(f"{path}?_method=PUT", data={"_method": "PUT"}, headers=headers), 405)
    for method in ("TRACE", "CONNECT", "PATCH", "PROPFIND", "get"):
        siege.refused(officer.request(method, "/api/people/clients/x"), 405)


def test_body_in_another_form_is_not_read_as_json(siege: Siege) -> None:
    """A form or a text that looks like JSON cannot stand in for a request that a script of this site made."""
    browser = siege.browser(siege.residents[0].resident_id)
    path = f"/api/consent/grants/{siege.agreement.agreement_id}"
    siege.refused(browser.post(path, data={"decision": "withdraw"}), 400)
    siege.refused(browser.post(path, files={"decision": ("a.txt", b"withdraw")}), 400)
    siege.refused(
        browser.post(path, content=b"\x81\xa8decision\xa8withdraw", headers={"content-type": "x/msgpack"}), 400
    )
    siege.refused(browser.post("/people/me/language", json={"language": "en"}), 400)
    token = browser.headers.pop("x-csrf-token")
    smuggled = '{"decision":"withdraw","x":"&csrf_token=' + token + '"}'
    for kind in (
        "text/plain",
        "application/json",
        "",
        "application/x-www-form-urlencoded-not",
        "text/plain; multipart/form-data",
    ):
        siege.refused(browser.post(path, content=smuggled, headers={"content-type": kind}), 403)
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=" + "x" * 300,
        "multipart/form-data; boundary=a",
    ):
        broken = browser.post(path, content=b"--a\r\nbroken", headers={"content-type": kind})
        siege.refused(broken, 400, 403)


def test_host_of_the_attacker_is_in_no_address_that_we_give(siege: Siege) -> None:
    http = siege.stranger()
    for headers in ({"host": "evil.example"}, {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}):
        for path in ("/", "/people/sign-in", "/.well-known/oauth-authorization-server", "/consent", "/nothing"):
            answer = http.get(path, headers=headers)
            assert "http://evil.example" not in answer.text
            assert "evil.example" not in answer.headers.get("location", "")


def test_junk_in_headers_is_nobody(siege: Siege) -> None:
    http = siege.stranger()
    for name, value in [
        (b"cookie", b"sanpo=\xff\xfe; ;;=;=x; sanpo"),
        (b"cookie", b"sanpo=" + b"A" * 43),
        (b"cookie", b"sanpo=\x01'; drop table people.sessions --"),
        (b"authorization", b"Basic \xff"),
        (b"authorization", b"Digest x"),
        (b"accept-language", b"\xff" * 2_000),
        (b"x-csrf-token", b"\xff"),
    ]:
        siege.refused(http.get("/api/people/me", headers={name: value}), 401)
    siege.refused(http.get("/api/people/me", headers={b"authorization": b"Bearer \xff"}), 401)


def test_every_refusal_carries_the_headers_that_protect_a_page(siege: Siege) -> None:
    browser = siege.browser(siege.residents[0].resident_id)
    answers: list[Any] = [
        siege.stranger().get("/consent"),
        siege.stranger().get("/api/people/me"),
        browser.get("/nothing"),
        browser.get("/static/nothing"),
        browser.post("/people/me/language", data={"language": "xx"}),
        browser.post("/consent", content=b"x" * (5 * MEGABYTE)),
        siege.program().post("/api/cleanroom/questions", json={"sql": "drop table x"}),
        browser.get("/consent"),
        browser.get("/api/people/me"),
    ]
    for answer in answers:
        headers = answer.headers
        assert "default-src 'self'" in headers["content-security-policy"], answer.url
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
        if "/static/" not in str(answer.url):
            assert headers["cache-control"] == "no-store"

"""The doors over HTTP: pages with their forms, the token endpoint, the register, and the attacks on each."""

import base64
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from sanpo.ground.csrf import csrf_token
from sanpo.ground.ids import new_id
from sanpo.people import create_client, make_sign_in_link
from sanpo.people.model import ClientCredentials
from tests.people.authenticator import Authenticator
from tests.people.conftest import OPERATOR, YEAR, Browser, Client, Town
from tests.people.test_clients import KEY, claims_of, public, sign

FORMS = (
    "/people/sign-out",
    "/people/me/language",
    "/people/me/passkeys/remove",
    "/people/me/sessions/end",
    "/people/act-for",
)
UNTRANSLATED = re.compile(r'[>"]\s*(people|portal|error)\.[a-z_]+[.<"]')


@pytest.fixture
def made(town: Town) -> ClientCredentials:
    return create_client(town.city, OPERATOR, town.company.organisation_id, name="需要予測")


def token(http: TestClient[Any], headers: dict[str, str] | None = None, **form: str) -> Any:
    return http.post("/oauth/token", data={"grant_type": "client_credentials"} | form, headers=headers or {})


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def test_link_is_used_by_the_press_and_not_by_looking(town: Town, client: Client) -> None:
    http = client()
    link = make_sign_in_link(town.city, OPERATOR, town.hanako.resident_id)
    for _ in range(3):
        page = http.get(f"/people/link/{link.token}")
        assert page.status_code == 200
        assert page.headers["referrer-policy"] == "strict-origin"
        assert page.headers["cache-control"] == "no-store"
    pressed = http.post("/people/link", data={"token": link.token}, follow_redirects=False)
    assert pressed.status_code == 303
    cookie = pressed.headers["set-cookie"]
    assert cookie.startswith("sanpo=")
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert http.get("/api/people/me").json()["id"] == town.hanako.resident_id
    replayed = client().post("/people/link", data={"token": link.token})
    guessed = client().post("/people/link", data={"token": link.token[::-1]})
    assert replayed.status_code == guessed.status_code == 410
    assert replayed.text == guessed.text


def test_cookie_is_bound_to_host_and_https_in_production(town: Town) -> None:
    from dataclasses import replace

    from sanpo.people.cookies import session_cookie
    from sanpo.people.sign_in import sign_in_with_link

    session = sign_in_with_link(town.city, make_sign_in_link(town.city, OPERATOR, town.taro.resident_id).token)
    secure = replace(town.city, settings=replace(town.city.settings, origin="https://sanpo.example"))
    cookie = session_cookie(secure, session)
    assert (cookie.key, cookie.secure, cookie.httponly, cookie.path) == ("__Host-sanpo", True, True, "/")
    assert cookie.domain is None


def test_stolen_cookie_is_refused_after_sign_out_over_http(town: Town, browser: Browser, client: Client) -> None:
    http = browser(town.hanako.resident_id)
    thief = client()
    thief.cookies.set("sanpo", http.cookies["sanpo"], domain="testserver.local")
    assert thief.get("/people/me").status_code == 200
    out = http.post("/people/sign-out")
    assert out.status_code == 303
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert thief.get("/people/me").status_code == 401
    assert thief.get("/api/people/me").status_code == 401


def test_forms_are_refused_without_the_token_of_the_session(town: Town, browser: Browser) -> None:
    """ground.form_is_stale: missing, wrong, of another session, from another site."""
    http = browser(town.hanako.resident_id)
    good = http.headers.pop("x-csrf-token")
    of_another = csrf_token(town.city.keys, town.cookie(town.hanako.resident_id))
    for path in FORMS:
        for data in ({}, {"csrf_token": "x"}, {"csrf_token": of_another}):
            assert http.post(path, data=data).status_code == 403, (path, data)
        forged = http.post(path, data={"csrf_token": good}, headers={"Origin": "https://evil.example"})
        assert forged.status_code == 403
    assert http.get("/people/me").status_code == 200
    assert http.post("/people/sign-out", data={"csrf_token": good}).status_code == 303


def test_sign_in_is_refused_when_another_site_sends_it(town: Town, client: Client) -> None:
    link = make_sign_in_link(town.city, OPERATOR, town.hanako.resident_id)
    forged = client().post("/people/link", data={"token": link.token}, headers={"Origin": "https://evil.example"})
    assert forged.status_code == 403
    assert client().post("/people/link", data={"token": link.token}, follow_redirects=False).status_code == 303


def test_form_made_for_one_person_is_refused_for_another(town: Town, browser: Browser) -> None:
    town.appoint()
    http = browser(town.kazue.resident_id)
    made_for_kazue = http.headers["x-csrf-token"]
    turned = http.post("/people/act-for", data={"resident_id": town.hanako.resident_id})
    assert turned.headers["location"] == "/people/me?done=acting"
    assert http.post("/people/act-for", data={}).status_code == 403
    page = http.get("/people/act-for").text
    http.headers["x-csrf-token"] = csrf_token(town.city.keys, http.cookies["sanpo"])
    assert http.headers["x-csrf-token"] != made_for_kazue
    assert http.headers["x-csrf-token"] in page
    assert "佐藤 花子" in page


def test_pages_are_complete_in_both_languages(town: Town, browser: Browser, client: Client) -> None:
    town.appoint()
    kazue, hanako, officer = (
        browser(holder) for holder in (town.kazue.resident_id, town.hanako.resident_id, town.officer_id)
    )
    for lang in ("ja", "en"):
        for http, path, expected in [
            (client(), "/people/sign-in?next=/consent", None),
            (client(), "/people/link/x", None),
            (kazue, "/people/me", "佐藤 一恵"),
            (kazue, "/people/me?done=language", None),
            (kazue, "/people/welcome", "佐藤 一恵"),
            (officer, "/people/welcome", "市川 係長"),
            (kazue, "/people/act-for", "佐藤 花子"),
            (hanako, "/people/me", "三方市中央0"),
            (hanako, "/people/act-for", None),
            (officer, "/people/me", "市川 係長"),
        ]:
            page = http.get(path, headers={"Accept-Language": lang})
            assert page.status_code == 200, (path, page.text[-500:])
            assert f'lang="{lang}"' in page.text
            assert expected is None or expected in page.text
            assert not UNTRANSLATED.search(page.text), UNTRANSLATED.search(page.text)


def test_sign_in_page_passes_those_who_are_in_and_stays_on_this_site(browser: Browser, town: Town) -> None:
    http = browser(town.hanako.resident_id)
    assert http.get("/people/sign-in?next=/people/me").headers["location"] == "/people/me"
    assert http.get("/people/sign-in?next=//evil.example").headers["location"] == "/"


def test_own_page_does_what_its_forms_say(town: Town, browser: Browser) -> None:
    http, other = browser(town.hanako.resident_id), browser(town.hanako.resident_id)
    changed = http.post("/people/me/language", data={"language": "en"})
    assert changed.status_code == 303
    assert changed.headers["set-cookie"].startswith("lang=en")
    assert http.post("/people/me/language", data={"language": "fr"}).status_code == 400
    ids = re.findall(r'name="session_id" value="(ses_\w+)"', http.get("/people/me").text)
    assert len(ids) == 1
    assert http.post("/people/me/sessions/end", data={"session_id": ids[0]}).status_code == 303
    assert other.get("/people/me").status_code == 401
    assert http.post("/people/me/sessions/end", data={"session_id": new_id("ses")}).status_code == 404
    assert http.post("/people/me/passkeys/remove", data={"credential_id": "AAAA"}).status_code == 404
    exported = http.get("/people/me/export")
    assert exported.headers["content-disposition"].startswith("attachment")
    assert exported.json()["name"] == "佐藤 花子"


def test_pages_about_a_person_ask_for_sign_in(client: Client) -> None:
    http = client()
    for path in ("/people/me", "/people/me/export", "/people/act-for", "/people/welcome"):
        page = http.get(path)
        assert page.status_code == 401
        assert "/people/sign-in" in page.text or path.endswith("export")


def test_passkey_is_added_and_signs_in_over_http(
    town: Town, browser: Browser, client: Client, device: Authenticator
) -> None:
    http = browser(town.hanako.resident_id)
    options = http.post("/api/people/passkeys/registration/options", json={"label": "電話"}).json()
    added = http.post("/api/people/passkeys/registration", json=device.create(options))
    assert added.json() == {"redirect": "/people/me?done=passkey_added"}
    fresh = client()
    asked = fresh.post("/api/people/passkeys/authentication/options", json={}).json()
    answer = device.get(asked)
    verified = fresh.post("/api/people/passkeys/authentication?next=/consent", json=answer)
    assert verified.json() == {"redirect": "/consent"}
    assert fresh.get("/api/people/me").json()["id"] == town.hanako.resident_id
    replayed = client().post("/api/people/passkeys/authentication", json=answer)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "people.passkey_is_not_accepted")
    assert "set-cookie" not in replayed.headers
    assert client().post("/api/people/passkeys/registration/options", json={}).status_code == 401


def test_token_is_issued_by_each_proof(town: Town, client: Client, made: ClientCredentials) -> None:
    http, agreement_id = client(), new_id("agr")
    answer = token(http, basic(made.client_id, made.secret), scope=f"agreement:{agreement_id}")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, f"agreement:{agreement_id}")
    me = http.get("/api/people/me", headers={"Authorization": f"Bearer {body['access_token']}"}).json()
    assert (me["kind"], me["id"], me["agreement_id"]) == ("client", made.client_id, agreement_id)
    assert token(http, client_id=made.client_id, client_secret=made.secret).status_code == 200
    officer_set = public(KEY)
    from sanpo.people.organisations import set_client_keys

    set_client_keys(town.city, OPERATOR, made.client_id, officer_set)
    proof = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": sign(claims_of(made.client_id)),
    }
    assert token(http, **proof).status_code == 200
    assert token(http, **proof).json()["error"] == "invalid_client"


def test_token_requests_are_refused_as_oauth_says(client: Client, made: ClientCredentials) -> None:
    """people.token_request_is_invalid, people.grant_type_is_unsupported and their kin, by RFC 6749 §5.2."""
    http, good = client(), basic(made.client_id, made.secret)
    grant = "grant_type=client_credentials"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    cases: list[tuple[str, dict[str, str], int, str]] = [
        ("", good | form, 400, "invalid_request"),
        (grant, good | {"Content-Type": "application/json"}, 400, "invalid_request"),
        (f"{grant}&{grant}", good | form, 400, "invalid_request"),
        (f"{grant}&scope=%ff", good | form, 400, "invalid_request"),
        (f"{grant}&x={'a' * 20_000}", good | form, 400, "invalid_request"),
        ("grant_type=password", good | form, 400, "unsupported_grant_type"),
        (f"{grant}&scope=openid", good | form, 400, "invalid_scope"),
        (f"{grant}&client_secret=x", good | form, 400, "invalid_request"),
        (f"{grant}&client_id=other", good | form, 400, "invalid_request"),
        (f"{grant}&client_assertion=x", form, 400, "invalid_request"),
        (grant, form, 401, "invalid_client"),
        (grant, form | {"Authorization": "Basic !"}, 401, "invalid_client"),
        (grant, form | {"Authorization": "Bearer x"}, 401, "invalid_client"),
        (grant, form | basic(made.client_id, "wrong"), 401, "invalid_client"),
        (grant, form | basic(new_id("cli"), made.secret), 401, "invalid_client"),
    ]
    for body, headers, status, error in cases:
        answer = http.post("/oauth/token", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (status, error), body
        assert answer.json()["error_description"].isascii()
        assert ("www-authenticate" in answer.headers) == (status == 401)
        assert answer.headers["cache-control"] == "no-store"


def test_token_endpoint_asks_to_wait_after_ten_failures(client: Client, made: ClientCredentials) -> None:
    http = client()
    for _ in range(10):
        assert token(http, basic(made.client_id, "wrong")).status_code == 401
    answer = token(http, basic(made.client_id, made.secret))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


def test_token_form_is_in_the_openapi(web: Litestar) -> None:
    operation = web.openapi_schema.to_schema()["paths"]["/oauth/token"]["post"]
    form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert form["required"] == ["grant_type"]
    assert set(operation["responses"]) == {"200", "400", "401", "413", "429", "503"}


def test_metadata_names_the_endpoint_and_its_methods(client: Client) -> None:
    metadata = client().get("/.well-known/oauth-authorization-server").json()
    assert metadata["token_endpoint"] == "http://testserver.local/oauth/token"
    assert "private_key_jwt" in metadata["token_endpoint_auth_methods_supported"]
    assert "none" not in metadata["token_endpoint_auth_signing_alg_values_supported"]


def test_wrong_bearer_token_is_refused_over_http(client: Client) -> None:
    answer = client().get("/api/people/me", headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["code"]) == (401, "people.token_is_not_valid")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_officer_registers_an_organisation_and_its_client_over_http(
    town: Town, browser: Browser, client: Client
) -> None:
    officer = browser(town.officer_id)
    new = {"name_ja": "三方水道", "name_en": "Water", "kind": "company", "contact": "tel:2"}
    organisation_id = officer.post("/api/people/organisations", json=new).json()["organisation_id"]
    at = f"/api/people/organisations/{organisation_id}"
    staff = officer.post(f"{at}/staff", json={"role": "analyst", "name": "水野"})
    assert staff.status_code == 201
    made = officer.post(f"{at}/clients", json={"name": "検針"}).json()
    http = client()
    assert token(http, basic(made["client_id"], made["secret"])).status_code == 200
    again = officer.post(f"/api/people/clients/{made['client_id']}/secret").json()
    assert token(http, basic(made["client_id"], made["secret"])).status_code == 401
    assert token(http, basic(made["client_id"], again["secret"])).status_code == 200
    assert officer.put(f"/api/people/clients/{made['client_id']}/keys", json=public(KEY)).status_code == 204
    assert officer.put(f"/api/people/clients/{made['client_id']}/keys", json={"keys": []}).status_code == 400
    listed = officer.get(f"{at}/clients").json()
    assert [(entry["has_keys"], entry["has_secret"]) for entry in listed] == [(True, False)]
    assert officer.put(f"{at}/webhook", json={"webhook_url": "https://water.example/hook"}).status_code == 204
    assert officer.delete(f"/api/people/clients/{made['client_id']}").status_code == 204
    assert officer.delete(f"/api/people/staff/{staff.json()['staff_id']}").status_code == 204
    public_list = client().get("/api/people/organisations")
    assert public_list.json()[-1]["name_en"] == "Water"
    assert "hook" not in public_list.text


def test_another_organisation_and_a_guessed_id_look_the_same(
    town: Town, browser: Browser, made: ClientCredentials
) -> None:
    stranger = browser(town.researcher_id)
    for real, guessed in [
        (f"/api/people/organisations/{town.company.organisation_id}/clients", f"organisations/{new_id('org')}/clients"),
        (f"/api/people/clients/{made.client_id}/secret", f"clients/{new_id('cli')}/secret"),
    ]:
        one = stranger.post(real, json={"name": "x"})
        two = stranger.post(f"/api/people/{guessed}", json={"name": "x"})
        assert one.status_code == two.status_code == 404
        assert one.json() == two.json()


def test_representative_is_appointed_and_ended_over_http(town: Town, browser: Browser) -> None:
    officer = browser(town.officer_id)
    now = town.city.now()
    body = {
        "resident_id": town.hanako.resident_id,
        "representative_id": town.kazue.resident_id,
        "role": "carer",
        "valid_from": now.isoformat(),
        "valid_until": (now + YEAR).isoformat(),
    }
    made = officer.post("/api/people/representatives", json=body)
    assert made.status_code == 201
    assert officer.post("/api/people/representatives", json=body).status_code == 409
    naive = body | {"valid_until": (now + timedelta(days=1)).replace(tzinfo=None).isoformat()}
    assert officer.post("/api/people/representatives", json=naive).status_code == 400
    at = f"/api/people/representatives/{made.json()['representation_no']}"
    assert browser(town.analyst_id).delete(at).status_code == 403
    assert officer.delete(at).status_code == 204
    assert officer.delete(at).status_code == 404
    assert officer.delete("/api/people/representatives/99999999999999999999").status_code == 404


def test_no_answer_carries_a_secret_hash(town: Town, browser: Browser, made: ClientCredentials) -> None:
    from sanpo.people.tokens import hash_of

    listed = browser(town.officer_id).get(f"/api/people/organisations/{town.company.organisation_id}/clients")
    assert json.dumps(listed.json()).find(made.secret) < 0
    assert hash_of(made.secret).hex() not in listed.text

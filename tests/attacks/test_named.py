"""The attacks that everybody tries first, each beside the success that it imitates."""

import base64
import re
import threading
from typing import Any

import pytest

from sanpo.consent import Decision, publish_agreement
from sanpo.consent.actions import list_history
from sanpo.ground.csrf import csrf_token
from sanpo.ground.ids import new_id
from sanpo.people import create_client, make_sign_in_link
from sanpo.people.organisations import revoke_client
from tests.attacks.siege import COOKIE, SQL, Siege, basic, same_but_for_ids
from tests.consent.drafts import draft, draft_data
from tests.world import OPERATOR

QUESTIONS = "/api/cleanroom/questions"
PRIVATE = (
    "/consent",
    "/returns",
    "/energy",
    "/people/me",
    "/people/me/export",
    "/api/people/me",
    "/api/energy/me/curve",
    "/api/energy/me/readings.csv",
)


def ask(http: Any, sql: str = SQL, **body: Any) -> Any:
    return http.post(QUESTIONS, json={"sql": sql, **body})


def test_question_with_a_wrong_token_is_refused(siege: Siege) -> None:
    good = siege.program()
    assert ask(good).status_code == 200
    token = good.headers["authorization"].removeprefix("Bearer ")
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[::-1], "x", "A" * 43, "A" * 5000, "é" * 43):
        bad = siege.stranger()
        answer = bad.post(QUESTIONS, json={"sql": SQL}, headers={b"authorization": f"Bearer {wrong}".encode()})
        siege.refused(answer, 401, code="people.token_is_not_valid")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    siege.refused(ask(siege.stranger()), 401, code="ground.not_signed_in")


def test_session_cookie_is_no_access_token_and_the_other_way_round(siege: Siege) -> None:
    cookie = siege.session(siege.analyst.staff_id)
    http = siege.stranger()
    http.headers["authorization"] = f"Bearer {cookie}"
    siege.refused(ask(http, agreement_id=siege.agreement.agreement_id), 401)
    http = siege.stranger()
    token = siege.token(siege.study, siege.agreement)
    http.cookies.set(COOKIE, token, domain="testserver.local")
    http.headers["x-csrf-token"] = csrf_token(siege.city.keys, token)
    siege.refused(ask(http), 401)


def test_question_with_an_expired_token_is_refused(siege: Siege) -> None:
    http = siege.program()
    siege.clock.advance(minutes=59)
    assert ask(http).status_code == 200
    siege.clock.advance(minutes=1)
    siege.refused(ask(http), 401, code="people.token_is_not_valid")


def test_token_of_a_revoked_client_is_refused(siege: Siege) -> None:
    made = create_client(siege.city, OPERATOR, siege.world.university.organisation_id, name="lost laptop")
    http = siege.program(made, siege.agreement)
    assert ask(http).status_code == 200
    revoke_client(siege.city, OPERATOR, made.client_id)
    siege.refused(ask(http), 401, code="people.token_is_not_valid")
    again = siege.stranger().post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic(made.client_id, made.secret)
    )
    siege.refused(again, 401)


def test_question_under_another_organisations_agreement_looks_like_one_under_none(siege: Siege) -> None:
    open_token = siege.program(siege.study, None)
    assert ask(open_token, agreement_id=siege.agreement.agreement_id).status_code == 200
    ids = [siege.foreign.agreement_id, new_id("agr")]
    bodies = [siege.refused(ask(open_token, agreement_id=each), 404, code="ground.not_found") for each in ids]
    assert same_but_for_ids(bodies, ids)


def test_token_for_another_organisations_agreement_opens_nothing(siege: Siege) -> None:
    assert ask(siege.program(siege.trade, siege.foreign)).status_code == 200
    siege.refused(ask(siege.program(siege.study, siege.foreign)), 404, code="ground.not_found")


def test_token_for_one_agreement_is_refused_for_another(siege: Siege) -> None:
    http = siege.program(siege.study, siege.agreement)
    assert ask(http, agreement_id=siege.agreement.agreement_id).status_code == 200
    assert ask(siege.program(siege.study, siege.sibling)).status_code == 200
    siege.refused(ask(http, agreement_id=siege.sibling.agreement_id), 403, code="ground.not_permitted")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("select avg(occupants) from energy.homes", "consent.question_is_wider_than_agreement"),
        ("select count(*) from energy.readings where heating_type = 'gas'", "consent.question_is_wider_than_agreement"),
        ("select max(energy_wh) from energy.readings", "cleanroom.function_is_not_in_rule"),
        ("select quantile(energy_wh, 0.999) from energy.readings", "cleanroom.quantile_is_extreme"),
        ("select energy_wh, count(*) from energy.readings group by energy_wh", "cleanroom.dimension_is_not_in_rule"),
        ("select start_at, count(*) from energy.readings group by start_at", "cleanroom.time_needs_bucket"),
        ("select subject_no, count(*) from energy.readings group by subject_no", "cleanroom.column_identifies_people"),
        ("select count(*) from energy.readings where meter_no = 1", "cleanroom.column_identifies_people"),
        ("select count(*) from people.identities", "lake.dataset_is_unknown"),
    ],
)
def test_widened_question_is_refused(siege: Siege, sql: str, code: str) -> None:
    http = siege.program()
    assert ask(http).status_code == 200
    uses = ask(http).json()["returns"][1]["quantity"]
    refused = ask(http, sql)
    siege.refused(refused, *((404,) if code.startswith("lake") else (400, 403)), code=code)
    assert ask(http).json()["returns"][1]["quantity"] == uses


def test_replayed_sign_in_link_is_refused(siege: Siege) -> None:
    link = make_sign_in_link(siege.city, OPERATOR, siege.residents[0].resident_id)
    first = siege.stranger()
    assert first.post("/people/link", data={"token": link.token}).status_code == 303
    assert first.get("/consent").status_code == 200
    replay = siege.stranger()
    body = siege.refused(replay.post("/people/link", data={"token": link.token}), 410)
    assert COOKIE not in replay.cookies
    assert body == siege.refused(siege.stranger().post("/people/link", data={"token": link.token[::-1]}), 410)


def test_sign_in_link_used_eight_times_at_once_signs_in_once(siege: Siege) -> None:
    link = make_sign_in_link(siege.city, OPERATOR, siege.residents[0].resident_id)
    statuses: list[int] = []
    start = threading.Barrier(8)

    def press() -> None:
        http = siege.stranger()
        start.wait()
        statuses.append(http.post("/people/link", data={"token": link.token}).status_code)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303] + [410] * 7


def test_decision_without_the_token_of_the_session_is_refused(siege: Siege) -> None:
    """CSRF through the API and through the page: no token, a wrong one, another session's, another site."""
    resident_id, agreement = siege.residents[0].resident_id, siege.agreement
    http = siege.browser(resident_id)
    good = http.headers.pop("x-csrf-token")
    of_another_session = siege.browser(resident_id).headers["x-csrf-token"]
    of_another_person = siege.browser(siege.residents[1].resident_id).headers["x-csrf-token"]
    api, page = f"/api/consent/grants/{agreement.agreement_id}", f"/consent/agreements/{agreement.agreement_id}"
    body = {"decision": "withdraw"}
    forged: list[dict[str, Any]] = [
        {"json": body},
        {"json": body | {"csrf_token": good}},
        {"json": body, "params": {"csrf_token": good}},
        *({"json": body, "headers": {"x-csrf-token": bad}} for bad in ("", "0" * 64, good[:-1], good.upper() + "0")),
        {"json": body, "headers": {b"x-csrf-token": "é".encode("latin-1")}},
        *({"json": body, "headers": {"x-csrf-token": bad}} for bad in (of_another_session, of_another_person)),
        *(
            {"json": body, "headers": {"x-csrf-token": good, "origin": origin}}
            for origin in (
                "https://evil.example",
                "null",
                "http://testserver.local.evil.example",
                "https://testserver.local",
            )
        ),
        {"content": '{"decision":"withdraw","csrf_token":"' + good + '"}', "headers": {"content-type": "text/plain"}},
    ]
    for attack in forged:
        siege.refused(http.post(api, **attack), 403, code="ground.form_is_stale")
    for data in (body, body | {"csrf_token": "é"}, body | {"csrf_token": of_another_session}):
        siege.refused(http.post(page, data=data), 403)
    offer = http.get(page).text
    assert 'value="withdraw"' in offer, "the grant stands"
    outcome = http.post(
        api, json={"decision": "renew"}, headers={"x-csrf-token": good, "origin": "http://testserver.local"}
    )
    assert outcome.json()["state"] == "renewed"
    assert http.post(page, data={"decision": "renew", "csrf_token": good}).status_code == 303


def test_cookie_stolen_before_sign_out_is_worthless_after_it(siege: Siege) -> None:
    victim = siege.browser(siege.residents[2].resident_id)
    thief = siege.stranger()
    thief.cookies.set(COOKIE, victim.cookies[COOKIE], domain="testserver.local")
    thief.headers["x-csrf-token"] = victim.headers["x-csrf-token"]
    for path in PRIVATE:
        assert thief.get(path).status_code == 200, path
    assert victim.post("/people/sign-out").status_code == 303
    for path in PRIVATE:
        siege.refused(thief.get(path), 401)
    taken = thief.post(f"/api/consent/grants/{siege.agreement.agreement_id}", json={"decision": "withdraw"})
    siege.refused(taken, 401, code="ground.not_signed_in")
    proof = thief.get(f"/api/journal/proofs/{siege.answer.entry_id}")
    assert '"slot"' not in proof.text


def test_guessed_receipt_looks_like_none(siege: Siege) -> None:
    owner, stranger = (siege.browser(siege.residents[place].resident_id) for place in (11, 0))
    for path in ("/api/consent/receipts/", "/consent/receipts/", "/api/consent/receipts/{}?form=kantara"):
        address = path if "{}" in path else path + "{}"
        assert owner.get(address.format(siege.receipt_id)).status_code == 200
        ids = [siege.receipt_id, new_id("evt")]
        assert same_but_for_ids([siege.refused(stranger.get(address.format(each)), 404) for each in ids], ids)


def test_guessed_agreement_that_waits_for_approval_looks_like_none(siege: Siege) -> None:
    waiting = publish_agreement(siege.city, siege.world.client(siege.world.company), draft(retention_days=31))
    own = siege.browser(siege.world.staff(siege.world.company, "analyst").staff_id)
    ids = [waiting.agreement_id, new_id("agr")]
    for address in ("/api/consent/agreements/{}", "/consent/agreements/{}", "/api/returns/agreements/{}"):
        assert own.get(address.format(ids[0])).status_code == 200
        for http in (
            siege.stranger(),
            siege.browser(siege.analyst.staff_id),
            siege.browser(siege.residents[0].resident_id),
        ):
            assert same_but_for_ids([siege.refused(http.get(address.format(each)), 404) for each in ids], ids)
    resident = siege.browser(siege.residents[0].resident_id)
    given = [resident.post(f"/api/consent/grants/{each}", json={"decision": "give"}) for each in ids]
    assert same_but_for_ids([siege.refused(each, 404) for each in given], ids)
    report = {"side": "giver", "quantity": 1}
    sent = [siege.program().post(f"/api/returns/agreements/{each}/reports", json=report) for each in ids]
    assert same_but_for_ids([siege.refused(each, 404) for each in sent], ids)


def test_replacing_another_organisations_agreement_looks_like_replacing_none(siege: Siege) -> None:
    analyst = siege.browser(siege.analyst.staff_id)
    ids = [siege.foreign.agreement_id, new_id("agr")]
    bodies = []
    for each in ids:
        data = draft_data(retention_days=32, replaces={"agreement_id": each, "material": True})
        data["term"] = {
            name: str(value) if "day" in name and name != "grant_days" else value
            for name, value in data["term"].items()
        }
        bodies.append(siege.refused(analyst.post("/api/consent/agreements", json=data), 404))
    assert same_but_for_ids(bodies, ids)


def test_guessed_notice_looks_like_none(siege: Siege) -> None:
    owner, stranger = siege.program(), siege.program(siege.trade, siege.foreign)
    notice_id = owner.get("/api/consent/notices").json()[-1]["notice_id"]
    assert notice_id not in stranger.get("/api/consent/notices").text
    ids = [notice_id, new_id("ntc")]
    answers = [stranger.post(f"/api/consent/notices/{each}/acknowledgement") for each in ids]
    assert same_but_for_ids([siege.refused(each, 404) for each in answers], ids)
    assert owner.post(f"/api/consent/notices/{notice_id}/acknowledgement").status_code == 204


def test_proof_asked_for_by_a_stranger_says_only_what_is_public(siege: Siege) -> None:
    """Entries are public, people are not: a guessed identifier gives nobody's place in a use, nor whose grant it was."""
    address = "/api/journal/proofs/{}"
    inside, outside = (siege.browser(siege.residents[place].resident_id) for place in (0, 12))
    entry = siege.answer.entry_id
    assert '"included":true' in _opened(inside.get(address.format(entry)).text)
    assert '"included":false' in _opened(outside.get(address.format(entry)).text)
    nobody = _opened(siege.stranger().get(address.format(entry)).text)
    assert '"slot"' not in nobody
    assert '"person"' not in nobody
    granted = list_history(siege.city, siege.residents[11])[-1].entry_id
    own = siege.browser(siege.residents[11].resident_id)
    assert '"person"' in _opened(own.get(address.format(granted)).text)
    for http in (siege.stranger(), inside, siege.program(), siege.browser(siege.world.officer.staff_id)):
        assert '"person"' not in _opened(http.get(address.format(granted)).text)
    siege.refused(inside.get(address.format(new_id("ent"))), 404, code="journal.entry_not_found")


def _opened(proof: str) -> str:
    """The extra line of a .tlog-proof in clear."""
    found = re.search(r"^extra (\S+)$", proof, re.MULTILINE)
    assert found, proof
    return base64.b64decode(found[1]).decode()


def test_register_of_another_organisation_looks_like_none(siege: Siege) -> None:
    analyst = siege.browser(siege.analyst.staff_id)
    own = siege.world.university.organisation_id
    assert analyst.get(f"/api/people/organisations/{own}/clients").status_code == 200
    organisations = [siege.world.company.organisation_id, new_id("org")]
    clients = [siege.trade.client_id, new_id("cli")]
    for method, address, body, ids in [
        ("GET", "/api/people/organisations/{}/clients", None, organisations),
        ("POST", "/api/people/organisations/{}/clients", {"name": "x"}, organisations),
        ("PUT", "/api/people/organisations/{}/webhook", {"webhook_url": None}, organisations),
        ("POST", "/api/people/clients/{}/secret", None, clients),
        ("DELETE", "/api/people/clients/{}", None, clients),
    ]:
        answers = [analyst.request(method, address.format(each), json=body) for each in ids]
        assert same_but_for_ids([siege.refused(each, 404) for each in answers], ids), address
    assert siege.program(siege.trade, siege.foreign).get("/api/people/me").status_code == 200


def test_every_role_is_refused_what_belongs_to_another(siege: Siege) -> None:
    resident = siege.browser(siege.residents[0].resident_id)
    analyst, officer = (siege.browser(who.staff_id) for who in (siege.analyst, siege.world.officer))
    program = siege.program()
    organisation = {"name_ja": "あ", "name_en": "A", "kind": "company", "contact": "tel:0"}
    agreement_id = siege.agreement.agreement_id
    for http, method, path, body in [
        (resident, "POST", "/api/people/organisations", organisation),
        (analyst, "POST", "/api/people/organisations", organisation),
        (program, "POST", "/api/people/organisations", organisation),
        (resident, "POST", f"/api/consent/agreements/{agreement_id}/close", {"note": ""}),
        (analyst, "POST", f"/api/consent/agreements/{agreement_id}/close", {"note": ""}),
        (program, "POST", f"/api/consent/agreements/{agreement_id}/close", {"note": ""}),
        (analyst, "POST", f"/api/consent/grants/{agreement_id}", {"decision": "give"}),
        (officer, "POST", f"/api/consent/grants/{agreement_id}", {"decision": "withdraw"}),
        (program, "POST", f"/api/consent/grants/{agreement_id}", {"decision": "give"}),
        (officer, "GET", f"/api/consent/receipts/{siege.receipt_id}", None),
        (program, "GET", "/api/energy/me/readings.csv", None),
        (officer, "GET", "/api/energy/me/summary", None),
        (resident, "GET", "/api/consent/notices", None),
        (resident, "GET", "/consent/review", None),
        (analyst, "GET", "/consent/review", None),
    ]:
        siege.refused(http.request(method, path, json=body), 403)
    for http in (resident, officer):
        siege.refused(ask(http, agreement_id=agreement_id), 404, code="ground.not_found")


def test_withdrawn_resident_sees_that_the_refusals_above_changed_nothing(siege: Siege) -> None:
    assert siege.decide(12, Decision.GIVE)
    people = "SELECT count(DISTINCT subject_no) FROM energy.readings"
    before = ask(siege.program(), people).json()["subjects"]
    assert siege.decide(12, Decision.WITHDRAW)
    assert ask(siege.program(), people).json()["subjects"] == before - 1

"""The loop of DESIGN §1 through HTTP: the sceptic's test of promises 1, 2, 3, 6 and 7."""

from typing import Any

import pytest

from sanpo.cleanroom import recording
from sanpo.consent.actions import expire_grants
from sanpo.ground.clock import FixedClock
from sanpo.journal import JournalUnavailable, sequence, verify
from sanpo.people import create_client
from tests.consent.drafts import draft_data
from tests.journeys.town import Make, World, fill_lake, sign_in, token_for
from tests.world import OPERATOR

AVERAGE = "SELECT avg(energy_wh) AS wh FROM energy.readings"


class Loop:
    """One city with 13 metered residents, an officer, a university with a client; agreements come through HTTP."""

    def __init__(self, world: World, make: Make) -> None:
        self.world, self.city, self.make = world, world.city, make
        self.residents = world.residents(13)
        fill_lake(self.city, [resident.subject_no for resident in self.residents])
        self.client = create_client(self.city, OPERATOR, world.university.organisation_id, name="study")
        self.analyst = sign_in(self.city, make, world.staff(world.university, "analyst").staff_id)
        self.officer = sign_in(self.city, make, world.officer.staff_id)
        self.programs = make()

    def browser(self, at: int) -> Any:
        return sign_in(self.city, self.make, self.residents[at].resident_id)

    def published(self, **changes: Any) -> dict[str, Any]:
        data = draft_data(**changes)
        data["term"] = {
            name: str(value) if "day" in name and name != "grant_days" else value
            for name, value in data["term"].items()
        }
        answer = self.analyst.post("/api/consent/agreements", json=data)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def approved(self, **changes: Any) -> dict[str, Any]:
        agreement = self.published(**changes)
        answer = self.officer.post(f"/api/consent/agreements/{agreement['agreement_id']}/approve", json={"note": "ok"})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def decide(self, http: Any, agreement: dict[str, Any], decision: str) -> Any:
        body = {"decision": decision, "sha256": agreement["sha256"]}
        return http.post(f"/api/consent/grants/{agreement['agreement_id']}", json=body)

    def ask(self, agreement: dict[str, Any], sql: str = AVERAGE) -> Any:
        headers = token_for(self.programs, self.client.client_id, self.client.secret, agreement["agreement_id"])
        return self.programs.post("/api/cleanroom/questions", json={"sql": sql}, headers=headers)


@pytest.fixture
def loop(world: World, client: Make) -> Loop:
    return Loop(world, client)


def average(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers)


def test_whole_loop(loop: Loop) -> None:
    agreement = loop.published()
    first = loop.browser(0)

    # Not approved: residents do not see it.
    assert first.get(f"/api/consent/agreements/{agreement['agreement_id']}").status_code == 404
    assert loop.decide(first, agreement, "give").status_code == 404
    approval = loop.officer.post(f"/api/consent/agreements/{agreement['agreement_id']}/approve", json={"note": ""})
    assert approval.json()["state"] == "approved"

    # Read in Japanese and in English; two taps: open the request, agree.
    page = f"/consent/agreements/{agreement['agreement_id']}"
    assert "ピークを減らす研究" in first.get(page).text
    first.get("/language/en")
    assert "Research to lower peaks" in first.get(page).text

    # Nine residents agree: below the threshold of ten nothing is answered, and the refusal says what would pass.
    browsers = [loop.browser(at) for at in range(9)]
    for http in browsers:
        assert loop.decide(http, agreement, "give").json()["state"] == "given"
    refused = loop.ask(agreement)
    assert refused.status_code == 403
    assert refused.json()["code"] == "cleanroom.too_few_subjects"
    assert "10" in refused.json()["detail"]

    # The tenth and the eleventh agree: answered, from exactly their rows.
    for at in (9, 10):
        loop.decide(loop.browser(at), agreement, "give")
    answered = loop.ask(agreement)
    assert answered.status_code in (200, 201), answered.text
    answer = answered.json()
    granted = [resident.subject_no for resident in loop.residents[:11]]
    assert answer["rows"][0]["values"] == [pytest.approx(average(granted))]
    assert answer["subjects"] == 11
    assert {one["side"]: one["quantity"] for one in answer["returns"]} == {"giver": 22, "city": 1, "organisation": 1}

    # At once the resident sees who, why, with how many others and what came back, in the page too.
    uses = first.get("/returns").text
    for words in ("University", "together with 10 others", "22 times"):
        assert words in uses

    # The proof: offline, with the public key alone. Included ...
    sequence(loop.city)
    vkey = loop.city.keys.vkey(loop.city.settings.journal_origin)
    proof = first.get(f"/api/journal/proofs/{answer['entry_id']}")
    verdict = verify(proof.text, vkey)
    assert (verdict.kind, verdict.included, verdict.subject_no) == ("use", True, loop.residents[0].subject_no)
    # ... and a resident who was not can prove that too.
    outsider = loop.browser(12)
    verdict = verify(outsider.get(f"/api/journal/proofs/{answer['entry_id']}").text, vkey)
    assert (verdict.included, verdict.subject_no) == (False, loop.residents[12].subject_no)

    # Withdrawal acts on the next question and is told.
    assert loop.decide(first, agreement, "withdraw").json()["state"] == "withdrawn"
    # The same average of ten instead of eleven would tell the one by subtraction: that is refused, another is answered.
    close = loop.ask(agreement)
    assert (close.status_code, close.json()["code"]) == (403, "cleanroom.answers_are_too_close")
    again = loop.ask(agreement, "SELECT count(DISTINCT subject_no) FROM energy.readings").json()
    assert again["subjects"] == 10
    headers = token_for(loop.programs, loop.client.client_id, loop.client.secret, agreement["agreement_id"])
    (notice,) = loop.programs.get("/api/consent/notices", headers=headers).json()
    assert notice["state"] == "withdrawn"
    assert "not yet" in first.get(page).text or "no acknowledgement yet" in first.get(page).text
    acknowledged = loop.programs.post(f"/api/consent/notices/{notice['notice_id']}/acknowledgement", headers=headers)
    assert acknowledged.status_code == 204
    assert "acknowledged at" in first.get(page).text


def test_no_answer_leaves_when_the_journal_fails(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = loop.approved()
    for at in range(10):
        loop.decide(loop.browser(at), agreement, "give")
    assert loop.ask(agreement).status_code in (200, 201)

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise JournalUnavailable(problem="test")

    monkeypatch.setattr(recording, "append", fail)
    failed = loop.ask(agreement)
    assert failed.status_code == 503
    assert failed.json()["code"] == "journal.journal_unavailable"
    assert "rows" not in failed.text
    with loop.city.transaction(OPERATOR) as tx:
        assert tx.get("select count(distinct entry_no) as n from returns.accruals").n == 1


def test_expired_grant_is_not_counted_even_before_the_job_has_run(loop: Loop, clock: FixedClock) -> None:
    agreement = loop.approved(term={"first_day": "2026-03-01", "last_day": "2027-02-28", "grant_days": 30})
    for at in range(10):
        loop.decide(loop.browser(at), agreement, "give")
    assert loop.ask(agreement).json()["subjects"] == 10
    clock.advance(days=31)
    assert loop.ask(agreement).status_code == 403
    assert expire_grants(loop.city) == 10
    http = loop.browser(0)
    assert loop.decide(http, agreement, "give").json()["state"] == "given"


def test_refusal_deferral_and_renewal_go_the_same_way(loop: Loop) -> None:
    agreement = loop.approved()
    http = loop.browser(0)
    assert loop.decide(http, agreement, "defer").json()["state"] == "deferred"
    assert loop.decide(http, agreement, "refuse").json()["state"] == "refused"
    assert loop.decide(http, agreement, "give").json()["state"] == "given"
    assert loop.decide(http, agreement, "renew").json()["state"] == "renewed"
    assert loop.decide(http, agreement, "defer").status_code == 409
    assert loop.decide(http, agreement, "withdraw").json()["state"] == "withdrawn"


def test_material_change_needs_consent_again(loop: Loop) -> None:
    old = loop.approved()
    for at in range(10):
        loop.decide(loop.browser(at), old, "give")
    new = loop.approved(retention_days=700, replaces={"agreement_id": old["agreement_id"], "material": True})
    assert loop.ask(old).status_code == 403
    assert loop.ask(new).status_code == 403
    for at in range(10):
        loop.decide(loop.browser(at), new, "give")
    assert loop.ask(new).json()["subjects"] == 10


def test_suppressed_cells_are_marked(loop: Loop) -> None:
    agreement = loop.approved()
    for at in range(13):
        loop.decide(loop.browser(at), agreement, "give")
    # 7 residents live in 東 and 6 in 西: both cells are below ten, so nothing can be told by area ...
    assert loop.ask(agreement, "SELECT area, avg(energy_wh) FROM energy.readings GROUP BY area").status_code == 403
    # ... while by dwelling all thirteen are one cell.
    told = loop.ask(agreement, "SELECT dwelling_type, avg(energy_wh) FROM energy.readings GROUP BY dwelling_type")
    assert told.json()["rows"][0]["subjects"] == 13

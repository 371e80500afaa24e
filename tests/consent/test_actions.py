"""Decisions on agreements: what each leaves behind, and that a refusal leaves nothing."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sanpo.consent import Decision, actions, decide, publish_agreement
from sanpo.consent.actions import (
    AgreementHasChanged,
    AgreementIsNotOffered,
    Done,
    end_grants,
    expire_grants,
    get_offer,
    get_record,
    list_history,
    list_offers,
)
from sanpo.consent.notices import acknowledge_notice, list_notices
from sanpo.consent.publication import (
    AgreementExists,
    AgreementIsDecided,
    approve_agreement,
    close_agreement,
    count_granted,
)
from sanpo.consent.receipts import sign_input
from sanpo.consent.states import DecisionDoesNotApply, State
from sanpo.ground.actors import Anonymous, Resident
from sanpo.ground.canonical import canonical_json
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.journal import JournalUnavailable

from .drafts import draft, draft_data


def test_opting_in_leaves_grant_bit_receipt_and_entry(world: Any) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    outcome = decide(world.city, resident, agreement.agreement_id, Decision.GIVE, sha256=agreement.sha256)
    assert (outcome.done, outcome.state) == (Done.RECORDED, State.GIVEN)
    assert count_granted(world.city, agreement.agreement_no) == 1
    assert get_offer(world.city, resident, agreement.agreement_id).state is State.GIVEN
    (event,) = list_history(world.city, resident)
    assert (event.event_id, event.entry_id, event.acted_as) == (outcome.event_id, outcome.entry_id, "self")


def test_pressing_again_changes_nothing(world: Any) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    world.give(agreement, [resident])
    again = decide(world.city, resident, agreement.agreement_id, Decision.GIVE)
    assert (again.done, again.state, again.event_id) == (Done.UNCHANGED, State.GIVEN, None)
    assert len(list_history(world.city, resident)) == 1


def test_receipt_is_signed_by_the_city(world: Any) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    outcome = decide(world.city, resident, agreement.agreement_id, Decision.GIVE)
    receipt = get_record(world.city, resident, outcome.event_id or "")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt["signature"]["key"].split("+", 2)[2])[1:])
    key.verify(base64.b64decode(receipt["signature"]["value"]), sign_input(canonical_json(receipt["record"])))
    record = receipt["record"]
    assert record["dpv:hasConsentStatus"] == "dpv:ConsentGiven"
    assert record["dpv:hasNotice"]["sha256"] == agreement.sha256
    assert record["dpv:isIndicatedBy"] == {"@type": "dpv:DataSubject", "role": "self"}
    assert resident.resident_id not in json.dumps(record)


@pytest.mark.parametrize("role", ["parent", "carer"])
def test_record_says_so_when_a_representative_decides(world: Any, role: Any) -> None:
    agreement = world.agreement()
    child, adult = world.residents(2)
    acting = Resident(child.resident_id, child.subject_no, adult.resident_id, role)
    outcome = decide(world.city, acting, agreement.agreement_id, Decision.GIVE)
    by = get_record(world.city, child, outcome.event_id or "")["record"]["dpv:isIndicatedBy"]
    assert (by["role"], by["representative"]) == (role, adult.resident_id)


def test_kantara_export_validates_against_the_published_schema(world: Any, shared: Any) -> None:
    import jsonschema

    text = (shared / "specs" / "kantara" / "schema.json").read_text(encoding="utf-8")
    schema = json.loads("\n".join(line for line in text.splitlines() if not line.strip().startswith("//")))
    agreement = world.agreement()
    (resident,) = world.residents(1)
    outcome = decide(world.city, resident, agreement.agreement_id, Decision.GIVE, language="en")
    receipt = get_record(world.city, resident, outcome.event_id or "", "kantara")
    jsonschema.validate(receipt, schema)
    assert receipt["services"][0]["purposes"][0]["consentType"] == "EXPLICIT"


def test_receipt_of_another_resident_looks_like_none(world: Any) -> None:
    agreement = world.agreement()
    one, other = world.residents(2)
    outcome = decide(world.city, one, agreement.agreement_id, Decision.GIVE)
    with pytest.raises(NotFound):
        get_record(world.city, other, outcome.event_id or "")


def test_withdrawing_clears_the_bit_and_queues_a_notice(world: Any) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    world.give(agreement, [resident])
    outcome = decide(world.city, resident, agreement.agreement_id, Decision.WITHDRAW)
    assert outcome.state is State.WITHDRAWN
    assert count_granted(world.city, agreement.agreement_no) == 0
    client = world.client(world.university)
    (notice,) = list_notices(world.city, client)
    assert (notice["state"], notice["acknowledged"]) == ("withdrawn", False)
    assert str(resident.subject_no) != notice["subject"]
    assert list_history(world.city, resident)[0].acknowledged_at is None
    acknowledge_notice(world.city, client, notice["notice_id"])
    assert list_history(world.city, resident)[0].acknowledged_at is not None


def test_notice_of_another_organisation_looks_like_none(world: Any) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    world.give(agreement, [resident])
    decide(world.city, resident, agreement.agreement_id, Decision.WITHDRAW)
    (notice,) = list_notices(world.city, world.client(world.university))
    stranger = world.client(world.company)
    assert list_notices(world.city, stranger) == []
    with pytest.raises(NotFound):
        acknowledge_notice(world.city, stranger, notice["notice_id"])
    with pytest.raises(NotPermitted):
        acknowledge_notice(world.city, resident, notice["notice_id"])


def test_decision_is_refused_when_the_text_read_is_another(world: Any) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    with pytest.raises(AgreementHasChanged):
        decide(world.city, resident, agreement.agreement_id, Decision.GIVE, sha256="0" * 64)
    assert list_history(world.city, resident) == []


def test_decision_is_refused_when_it_does_not_apply(world: Any) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    with pytest.raises(DecisionDoesNotApply):
        decide(world.city, resident, agreement.agreement_id, Decision.WITHDRAW)


def test_unapproved_agreement_is_invisible_to_residents(world: Any) -> None:
    (resident,) = world.residents(1)
    published = publish_agreement(world.city, world.client(world.university), draft())
    with pytest.raises(NotFound):
        decide(world.city, resident, published.agreement_id, Decision.GIVE)
    assert list_offers(world.city, resident) == []


def test_only_residents_decide(world: Any) -> None:
    agreement = world.agreement()
    with pytest.raises(NotSignedIn):
        decide(world.city, Anonymous(), agreement.agreement_id, Decision.GIVE)
    with pytest.raises(NotPermitted):
        decide(world.city, world.officer, agreement.agreement_id, Decision.GIVE)


def test_failing_journal_leaves_no_grant(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise JournalUnavailable(problem="test")

    monkeypatch.setattr(actions, "append", fail)
    with pytest.raises(JournalUnavailable):
        decide(world.city, resident, agreement.agreement_id, Decision.GIVE)
    assert count_granted(world.city, agreement.agreement_no) == 0
    assert get_offer(world.city, resident, agreement.agreement_id).state is State.REQUESTED


def test_grant_expires_and_can_be_given_again(world: Any, clock: FixedClock) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    world.give(agreement, [resident])
    clock.advance(days=179)
    assert expire_grants(world.city) == 0
    clock.advance(days=2)
    assert expire_grants(world.city) == 1
    assert get_offer(world.city, resident, agreement.agreement_id).state is State.EXPIRED
    assert count_granted(world.city, agreement.agreement_no) == 0
    world.give(agreement, [resident])
    assert get_offer(world.city, resident, agreement.agreement_id).state is State.GIVEN


def test_renewal_moves_the_end(world: Any, clock: FixedClock) -> None:
    agreement = world.agreement()
    (resident,) = world.residents(1)
    first = decide(world.city, resident, agreement.agreement_id, Decision.GIVE)
    clock.advance(days=100)
    second = decide(world.city, resident, agreement.agreement_id, Decision.RENEW)
    assert second.state is State.RENEWED
    assert (second.expires_at or clock.now()) - (first.expires_at or clock.now()) == timedelta(days=100)


def test_grant_never_outlives_its_agreement(world: Any) -> None:
    agreement = world.agreement(term={"first_day": "2026-03-01", "last_day": "2026-04-10", "grant_days": 3650})
    (resident,) = world.residents(1)
    outcome = decide(world.city, resident, agreement.agreement_id, Decision.GIVE)
    # The last local day ends at midnight in Tokyo, which is 15:00 UTC.
    assert outcome.expires_at is not None
    assert outcome.expires_at.isoformat() == "2026-04-10T15:00:00+00:00"


def test_closing_ends_all_grants_and_tells_the_recipient(world: Any) -> None:
    agreement = world.agreement()
    residents = world.residents(3)
    world.give(agreement, residents)
    close_agreement(world.city, world.officer, agreement.agreement_id, note="finished")
    assert end_grants(world.city, agreement.agreement_id, State.REVOKED) == 3
    assert {get_offer(world.city, r, agreement.agreement_id).state for r in residents} == {State.REVOKED}
    assert len(list_notices(world.city, world.client(world.university))) == 3
    with pytest.raises(AgreementIsNotOffered):
        decide(world.city, residents[0], agreement.agreement_id, Decision.GIVE)
    with pytest.raises(AgreementIsDecided):
        close_agreement(world.city, world.officer, agreement.agreement_id, note="again")


def replacement(agreement: Any, *, material: bool, **changes: Any) -> Any:
    return draft(**changes, replaces={"agreement_id": agreement.agreement_id, "material": material})


def test_material_change_asks_everybody_anew(world: Any) -> None:
    old = world.agreement()
    (resident,) = world.residents(1)
    world.give(old, [resident])
    new = world.agreement(the_draft=replacement(old, material=True, retention_days=365))
    assert get_offer(world.city, resident, new.agreement_id).state is State.REQUESTED
    assert count_granted(world.city, new.agreement_no) == 0
    end_grants(world.city, old.agreement_id, State.REVOKED)
    assert get_offer(world.city, resident, old.agreement_id).state is State.REVOKED


def test_immaterial_change_carries_grants_over(world: Any) -> None:
    old = world.agreement()
    (resident,) = world.residents(1)
    world.give(old, [resident])
    words = {"title": {"ja": "言い換え", "en": "Other words"}}
    new = world.agreement(the_draft=replacement(old, material=False, **words))
    assert get_offer(world.city, resident, new.agreement_id).state is State.GIVEN
    assert count_granted(world.city, new.agreement_no) == 1
    assert count_granted(world.city, old.agreement_no) == 0


def test_same_text_is_not_published_twice(world: Any) -> None:
    client = world.client(world.university)
    publish_agreement(world.city, client, draft())
    with pytest.raises(AgreementExists):
        publish_agreement(world.city, client, draft())


def test_only_an_officer_approves(world: Any) -> None:
    published = publish_agreement(world.city, world.client(world.university), draft())
    for actor in (world.client(world.university), world.staff(world.university, "analyst"), world.residents(1)[0]):
        with pytest.raises(NotPermitted):
            approve_agreement(world.city, actor, published.agreement_id)
    approve_agreement(world.city, world.officer, published.agreement_id)
    with pytest.raises(AgreementIsDecided):
        approve_agreement(world.city, world.officer, published.agreement_id)


def test_nobody_publishes_for_another_organisation(world: Any) -> None:
    with pytest.raises(NotPermitted):
        publish_agreement(
            world.city, world.client(world.company), draft(), organisation_id=world.university.organisation_id
        )


def test_draft_names_only_known_datasets_and_columns(world: Any) -> None:
    from sanpo.consent.model import AgreementIsInvalid

    data = draft_data()["datasets"]
    for datasets in ([{"name": "energy.secrets", "columns": ["a"]}], [{**data[0], "columns": ["start_at", "name"]}]):
        with pytest.raises(AgreementIsInvalid):
            publish_agreement(
                world.city,
                world.client(world.university),
                draft(datasets=datasets, rule={"dimensions": [], "measures": [], "functions": ["count"]}),
            )

"""Agreements: what can be published, what a hash names, which changes are material."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.consent.model import (
    AgreementHasEmptyGain,
    AgreementIsInvalid,
    ChangeIsMaterial,
    Document,
    PurposeIsUnknown,
    Recipient,
    Replaces,
    Text,
    check_draft,
    check_replacement,
    document_bytes,
    document_sha256,
    parse_document,
    read_draft,
)

from .drafts import draft, draft_data

TODAY = date(2026, 4, 1)


def test_draft_is_accepted_when_all_parts_fit() -> None:
    check_draft(draft(), today=TODAY)


@pytest.mark.parametrize("side", ["giver", "city", "organisation"])
@pytest.mark.parametrize("how", ["missing", "blank", "absent"])
def test_draft_is_refused_when_a_side_gains_nothing(side: str, how: str) -> None:
    data = draft_data()
    if how == "missing":
        del data["gains"][side]
    elif how == "blank":
        data["gains"][side]["text"]["en"] = "   "
    else:
        del data["gains"][side]["text"]
    with pytest.raises(AgreementHasEmptyGain) as refusal:
        check_draft(read_draft(msgspec.json.encode(data)), today=TODAY)
    assert refusal.value.fields == {"side": side}


INVALID: list[tuple[str, dict[str, Any], type[Exception]]] = [
    (
        "unknown purpose",
        {"purpose": {"text": {"ja": "あ", "en": "a"}, "dpv": ["SellDataToThirdParties"]}},
        PurposeIsUnknown,
    ),
    ("term over", {"term": {"first_day": "2025-01-01", "last_day": "2026-03-31", "grant_days": 9}}, AgreementIsInvalid),
    (
        "term reversed",
        {"term": {"first_day": "2027-01-01", "last_day": "2026-12-31", "grant_days": 9}},
        AgreementIsInvalid,
    ),
    (
        "rule outside the datasets",
        {"rule": {"dimensions": ["name"], "measures": [], "functions": ["count"]}},
        AgreementIsInvalid,
    ),
    ("no dataset", {"datasets": []}, AgreementIsInvalid),
    ("unknown part", {"surprise": 1}, AgreementIsInvalid),
    ("negative retention", {"retention_days": -1}, AgreementIsInvalid),
]


@pytest.mark.parametrize(("changes", "error"), [(c, e) for _, c, e in INVALID], ids=[name for name, _, _ in INVALID])
def test_draft_is_refused_when(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        check_draft(read_draft(msgspec.json.encode(draft_data(**changes))), today=TODAY)


@given(st.binary(max_size=200))
def test_reading_noise_gives_a_domain_error(noise: bytes) -> None:
    with pytest.raises((AgreementIsInvalid, AgreementHasEmptyGain)):
        read_draft(noise)


def document(**changes: Any) -> Document:
    return Document(
        draft(**changes), Recipient("org_x", Text("大学", "University"), "a@example.jp"), Text("市", "City")
    )


def test_hash_names_the_text_and_survives_storage() -> None:
    stored = parse_document(document_bytes(document()))
    assert document_sha256(stored) == document_sha256(document())
    assert document_sha256(document(retention_days=91)) != document_sha256(document())


MATERIAL: list[dict[str, Any]] = [
    {"retention_days": 91},
    {"purpose": {"text": {"ja": "あ", "en": "a"}, "dpv": ["CommercialResearch"]}},
    {"datasets": [{"name": "energy.readings", "columns": ["start_at", "energy_wh", "meter_no"]}]},
    {"term": {"first_day": "2026-03-01", "last_day": "2028-02-28", "grant_days": 180}},
]


@pytest.mark.parametrize("changes", MATERIAL, ids=lambda changes: next(iter(changes)))
def test_immaterial_change_is_refused_when_it_touches_what_was_agreed(changes: dict[str, Any]) -> None:
    new = msgspec.structs.replace(draft(**changes), replaces=Replaces("agr_x", material=False))
    with pytest.raises(ChangeIsMaterial):
        check_replacement(draft(), new)
    check_replacement(draft(), msgspec.structs.replace(new, replaces=Replaces("agr_x", material=True)))


def test_immaterial_change_may_mend_words() -> None:
    words = {"title": {"ja": "電力の使われ方", "en": "Use of power"}}
    check_replacement(draft(), msgspec.structs.replace(draft(**words), replaces=Replaces("agr_x", material=False)))

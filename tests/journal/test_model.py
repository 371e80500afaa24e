"""What of an entry goes into the tree."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.ground.canonical import canonical_json
from sanpo.journal.model import Leaf, body_bytes, check_kind, commit_to, written

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BODIES = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.lists(TEXT))
HASHES = st.binary(min_size=32, max_size=32)


@given(BODIES, st.none() | HASHES, st.none() | st.tuples(st.integers(1, 10**9), HASHES))
def test_leaf_is_canonical_json_of_its_parts(
    body: dict[str, object], person: bytes | None, sealed: tuple[int, bytes] | None
) -> None:
    universe, root = sealed or (None, None)
    at = datetime(2026, 4, 1, 9, 30, 15, 7, tzinfo=UTC)
    data = Leaf("ent_1", "grant.given", at, body_bytes(body), person, universe, root).to_bytes()
    value = json.loads(data)
    assert canonical_json(value) == data
    assert value.pop("person", None) == (person.hex() if person else None)
    assert value.pop("subjects", None) == ({"root": root.hex(), "universe": universe} if root else None)
    assert value == {
        "at": "2026-04-01T09:30:15.000007Z",
        "body": json.loads(canonical_json(body)),
        "entry_id": "ent_1",
        "kind": "grant.given",
        "v": 1,
    }


def test_time_is_written_in_utc_with_microseconds_whatever_its_zone() -> None:
    tokyo = datetime(2026, 4, 1, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    assert written(tokyo) == "2026-04-01T00:00:00.000000Z"


def test_commitment_is_the_documented_hash() -> None:
    # (head -c 16 /dev/zero; printf '\0\0\0\0\0\0\0\7') | sha256sum
    assert commit_to(7, bytes(16)).hex() == "7744ead75320e2eeff3773eda6190909c0151fa7452093b42cceae540c45a8e4"


@pytest.mark.parametrize("kind", ["use", "grant.given", "agreement.not_approved"])
def test_kind_is_accepted(kind: str) -> None:
    assert check_kind(kind) == kind


@pytest.mark.parametrize("kind", ["", "Use", "use!", 'use","x":"', "a" * 65, "use.", "利用"])
def test_kind_is_refused_when_malformed(kind: str) -> None:
    with pytest.raises(ValueError, match="kind"):
        check_kind(kind)

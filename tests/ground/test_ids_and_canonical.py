"""Identifiers sort by time and cannot be confused; canonical JSON is one text for one value."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.ground.canonical import NotCanonical, canonical_json, sha256_hex
from sanpo.ground.ids import IdIsMalformed, check_id, new_id


def test_ids_sort_by_time_and_are_unique() -> None:
    made = [new_id("agr") for _ in range(2000)]
    assert len(set(made)) == len(made)
    assert sorted(made, key=lambda i: i[:14]) == made


@pytest.mark.parametrize(
    "given", ["", "agr", "agr_", "agr_123", "res_" + "0" * 26, "agr_" + "U" * 26, "agr_" + "0" * 27]
)
def test_id_is_refused_when_malformed(given: str) -> None:
    with pytest.raises(IdIsMalformed):
        check_id("agr", given)


def test_id_round_trips() -> None:
    made = new_id("evt")
    assert check_id("evt", made) == made


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(list(value))}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(values)
def test_canonical_form_ignores_order_and_keeps_the_value(value: Any) -> None:
    try:
        text = canonical_json(value)
    except UnicodeEncodeError:
        return
    assert canonical_json(shuffled(value)) == text
    assert json.loads(text) == value


def test_canonical_form_sorts_by_utf16_as_rfc_8785_asks() -> None:
    # RFC 8785 §3.2.3: the order of UTF-16 code units, in which a surrogate pair comes before U+FB33.
    keys = ["€", "\r", "\ufb33", "1", "😀", "\x80", "ö"]
    assert list(json.loads(canonical_json(dict.fromkeys(keys, 0)))) == ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"]


@pytest.mark.parametrize("value", [1.5, {"a": float("nan")}, {1: 2}, [object()], 2**53 + 1, b"x"])
def test_canonical_form_is_refused_for_what_has_none(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


def test_sha256_is_the_standards() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

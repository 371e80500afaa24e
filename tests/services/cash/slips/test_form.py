"""The form of a slip: one way to write it, and nothing else is read."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.services.cash.slips.errors import SlipIsMalformed, SlipKeyIsInvalid
from sanpo.services.cash.slips.model import MOST_TEXT, TEXT, check_key, city_key_of, parse
from tests.conftest import ROOT
from tests.services.cash.slips.reference_pages import PAGES, VECTORS, Vector, good_slip


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector_is_checked_as_published(vector: Vector) -> None:
    assert vector.found() == vector.outcome


@pytest.mark.parametrize("algorithm", ["ed25519", "es256"])
def test_slip_reads_as_it_was_written_and_fits_a_qr_code(algorithm: str) -> None:
    slip = good_slip(algorithm)
    assert parse(str(slip)) == slip
    assert parse(f" {slip}\n") == slip
    assert len(str(slip)) <= 366  # alphanumeric characters of version 11 at level M


@given(st.binary(max_size=300))
def test_bytes_that_are_no_slip_are_refused(packed: bytes) -> None:
    with pytest.raises(SlipIsMalformed):
        parse(TEXT + base64.b32encode(packed).decode().rstrip("="))


@pytest.mark.parametrize(
    "text", ["", TEXT, "SLIP2:AAAA", TEXT + "A" * 348, TEXT + "!" * 8, TEXT + "A" * MOST_TEXT, "\x00", "SLIP1：AAAA"]
)
def test_text_that_is_no_slip_is_refused(text: str) -> None:
    with pytest.raises(SlipIsMalformed):
        parse(text)


def test_slip_that_is_cut_longer_or_in_lower_case_is_refused() -> None:
    text = str(good_slip("ed25519"))
    for other in (
        text[:-1],
        text[:-8],
        text + "A",
        text + "=",
        text + "AAAAAAAA",
        text.lower(),
        text[:20] + " " + text[20:],
    ):
        with pytest.raises(SlipIsMalformed):
            parse(other)


def test_any_character_changed_makes_another_slip_or_none() -> None:
    """No two texts are the same slip: else one slip could be redeemed as two."""
    text, chance = str(good_slip("ed25519")), random.Random(1)
    for place in range(len(TEXT), len(text)):
        other = chance.choice([letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" if letter != text[place]])
        try:
            assert parse(text[:place] + other + text[place + 1 :]) != parse(text)
        except SlipIsMalformed:
            continue


@pytest.mark.parametrize(
    ("algorithm", "public_key"),
    [
        ("rsa", b"1" * 32),
        ("ed25519", b"1" * 31),
        ("es256", b"\x02" + b"\xff" * 32),
        ("es256", b"\x04" + b"1" * 64),
        ("", b""),
    ],
)
def test_key_that_is_none_is_refused(algorithm: str, public_key: bytes) -> None:
    with pytest.raises(SlipKeyIsInvalid):
        check_key(algorithm, public_key)


@pytest.mark.parametrize("vkey", ["", "city", "city+00", "city+00+!!", "city+00+AAAA", "city+00+" + "Ag" + "A" * 42])
def test_key_of_a_city_that_is_none_is_refused(vkey: str) -> None:
    with pytest.raises(SlipKeyIsInvalid):
        city_key_of(vkey)


@pytest.mark.parametrize("path", PAGES)
def test_reference_page_is_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run: make docs"

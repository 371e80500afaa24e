"""The codec of payment codes: published payloads byte for byte, and what is refused and why."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.services.cash import emv

CAFE = emv.JpqrAccount("1234567890123")
CODE = str(emv.make_code(CAFE, name="NANUKAMACHI CAFE", city="JAPAN", category="5812", local_name="七日町カフェ"))


def with_checksum(body: str) -> str:
    return f"{body}6304{emv.checksum(body + '6304'):04X}"


def test_published_payloads_are_read_and_printed_byte_for_byte(shared: Path) -> None:
    vectors = json.loads((shared / "payment/qr_vectors.json").read_text())
    for vector in vectors["valid"]:
        code = emv.parse(vector["payload"])
        assert str(code) == vector["payload"]
        if vector.get("note", "").startswith("EMVCo"):
            with pytest.raises(emv.QrIsNotJpqr):
                emv.jpqr_account(code)
        else:
            assert emv.jpqr_account(code) == emv.JpqrAccount("0000000000001", "0001", "000001", "000001")


def test_published_payloads_are_refused_for_the_stated_reason(shared: Path) -> None:
    reasons = {
        "checksum is wrong": "checksum",
        "as JPQR: country is not JP": "country",
        "as JPQR: currency is not 392": "currency",
    }
    for vector in json.loads((shared / "payment/qr_vectors.json").read_text())["invalid"]:
        with pytest.raises((emv.QrIsInvalid, emv.QrIsNotJpqr)) as caught:
            emv.jpqr_account(emv.parse(vector["payload"]))
        assert reasons[vector["why"]] in caught.value.fields["problem"]
        assert (type(caught.value) is emv.QrIsNotJpqr) == vector["why"].startswith("as JPQR")


def test_checksum_is_that_of_the_standard() -> None:
    assert emv.checksum("123456789") == 0x29B1


@given(
    name=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=25),
    local=st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=25),
    amount=st.none() | st.integers(1, 10**13 - 1),
    merchant=st.integers(0, 10**13 - 1),
    bill=st.none() | st.from_regex("[0-9a-z]{1,25}", fullmatch=True),
)
def test_what_is_made_is_read_as_it_was_meant(
    name: str, local: str | None, amount: int | None, merchant: int, bill: str | None
) -> None:
    account = emv.JpqrAccount(f"{merchant:013d}")
    made = emv.make_code(account, name=name, city="JAPAN", category="5812", local_name=local, amount=amount, bill=bill)
    read = emv.parse(str(made))
    assert (read, emv.jpqr_account(read)) == (made, account)
    assert (read.is_dynamic, read.amount) == (amount is not None, None if amount is None else str(amount))


@given(st.integers(0, len(CODE) - 1), st.characters(exclude_categories=["Cs"]))
def test_any_changed_character_is_noticed(at: int, other: str) -> None:
    changed = CODE[:at] + other + CODE[at + 1 :]
    if changed != CODE:
        with pytest.raises((emv.QrIsInvalid, emv.QrIsNotJpqr)):
            emv.jpqr_account(emv.parse(changed))


@given(st.text(max_size=600))
def test_any_text_is_read_or_refused(text: str) -> None:
    for payload in (text, with_checksum(text), with_checksum("000201" + text)):
        with contextlib.suppress(emv.QrIsInvalid):
            assert str(emv.parse(payload)) == payload


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("", "00"),
        ("000202", "00"),
        ("010211000201", "00"),
        ("0002010002015204581253033925802JP5901X6001Y", "00"),
        ("0002015204581253033925802JP5901X6001Y", "02-51"),
        ("0002010202AB5303392", "52"),
        ("0002010102135204581253033925802JP5901X6001Y", "01"),
        ("000201541", "54"),
        ("0002015499", "54"),
        ("0002010200", "02"),
        ("0002012604ABCD", "AB"),
    ],
)
def test_malformed_payload_names_the_tag(body: str, where: str) -> None:
    with pytest.raises(emv.QrIsInvalid) as caught:
        emv.parse(with_checksum(body))
    assert caught.value.fields["where"].startswith(where)

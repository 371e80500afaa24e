"""Amounts that are none, in a code and beside it: negative, zero, too large, of another currency, of other types."""

from contextlib import suppress
from typing import Any

import psycopg
import pytest

from sanpo.ground.ids import new_id
from sanpo.ledger.model import MAX_AMOUNT
from sanpo.services.cash import emv, paying, shops
from sanpo.services.cash.errors import AmountIsInvalid, LinesDoNotAddUp
from sanpo.services.cash.model import MOST_YEN, Line
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.attacks.conftest import nothing_moves
from tests.services.cash.conftest import Town

NO_AMOUNTS: dict[str, Any] = {
    "zero": 0,
    "negative": -1,
    "most negative": -(2**63),
    "above the most": MOST_YEN + 1,
    "above the ledger": MAX_AMOUNT + 1,
    "wraps to one": 2**64 + 1,
    "fraction": 1.5,
    "not a number": float("nan"),
    "text": "100",
    "true": True,
}


def changed(code: emv.MerchantCode, **values: str) -> str:
    """The code with other values, under a checksum that is right again: whoever changes a code can reckon it too."""
    fresh = {tag.removeprefix("t"): value for tag, value in values.items()}
    objects = [emv.DataObject(each.tag, fresh.pop(each.tag, each.value), each.inside) for each in code.objects]
    objects += [emv.DataObject(tag, value) for tag, value in fresh.items()]
    return str(emv.MerchantCode(tuple(objects)))


@pytest.mark.parametrize("yen", NO_AMOUNTS.values(), ids=NO_AMOUNTS.keys())
def test_amount_that_is_none_is_refused_by_every_verb(town: Town, yen: Any) -> None:
    shown = paying.show_code(town.city, town.aya)
    payment_id = new_id("pay")
    assert town.pay(town.aya, 500, payment_id=payment_id) is Outcome.DONE
    with nothing_moves(town):
        for attempt in (
            lambda: town.pay(town.aya, yen),
            lambda: town.charge(town.aya, yen),
            lambda: town.take(shown.code, yen),
            lambda: paying.make_bill(town.city, town.till, town.cafe.shop_id, yen),
            lambda: paying.refund(town.city, town.till, new_id("rfd"), payment_id, yen),
        ):
            with pytest.raises(AmountIsInvalid):
                attempt()


@pytest.mark.parametrize(
    "amount", ["0", "000", "9999999999999", "-100", "+100", "1e3", "1_000", "１００", "12.", "0.5"]
)
def test_amount_in_a_code_that_is_none_is_refused(town: Town, amount: str) -> None:
    payload = changed(emv.parse(shops.printable_code(town.cafe)), t54=amount)
    with nothing_moves(town), pytest.raises((AmountIsInvalid, emv.QrIsInvalid, emv.QrIsNotJpqr)):
        town.pay(town.aya, 100, payload)


def test_largest_amount_is_above_the_limit_and_no_overflow(town: Town) -> None:
    with nothing_moves(town):
        assert town.pay(town.aya, MOST_YEN) is Outcome.ABOVE_PAYMENT_LIMIT
        assert town.charge(town.aya, MOST_YEN) is Outcome.ABOVE_WALLET_LIMIT


@pytest.mark.parametrize("currency", ["840", "978", "000", "393"])
def test_code_of_another_currency_is_refused(town: Town, currency: str) -> None:
    payload = changed(emv.parse(shops.printable_code(town.cafe)), t53=currency)
    with nothing_moves(town), pytest.raises(emv.QrIsNotJpqr, match="currency"):
        town.pay(town.aya, 100, payload)


def test_code_of_another_country_is_refused(town: Town) -> None:
    payload = changed(emv.parse(shops.printable_code(town.cafe)), t58="US")
    with nothing_moves(town), pytest.raises(emv.QrIsNotJpqr, match="country"):
        town.pay(town.aya, 100, payload)


@pytest.mark.parametrize(
    "lines",
    [
        [Line("a", "b", -1, -700)],
        [Line("a", "b", 1, 1_400), Line("a", "b", 1, -700)],
        [Line("a", "b", 0, 700)],
        [Line("a", "b", 2, 350, -1)],
        [Line("a", "b", 2, 350, 1_001)],
        [Line("a", "b", 1, 1)] * 700,
        [Line("a", "b", 2**64, 700)],
        [Line("a", "b", 1, 700), Line("free", "b", 2**31, 0)],
        [Line("a", "b", 1, 700), Line("x" * 201, "b", 1, 0)],
        [Line("a", "b", 1, 700), Line("nul\x00", "b", 1, 0)],
        [Line("a", "b", 1, 700), Line("a", "", 1, 0)],
    ],
)
def test_lines_that_are_no_sale_are_refused(town: Town, lines: list[Line]) -> None:
    shown = paying.show_code(town.city, town.aya)
    with nothing_moves(town):
        with pytest.raises(LinesDoNotAddUp):
            town.take(shown.code, 700, lines=lines)
        with pytest.raises(LinesDoNotAddUp):
            paying.make_bill(town.city, town.till, town.cafe.shop_id, 700, lines)


@pytest.mark.parametrize("text", ["\x00", "'; drop table cash.payments; --", "\u202e", "9" * 99])
def test_reference_of_a_bill_is_no_statement(town: Town, text: str) -> None:
    bill = paying.make_bill(town.city, town.till, town.cafe.shop_id, 700)
    objects = [
        emv.DataObject("62", f"01{len(text):02d}{text}"[:99]) if each.tag == "62" else each for each in bill.objects
    ]
    payload = str(emv.MerchantCode(tuple(objects)))
    # NUL is in no text of PostgreSQL: over HTTP a bad request.
    with nothing_moves(town), suppress(psycopg.DataError, emv.QrIsInvalid):
        assert town.pay(town.aya, None, payload) is Outcome.BILL_NOT_FOUND

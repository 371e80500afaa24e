"""Codes that were changed, invented, copied or shown twice."""

import random

import pytest

from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotPermitted
from sanpo.ground.ids import new_id
from sanpo.services.cash import emv, paying, shops
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.attacks.conftest import nothing_moves
from tests.services.cash.attacks.test_amounts import changed
from tests.services.cash.conftest import Town
from tests.world import OPERATOR


def other_shop(town: Town) -> shops.Shop:
    draft = shops.ShopDraft(town.other.organisation_id, "OTHER", "よその店", "5942", "大町")
    return shops.register_shop(town.city, OPERATOR, draft)


def with_merchant(code: emv.MerchantCode, merchant: str) -> str:
    text = next(each for each in code.objects if each.tag == "26")
    before = text.find("01") or ""
    objects = [emv.DataObject(o.tag, o.value.replace(before, merchant)) if o is text else o for o in code.objects]
    return str(emv.MerchantCode(tuple(objects)))


@pytest.mark.parametrize("amount", ["1", "1199", "1201", "12000"])
def test_bill_with_another_amount_is_none(town: Town, amount: str) -> None:
    bill = paying.make_bill(town.city, town.till, town.cafe.shop_id, 1_200)
    with nothing_moves(town):
        assert town.pay(town.aya, None, changed(bill, t54=amount)) is Outcome.BILL_NOT_FOUND


def test_bill_without_an_amount_is_paid_with_its_own_or_not_at_all(town: Town) -> None:
    bill = paying.make_bill(town.city, town.till, town.cafe.shop_id, 1_200)
    bare = str(emv.MerchantCode(tuple(each for each in bill.objects if each.tag != "54")))
    with nothing_moves(town):
        assert town.pay(town.aya, 1, bare) is Outcome.BILL_NOT_FOUND
    assert town.pay(town.aya, 1_200, bare) is Outcome.DONE


def test_bill_with_another_merchant_is_none_of_that_shop(town: Town) -> None:
    bill = paying.make_bill(town.city, town.till, town.cafe.shop_id, 1_200)
    with nothing_moves(town):
        assert town.pay(town.aya, None, with_merchant(bill, other_shop(town).merchant)) is Outcome.BILL_NOT_FOUND
        assert town.pay(town.aya, None, with_merchant(bill, "0" * 13)) is Outcome.SHOP_NOT_FOUND


def test_bill_made_static_leaves_the_bill_unpaid(town: Town) -> None:
    """Who makes a bill into a code for many payments pays the shop as anybody may; the till still waits for its own."""
    bill = paying.make_bill(town.city, town.till, town.cafe.shop_id, 1_200)
    payment_id = new_id("pay")
    assert town.pay(town.aya, None, changed(bill, t01="11", t54="1"), payment_id) is Outcome.DONE
    assert paying.get_payment(town.city, town.till, payment_id).way == "static"
    assert town.pay(town.aya, None, str(bill)) is Outcome.DONE


def test_any_character_changed_or_lost_is_noticed_by_the_checksum(town: Town) -> None:
    payload = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 1_200))
    chance = random.Random(1)
    with nothing_moves(town):
        for place in range(len(payload)):
            other = chance.choice([letter for letter in "0123456789ABCDEF~" if letter != payload[place]])
            for tampered in (payload[:place] + other + payload[place + 1 :], payload[:place] + payload[place + 1 :]):
                with pytest.raises(emv.QrIsInvalid):
                    town.pay(town.aya, None, tampered)


def test_customer_code_is_good_once_whoever_replays_it(town: Town) -> None:
    shown, theirs = paying.show_code(town.city, town.aya), other_shop(town)
    first = new_id("pay")
    assert town.take(shown.code, 700, first) is Outcome.DONE
    with nothing_moves(town):
        assert town.take(shown.code, 700, first) is Outcome.EXISTS
        assert town.take(shown.code, 701, first) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
        assert town.take(shown.code, 700) is Outcome.CODE_IS_USED
        for payment_id, outcome in ((new_id("pay"), Outcome.CODE_IS_USED), (first, Outcome.EXISTS_WITH_ANOTHER_AMOUNT)):
            taken = paying.take(town.city, town.other, payment_id, theirs.shop_id, shown.code, 700)
            assert taken is outcome


def test_customer_code_that_was_refused_is_good_for_the_next(town: Town) -> None:
    shown = paying.show_code(town.city, town.aya)
    with nothing_moves(town):
        assert town.take(shown.code, 10_001) is Outcome.NOT_ENOUGH_MONEY
    assert town.take(shown.code, 10_000) is Outcome.DONE


def test_guessed_customer_codes_take_nothing(town: Town) -> None:
    code = paying.show_code(town.city, town.aya).code
    with nothing_moves(town):
        for guess in ("", "0" * 16, code[:-1], code + "0", f" {code}", str(int(code) + 1), "\x00", "9" * 10_000):
            assert town.take(guess, 700) is Outcome.CODE_NOT_FOUND


def test_customer_code_never_moves_money_of_another_than_who_shows_it(town: Town, clock: FixedClock) -> None:
    assert town.charge(town.ben, 1_000) is Outcome.DONE
    shown = paying.show_code(town.city, town.ben)
    assert town.take(shown.code, 400) is Outcome.DONE
    assert (town.yen(town.aya), town.yen(town.ben)) == (10_000, 600)


def test_till_of_another_takes_nothing_even_with_a_good_code(town: Town) -> None:
    shown = paying.show_code(town.city, town.aya)
    with nothing_moves(town):
        for stranger in (town.other, town.aya, town.ben):
            with pytest.raises(NotPermitted):
                town.take(shown.code, 700, actor=stranger)
    assert town.take(shown.code, 700) is Outcome.DONE

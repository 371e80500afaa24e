"""Payments, refunds and bills: each outcome, and that money moves once or not at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotFound, NotPermitted
from sanpo.ground.ids import new_id
from sanpo.services.cash import emv, paying, shops, wallets
from sanpo.services.cash.errors import AmountIsInvalid, LinesDoNotAddUp
from sanpo.services.cash.model import Line
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.conftest import Town
from tests.world import OPERATOR


def test_payment_moves_money_from_the_wallet_to_the_shop(town: Town) -> None:
    assert town.pay(town.aya, 1_200) is Outcome.DONE
    assert (town.yen(town.aya), town.till_yen) == (8_800, 1_200)
    [paid] = wallets.list_payments(town.city, town.aya)
    assert (paid.shop_name, paid.amount_yen, paid.way) == ("七日町カフェ", 1_200, "static")
    assert wallets.list_payments(town.city, town.ben) == []


def test_payment_sent_again_pays_once(town: Town) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 1_200, payment_id=payment_id) is Outcome.DONE
    assert town.pay(town.aya, 1_200, payment_id=payment_id) is Outcome.EXISTS
    assert town.pay(town.aya, 1_300, payment_id=payment_id) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    assert town.pay(town.ben, 1_200, payment_id=payment_id) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    assert (town.yen(town.aya), town.till_yen) == (8_800, 1_200)


def test_wallet_pays_no_more_than_is_in_it_and_the_same_payment_may_be_tried_again(town: Town) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 10_001, payment_id=payment_id) is Outcome.NOT_ENOUGH_MONEY
    assert town.pay(town.ben, 1) is Outcome.NOT_ENOUGH_MONEY
    assert (town.yen(town.aya), town.till_yen, wallets.list_payments(town.city, town.aya)) == (10_000, 0, [])
    town.charge(town.aya, 1)
    assert town.pay(town.aya, 10_001, payment_id=payment_id) is Outcome.DONE
    assert town.yen(town.aya) == 0


def test_two_phones_cannot_both_have_the_last_yen(town: Town) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: town.pay(town.aya, 3_000), range(8)))
    assert sorted(outcome.value for outcome in outcomes) == ["done"] * 3 + ["not_enough_money"] * 5
    assert (town.yen(town.aya), town.till_yen) == (1_000, 9_000)


@pytest.mark.parametrize("yen", [0, -1, 10**13, None])
def test_amount_that_is_none_is_refused(town: Town, yen: int | None) -> None:
    with pytest.raises(AmountIsInvalid):
        town.pay(town.aya, yen)
    with pytest.raises(AmountIsInvalid):
        town.charge(town.aya, yen or 0)
    assert town.yen(town.aya) == 10_000


def test_limits_of_payment_day_month_and_wallet_hold(town: Town, clock: FixedClock) -> None:
    assert town.charge(town.aya, 290_001) is Outcome.ABOVE_WALLET_LIMIT
    assert town.charge(town.aya, 290_000) is Outcome.DONE
    assert town.pay(town.aya, 200_001) is Outcome.ABOVE_PAYMENT_LIMIT
    assert town.pay(town.aya, 200_000) is Outcome.DONE
    assert town.charge(town.aya, 200_000) is Outcome.DONE
    assert town.pay(town.aya, 100_001) is Outcome.ABOVE_DAY_LIMIT
    assert town.pay(town.aya, 100_000) is Outcome.DONE
    for _ in range(2):
        clock.advance(days=1)
        assert town.charge(town.aya, 100_000) is Outcome.DONE
        assert [town.pay(town.aya, 200_000), town.pay(town.aya, 100_000)] == [Outcome.DONE, Outcome.DONE]
        assert town.charge(town.aya, 200_000) is Outcome.DONE
    clock.advance(days=1)
    assert town.pay(town.aya, 100_001) is Outcome.ABOVE_MONTH_LIMIT
    assert town.pay(town.aya, 100_000) is Outcome.DONE


def test_suspended_shop_takes_nothing(town: Town) -> None:
    shops.set_shop_state(town.city, OPERATOR, town.cafe.shop_id, "suspended", "届け出の確認中")
    assert town.pay(town.aya, 100) is Outcome.SHOP_IS_SUSPENDED
    shops.set_shop_state(town.city, OPERATOR, town.cafe.shop_id, "open", "")
    assert town.pay(town.aya, 100) is Outcome.DONE


def test_code_of_a_shop_that_is_not_here_pays_nobody(town: Town) -> None:
    foreign = emv.make_code(emv.JpqrAccount("9999999999999"), name="X", city="TOKYO", category="5812")
    assert town.pay(town.aya, 100, str(foreign)) is Outcome.SHOP_NOT_FOUND


def test_bill_is_paid_once_with_what_it_says(town: Town, clock: FixedClock) -> None:
    lines = [Line("ラテ", "drink", 2, 450, 100), Line("餅", "food", 1, 300, 80)]
    code = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 1_200, lines))
    payment_id = new_id("pay")
    assert town.pay(town.aya, 1, code, payment_id) is Outcome.DONE
    assert town.pay(town.aya, None, code, payment_id) is Outcome.EXISTS
    assert town.pay(town.aya, None, code) is Outcome.BILL_IS_PAID
    assert (town.yen(town.aya), wallets.list_payments(town.city, town.aya)[0].way) == (8_800, "dynamic")
    late = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 500))
    clock.advance(minutes=15)
    assert town.pay(town.aya, None, late) is Outcome.BILL_IS_OVER


def test_bill_that_was_changed_on_the_way_is_none(town: Town) -> None:
    code = emv.parse(str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 1_200)))
    for amount in ("1", "1201"):
        objects = [emv.DataObject("54", amount) if each.tag == "54" else each for each in code.objects]
        assert town.pay(town.aya, None, str(emv.MerchantCode(tuple(objects)))) is Outcome.BILL_NOT_FOUND
    with pytest.raises(emv.QrIsInvalid):
        town.pay(town.aya, None, str(code).replace("1200", "0001"))
    assert town.yen(town.aya) == 10_000


def test_bill_that_failed_can_be_paid_when_there_is_money(town: Town) -> None:
    code = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 500))
    assert town.pay(town.ben, None, code) is Outcome.NOT_ENOUGH_MONEY
    assert town.pay(town.aya, None, code) is Outcome.DONE


def test_shown_code_is_taken_once_within_its_time(town: Town, clock: FixedClock) -> None:
    shown = paying.show_code(town.city, town.aya)
    payment_id = new_id("pay")
    assert town.take(shown.code, 700, payment_id) is Outcome.DONE
    assert town.take(shown.code, 700, payment_id) is Outcome.EXISTS
    assert town.take(shown.code, 700) is Outcome.CODE_IS_USED
    assert town.take("1234567890123456", 700) is Outcome.CODE_NOT_FOUND
    late = paying.show_code(town.city, town.aya)
    clock.advance(minutes=5)
    assert town.take(late.code, 700) is Outcome.CODE_IS_OVER
    assert town.yen(town.aya) == 9_300


def test_new_code_ends_the_one_before(town: Town) -> None:
    first = paying.show_code(town.city, town.aya)
    second = paying.show_code(town.city, town.aya)
    assert town.take(first.code, 700) is Outcome.CODE_NOT_FOUND
    assert town.take(second.code, 10_001) is Outcome.NOT_ENOUGH_MONEY
    assert town.take(second.code, 700) is Outcome.DONE


def test_lines_must_come_to_what_is_paid(town: Town) -> None:
    shown = paying.show_code(town.city, town.aya)
    for lines in ([Line("ラテ", "drink", 1, 450)], [Line("ラテ", "drink", -1, -700)]):
        with pytest.raises(LinesDoNotAddUp):
            town.take(shown.code, 700, lines=lines)
    assert town.take(shown.code, 700, lines=[Line("ラテ", "drink", 1, 700)]) is Outcome.DONE


def test_another_organisation_cannot_use_the_till(town: Town) -> None:
    shown = paying.show_code(town.city, town.aya)
    with pytest.raises(NotPermitted):
        town.take(shown.code, 700, actor=town.other)
    with pytest.raises(NotPermitted):
        paying.make_bill(town.city, town.other, town.cafe.shop_id, 700)
    with pytest.raises(NotPermitted):
        paying.list_sales(town.city, town.other, town.cafe.shop_id, town.city.now(), town.city.now())


def test_refund_gives_back_once_and_never_more_than_was_paid(town: Town) -> None:
    payment_id, refund_id = new_id("pay"), new_id("rfd")
    town.pay(town.aya, 1_000, payment_id=payment_id)

    def refund(yen: int, key: str = "", actor: object = town.till) -> Outcome:
        return paying.refund(town.city, actor, key or new_id("rfd"), payment_id, yen)  # type: ignore[arg-type]

    assert refund(400, refund_id) is Outcome.DONE
    assert refund(400, refund_id) is Outcome.EXISTS
    assert refund(300, refund_id) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    assert refund(601) is Outcome.MORE_THAN_WAS_PAID
    assert refund(600, actor=town.other) is Outcome.PAYMENT_NOT_FOUND
    assert refund(600) is Outcome.DONE
    assert (town.yen(town.aya), town.till_yen) == (10_000, 0)
    assert wallets.list_payments(town.city, town.aya)[0].refunded_yen == 1_000


def test_payment_is_seen_by_who_paid_and_who_was_paid_alone(town: Town) -> None:
    payment_id = new_id("pay")
    town.pay(town.aya, 1_000, payment_id=payment_id)
    for actor in (town.aya, town.till):
        assert paying.get_payment(town.city, actor, payment_id).amount_yen == 1_000
    for actor in (town.ben, town.other):
        with pytest.raises(NotFound):
            paying.get_payment(town.city, actor, payment_id)

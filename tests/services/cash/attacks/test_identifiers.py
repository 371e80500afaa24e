"""An id is a key: whoever sends it again, with another amount, for another, or at the same moment, moves nothing twice."""

from collections import Counter
from functools import partial

from sanpo.ground.ids import new_id
from sanpo.services.cash import paying, wallets
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.attacks.conftest import at_once, nothing_moves
from tests.services.cash.conftest import Town

ROUNDS = 12


def test_id_of_a_payment_with_another_amount_payer_or_shop_moves_nothing(town: Town) -> None:
    town.charge(town.ben, 5_000)
    payment_id = new_id("pay")
    assert town.pay(town.aya, 300, payment_id=payment_id) is Outcome.DONE
    with nothing_moves(town):
        assert town.pay(town.aya, 300, payment_id=payment_id) is Outcome.EXISTS
        assert town.pay(town.aya, 301, payment_id=payment_id) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
        assert town.pay(town.ben, 300, payment_id=payment_id) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
        code = paying.show_code(town.city, town.ben).code
        assert town.take(code, 300, payment_id) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
        bill = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 301))
        assert town.pay(town.aya, None, bill, payment_id) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    assert town.take(code, 300) is Outcome.DONE
    assert town.pay(town.aya, None, bill) is Outcome.DONE


def test_id_of_a_charge_with_another_amount_or_owner_moves_nothing(town: Town) -> None:
    charge_id = new_id("chg")
    assert wallets.charge(town.city, town.aya, charge_id, 500) is Outcome.DONE
    with nothing_moves(town):
        assert wallets.charge(town.city, town.aya, charge_id, 500) is Outcome.EXISTS
        assert wallets.charge(town.city, town.aya, charge_id, 501) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
        assert wallets.charge(town.city, town.ben, charge_id, 500) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT


def test_two_residents_who_send_one_id_at_once_are_told_apart(town: Town) -> None:
    town.charge(town.ben, 5_000)
    for _ in range(ROUNDS):
        payment_id = new_id("pay")
        calls = [partial(town.pay, who, 10, payment_id=payment_id) for who in (town.aya, town.ben) * 3]
        told = Counter(at_once(calls))
        assert told == {Outcome.DONE: 1, Outcome.EXISTS: 2, Outcome.EXISTS_WITH_ANOTHER_AMOUNT: 3}
    assert town.till_yen == 10 * ROUNDS


def test_two_payments_given_back_under_one_id_at_once_are_told_apart(town: Town) -> None:
    town.charge(town.ben, 5_000)
    for _ in range(ROUNDS):
        paid = new_id("pay"), new_id("pay")
        assert town.pay(town.aya, 10, payment_id=paid[0]) is town.pay(town.ben, 10, payment_id=paid[1]) is Outcome.DONE
        refund_id = new_id("rfd")
        calls = [partial(paying.refund, town.city, town.till, refund_id, each, 10) for each in paid]
        assert Counter(at_once(calls)) == {Outcome.DONE: 1, Outcome.EXISTS_WITH_ANOTHER_AMOUNT: 1}
    assert town.till_yen == 10 * ROUNDS


def test_charge_sent_by_many_at_once_charges_once(town: Town) -> None:
    for _ in range(ROUNDS):
        charge_id = new_id("chg")
        calls = [partial(wallets.charge, town.city, who, charge_id, 10) for who in (town.aya, town.ben) * 3]
        told = Counter(at_once(calls))
        assert told == {Outcome.DONE: 1, Outcome.EXISTS: 2, Outcome.EXISTS_WITH_ANOTHER_AMOUNT: 3}
    assert town.yen(town.aya) + town.yen(town.ben) == 10_000 + 10 * ROUNDS

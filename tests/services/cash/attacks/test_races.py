"""Real threads on a real PostgreSQL: what only one can have, one gets; what everybody sends twice happens once."""

from collections import Counter
from functools import partial

from sanpo.ground.ids import new_id
from sanpo.services.cash import paying, wallets
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.attacks.conftest import at_once
from tests.services.cash.conftest import Town

ROUNDS = 25
LOAD = 24
"""More at once than there are connections."""


def test_two_phones_never_both_get_the_last_yen(town: Town) -> None:
    assert town.pay(town.aya, 10_000) is Outcome.DONE
    for _ in range(ROUNDS):
        assert town.charge(town.aya, 1) is Outcome.DONE
        told = at_once([partial(town.pay, town.aya, 1)] * 2)
        assert Counter(told) == {Outcome.DONE: 1, Outcome.NOT_ENOUGH_MONEY: 1}
        assert town.yen(town.aya) == 0
    assert town.till_yen == 10_000 + ROUNDS


def test_phone_and_till_never_both_get_the_last_yen(town: Town) -> None:
    assert town.pay(town.aya, 10_000) is Outcome.DONE
    for _ in range(ROUNDS):
        assert town.charge(town.aya, 1) is Outcome.DONE
        code = paying.show_code(town.city, town.aya).code
        told = at_once([partial(town.pay, town.aya, 1), partial(town.take, code, 1)])
        assert Counter(told) == {Outcome.DONE: 1, Outcome.NOT_ENOUGH_MONEY: 1}
    assert town.till_yen == 10_000 + ROUNDS


def test_two_tills_never_both_take_by_one_code(town: Town) -> None:
    for _ in range(ROUNDS):
        code = paying.show_code(town.city, town.aya).code
        told = at_once([partial(town.take, code, 10)] * 3)
        assert Counter(told) == {Outcome.DONE: 1, Outcome.CODE_IS_USED: 2}
    assert town.till_yen == 10 * ROUNDS


def test_bill_is_paid_by_one_of_many(town: Town) -> None:
    town.charge(town.ben, 1_000)
    for _ in range(ROUNDS):
        bill = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 10))
        told = at_once([partial(town.pay, who, None, bill) for who in (town.aya, town.ben) * 2])
        assert Counter(told) == {Outcome.DONE: 1, Outcome.BILL_IS_PAID: 3}
    assert town.till_yen == 10 * ROUNDS


def test_refunds_at_once_never_give_back_more_than_was_paid(town: Town) -> None:
    for _ in range(ROUNDS):
        payment_id = new_id("pay")
        assert town.pay(town.aya, 10, payment_id=payment_id) is Outcome.DONE
        told = at_once([lambda: paying.refund(town.city, town.till, new_id("rfd"), payment_id, 6)] * 3)  # noqa: B023
        assert Counter(told) == {Outcome.DONE: 1, Outcome.MORE_THAN_WAS_PAID: 2}


def test_limits_of_the_wallet_and_of_the_day_hold_against_many_phones(town: Town) -> None:
    limits = rules()
    room = limits.wallet_limit_yen - 10_000
    told = at_once([lambda: town.charge(town.aya, room // 4)] * 8)
    assert Counter(told) == {Outcome.DONE: 4, Outcome.ABOVE_WALLET_LIMIT: 4}
    each = limits.day_limit_yen // 5
    told = at_once([lambda: town.pay(town.aya, each)] * 4)
    assert Counter(told) == {Outcome.DONE: 4}
    assert town.charge(town.aya, each * 4) is Outcome.DONE
    told = at_once([lambda: town.pay(town.aya, each)] * 4)
    assert Counter(told) == {Outcome.DONE: 1, Outcome.ABOVE_DAY_LIMIT: 3}


def test_everything_sent_three_times_under_load_happens_once(town: Town) -> None:
    """More phones than connections, each impatient: nobody waits for ever, nothing happens twice."""
    people = town.world.residents(LOAD)
    for who, told in zip(people, at_once([partial(town.charge, who, 100) for who in people]), strict=True):
        assert told is Outcome.DONE, who
    payments = [(who, new_id("pay")) for who in people]
    told = at_once([partial(town.pay, who, 60, payment_id=key) for who, key in payments for _ in range(3)])
    for place in range(LOAD):
        assert Counter(told[3 * place : 3 * place + 3]) == {Outcome.DONE: 1, Outcome.EXISTS: 2}
    assert town.till_yen == 60 * LOAD
    assert {town.yen(who) for who in people} == {40}
    back = at_once([partial(town.charge, who, 60) for who in people])
    assert set(back) == {Outcome.DONE}
    for who in people:  # so that the books of the two of the town come out
        assert town.pay(who, 100) is Outcome.DONE
    assert {wallets.balance_yen(town.city, who) for who in people} == {0}

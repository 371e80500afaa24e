"""A clock an hour off, the client's or the server's, before or behind: no money is lost and no limit is passed."""

import time
from datetime import timedelta

import pytest

from sanpo.ground import ids
from sanpo.ground.clock import FixedClock
from sanpo.ground.ids import new_id
from sanpo.services.cash import paying
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.attacks.conftest import nothing_moves
from tests.services.cash.conftest import Town

HOUR_NS = 3_600_000_000_000


@pytest.mark.parametrize("off_ns", [-HOUR_NS, HOUR_NS])
def test_phone_with_a_wrong_clock_pays_as_any_other(
    town: Town, monkeypatch: pytest.MonkeyPatch, off_ns: int, clock: FixedClock
) -> None:
    """Its clock is in the ids that it makes, and nowhere else: when a payment was made is the server's to say."""
    now = time.time_ns
    monkeypatch.setattr(ids.time, "time_ns", lambda: now() + off_ns)
    payment_id = new_id("pay")
    assert town.pay(town.aya, 100, payment_id=payment_id) is Outcome.DONE
    assert town.pay(town.aya, 100, payment_id=payment_id) is Outcome.EXISTS
    assert paying.get_payment(town.city, town.aya, payment_id).paid_at == clock.now()


def test_server_set_back_an_hour_goes_on_paying_and_its_books_never_go_back(town: Town, clock: FixedClock) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 100, payment_id=payment_id) is Outcome.DONE
    clock.advance(hours=-1)
    assert town.pay(town.aya, 100, payment_id=payment_id) is Outcome.EXISTS
    assert town.pay(town.aya, 200) is Outcome.DONE
    assert paying.refund(town.city, town.till, new_id("rfd"), payment_id, 100) is Outcome.DONE
    assert (town.yen(town.aya), town.till_yen) == (9_800, 200)


def test_server_set_forward_ends_codes_and_bills_and_loses_nothing(town: Town, clock: FixedClock) -> None:
    shown = paying.show_code(town.city, town.aya)
    bill = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 500))
    clock.advance(hours=1)
    with nothing_moves(town):
        assert town.take(shown.code, 500) is Outcome.CODE_IS_OVER
        assert town.pay(town.aya, None, bill) is Outcome.BILL_IS_OVER
    assert town.take(paying.show_code(town.city, town.aya).code, 500) is Outcome.DONE


def test_code_that_was_shown_by_a_clock_that_was_ahead_does_not_live_longer(town: Town, clock: FixedClock) -> None:
    clock.advance(hours=1)
    ahead = paying.show_code(town.city, town.aya)
    clock.advance(hours=-1)
    with nothing_moves(town):
        assert town.take(ahead.code, 500) is Outcome.CODE_IS_OVER
    assert town.take(paying.show_code(town.city, town.aya).code, 500) is Outcome.DONE


def test_used_code_and_paid_bill_stay_so_when_the_clock_goes_back(town: Town, clock: FixedClock) -> None:
    shown = paying.show_code(town.city, town.aya)
    bill = str(paying.make_bill(town.city, town.till, town.cafe.shop_id, 500))
    assert town.take(shown.code, 500) is town.pay(town.aya, None, bill) is Outcome.DONE
    clock.advance(hours=-1)
    with nothing_moves(town):
        assert town.pay(town.aya, None, bill) is Outcome.BILL_IS_PAID
        assert town.take(shown.code, 500) is Outcome.CODE_IS_USED


def test_limit_of_a_day_holds_when_the_clock_goes_back_over_midnight(town: Town, clock: FixedClock) -> None:
    """What was spent tomorrow, by a clock that was ahead, counts today."""
    day = rules().day_limit_yen
    midnight = clock.now().astimezone(town.city.settings.zone).replace(hour=0, minute=30) + timedelta(days=1)
    clock.advance(seconds=(midnight - clock.now()).total_seconds())
    assert town.charge(town.aya, day - 10_000) is Outcome.DONE
    assert [town.pay(town.aya, day // 2) for _ in range(2)] == [Outcome.DONE] * 2
    clock.advance(hours=-1)
    assert town.charge(town.aya, 100) is Outcome.DONE
    with nothing_moves(town):
        assert town.pay(town.aya, 1) is Outcome.ABOVE_DAY_LIMIT

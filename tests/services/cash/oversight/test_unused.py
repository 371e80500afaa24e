"""Unused balances of base days, the deposit due, wallets at rest, and what is refused at limits."""

from datetime import UTC, date, datetime

import pytest

from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import DomainError, NotPermitted
from sanpo.ground.ids import new_id
from sanpo.journal import list_entries
from sanpo.services.cash import paying
from sanpo.services.cash.errors import DayIsNoBaseDay
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.oversight.dormant import list_dormant, tell_dormant
from sanpo.services.cash.oversight.limits import RefusedAt, report_limits
from sanpo.services.cash.oversight.model import base_day_before, deposit_of, due_day_of, months_before
from sanpo.services.cash.oversight.suspending import list_notices
from sanpo.services.cash.oversight.unused import list_unused, report_due, report_unused, unused_csv
from tests.services.cash.benefits.conftest import Giving
from tests.services.cash.conftest import Town
from tests.services.cash.settling.conftest import Market
from tests.world import OPERATOR

SEPTEMBER = date(2026, 9, 30)


@pytest.mark.parametrize(
    ("unused", "deposit"), [(0, 0), (10_000_000, 0), (10_000_001, 5_000_001), (30_000_000, 15_000_000)]
)
def test_deposit_is_half_of_what_is_above_ten_million(unused: int, deposit: int) -> None:
    assert deposit_of(unused, 10_000_000) == deposit


def test_base_days_and_the_ends_of_their_two_months() -> None:
    assert (due_day_of(date(2026, 3, 31)), due_day_of(SEPTEMBER)) == (date(2026, 5, 31), date(2026, 11, 30))
    days = (date(2026, 3, 31), date(2026, 4, 1), date(2026, 9, 30), date(2026, 10, 1))
    assert [base_day_before(day) for day in days] == [
        date(2025, 9, 30),
        date(2026, 3, 31),
        date(2026, 3, 31),
        SEPTEMBER,
    ]


@pytest.mark.parametrize(
    ("moment", "months", "before"),
    [((2026, 4, 1), 24, (2024, 4, 1)), ((2026, 3, 31), 1, (2026, 2, 28)), ((2026, 1, 15), 1, (2025, 12, 15))],
)
def test_months_before_end_on_a_day_that_there_is(
    moment: tuple[int, int, int], months: int, before: tuple[int, int, int]
) -> None:
    assert months_before(datetime(*moment, tzinfo=UTC), months) == datetime(*before, tzinfo=UTC)


def test_unused_balance_is_what_stood_in_the_wallets_at_the_end_of_the_base_day(market: Market) -> None:
    town = market.town
    paid = market.sell(3_000)
    market.at("2026-09-30", 23)
    market.give_back(paid, 1_000)
    assert town.charge(town.ben, 500) is Outcome.DONE
    with pytest.raises(DomainError) as caught:
        report_unused(town.city, OPERATOR, SEPTEMBER)
    assert caught.value.code == "ledger.day_is_not_over"
    market.at("2026-10-01", 9)
    market.sell(2_000)
    found = report_unused(town.city, OPERATOR, SEPTEMBER)
    assert (found.wallets, found.opening_yen, found.issued_yen, found.recovered_yen) == (2, 0, 10_500, 2_000)
    assert (found.unused_yen, found.deposit_yen, found.due_day) == (8_500, 0, date(2026, 11, 30))
    [entry] = [entry for entry in list_entries(town.city) if entry.kind == "cash.unused_balance"]
    assert (entry.entry_id, entry.body["unused_yen"]) == (found.entry_id, "8500")
    market.at("2026-10-02")
    assert report_unused(town.city, OPERATOR, SEPTEMBER) == found
    report_due(town.city)
    assert list_unused(town.city, town.world.officer) == [found]
    assert unused_csv([found]).splitlines()[1].startswith(b"2026-09-30,2,0,10500,2000,8500,0,2026-11-30,ent_")


def test_benefits_that_nobody_paid_for_are_no_unused_balance(market: Market) -> None:
    Giving(market.town, market.town.cafe).points(market.town.aya, 5_000, days=365)
    market.at("2026-10-01")
    found = report_unused(market.town.city, OPERATOR, SEPTEMBER)
    assert (found.unused_yen, found.issued_yen) == (10_000, 10_000)


def test_duty_reports_the_base_day_even_after_the_ledger_has_closed_later_days(market: Market) -> None:
    from sanpo.ledger import close_day

    market.at("2026-10-03")
    close_day(market.town.city, OPERATOR, date(2026, 10, 2))
    report_due(market.town.city)
    report_due(market.town.city)
    [found] = list_unused(market.town.city, OPERATOR)
    assert (found.base_day, found.unused_yen) == (SEPTEMBER, 10_000)


def test_duty_reports_nothing_before_anything_was_issued(market: Market) -> None:
    report_due(market.town.city)
    assert list_unused(market.town.city, OPERATOR) == []


def test_unused_balance_is_of_a_base_day_and_for_officers(town: Town) -> None:
    with pytest.raises(DayIsNoBaseDay):
        report_unused(town.city, OPERATOR, date(2026, 4, 1))
    for action in (lambda: report_unused(town.city, town.aya, SEPTEMBER), lambda: list_unused(town.city, town.till)):
        with pytest.raises(NotPermitted):
            action()


def test_wallet_at_rest_is_listed_and_told_once_and_keeps_its_money(market: Market) -> None:
    town = market.town
    assert town.charge(town.ben, 700) is Outcome.DONE
    market.at("2028-03-31")
    assert list_dormant(town.city, OPERATOR) == []
    assert town.pay(town.ben, 100) is Outcome.DONE
    market.at("2028-04-02")
    [found] = list_dormant(town.city, town.world.officer)
    assert (found.subject_no, found.balance_yen, found.is_told) == (town.aya.subject_no, 10_000, False)
    assert [tell_dormant(town.city) for _ in range(2)] == [1, 0]
    assert [notice.kind for notice in list_notices(town.city, town.aya)] == ["dormant"]
    assert [each.is_told for each in list_dormant(town.city, OPERATOR)] == [True]
    assert town.yen(town.aya) == 10_000
    with pytest.raises(NotPermitted):
        list_dormant(town.city, town.aya)


def test_refusals_at_limits_are_counted_without_names(town: Town, clock: FixedClock) -> None:
    assert town.charge(town.aya, 290_000) is Outcome.DONE
    assert town.charge(town.aya, 1) is Outcome.ABOVE_WALLET_LIMIT
    assert town.pay(town.aya, 200_001) is Outcome.ABOVE_PAYMENT_LIMIT
    assert town.pay(town.aya, 190_000) is Outcome.DONE
    assert town.pay(town.aya, 80_000) is Outcome.DONE
    shown = paying.show_code(town.city, town.aya)
    payment_id = new_id("pay")
    assert town.take(shown.code, 40_000, payment_id) is Outcome.ABOVE_DAY_LIMIT
    assert town.take(shown.code, 10_000, payment_id) is Outcome.DONE
    day = date(2026, 4, 1)
    found = report_limits(town.city, town.world.officer, day, day)
    assert found.refused == [
        RefusedAt("above_day_limit", 1, 1, 40_000),
        RefusedAt("above_payment_limit", 1, 1, 200_001),
        RefusedAt("above_wallet_limit", 1, 1, 1),
    ]
    assert (found.near_day, found.near_month, found.day_limit_yen) == (1, 0, 300_000)
    clock.advance(days=1)
    assert report_limits(town.city, OPERATOR, date(2026, 4, 2), date(2026, 4, 2)).refused == []
    with pytest.raises(NotPermitted):
        report_limits(town.city, town.aya, day, day)

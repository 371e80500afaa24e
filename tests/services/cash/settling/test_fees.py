"""Fees and the division of a settlement: the specification against the pure rules, and what holds whatever is taken."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.services.cash.settling.model import Sums, Tier, divide, fee_of_year, last_closing, terms, tier_for
from tests.conftest import ROOT
from tests.services.cash.settling import spec_fees
from tests.services.cash.settling.reference_pages import PAGES, tables_of

YEN = st.integers(0, 10_000_000)


@pytest.mark.parametrize(("title", "rows"), tables_of(spec_fees.FEES))
def test_fee_of_a_year_is_as_specified(title: str, rows: list[dict[str, str]]) -> None:
    for row in rows:
        tier = tier_for(int(row["last year"]), terms().tiers)
        assert fee_of_year(int(row["this year"]), tier) == int(row["fee"]), row


@pytest.mark.parametrize(("title", "rows"), tables_of(spec_fees.DAYS))
def test_days_are_divided_as_specified(title: str, rows: list[dict[str, str]]) -> None:
    years: dict[int, list[int]] = {}
    for row in rows:
        year = date.fromisoformat(row["day"]).year
        turnover, cost = years.setdefault(year, [0, 0])
        taken, refunded = int(row["taken"]), int(row["refunded"])
        last = years.get(year - 1, [0, 0])[0]
        shares = divide(Sums(int(row["brought"]), taken, refunded, turnover, cost, last), terms().tiers)
        assert (shares.fee, shares.payout, shares.carried) == (
            int(row["fee"]),
            int(row["payout"]),
            int(row["carried"]),
        ), row
        years[year] = [turnover + taken - refunded, cost + shares.fee]


@given(st.lists(st.tuples(YEN, YEN), max_size=12), st.integers(0, 10_000_000))
def test_days_add_up_and_cost_what_their_sum_costs(days: list[tuple[int, int]], last_year: int) -> None:
    turnover = cost = balance = paid = 0
    for taken, refunded in days:
        shares = divide(Sums(balance, taken, refunded, turnover, cost, last_year), terms().tiers)
        assert balance + taken - refunded - shares.fee - shares.payout == shares.carried
        assert shares.payout >= 0 >= shares.carried
        assert shares.payout == 0 or shares.carried == 0
        balance, paid = shares.carried, paid + shares.payout
        turnover, cost = turnover + taken - refunded, cost + shares.fee
    assert cost == fee_of_year(turnover, tier_for(last_year, terms().tiers))
    assert turnover == cost + paid + balance


def test_every_shop_has_a_tier() -> None:
    assert terms().tiers[-1].last_year_below_yen is None
    assert tier_for(10**12, terms().tiers) == Tier(20)


@pytest.mark.parametrize(("hour", "day"), [(21, 31), (22, 1), (23, 1)])
def test_day_is_over_at_the_closing_hour(hour: int, day: int) -> None:
    closing = last_closing(datetime(2026, 4, 1, hour, 59, tzinfo=UTC), 22)
    assert (closing.day, closing.hour, closing.minute) == (day, 22, 0)


@pytest.mark.parametrize("path", PAGES)
def test_reference_page_is_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run: make docs"

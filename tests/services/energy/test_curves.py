"""Curves, always-on share and months, by hand-computed tables and by what must hold for all readings."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.services.energy.curves import (
    Day,
    always_on,
    average_day,
    days_of,
    monday_of,
    months_of,
    percentile,
    rounded,
    week_of,
)
from tests.services.energy.files.written import ZURICH

MONDAY = date(2026, 1, 5)


def quarters(day: date, values: list[int], *, first: int = 0) -> Iterator[tuple[datetime, int]]:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001
    for place, value in enumerate(values, first):
        yield midnight + timedelta(minutes=15 * place), value


def local_day(day: date) -> Iterator[tuple[datetime, int]]:
    """The quarters of a day in Zurich as the clock shows them, 100 Wh each."""
    at = datetime(day.year, day.month, day.day, tzinfo=ZURICH).astimezone(UTC)
    while (local := at.astimezone(ZURICH)).date() == day:
        yield local.replace(tzinfo=None), 100
        at += timedelta(minutes=15)


def whole(day: date, value: int = 100) -> Day:
    return days_of(quarters(day, [value] * 96))[0]


def test_half_hour_is_the_sum_of_its_quarters() -> None:
    day = days_of(quarters(MONDAY, [1, 2, 3, 4]))[0]
    assert day.half_hours[:3] == (3, 7, None)
    assert day.energy_wh == 10


def test_half_hour_with_one_quarter_missing_is_twice_the_other() -> None:
    assert days_of(quarters(MONDAY, [5], first=3))[0].half_hours[:3] == (None, 10, None)


@pytest.mark.parametrize(
    ("day", "count", "empty"),
    [(date(2025, 3, 30), 92, {4, 5}), (date(2025, 10, 26), 100, set()), (date(2025, 7, 1), 96, set())],
    ids=["spring", "autumn", "summer"],
)
def test_steady_use_is_a_level_curve_on_every_day(day: date, count: int, empty: set[int]) -> None:
    found = days_of(local_day(day))[0]
    assert len(found.quarters) == count
    assert found.is_whole
    assert found.half_hours == tuple(None if slot in empty else 200 for slot in range(48))


def test_average_day_counts_each_half_hour_where_it_is_there() -> None:
    days = [*days_of(quarters(MONDAY, [10, 10, 30, 30])), *days_of(quarters(MONDAY + timedelta(days=1), [20, 20]))]
    assert average_day(days)[:3] == (30, 60, None)


def test_week_has_seven_days_whatever_is_there() -> None:
    week = week_of([whole(MONDAY + timedelta(days=2))], MONDAY)
    assert [day.day for day in week] == [MONDAY + timedelta(days=ahead) for ahead in range(7)]
    assert [len(day.quarters) for day in week] == [0, 0, 96, 0, 0, 0, 0]


@pytest.mark.parametrize("ahead", range(7))
def test_every_day_of_a_week_has_the_same_monday(ahead: int) -> None:
    assert monday_of(MONDAY + timedelta(days=ahead)) == MONDAY


def test_always_on_is_the_fifth_percentile_of_each_day() -> None:
    # 96 quarters: rank ⌈4.8⌉ = 5. Four at 10 Wh (a power cut), the rest at 50 or 200 Wh.
    day = days_of(quarters(MONDAY, [10] * 4 + [50] * 40 + [200] * 52))[0]
    found = always_on([day])
    assert found is not None
    assert (found.energy_wh, found.total_wh) == (50 * 96, 40 + 2000 + 10_400)
    assert found.power_w == 200
    assert found.share_permille == 386  # 4800 / 12440


def test_always_on_leaves_out_days_that_are_not_whole() -> None:
    cut = days_of(quarters(MONDAY + timedelta(days=1), [0] * 60))[0]
    found = always_on([whole(MONDAY), cut])
    assert found is not None
    assert (found.days, found.share_permille) == (1, 1000)
    assert always_on([cut]) is None
    assert always_on([whole(MONDAY, 0)]) is None
    assert always_on([]) is None


@pytest.mark.parametrize(("percent", "expected"), [(5, 15), (30, 20), (40, 20), (50, 35), (100, 50), (0, 15)])
def test_percentile_is_by_nearest_rank(percent: int, expected: int) -> None:
    assert percentile([15, 20, 35, 40, 50], percent) == expected


def test_months_tell_how_many_of_their_days_there_are() -> None:
    days = [whole(date(2026, 1, 31)), whole(date(2026, 2, 1)), whole(date(2026, 2, 2))]
    assert [(m.first_day, m.energy_wh, m.days, m.days_in_month) for m in months_of(days)] == [
        (date(2026, 1, 1), 9600, 1, 31),
        (date(2026, 2, 1), 19_200, 2, 28),
    ]


values = st.lists(st.integers(0, 30_000), min_size=1, max_size=100)
full_days = st.lists(
    st.lists(st.integers(0, 30_000), min_size=1, max_size=12).map(lambda some: (some * 96)[:96]), min_size=1, max_size=3
)


@given(full_days)
def test_half_hours_of_whole_days_hold_all_their_energy(rows: list[list[int]]) -> None:
    days = [d for place, row in enumerate(rows) for d in days_of(quarters(MONDAY + timedelta(days=place), row))]
    assert [sum(half or 0 for half in day.half_hours) for day in days] == [sum(row) for row in rows]
    assert sum(month.energy_wh for month in months_of(days)) == sum(map(sum, rows))


@given(full_days)
def test_always_on_is_never_more_than_all_that_is_used(rows: list[list[int]]) -> None:
    found = always_on([days_of(quarters(MONDAY + timedelta(days=place), row))[0] for place, row in enumerate(rows)])
    if found is not None:
        # At least 92 of 96 quarters are at or above the level, so it can exceed the total by the other four only.
        assert found.energy_wh * 92 <= found.total_wh * 96


@given(full_days, st.integers(1, 50))
def test_share_does_not_depend_on_the_unit(rows: list[list[int]], factor: int) -> None:
    def share(scale: int) -> Fraction | None:
        days = [days_of(quarters(MONDAY, [value * scale for value in row]))[0] for row in rows]
        found = always_on(days)
        return None if found is None else Fraction(found.energy_wh, found.total_wh)

    assert share(1) == share(factor)


@given(values, st.integers(1, 100))
def test_percentile_is_a_value_that_enough_others_do_not_exceed(some: list[int], percent: int) -> None:
    found = percentile(some, percent)
    assert found in some
    assert sum(value <= found for value in some) >= len(some) * percent / 100
    assert sum(value < found for value in some) < math.ceil(len(some) * percent / 100)


@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_rounding_is_exact_half_up(numerator: int, denominator: int) -> None:
    assert rounded(numerator, denominator) == math.floor(Fraction(numerator, denominator) + Fraction(1, 2))

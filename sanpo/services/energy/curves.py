"""What a home's readings say: half-hour curves, heat map, always-on share, months. Pure, in whole watt-hours.

A reading is a quarter of an hour on the local clock. On the night when the clock goes back an hour occurs twice, and
a half hour of it holds four readings; on the one when it goes forward an hour is not there. So a half hour's energy is
always two average quarters: comparable on every day, and right where a reading is missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

HALF_HOURS = 48
QUARTERS_A_DAY = 96
FEWEST_QUARTERS = 90
"""A day counts as whole from so many quarters on: one with a missing hour (92) does, one with a long gap does not."""
ALWAYS_ON_PERCENT = 5


@dataclass(frozen=True)
class Day:
    """One local day. `half_hours` holds the energy (Wh) of each half hour, None where no reading is there."""

    day: date
    quarters: tuple[int, ...]
    half_hours: tuple[int | None, ...]

    @property
    def energy_wh(self) -> int:
        return sum(self.quarters)

    @property
    def is_whole(self) -> bool:
        return len(self.quarters) >= FEWEST_QUARTERS


@dataclass(frozen=True)
class Month:
    """One local month: energy, and of how many of its days there are readings."""

    first_day: date
    energy_wh: int
    days: int
    days_in_month: int


@dataclass(frozen=True)
class AlwaysOn:
    """What never switches off. `power_w` is the mean over the days; `share_permille` is its part of all energy."""

    power_w: int
    energy_wh: int
    total_wh: int
    days: int

    @property
    def share_permille(self) -> int:
        return rounded(self.energy_wh * 1000, self.total_wh)


def days_of(readings: Iterable[tuple[datetime, int]]) -> list[Day]:
    """The days of readings (local start, Wh) in ascending order of their instants."""
    return [_day(day, list(rows)) for day, rows in groupby(readings, lambda reading: reading[0].date())]


def average_day(days: Sequence[Day]) -> tuple[int | None, ...]:
    """The mean of each half hour over the days that have it, Wh."""
    return tuple(_mean([day.half_hours[slot] for day in days]) for slot in range(HALF_HOURS))


def week_of(days: Sequence[Day], monday: date) -> list[Day]:
    """Monday to Sunday; a day without readings is an empty one."""
    known = {day.day: day for day in days}
    wanted = [monday + timedelta(days=ahead) for ahead in range(7)]
    return [known.get(day, Day(day, (), (None,) * HALF_HOURS)) for day in wanted]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def always_on(days: Sequence[Day]) -> AlwaysOn | None:
    """The always-on energy: on each whole day the 5th percentile of its quarters (nearest rank), all day long.

    A percentile and not the lowest quarter, so that one power cut does not hide what is always on. None where no
    day is whole or nothing was used.
    """
    whole = [day for day in days if day.is_whole]
    total = sum(day.energy_wh for day in whole)
    if not total:
        return None
    lowest = [(percentile(day.quarters, ALWAYS_ON_PERCENT), len(day.quarters)) for day in whole]
    energy = sum(low * count for low, count in lowest)
    quarters = sum(count for _, count in lowest)
    return AlwaysOn(rounded(energy * 4, quarters), energy, total, len(whole))


def percentile(values: Sequence[int], percent: int) -> int:
    """The nearest-rank percentile: the least value that at least `percent` % of the values do not exceed."""
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank, 1) - 1]


def months_of(days: Sequence[Day]) -> list[Month]:
    """The months with readings, oldest first."""
    by_month: dict[date, list[Day]] = defaultdict(list)
    for day in days:
        by_month[day.day.replace(day=1)].append(day)
    return [
        Month(first, sum(day.energy_wh for day in inside), len(inside), (_next_month(first) - first).days)
        for first, inside in sorted(by_month.items())
    ]


def rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number of a fraction without sign, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _day(day: date, rows: list[tuple[datetime, int]]) -> Day:
    slots: list[list[int]] = [[] for _ in range(HALF_HOURS)]
    for start, energy_wh in rows:
        slots[start.hour * 2 + start.minute // 30].append(energy_wh)
    halves = tuple(rounded(2 * sum(slot), len(slot)) if slot else None for slot in slots)
    return Day(day, tuple(energy_wh for _, energy_wh in rows), halves)


def _mean(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return rounded(sum(known), len(known)) if known else None


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)

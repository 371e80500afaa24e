"""What only the readings together can tell: grid, clock, order, repetition, the hour of a clock change. Pure.

Every check is one pass over whole arrays; rows are looked at one by one only where they are wrong.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sanpo.services.energy.files.problems import Problems, Reason
from sanpo.services.energy.files.readings import INTERVAL_S, NO_OFFSET, Readings
from sanpo.services.energy.files.zones import offsets_at, transitions

EARLIEST_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
STEADY_STEPS = 4
"""So many equal steps of more than a quarter of an hour in a row are another interval, fewer are gaps."""


@dataclass(frozen=True)
class Checked:
    """All readings in order of meter and time; what is wrong with them; how many quarters of an hour lie in gaps."""

    readings: Readings
    problems: Problems
    missing: int


def check_readings(readings: Readings, zone: ZoneInfo, now: datetime) -> Checked:
    """All problems of readings whose clock is to be `zone`; a reading must be over by `now`."""
    alone = _check_each(readings, zone, int(now.timestamp()))
    order = np.lexsort((readings.start_s, readings.meter))
    ordered = _take(readings, order)
    sound = ordered.without(alone)
    repeated = _check_repeats(sound)
    sound = sound.without(repeated)
    steps = _steps(sound)
    together = repeated + _check_interval(sound, steps) + _check_clock_changes(sound, zone)
    missing = int(np.sum(steps[steps > INTERVAL_S] // INTERVAL_S - 1))
    return Checked(ordered, alone + together, missing)


def never_matches(readings: Readings, zone: ZoneInfo) -> bool:
    """Whether readings with an offset are there, and no offset is the zone's: then it is another zone's file."""
    stated = readings.offset_s != NO_OFFSET
    return bool(stated.any()) and not bool((readings.offset_s == offsets_at(zone, readings.start_s))[stated].any())


def _check_each(readings: Readings, zone: ZoneInfo, now_s: int) -> Problems:
    start, offset = readings.start_s, readings.offset_s
    impossible = (start < EARLIEST_S) | (start + INTERVAL_S > now_s)
    wrong = (offset != NO_OFFSET) & (offset != offsets_at(zone, start)) & ~impossible
    return (
        readings.problems(impossible, Reason.IMPOSSIBLE_START)
        + readings.problems(start % INTERVAL_S != 0, Reason.OFF_GRID)
        + readings.problems(wrong, Reason.WRONG_OFFSET)
    )


def _check_repeats(readings: Readings) -> Problems:
    """The first of equal readings stays; where the values differ nobody can know which is right, and none stays."""
    same = (np.diff(readings.meter) == 0) & (np.diff(readings.start_s) == 0)
    if not same.any():
        return Problems()
    begins = np.flatnonzero(np.r_[True, ~same])
    low, high = (fold.reduceat(readings.energy_wh, begins) for fold in (np.minimum, np.maximum))
    sizes = np.diff(np.r_[begins, len(readings)])
    conflicting = np.repeat(low != high, sizes)
    again = np.r_[False, same] & ~conflicting
    return readings.problems(conflicting, Reason.CONFLICTING) + readings.problems(again, Reason.DUPLICATE)


def _steps(readings: Readings) -> NDArray[np.int64]:
    """Seconds from each reading to the next of the same meter; 0 where there is none."""
    steps = np.diff(readings.start_s, append=0)
    steps[np.diff(readings.meter, append=-1) != 0] = 0
    return steps


def _check_interval(readings: Readings, steps: NDArray[np.int64]) -> Problems:
    """Readings that come at another steady interval than a quarter of an hour."""
    long = steps > INTERVAL_S
    if not long.any():
        return Problems()
    begins = np.flatnonzero(np.r_[True, np.diff(steps) != 0])
    sizes = np.diff(np.r_[begins, len(steps)])
    steady = np.repeat(sizes >= STEADY_STEPS, sizes) & long
    return readings.problems(steady | np.r_[False, steady[:-1]], Reason.WRONG_INTERVAL)


def _check_clock_changes(readings: Readings, zone: ZoneInfo) -> Problems:
    """Of the two hours around a change of the clock one is there and the other is not, in a series that goes on.

    That is how a recorder looks that works without offsets: it has the doubled hour of autumn once, or leaves out the
    hour after the one that spring skips. Which hour the values belong to cannot be known, so that they are problems.
    """
    if not len(readings):
        return Problems()
    doubtful = np.zeros(len(readings), np.bool_)
    bounds = np.flatnonzero(np.r_[True, np.diff(readings.meter) != 0, True])
    for change in transitions(zone, int(readings.start_s.min()), int(readings.start_s.max())):
        edges = [change.at_s - change.shift_s, change.at_s, change.at_s + change.shift_s]
        for low, high in pairwise(bounds):
            first, middle, last = low + np.searchsorted(readings.start_s[low:high], edges)
            if low < first and last < high and (first == middle) != (middle == last):
                doubtful[first:last] = True
    return readings.problems(doubtful, Reason.GAP_AT_CLOCK_CHANGE)


def _take(readings: Readings, order: NDArray[np.intp]) -> Readings:
    return Readings(
        readings.meter_ids,
        readings.row[order],
        readings.meter[order],
        readings.start_s[order],
        readings.offset_s[order],
        readings.energy_wh[order],
    )

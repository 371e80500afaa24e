"""Time zones over whole arrays of instants: the offsets of a zone, and when it changes them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

_DAY_S = 86_400
_LATEST_S = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class ClockChange:
    """At `at_s` (seconds from 1970) the clock moves by `shift_s`, taken without its sign."""

    at_s: int
    shift_s: int


def offsets_at(zone: ZoneInfo, instants_s: NDArray[np.int64]) -> NDArray[np.int32]:
    """The zone's offset from UTC in seconds at each instant. Those far outside our time get the nearest known."""
    if not len(instants_s):
        return np.zeros(0, np.int32)
    first, last = int(instants_s.min()), int(instants_s.max())
    pieces = _pieces(zone, _clipped(first), _clipped(last))
    begins = np.array([begin for begin, _ in pieces], np.int64)
    offsets = np.array([offset for _, offset in pieces], np.int32)
    return offsets[np.maximum(np.searchsorted(begins, instants_s, side="right") - 1, 0)]


def transitions(zone: ZoneInfo, first_s: int, last_s: int) -> list[ClockChange]:
    """The changes of the clock after `first_s` and until `last_s`."""
    pieces = _pieces(zone, _clipped(first_s), _clipped(last_s))
    return [ClockChange(begin, abs(offset - before)) for (_, before), (begin, offset) in pairwise(pieces)]


@lru_cache(maxsize=64)
def _pieces(zone: ZoneInfo, first_s: int, last_s: int) -> tuple[tuple[int, int], ...]:
    """(begin, offset) of each stretch with one offset, the first beginning at `first_s`."""
    pieces = [(first_s, _offset(zone, first_s))]
    here = first_s
    while here < last_s:
        there = min(here + _DAY_S, last_s)
        if _offset(zone, there) != pieces[-1][1]:
            there = _change_between(zone, here, there)
            pieces.append((there, _offset(zone, there)))
        here = there
    return tuple(pieces)


def _change_between(zone: ZoneInfo, before_s: int, after_s: int) -> int:
    """The first second of the new offset: no zone changes twice within a day."""
    old = _offset(zone, before_s)
    while after_s - before_s > 1:
        middle = (before_s + after_s) // 2
        if _offset(zone, middle) == old:
            before_s = middle
        else:
            after_s = middle
    return after_s


def _offset(zone: ZoneInfo, instant_s: int) -> int:
    offset = datetime.fromtimestamp(instant_s, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _clipped(instant_s: int) -> int:
    return min(max(instant_s, 0), _LATEST_S)

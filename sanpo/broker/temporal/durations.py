"""Durations of ISO 8601 and the periods that they cut a span into (ETSI GS CIM 009 §4.5.19.0). Pure.

Months and years have no fixed length: each period begins the n-fold duration after the origin, on the last day of a month
that has no such day. `PT0S` and `P0D` stand for the whole span.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

from sanpo.broker.errors import ParameterIsInvalid

MOST_PERIODS = 10_000
_NAME = "aggrPeriodDuration"
_N = r"(\d{1,9})"
_SHAPE = re.compile(
    rf"P(?:{_N}W|(?:{_N}Y)?(?:{_N}M)?(?:{_N}D)?(?:T(?=\d)(?:{_N}H)?(?:{_N}M)?(?:(\d{{1,9}}(?:[.,]\d{{1,6}})?)S)?)?)"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """Whole months and an exact rest."""

    months: int = 0
    rest: timedelta = timedelta(0)

    @property
    def is_whole(self) -> bool:
        """Whether it stands for the whole span."""
        return not self.months and not self.rest


def parse_duration(text: str, name: str = _NAME) -> Duration:
    """Raises `ParameterIsInvalid`."""
    found = _SHAPE.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ParameterIsInvalid(name=name, problem="is no duration such as PT1H or P1M")
    weeks, years, months, days, hours, minutes = (int(each or 0) for each in found.groups()[:6])
    seconds = float((found.group(7) or "0").replace(",", "."))
    try:
        rest = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise ParameterIsInvalid(name=name, problem="is longer than time is counted here") from None
    return Duration(12 * years + months, rest)


def later(origin: datetime, duration: Duration, times: int) -> datetime:
    """`times` durations after the origin. Raises `OverflowError` beyond the year 9999."""
    months = origin.month - 1 + duration.months * times
    year, month = origin.year + months // 12, months % 12 + 1
    if year > 9999:
        raise OverflowError
    day = min(origin.day, monthrange(year, month)[1])
    return origin.replace(year=year, month=month, day=day) + duration.rest * times


def periods(origin: datetime, end: datetime, duration: Duration) -> list[datetime]:
    """The edges of the periods from the origin until one holds the last moment before `end`: one more than periods.

    Raises `ParameterIsInvalid` for too many.
    """
    if duration.is_whole:
        return [origin, end]
    edges = [origin]
    try:
        while edges[-1] < end or len(edges) < 2:  # one period at the least
            if len(edges) > MOST_PERIODS:
                raise ParameterIsInvalid(name=_NAME, problem=f"makes more than {MOST_PERIODS} periods")
            edges.append(later(origin, duration, len(edges)))
    except OverflowError:
        raise ParameterIsInvalid(name=_NAME, problem="leads beyond the year 9999") from None
    return edges

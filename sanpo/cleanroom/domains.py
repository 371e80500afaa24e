"""All cells that an answer can have, from the question and the catalogue alone: never from the data. Pure.

A release with differential privacy tells of every cell, also of empty ones, since that a cell is there at all would tell
of whoever is in it. So each dimension needs values that are known before any row is read: those of the catalogue, of a
time bucket or band, those that the filter lists, or the days, hours, months between the filter's two ends.
"""

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice, product
from typing import Any

from sanpo.cleanroom.errors import AnswerIsTooLarge, DomainIsMissing
from sanpo.cleanroom.model import AllOf, Among, Between, Comparison, Dimension, Equal, Filter, Question, Term, Unit
from sanpo.cleanroom.plan import MOST_CELLS
from sanpo.cleanroom.scope import Scope, Value

Key = tuple[Value, ...]
End = tuple[bool, int | datetime]
"""Whether it is the low end, and: values from here on, or values below this."""
_BUCKETS = {
    "hour": range(24),
    "half_hour": range(48),
    "weekday": range(1, 8),
    "week": range(1, 54),
    "month": range(1, 13),
}


def declared_keys(question: Question, scope: Scope) -> tuple[Key, ...]:
    """Every combination of the dimensions' declared values; without dimensions one empty key.

    Raises `DomainIsMissing`, `AnswerIsTooLarge`.
    """
    domains = [_values(dimension, question, scope) for dimension in question.dimensions]
    if math.prod(map(len, domains)) > MOST_CELLS:
        raise AnswerIsTooLarge(most=MOST_CELLS)
    return tuple(product(*domains))


def _values(dimension: Dimension, question: Question, scope: Scope) -> tuple[Value, ...]:
    parts = _parts(question.filter)
    found = _listed(dimension.term, parts, scope) or _known(dimension, scope) or _between(dimension, parts, scope)
    if found is None:
        raise DomainIsMissing(dimension=dimension.name, accepted=_accepted(dimension, scope))
    return found


def _parts(filter: Filter | None) -> tuple[Filter, ...]:
    """The conditions that every row fulfils."""
    if filter is None:
        return ()
    if isinstance(filter, AllOf):
        return tuple(inner for part in filter.parts for inner in _parts(part))
    return (filter,)


def _listed(term: Term, parts: tuple[Filter, ...], scope: Scope) -> tuple[Value, ...] | None:
    """The values that a condition on the dimension itself lists."""
    for part in parts:
        if isinstance(part, Among) and part.term == term:
            return tuple(dict.fromkeys(scope.value(term, literal) for literal in part.values))
        if isinstance(part, Equal) and part.term == term:
            return (scope.value(term, part.value),)
    return None


def _known(dimension: Dimension, scope: Scope) -> tuple[Value, ...] | None:
    """The values that the catalogue, the band or the time bucket has anyway."""
    column = scope.column(dimension.column)
    if dimension.band is not None:
        return tuple(range(len(dimension.band) + 1))
    if dimension.bucket in _BUCKETS:
        return tuple(_BUCKETS[dimension.bucket])
    if column.type == "bool":
        return (False, True)
    if dimension.bucket is None and column.domain:
        numbers: dict[str, Callable[[str], Value]] = {"int": int, "float": float}
        read = numbers.get(scope.type_of(dimension.term), lambda text: scope.value(dimension.term, text))
        return tuple(map(read, column.domain))
    return None


def _between(dimension: Dimension, parts: tuple[Filter, ...], scope: Scope) -> tuple[Value, ...] | None:
    """The values between the two ends that the filter sets to the column."""
    kind = scope.type_of(dimension.term)
    ends = [end for part in parts for end in _ends(part, dimension, scope)]
    lows: list[Any] = [value for is_low, value in ends if is_low]
    highs: list[Any] = [value for is_low, value in ends if not is_low]
    if kind not in ("int", "date", "timestamp") or not lows or not highs:
        return None
    low, high = max(lows), min(highs)
    steps: Iterator[Any] = iter(range(low, high)) if kind == "int" else _steps(low, high, dimension.unit or "day")
    found = tuple(islice(steps, MOST_CELLS + 1))
    if len(found) > MOST_CELLS:
        raise AnswerIsTooLarge(most=MOST_CELLS)
    if not found:
        return None
    return tuple(moment.date() for moment in found) if kind == "date" else found


def _ends(part: Filter, dimension: Dimension, scope: Scope) -> list[End]:
    """The ends that one condition sets to the dimension's column, or to the date of its time."""
    if not isinstance(part, Comparison | Between) or part.term.column != dimension.column:
        return []
    if part.term.bucket not in (None, "date") or part.term.band is not None:
        return []
    told = [(">=", part.low), ("<=", part.high)] if isinstance(part, Between) else [(part.op, part.value)]
    return [end for op, literal in told for end in _end(op, scope.value(part.term, literal))]


def _end(op: str, value: Value) -> list[End]:
    """`=` sets both ends. `after` is the first value above everything that equals this one."""
    at: int | datetime
    after: int | datetime
    try:
        match value:
            case datetime():
                at, after = value, value + timedelta(microseconds=1)
            case date():
                midnight = datetime(value.year, value.month, value.day)  # noqa: DTZ001 (local)
                at, after = midnight, midnight + timedelta(days=1)
            case int():
                at, after = value, value + 1
            case _:
                return []
    except OverflowError:  # the calendar ends there
        return []
    lows = [(True, after if op == ">" else at)] if op in (">", ">=", "=") else []
    highs = [(False, at if op == "<" else after)] if op in ("<", "<=", "=") else []
    return [*lows, *highs]


def _steps(low: datetime, high: datetime, unit: Unit) -> Iterator[datetime]:
    """The beginning of each unit that has a moment in [low, high), as SQL's date_trunc has it; a week begins on Monday."""
    day = low.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = {
        "hour": day.replace(hour=low.hour),
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
        "year": day.replace(month=1, day=1),
    }
    at = begins[unit]
    while at < high:
        yield at
        try:
            at = _next(at, unit)
        except (OverflowError, ValueError):  # the calendar ends there
            return


def _next(begin: datetime, unit: Unit) -> datetime:
    fixed = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
    if unit in fixed:
        return begin + fixed[unit]
    years, month = divmod(begin.month - 1 + {"month": 1, "quarter": 3, "year": 12}[unit], 12)
    return begin.replace(year=begin.year + years, month=month + 1)


def _accepted(dimension: Dimension, scope: Scope) -> str:
    """A condition that would make the values known, as SQL."""
    column, kind = dimension.column, scope.type_of(dimension.term)
    if kind in ("date", "timestamp"):
        return f"{column} >= '2026-01-01' and {column} < '2026-02-01'"
    if kind == "int":
        return f"{column} between 1 and 9"
    return f"{column} in ('…', '…')" if kind == "text" else f"band({column}, …)"

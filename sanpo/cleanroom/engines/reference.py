"""The reference engine: plain Python over rows in memory, slow and easy to believe. All others must agree with it."""

import math
import statistics
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sanpo.cleanroom.errors import AnswerIsTooLarge
from sanpo.cleanroom.model import (
    SUBJECT,
    AllOf,
    Among,
    AnyOf,
    Between,
    Comparison,
    Derived,
    Filter,
    IsNull,
    Measure,
    Not,
    Term,
)
from sanpo.cleanroom.plan import MOST_CELLS, Cell, Plan
from sanpo.cleanroom.scope import ATTRIBUTES, ROWS, Joined, Scope, Value
from sanpo.lake import Snapshot

Row = dict[tuple[str, str], Any]
"""One row with all that is joined to it, by side and stored column."""


def run(plan: Plan) -> list[Cell]:
    """The cells of the plan, in no particular order. Raises `AnswerIsTooLarge`."""
    cells: dict[tuple[Value | None, ...], list[Row]] = defaultdict(list)
    for row in _rows(plan):
        if plan.question.filter is None or holds(plan.question.filter, row, plan.scope):
            cells[tuple(evaluate(each.term, row, plan.scope) for each in plan.question.dimensions)].append(row)
    if len(cells) > MOST_CELLS:
        raise AnswerIsTooLarge(most=MOST_CELLS)
    return [_cell(plan, key, rows) for key, rows in cells.items()]


def holdings(plan: Plan) -> dict[tuple[Any, ...], dict[int, int]]:
    """By cell's key and subject, how many rows."""
    found: dict[tuple[Any, ...], dict[int, int]] = {}
    for row in _rows(plan):
        if plan.question.filter is None or holds(plan.question.filter, row, plan.scope):
            key = tuple(evaluate(each.term, row, plan.scope) for each in plan.question.dimensions)
            held = found.setdefault(key, defaultdict(int))
            held[row[ROWS, SUBJECT]] += 1
    return found


def _rows(plan: Plan) -> list[Row]:
    """The rows of admitted subjects: own columns, attributes and joined ones, each under the name that it is stored by."""
    admitted = set(plan.subjects.tolist())
    rows = [
        {(ROWS, name): value for name, value in row.items()} for row in _read(plan.rows) if row[SUBJECT] in admitted
    ]
    if plan.attributes is not None:
        attributes = {row[SUBJECT]: row for row in _read(plan.attributes)}
        rows = [row | _sided(ATTRIBUTES, attributes[who]) for row in rows if (who := row[ROWS, SUBJECT]) in attributes]
    for joined, snapshot in plan.joined:
        table = _joined_rows(joined, _read(snapshot), admitted)
        keys = [tuple(evaluate(match.left, row, plan.scope) for match in joined.on) for row in rows]
        rows = [row | _sided(joined.name, table[key]) for row, key in zip(rows, keys, strict=True) if key in table]
    return rows


def _sided(side: str, row: dict[str, Any]) -> Row:
    return {(side, name): value for name, value in row.items()}


def _joined_rows(
    joined: Joined, rows: list[dict[str, Any]], admitted: set[int]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The joined dataset's one row for each combination of keys; a missing key matches nothing."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if joined.dataset.personal and row[SUBJECT] not in admitted:
            continue
        key = tuple(_cut(row[match.column], match.unit) for match in joined.on)
        if None not in key:
            groups[key].append(row)
    if not joined.join.columns:
        return {key: found[0] for key, found in groups.items()}
    return {key: {stored: _derived(each, found) for stored, each in joined.derived} for key, found in groups.items()}


def _cut(value: Any, unit: str | None) -> Any:
    return value if value is None or unit is None else _beginning(unit, value)


def _derived(each: Derived, rows: list[dict[str, Any]]) -> Any:
    present = [row[each.column] for row in rows if each.column is not None and row[each.column] is not None]
    match each.function:
        case "count":
            return len(rows)
        case _ if not present:
            return None
        case "sum":
            return float(sum(present))
        case "avg":
            return float(sum(present)) / len(present)
        case "min":
            return min(present)
        case "max":
            return max(present)


def _read(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The rows; a column that a file does not have yet is missing in it."""
    names = snapshot.dataset.schema.names
    found = (row for file in snapshot.files for row in pq.ParquetFile(file).read().to_pylist())
    return [{name: row.get(name) for name in names} for row in found]


def evaluate(term: Term, row: Row, scope: Scope) -> Any:
    """The value of a term for one row; None where it is missing."""
    value = _valued(term.column, row, scope)
    if value is None:
        return None
    if term.band is not None:
        return sum(value >= edge for edge in scope.edges(term))
    if term.bucket is None:
        return value
    match term.bucket:
        case "hour":
            return value.hour
        case "half_hour":
            return value.hour * 2 + (value.minute >= 30)
        case "date":
            return date(value.year, value.month, value.day)
        case "weekday":
            return value.isoweekday()
        case "week":
            return value.isocalendar().week
        case "month":
            return value.month
        case "date_trunc":
            return _beginning(term.unit or "", value)


def _beginning(unit: str, value: date | datetime) -> datetime:
    day = datetime(value.year, value.month, value.day)  # noqa: DTZ001 (the wall's clock has no zone)
    match unit:
        case "hour":
            return day.replace(hour=value.hour if isinstance(value, datetime) else 0)
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case _:
            return day.replace(month=1, day=1)


def holds(filter: Filter, row: Row, scope: Scope) -> bool | None:
    """True, false, or None where a missing value leaves it open (SQL's three-valued logic)."""
    match filter:
        case Not(part=part):
            inner = holds(part, row, scope)
            return None if inner is None else not inner
        case AllOf(parts=parts):
            results = [holds(part, row, scope) for part in parts]
            return False if False in results else None if None in results else True
        case AnyOf(parts=parts):
            results = [holds(part, row, scope) for part in parts]
            return True if True in results else None if None in results else False
        case IsNull(term=term):
            return evaluate(term, row, scope) is None
    value = evaluate(filter.term, row, scope)
    return None if value is None else _tested(filter, value, scope)


def _tested(filter: Filter, value: Any, scope: Scope) -> bool:
    match filter:
        case Among(term=term, values=literals):
            return value in [scope.value(term, each) for each in literals]
        case Between(term=term, low=low, high=high):
            return bool(scope.value(term, low) <= value <= scope.value(term, high))
        case Comparison(term=term, value=literal):
            other: Any = scope.value(term, literal)
            return bool(
                {
                    "=": value == other,
                    "!=": value != other,
                    "<": value < other,
                    "<=": value <= other,
                    ">": value > other,
                    ">=": value >= other,
                }[filter.op]
            )
    raise AssertionError(filter)


def _valued(name: str, row: Row, scope: Scope) -> Any:
    place = scope.place(name)
    return row[place.side, place.stored]


def _cell(plan: Plan, key: tuple[Value | None, ...], rows: list[Row]) -> Cell:
    values, filled = [], []
    for measure in plan.question.measures:
        found = [tuple(_valued(name, row, plan.scope) for name in measure.columns) for row in rows]
        present = [each for each in found if None not in each]
        values.append(_clamped(plan, measure, _measured(measure, present, len(rows))))
        filled.append(len(rows) if measure.column is None else len(present))
    flags = np.zeros(plan.admission.universe, dtype=np.uint8)
    flags[[row[ROWS, SUBJECT] for row in rows]] = 1
    largest = tuple(_share(plan, measure, rows) for measure in plan.question.measures) if plan.limits.largest else ()
    return Cell(key, tuple(values), tuple(filled), len(rows), np.packbits(flags).tobytes(), largest)


def _share(plan: Plan, measure: Measure, rows: list[Row]) -> float | None:
    """The share of the largest subjects in the sum of absolute values of the measure's (first) column."""
    held: dict[int, float] = defaultdict(float)
    for row in rows:
        value = None if measure.column is None else _valued(measure.column, row, plan.scope)
        held[row[ROWS, SUBJECT]] += abs(value or 0)
    total = math.fsum(held.values())
    return math.fsum(sorted(held.values(), reverse=True)[: plan.limits.largest]) / total if total else None


def _clamped(plan: Plan, measure: Measure, value: Any) -> Any:
    ends = plan.limits.ends_of(measure)
    return value if ends is None or value is None else type(value)(max(min(value, ends[1]), ends[0]))


def _measured(measure: Measure, present: list[Any], rows: int) -> Any:
    firsts = [each[0] for each in present if each]
    match measure.function:
        case "count":
            return rows
        case "subjects":
            return None
        case _ if not firsts:
            return None
        case "sum":
            return sum(firsts)
        case "avg":
            return float(sum(firsts)) / len(firsts)
        case "quantile":
            return _quantile(sorted(map(float, firsts)), measure.q or 0.0)
        case "min":
            return min(firsts)
        case "max":
            return max(firsts)
        case "variance":
            return statistics.variance(map(float, firsts)) if len(firsts) > 1 else None
        case "correlation":
            return _correlation([(float(x), float(y)) for x, y in present])


def _correlation(pairs: list[tuple[float, float]]) -> float | None:
    """Pearson's; None where one side does not vary."""
    xs, ys = zip(*pairs, strict=True)
    if len(set(xs)) < 2 or len(set(ys)) < 2:
        return None
    return statistics.correlation(xs, ys)


def _quantile(ordered: list[float], q: float) -> float:
    """Linear interpolation between the neighbours of rank q·(n − 1): SQL's percentile_cont."""
    rank = q * (len(ordered) - 1)
    low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
    return low + (high - low) * (rank - math.floor(rank))

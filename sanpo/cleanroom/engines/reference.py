"""The reference engine: plain Python over rows in memory, slow and easy to believe. All others must agree with it."""

import math
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
    Filter,
    IsNull,
    Measure,
    Not,
    Term,
)
from sanpo.cleanroom.plan import MOST_CELLS, Cell, Plan
from sanpo.cleanroom.scope import Scope, Value

Row = dict[str, Any]


def run(plan: Plan) -> list[Cell]:
    """The cells of the plan, in no particular order. Raises `AnswerIsTooLarge`."""
    cells: dict[tuple[Value | None, ...], list[Row]] = defaultdict(list)
    for row in _rows(plan):
        if plan.question.filter is None or holds(plan.question.filter, row, plan.scope):
            cells[tuple(evaluate(each.term, row, plan.scope) for each in plan.question.dimensions)].append(row)
    if len(cells) > MOST_CELLS:
        raise AnswerIsTooLarge(most=MOST_CELLS)
    return [_cell(plan, key, rows) for key, rows in cells.items()]


def _rows(plan: Plan) -> list[Row]:
    """The rows of admitted subjects, each with its subject's attributes where the question uses those."""
    admitted = set(plan.subjects.tolist())
    rows = [row for row in _read(plan.rows.files) if row[SUBJECT] in admitted]
    if plan.attributes is None:
        return rows
    attributes = {each[SUBJECT]: each for each in _read(plan.attributes.files)}
    return [{**attributes[row[SUBJECT]], **row} for row in rows if row[SUBJECT] in attributes]


def _read(files: tuple[str, ...]) -> list[Row]:
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def evaluate(term: Term, row: Row, scope: Scope) -> Any:
    """The value of a term for one row; None where it is missing."""
    value = row[scope.stored(term.column)]
    if value is None or term.bucket is None:
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


def _cell(plan: Plan, key: tuple[Value | None, ...], rows: list[Row]) -> Cell:
    values, filled = [], []
    for measure in plan.question.measures:
        found = [] if measure.column is None else [row[measure.column] for row in rows]
        present = [value for value in found if value is not None]
        values.append(_measured(measure, present, len(rows)))
        filled.append(len(rows) if measure.column is None else len(present))
    flags = np.zeros(plan.admission.universe, dtype=np.uint8)
    flags[[row[SUBJECT] for row in rows]] = 1
    return Cell(key, tuple(values), tuple(filled), len(rows), np.packbits(flags).tobytes())


def _measured(measure: Measure, present: list[Any], rows: int) -> Any:
    match measure.function:
        case "count":
            return rows
        case "subjects":
            return None
        case _ if not present:
            return None
        case "sum":
            return sum(present)
        case "avg":
            return float(sum(present)) / len(present)
        case "quantile":
            return _quantile(sorted(map(float, present)), measure.q or 0.0)
        case "min":
            return min(present)
        case "max":
            return max(present)


def _quantile(ordered: list[float], q: float) -> float:
    """Linear interpolation between the neighbours of rank q·(n − 1): SQL's percentile_cont."""
    rank = q * (len(ordered) - 1)
    low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
    return low + (high - low) * (rank - math.floor(rank))

"""The plan as data frames of Spark Connect: every literal goes as a typed value, no text is ever put together. Pure.

Consent is a semi-join of every personal dataset with the admitted subjects, which go along with the question as an Arrow
table. All columns get names of our own (`c0`, `c1`, …), so that no name of a dataset or of a question meets another.

The servers differ in places, and this is written so that both give the same: Sail reads a week's day wrong on Sundays
(`weekday`), so it is counted from `dayofweek`; a text or a moment without a zone would be taken in the client's zone, so
moments go as UTC and are cast; sums of 64-bit columns would overflow, so they are decimal numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from operator import add, and_, or_
from typing import Any

import pyarrow as pa

from sanpo.cleanroom.engines.spark_client import F, T
from sanpo.cleanroom.errors import EngineIsUnavailable
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
    Not,
    Scalar,
    Term,
)
from sanpo.cleanroom.plan import Plan
from sanpo.cleanroom.scope import ATTRIBUTES, ROWS, Joined, Value
from sanpo.lake import Snapshot, check_readable

Frame = Any
"""A `DataFrame` of the client, which has no types where the extra is not installed; an `Expr` is a `Column`."""
Expr = Any
Names = Mapping[tuple[str, str], str]
"""By side and stored column: the name in the frame."""


@dataclass(frozen=True)
class Rows:
    """The rows of those who may count that pass the filter, with all that is joined to them."""

    plan: Plan
    frame: Frame
    names: Names

    def key(self) -> tuple[Expr, ...]:
        """The dimensions as `k0`, `k1`, …"""
        terms = (dimension.term for dimension in self.plan.question.dimensions)
        return tuple(term_of(self.plan, self.names, term).alias(f"k{at}") for at, term in enumerate(terms))

    @property
    def subject(self) -> Expr:
        return self.stored(SUBJECT)

    def stored(self, name: str) -> Expr:
        """A column of the question's own dataset."""
        return F.col(self.names[ROWS, name])

    def column(self, name: str) -> Expr:
        return _column(self.plan, self.names, name)


def rows_of(session: Any, plan: Plan, *, also: str | None = None) -> Rows:
    """Reads, joins and filters; `also` names a stored column of the rows that the question itself does not use.

    Raises `EngineIsUnavailable` where the server does not see all files.
    """
    names = _names(plan, also)
    admitted = session.createDataFrame(pa.table({"admitted": pa.array(plan.subjects)}))
    frame = _read(session, plan.rows, _of_side(names, ROWS))
    frame = frame.join(admitted, F.col(names[ROWS, SUBJECT]) == F.col("admitted"), "left_semi")
    if plan.attributes is not None:
        attributes = _read(session, plan.attributes, {**_of_side(names, ATTRIBUTES), SUBJECT: "attributed"})
        attributes = attributes.join(admitted, F.col("attributed") == F.col("admitted"), "left_semi")
        frame = frame.join(attributes, F.col(names[ROWS, SUBJECT]) == F.col("attributed"), "inner")
    for at, (joined, snapshot) in enumerate(plan.joined):
        right = _joined(session, joined, snapshot, _of_side(names, joined.name), admitted, f"j{at}_")
        on = [term_of(plan, names, match.left) == F.col(f"j{at}_{key}") for key, match in enumerate(joined.on)]
        frame = frame.join(right, reduce(and_, on), "inner")
    if plan.question.filter is not None:
        frame = frame.where(_condition(plan, names, plan.question.filter))
    return Rows(plan, frame, names)


def _names(plan: Plan, also: str | None) -> Names:
    """A name for every column that is used."""
    lefts = {match.left.column for joined, _ in plan.joined for match in joined.on}
    places = [plan.scope.place(name) for name in plan.question.columns | lefts | {SUBJECT}]
    used = {(place.side, place.stored) for place in places} | ({(ROWS, also)} if also else set())
    return {each: f"c{at}" for at, each in enumerate(sorted(used))}


def _of_side(names: Names, side: str) -> dict[str, str]:
    return {stored: name for (each, stored), name in names.items() if each == side}


def _read(session: Any, snapshot: Snapshot, names: Mapping[str, str]) -> Frame:
    """These columns of the snapshot under their names here. A file that lacks one gives nulls."""
    schema = snapshot.dataset.schema
    fields = [T.StructField(field.name, _type(field.type)) for field in schema if field.name in names]
    frame = session.read.schema(T.StructType(fields)).parquet(*snapshot.files)
    _check_complete(snapshot, frame)
    return frame.select(*(_plain(schema.field(stored).type, stored).alias(name) for stored, name in names.items()))


def _check_complete(snapshot: Snapshot, frame: Frame) -> None:
    """Sail takes a file that it cannot find for one without rows; an answer would be wrong and say nothing."""
    seen = len(frame.inputFiles())
    if seen != len(snapshot.files):
        check_readable(snapshot)  # names the file, if it is missing here too
        problem = f"the server sees {seen} of {len(snapshot.files)} files"
        raise EngineIsUnavailable(dataset=snapshot.dataset.name, problem=problem)


def _type(type: pa.DataType) -> Any:
    if pa.types.is_timestamp(type):
        return T.TimestampNTZType() if type.tz is None else T.TimestampType()
    return {
        pa.int32(): T.IntegerType,
        pa.int64(): T.LongType,
        pa.float64(): T.DoubleType,
        pa.string(): T.StringType,
        pa.date32(): T.DateType,
        pa.bool_(): T.BooleanType,
    }[type]()


def _plain(type: pa.DataType, stored: str) -> Expr:
    """The column; an instant as its clock in UTC shows it."""
    column = F.col("`" + stored.replace("`", "``") + "`")
    return column.cast("timestamp_ntz") if pa.types.is_timestamp(type) and type.tz else column


def _joined(
    session: Any, joined: Joined, snapshot: Snapshot, wanted: Mapping[str, str], admitted: Frame, prefix: str
) -> Frame:
    """One joined dataset: its keys as `<prefix>0`, …, and the wanted columns; one row for each combination of keys."""
    sources = {each.column for _, each in joined.derived if each.column is not None}
    stored = {match.column for match in joined.on} | ({SUBJECT} if joined.dataset.personal else set())
    stored |= sources if joined.derived else set(wanted)
    inner = {name: f"{prefix}in{at}" for at, name in enumerate(sorted(stored))}
    frame = _read(session, snapshot, inner)
    if joined.dataset.personal:
        frame = frame.join(admitted, F.col(inner[SUBJECT]) == F.col("admitted"), "left_semi")
    keys = [_cut(F.col(inner[match.column]), match.unit).alias(f"{prefix}{at}") for at, match in enumerate(joined.on)]
    if not joined.derived:
        return frame.select(*keys, *(F.col(inner[name]).alias(as_) for name, as_ in wanted.items()))
    columns = [_derived(joined, each, inner).alias(wanted[name]) for name, each in joined.derived if name in wanted]
    return frame.groupBy(*keys).agg(*(columns or [F.count(F.lit(1)).alias(f"{prefix}rows")]))


def _derived(joined: Joined, each: Derived, inner: Mapping[str, str]) -> Expr:
    if each.column is None:
        return F.count(F.lit(1))
    column, described = F.col(inner[each.column]), joined.dataset.column(each.column)
    total = exact(column, "" if described is None else described.type)
    match each.function:
        case "avg":
            return F.sum(total).cast("double") / F.nullif(F.count(column), F.lit(0))
        case "sum":
            return F.sum(total).cast("double")
        case _:
            return {"min": F.min, "max": F.max}[each.function](column)


def exact(column: Expr, type: str) -> Expr:
    """A column as it can be summed without overflow."""
    return column.cast("decimal(20, 0)") if type == "int64" else column


def _column(plan: Plan, names: Names, name: str) -> Expr:
    place = plan.scope.place(name)
    return F.col(names[place.side, place.stored])


def term_of(plan: Plan, names: Names, term: Term) -> Expr:
    column = _column(plan, names, term.column)
    if term.band is not None:
        return reduce(add, ((column >= _literal(edge)).cast("int") for edge in plan.scope.edges(term)))
    match term.bucket:
        case None:
            return column
        case "hour":
            return F.hour(column)
        case "half_hour":
            return F.hour(column) * F.lit(2) + (F.minute(column) >= F.lit(30)).cast("int")
        case "date":
            return column.cast("date")
        case "weekday":  # dayofweek: 1 is Sunday
            return (F.dayofweek(column) + F.lit(5)) % F.lit(7) + F.lit(1)
        case "week":
            return F.weekofyear(column)
        case "month":
            return F.month(column)
        case "date_trunc":
            return _cut(column, term.unit)


def _cut(column: Expr, unit: str | None) -> Expr:
    return F.date_trunc(unit, column.cast("timestamp_ntz")).cast("timestamp_ntz") if unit else column


def _literal(value: Value) -> Expr:
    if isinstance(value, datetime):
        return F.lit(value.replace(tzinfo=UTC)).cast("timestamp_ntz")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return F.lit(Decimal(value))
    return F.lit(value)


def _condition(plan: Plan, names: Names, filter: Filter) -> Expr:
    def value(term: Term, literal: Scalar) -> Expr:
        return _literal(plan.scope.value(term, literal))

    match filter:
        case Comparison(term=term, value=literal):
            return _compared(filter.op, term_of(plan, names, term), value(term, literal))
        case Among(term=term, values=literals):
            return term_of(plan, names, term).isin([value(term, each) for each in literals])
        case Between(term=term, low=low, high=high):
            return term_of(plan, names, term).between(value(term, low), value(term, high))
        case IsNull(term=term):
            return term_of(plan, names, term).isNull()
        case Not(part=part):
            return ~_condition(plan, names, part)
        case AllOf(parts=parts):
            return reduce(and_, (_condition(plan, names, part) for part in parts))
        case AnyOf(parts=parts):
            return reduce(or_, (_condition(plan, names, part) for part in parts))


def _compared(operator: str, left: Expr, right: Expr) -> Expr:
    match operator:
        case "=":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right

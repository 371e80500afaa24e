"""The builder's form as it was filled in: texts of controls, whole or not yet. Pure.

A control is named after its place: `filters-2-value`, `joins-0-columns-1-function`.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, get_args

from msgspec import Meta, Struct

from sanpo.cleanroom.builder.forms import Row, read_form
from sanpo.cleanroom.model import BOUNDS, Bucket, DerivedFunction, Function, Unit

_END = r"(?![\s\S])"
Column = Annotated[str, Meta(pattern=rf"^([a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?)?{_END}", max_length=121)]
Word = Annotated[str, Meta(pattern=rf"^([a-z][a-z0-9_]*)?{_END}", max_length=80)]
Typed = Annotated[str, Meta(max_length=4000, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""What somebody typed into one line."""
Way = Literal[
    "", "hour", "half_hour", "date", "weekday", "week", "month",
    "hours", "days", "weeks", "months", "quarters", "years", "band",
]  # fmt: skip
"""How a column becomes a term: as it is, by a time bucket, by the beginning of a unit of time, or by bands."""
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "between", "in", "is_null", "not_null"]
WAYS: tuple[Way, ...] = get_args(Way)
OPERATORS: tuple[Operator, ...] = get_args(Operator)
BUCKETS: dict[str, Bucket] = {
    "hour": "hour", "half_hour": "half_hour", "date": "date", "weekday": "weekday", "week": "week", "month": "month"
}  # fmt: skip
UNITS: dict[str, Unit] = {f"{unit}s": unit for unit in get_args(Unit)}
MOST_FILTERS = 20


class DerivedRow(Row, frozen=True, forbid_unknown_fields=True):
    first: ClassVar[str] = "function"
    function: Literal["", DerivedFunction] = ""
    column: Word = ""
    name: Word = ""


class JoinRow(Row, frozen=True, forbid_unknown_fields=True):
    """`on` has the names of the keys that are ticked."""

    first: ClassVar[str] = "dataset"
    dataset: Column = ""
    on: dict[Word, Literal["1"]] = {}
    columns: Annotated[tuple[DerivedRow, ...], Meta(max_length=12)] = ()
    name: Word = ""


class DimensionRow(Row, frozen=True, forbid_unknown_fields=True):
    column: Column = ""
    way: Way = ""
    edges: Typed = ""
    name: Word = ""


class MeasureRow(Row, frozen=True, forbid_unknown_fields=True):
    first: ClassVar[str] = "function"
    function: Literal["", Function] = ""
    column: Column = ""
    other: Column = ""
    level: Typed = ""
    name: Word = ""


class FilterRow(Row, frozen=True, forbid_unknown_fields=True):
    column: Column = ""
    way: Way = ""
    op: Operator = "="
    value: Typed = ""
    high: Typed = ""

    @property
    def is_blank(self) -> bool:
        return not (self.column or self.value or self.high)


class OrderRow(Row, frozen=True, forbid_unknown_fields=True):
    first: ClassVar[str] = "name"
    name: Word = ""
    direction: Literal["", "down"] = ""

    @property
    def is_blank(self) -> bool:
        return not self.name


class BoundRow(Row, frozen=True, forbid_unknown_fields=True):
    """The ends of one measured column, for differential privacy."""

    column: Column = ""
    low: Typed = ""
    high: Typed = ""


class Sheet(Struct, frozen=True, forbid_unknown_fields=True):
    agreement: Annotated[str, Meta(max_length=80)] = ""
    dataset: Column = ""
    joins: Annotated[tuple[JoinRow, ...], Meta(max_length=BOUNDS["joins"][1])] = ()
    dimensions: Annotated[tuple[DimensionRow, ...], Meta(max_length=BOUNDS["dimensions"][1])] = ()
    measures: Annotated[tuple[MeasureRow, ...], Meta(max_length=BOUNDS["measures"][1])] = ()
    filters: Annotated[tuple[FilterRow, ...], Meta(max_length=MOST_FILTERS)] = ()
    totals: Literal["", "1"] = ""
    order: Annotated[tuple[OrderRow, ...], Meta(max_length=BOUNDS["order_by"][1])] = ()
    limit: Typed = ""
    private: Literal["", "1"] = ""
    epsilon: Typed = ""
    bounds: Annotated[tuple[BoundRow, ...], Meta(max_length=24)] = ()


ROWS: dict[str, type[Row]] = {
    "joins": JoinRow, "dimensions": DimensionRow, "measures": MeasureRow, "filters": FilterRow, "order": OrderRow,
    "columns": DerivedRow,
}  # fmt: skip
"""What the page can add: each kind of row by the name of its list."""


def read_sheet(data: Mapping[str, str]) -> Sheet:
    """The builder's form as it was sent. Raises `QuestionIsMalformed`."""
    return read_form(data, Sheet)


def name_of(row: DerivedRow) -> str:
    """What a derived column is called where nobody gave it a name."""
    return row.name or ("rows" if row.function == "count" else f"{row.function}_{row.column}")

"""The builder's form as it was filled in: texts of controls, whole or not yet. Pure.

A control is named after its place: `filters-2-value`, `joins-0-columns-1-function`. What no control of the page could
have sent is refused; what is merely missing stays, for `building` to ask for.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct, structs

from sanpo.cleanroom.errors import QuestionIsMalformed
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


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of controls. `row` stands for itself: a row with nothing in it yet is there too."""

    row: Literal["", "1"] = ""

    @property
    def is_blank(self) -> bool:
        return self == type(self)(row=self.row)


class DerivedRow(Row, frozen=True, forbid_unknown_fields=True):
    function: Literal["", DerivedFunction] = ""
    column: Word = ""
    name: Word = ""


class JoinRow(Row, frozen=True, forbid_unknown_fields=True):
    """`on` has the names of the keys that are ticked."""

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


_LISTS: dict[str, type[Row]] = {
    "joins": JoinRow, "dimensions": DimensionRow, "measures": MeasureRow, "filters": FilterRow, "order": OrderRow,
    "bounds": BoundRow, "columns": DerivedRow,
}  # fmt: skip
_DEEPEST = 5


def read_sheet(data: Mapping[str, str]) -> Sheet:
    """The form that was sent; other fields of it (the buttons', the token) are left alone. Raises `QuestionIsMalformed`."""
    tree: dict[str, Any] = {}
    for name, value in data.items():
        if name.split("-")[0] in Sheet.__struct_fields__:
            _plant(tree, name, value.strip())
    try:
        return msgspec.convert({part: _listed(part, inside) for part, inside in tree.items()}, Sheet)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `")
        raise QuestionIsMalformed(where=where.rstrip("`") or "$", problem=problem) from None


def with_row(sheet: Sheet, place: str) -> Sheet:
    """With one more row at the end of `filters`, or of `joins-0-columns`. Raises `QuestionIsMalformed`."""
    made: Sheet = _changed(sheet, place.split("-"), lambda rows, part: (*rows, _LISTS[part](row="1")))
    return made


def without_row(sheet: Sheet, place: str) -> Sheet:
    """Without the row `filters-2`, or `joins-0-columns-1`. Raises `QuestionIsMalformed`."""
    *parts, last = place.split("-")
    at = _number(last, place)
    made: Sheet = _changed(sheet, parts, lambda rows, _: (*rows[:at], *rows[at + 1 :]))
    return made


def _plant(tree: dict[str, Any], name: str, value: str) -> None:
    *parts, last = name.split("-")
    inside = tree
    for part in parts:
        inside = inside.setdefault(part, {})
        if not isinstance(inside, dict) or len(parts) > _DEEPEST:
            raise QuestionIsMalformed(where=name[:80], problem="no such field")
    if last in inside:
        raise QuestionIsMalformed(where=name[:80], problem="the field stands twice")
    inside[last] = value


def _listed(part: str, inside: Any) -> Any:
    """Numbered rows as a list in the order of their numbers; gaps close."""
    if not isinstance(inside, dict):
        return inside
    if part in _LISTS:
        numbers = sorted(inside, key=lambda number: _number(number, part))
        return [_listed("", inside[number]) for number in numbers]
    return {name: _listed(name, value) for name, value in inside.items()}


def _number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise QuestionIsMalformed(where=where[:80], problem="rows are numbered")
    return int(text)


def _changed(struct: Any, parts: list[str], change: Any) -> Any:
    part, *rest = parts
    rows = getattr(struct, part, None) if part in _LISTS else None
    if rows is None:
        raise QuestionIsMalformed(where=part[:80], problem="no such rows")
    if not rest:
        return structs.replace(struct, **{part: change(rows, part)})
    at = _number(rest[0], part)
    if at >= len(rows) or len(rest) < 2:
        raise QuestionIsMalformed(where=part, problem="no such row")
    inside = _changed(rows[at], rest[1:], change)
    return structs.replace(struct, **{part: (*rows[:at], inside, *rows[at + 1 :])})


def name_of(row: DerivedRow) -> str:
    """What a derived column is called where nobody gave it a name."""
    return row.name or ("rows" if row.function == "count" else f"{row.function}_{row.column}")

"""The multiplication's form: a target, what it is predicted from, and what is added; read, made into what is asked, and
filled in from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

from sanpo.cleanroom.builder.building import Built, condition_of
from sanpo.cleanroom.builder.forms import Row, read_form
from sanpo.cleanroom.builder.opening import filter_row
from sanpo.cleanroom.builder.sheet import Column, FilterRow, Operator, Typed, Word
from sanpo.cleanroom.builder.texts import whole_number
from sanpo.cleanroom.model import AllOf, AtLeast, Filter, Less, Question, Term
from sanpo.cleanroom.multiplications import Multiplication, Part
from sanpo.cleanroom.preview import FindScope

MOST_PARTS = 6
PartOperator = Literal[Operator, "year"]
PART_OPERATORS: tuple[PartOperator, ...] = (
    "year",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "between",
    "in",
    "is_null",
    "not_null",
)


class PartRow(FilterRow, frozen=True, forbid_unknown_fields=True):
    """One number for each unit: a function of `measured`, over the rows that pass the filter."""

    first: ClassVar[str] = "dataset"
    dataset: Column = ""
    function: Literal["count", "sum", "avg"] = "count"
    measured: Column = ""
    op: PartOperator = "="  # type: ignore[assignment]
    agreement: Annotated[str, Meta(max_length=80)] = ""

    @property
    def is_blank(self) -> bool:
        return not (self.dataset or self.measured or self.column or self.value)


PartRows = Annotated[tuple[PartRow, ...], Meta(max_length=MOST_PARTS)]


class MultiplicationSheet(Struct, frozen=True, forbid_unknown_fields=True):
    unit: Word = ""
    target: PartRow = PartRow()
    above: Typed = ""
    base: PartRows = ()
    added: PartRows = ()

    @property
    def parts(self) -> list[tuple[str, PartRow]]:
        """Each part with its name on the page."""
        base = [(f"base-{at}", row) for at, row in enumerate(self.base)]
        return [("target", self.target), *base, *((f"added-{at}", row) for at, row in enumerate(self.added))]


PART_ROWS: dict[str, type[Row]] = {"base": PartRow, "added": PartRow}


@dataclass
class Ready:
    """What is asked, or None where a control lacks something."""

    asked: Multiplication | None = None
    gaps: list[tuple[str, str]] = field(default_factory=list)


def read_multiplication_form(data: Mapping[str, str]) -> MultiplicationSheet:
    """The form as it was sent. Raises `QuestionIsMalformed`."""
    return read_form(data, MultiplicationSheet)


def make_multiplication(sheet: MultiplicationSheet, find: FindScope) -> Ready:
    """What the form asks. Raises `DatasetIsUnknown`."""
    ready = Ready()
    parts = {
        place: _part(row, place, find, ready) for place, row in sheet.parts if place == "target" or not row.is_blank
    }
    groups = {name: [part for place, part in parts.items() if place.startswith(name)] for name in ("base", "added")}
    ready.gaps += [(name, "part") for name, found in groups.items() if not found]
    above = whole_number(sheet.above) if sheet.above else None
    if sheet.above and above is None:
        ready.gaps.append(("above", "whole"))
    if not sheet.unit:
        ready.gaps.append(("unit", "unit"))
    target, base, added = parts["target"], _whole(groups["base"]), _whole(groups["added"])
    if not ready.gaps and target is not None:
        ready.asked = Multiplication(unit=sheet.unit, target=target, base=base, added=added, above=above)
    return ready


def open_multiplication(asked: Multiplication) -> MultiplicationSheet | None:
    """The form filled in; None where a filter has more than one condition other than a year."""
    rows = [_row(part) for part in (asked.target, *asked.base, *asked.added)]
    if None in rows:
        return None
    target, *others = [row for row in rows if row is not None]
    split = len(asked.base)
    above = "" if asked.above is None else str(asked.above)
    base, added = tuple(others[:split]), tuple(others[split:])
    return MultiplicationSheet(unit=asked.unit, target=target, above=above, base=base, added=added)


def _whole(parts: list[Part | None]) -> tuple[Part, ...]:
    return tuple(part for part in parts if part is not None)


def _part(row: PartRow, place: str, find: FindScope, ready: Ready) -> Part | None:
    if not row.dataset:
        ready.gaps.append((f"{place}-dataset", "dataset"))
        return None
    if find(Question(dataset=row.dataset, measures=())).dataset.personal and not row.agreement:
        ready.gaps.append((f"{place}-agreement", "agreement"))
        return None
    if row.function != "count" and not row.measured:
        ready.gaps.append((f"{place}-measured", "column"))
        return None
    return Part(
        dataset=row.dataset,
        function=row.function,
        column=row.measured if row.function != "count" else None,
        filter=_condition(row, place, find, ready),
        agreement_id=row.agreement or None,
    )


def _condition(row: PartRow, place: str, find: FindScope, ready: Ready) -> Filter | None:
    if not row.column:
        return None
    if row.op == "year":
        year = whole_number(row.value)
        if year is None or not 1 <= year < 9999:
            ready.gaps.append((f"{place}-value", "year"))
            return None
        return _in_year(row.column, year)
    question = Question(dataset=row.dataset, measures=())
    built = Built(question)
    condition = condition_of(row, place, find(question), built)
    ready.gaps += [(gap.field, gap.lacks) for gap in built.gaps]
    return condition


def _in_year(column: str, year: int) -> AllOf:
    term = Term(column=column)
    return AllOf(parts=(AtLeast(term=term, value=f"{year:04}-01-01"), Less(term=term, value=f"{year + 1:04}-01-01")))


def _row(part: Part) -> PartRow | None:
    kept = _kept(part.filter)
    if kept is None:
        return None
    return PartRow(
        dataset=part.dataset,
        function=part.function,
        measured=part.column or "",
        agreement=part.agreement_id or "",
        **kept,
    )


def _kept(filter: Filter | None) -> dict[str, Any] | None:
    """The filter's controls; None where they cannot say it."""
    if filter is None:
        return {}
    if isinstance(filter, AllOf):
        first = filter.parts[0]
        if isinstance(first, AtLeast) and isinstance(first.value, str):
            year = whole_number(first.value[:4])
            if year is not None and 1 <= year < 9999 and filter == _in_year(first.term.column, year):
                return {"column": first.term.column, "op": "year", "value": str(year)}
        return None
    row = filter_row(filter)
    if row is None:
        return None
    return {"column": row.column, "way": row.way, "op": row.op, "value": row.value, "high": row.high}

"""What the multiplication's page shows: the form, what each control offers, what is missing, and what came out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sanpo.cleanroom.builder.choices import Group, Option, Value, unchecked_groups, value_of
from sanpo.cleanroom.builder.multiplication import (
    PART_OPERATORS,
    MultiplicationSheet,
    PartRow,
    Ready,
    open_multiplication,
)
from sanpo.cleanroom.builder.view import Fault, row_of
from sanpo.cleanroom.errors import KeyIsUnknown
from sanpo.cleanroom.increments import Increment
from sanpo.cleanroom.model import AtLeast, Less, Question, Term
from sanpo.cleanroom.multiplications import Bought, Multiplication, Part
from sanpo.cleanroom.preview import FindScope
from sanpo.cleanroom.scope import NUMERIC, Scope
from sanpo.consent import PublishedAgreement
from sanpo.ground.errors import DomainError
from sanpo.lake import Dataset, DatasetIsUnknown

ACCIDENTS, DRIVING = "open.yaizu_accidents", "open.yaizu_dangerous_driving"
_LATER = Term(column="happened_at")
EXAMPLE = Multiplication(
    unit="mesh",
    target=Part(dataset=ACCIDENTS, filter=AtLeast(term=_LATER, value="2022-01-01")),
    above=0,
    base=(Part(dataset=ACCIDENTS, filter=Less(term=_LATER, value="2022-01-01")),),
    added=(Part(dataset=DRIVING, function="sum", column="events"),),
)
"""Where accidents happened, from where they happened before, and what dangerous driving adds (docs/how-to/multiply-data)."""


@dataclass(frozen=True)
class PartView:
    """One part of the form with what its controls offer."""

    place: str
    row: PartRow
    is_personal: bool
    datasets: list[Option]
    numbers: list[Group]
    columns: list[Group]
    operators: Sequence[str]
    value: Value


@dataclass(frozen=True)
class Bar:
    """Places on the picture of a gain, in hundredths of its width: no gain, the gain, and the ends of its interval."""

    zero: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class MultiplicationView:
    """Everything on the page."""

    sheet: MultiplicationSheet
    units: list[Option]
    parts: Mapping[str, PartView]
    agreements: list[PublishedAgreement]
    faults: tuple[Fault, ...]
    focus: str = ""
    bought: Bought | None = None
    refusal: DomainError | None = None
    sources: dict[str, Dataset] = field(default_factory=dict)

    @property
    def bar(self) -> Bar | None:
        return None if self.bought is None else bar_of(self.bought.increment)

    def at(self, place: str) -> list[Fault]:
        return [each for each in self.faults if each.place == place]

    def is_wrong(self, control: str) -> bool:
        return any(each.control == control for each in self.faults)


def first_sheet(datasets: Sequence[Dataset]) -> MultiplicationSheet:
    """The example where its data is there, else an empty form."""
    names = {each.name for each in datasets}
    example = open_multiplication(EXAMPLE) if {ACCIDENTS, DRIVING} <= names else None
    empty, units = (PartRow(row="1"),), units_of(datasets)
    return example or MultiplicationSheet(unit=units[0].value if units else "", base=empty, added=empty)


def units_of(datasets: Sequence[Dataset]) -> list[Option]:
    """The keys of places by which datasets can be put together, told by the first column that holds each."""
    found: dict[str, Option] = {}
    for dataset in datasets:
        for key in dataset.keys:
            column = dataset.column(key.column)
            if key.kind in ("area", "mesh") and column is not None:
                found.setdefault(key.name, Option(key.name, column.text))
    return [found[name] for name in sorted(found)]


def show_multiplication(
    sheet: MultiplicationSheet,
    datasets: Sequence[Dataset],
    agreements: list[PublishedAgreement],
    find: FindScope,
    *,
    ready: Ready | None = None,
    **more: Any,
) -> MultiplicationView:
    """The page for this form; with `ready`, what it lacks."""
    parts = {place: _part(place, row, sheet.unit, datasets, find) for place, row in sheet.parts}
    faults = tuple(_faults(ready)) if ready is not None else ()
    used = {row.dataset for _, row in sheet.parts}
    sources = {each.name: each for each in datasets if each.name in used and each.source is not None}
    return MultiplicationView(sheet, units_of(datasets), parts, agreements, faults, sources=sources, **more)


def bar_of(increment: Increment) -> Bar:
    """The picture of a gain: zero and the whole interval, with a margin on both sides."""
    low, high = min(0.0, increment.low, increment.gain), max(0.0, increment.high, increment.gain)
    width = (high - low) or 1.0

    def place(value: float) -> float:
        return round(5 + 90 * (value - low) / width, 2)

    return Bar(place(0.0), place(increment.gain), place(increment.low), place(increment.high))


def _part(place: str, row: PartRow, unit: str, datasets: Sequence[Dataset], find: FindScope) -> PartView:
    options = [Option(each.name, each.text, error=_unit_error(each, unit, find)) for each in datasets]
    scope = _scope(row.dataset, find)
    if scope is None:
        return PartView(place, row, False, options, [], [], list(PART_OPERATORS[1:]), Value("text"))
    groups = unchecked_groups(scope)
    numbers = [Group(each.name, each.text, _numbers(each, scope)) for each in groups]
    value = value_of(scope, row)
    operators = list(PART_OPERATORS if value.kind in ("date", "timestamp") else PART_OPERATORS[1:])
    return PartView(place, row, scope.dataset.personal, options, numbers, groups, operators, value)


def _numbers(group: Group, scope: Scope) -> tuple[Option, ...]:
    return tuple(each for each in group.options if scope.column(each.value).type in NUMERIC)


def _scope(dataset: str, find: FindScope) -> Scope | None:
    try:
        return find(Question(dataset=dataset, measures=()))
    except DatasetIsUnknown:
        return None


def _unit_error(dataset: Dataset, unit: str, find: FindScope) -> DomainError | None:
    scope = _scope(dataset.name, find)
    homes = () if scope is None else (scope.dataset, scope.attributes)
    names = [key.name for home in homes if home is not None for key in home.keys if key.kind in ("area", "mesh")]
    if unit in names:
        return None
    return KeyIsUnknown(key=unit, dataset=dataset.name, accepted=", ".join(names) or "—")


def _faults(ready: Ready) -> Iterator[Fault]:
    for control, lacks in ready.gaps:
        yield Fault(row_of(control), control, f"cleanroom.gap.{lacks}", {}, lacks=True)

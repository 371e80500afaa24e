"""What the builder's page shows: the form, what each control offers, the preview, and each fault beside its control."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from sanpo.cleanroom.builder import choices
from sanpo.cleanroom.builder.building import Built, build
from sanpo.cleanroom.builder.choices import Group, Joinable, Option, Value
from sanpo.cleanroom.builder.sheet import BoundRow, MeasureRow, Sheet
from sanpo.cleanroom.errors import (
    BoundsAreMissing,
    FunctionIsNotInRule,
    FunctionIsNotPrivate,
    QuantileIsExtreme,
    TimeNeedsBucket,
    TypeDoesNotFit,
)
from sanpo.cleanroom.joins import open_scope
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.preview import FindScope, Inspector, Preview, Problem, check_question, standing_scope
from sanpo.consent import PublishedAgreement
from sanpo.ground.actors import Staff
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.lake import Dataset, DatasetIsUnknown, list_datasets

_BY_FUNCTION = (FunctionIsNotInRule, FunctionIsNotPrivate, BoundsAreMissing)


@dataclass(frozen=True)
class Fault:
    """Something to be mended: the row or part it belongs to, the control to go to, and the words for it. `lacks` where
    something is merely missing yet."""

    place: str
    control: str
    key: str
    fields: Mapping[str, Any]
    lacks: bool = False


@dataclass(frozen=True)
class View:
    """Everything on the page. Lists by row follow the sheet's rows."""

    sheet: Sheet
    agreement: PublishedAgreement
    preview: Preview
    question: Question
    faults: tuple[Fault, ...]
    focus: str
    datasets: list[Option]
    joinables: dict[str, Joinable]
    splits: list[Group]
    split_ways: list[list[Option]]
    functions: list[Option]
    measurable: list[Group]
    measured: list[list[Group]]
    kept: list[Group]
    kept_ways: list[list[Option]]
    operators: list[list[Option]]
    values: list[Value]
    bounds: list[BoundRow]

    @property
    def has_measure(self) -> bool:
        return bool(self.question.measures)

    @property
    def broken(self) -> int:
        """How many rules it would break."""
        return sum(not each.lacks for each in self.faults)

    @property
    def allows_privacy(self) -> bool:
        return self.agreement.rule.privacy is not UNSET

    def is_wrong(self, control: str) -> bool:
        """Whether what was chosen or typed in this control breaks a rule."""
        return any(each.control == control and not each.lacks for each in self.faults)

    def at(self, place: str) -> list[Fault]:
        """The faults of one row or part."""
        return [each for each in self.faults if each.place == place]


def finder(datasets: list[Dataset]) -> FindScope:
    """Scopes over these datasets, looked up once for the many probes of a page."""
    known = {each.name: each for each in datasets}

    def find(name: str) -> Dataset:
        if name not in known:
            raise DatasetIsUnknown(dataset=name, known=", ".join(known))
        return known[name]

    return lambda question: open_scope(question, find)


def build_sheet(sheet: Sheet, find: FindScope) -> Built:
    """The question that the form asks, over the joins that can be made. Raises `DatasetIsUnknown`."""
    return build(sheet, lambda question: standing_scope(question, find)[0])


def open_view(city: City, staff: Staff, agreement: PublishedAgreement, sheet: Sheet, focus: str = "") -> View:
    """The page for this form; `focus` is the control where the reader goes on. Raises `DatasetIsUnknown`."""
    datasets = list_datasets(city)
    find = finder(datasets)
    built = build_sheet(sheet, find)
    inspector = Inspector(standing_scope(built.question, find)[0], agreement)
    preview = check_question(city, staff, agreement.agreement_id, built.question)
    return View(
        sheet=sheet,
        agreement=agreement,
        preview=preview,
        question=built.question,
        faults=tuple(_faults(built, preview, sheet)),
        focus=focus,
        datasets=choices.dataset_options(datasets, agreement, find),
        joinables={each.dataset.name: each for each in choices.joinables(datasets, built.question, agreement, find)},
        splits=choices.split_groups(inspector),
        split_ways=[choices.way_options(inspector, row.column, is_split=True) for row in sheet.dimensions],
        functions=choices.function_options(inspector),
        measurable=choices.measure_groups(inspector, MeasureRow()),
        measured=[choices.measure_groups(inspector, row) for row in sheet.measures],
        kept=choices.filter_groups(inspector),
        kept_ways=[choices.way_options(inspector, row.column, is_split=False) for row in sheet.filters],
        operators=[choices.operator_options(inspector, row) for row in sheet.filters],
        values=[choices.value_of(inspector.scope, row) for row in sheet.filters],
        bounds=_bounds(sheet, built.question),
    )


def _bounds(sheet: Sheet, question: Question) -> list[BoundRow]:
    """The ends that were given, and a row for each measured column that has none yet."""
    given = [row for row in sheet.bounds if row.column]
    measured = dict.fromkeys(each.column for each in question.measures if each.function in ("sum", "avg"))
    known = {row.column for row in given}
    return [*given, *(BoundRow(column=name) for name in measured if name is not None and name not in known)]


def _faults(built: Built, preview: Preview, sheet: Sheet) -> Iterator[Fault]:
    """What breaks a rule, then what is missing."""
    for problem in preview.problems:
        if problem.where == "$.measures":  # none is there, which is a gap as well
            continue
        place, error = _place_of(problem, built), problem.error
        yield Fault(place, _control_of(place, error, sheet), f"error.{error.code}", error.fields)
    for gap in built.gaps:
        yield Fault(row_of(gap.field), gap.field, f"cleanroom.gap.{gap.lacks}", {}, lacks=True)


def row_of(control: str) -> str:
    """`filters-2` of `filters-2-value`; a control outside of rows stands for itself."""
    return control.rpartition("-")[0] or control


def _place_of(problem: Problem, built: Built) -> str:
    if problem.where in built.places:
        return built.places[problem.where]
    return {"agreement": "agreement", "$.dataset": "dataset"}.get(problem.where, "question")


def _control_of(place: str, error: DomainError, sheet: Sheet) -> str:
    """The control that the refusal is about."""
    part, _, number = place.partition("-")
    match part:
        case "dimensions":
            has_way = bool(sheet.dimensions[int(number)].way)
            by_way = isinstance(error, TimeNeedsBucket) or (isinstance(error, TypeDoesNotFit) and has_way)
            return f"{place}-{'way' if by_way else 'column'}"
        case "measures":
            if isinstance(error, QuantileIsExtreme):
                return f"{place}-level"
            by_column = bool(sheet.measures[int(number)].column) and not isinstance(error, _BY_FUNCTION)
            return f"{place}-{'column' if by_column else 'function'}"
        case "filters":
            return f"{place}-{'value' if isinstance(error, TypeDoesNotFit) else 'column'}"
        case "joins":
            return f"{place}-dataset"
        case _:
            return place

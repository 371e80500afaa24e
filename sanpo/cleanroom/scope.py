"""What a question's names mean: the columns of its dataset, of the subjects' attributes and of what is joined, their
types, and the values that literals stand for. Pure; all engines and all checks ask here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sanpo.cleanroom.errors import ColumnIsAmbiguous, ColumnIsUnknown, TypeDoesNotFit
from sanpo.cleanroom.model import SUBJECT, Bucket, Derived, Join, Measure, Scalar, Term
from sanpo.lake import Column, Dataset

Value = bool | int | float | str | date | datetime
WHOLE = ("int32", "int64")
NUMERIC = (*WHOLE, "float64")
MOMENT_BUCKETS: tuple[Bucket, ...] = ("hour", "half_hour", "date", "weekday", "week", "month", "date_trunc")
DATE_BUCKETS: tuple[Bucket, ...] = ("date", "weekday", "week", "month", "date_trunc")
ROWS, ATTRIBUTES = ".rows", ".attributes"
"""Sides that no join can be named: a name has no dot."""


@dataclass(frozen=True)
class Place:
    """Where a column lies: `side` is `ROWS`, `ATTRIBUTES` or a join's alias; `stored` is the column that holds it."""

    side: str
    column: Column
    stored: str

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        """The time buckets that it can be put into. Moments are read as the clock on the wall showed them."""
        if self.column.type == "timestamp":
            return MOMENT_BUCKETS
        return DATE_BUCKETS if self.column.type == "date" else ()


@dataclass(frozen=True)
class Matched:
    """One key of a join: a term of the rows so far, and the column (cut to `unit`, if it has one) that must equal it."""

    left: Term
    column: str
    unit: str | None


@dataclass(frozen=True)
class Joined:
    """A dataset that is joined, with its keys resolved (`joins.py`)."""

    join: Join
    dataset: Dataset
    on: tuple[Matched, ...]

    @property
    def name(self) -> str:
        return self.join.name

    @property
    def derived(self) -> tuple[tuple[str, Derived], ...]:
        """Its derived columns with the names that they are stored by: no word of the asker's gets into an engine."""
        return tuple((f"derived_{at}", each) for at, each in enumerate(self.join.columns))

    @property
    def by_subject(self) -> bool:
        return any(match.column == SUBJECT for match in self.on)


@dataclass(frozen=True)
class Scope:
    """One dataset, the dataset of its subjects' attributes, if it has one, and what is joined to it.

    A plain name means the own column, else the attribute, else the joined column where only one dataset has it.
    """

    dataset: Dataset
    attributes: Dataset | None = None
    joined: tuple[Joined, ...] = ()

    @cached_property
    def places(self) -> dict[str, Place]:
        """All names that a question can use."""
        found: dict[str, Place] = {}
        plain: dict[str, list[Place]] = {}
        for each in self.joined:
            for name, place in _exposed(each).items():
                found[f"{each.name}.{name}"] = place
                plain.setdefault(name, []).append(place)
        found |= {name: places[0] for name, places in plain.items() if len(places) == 1}
        if self.attributes is not None:
            found |= _places(ATTRIBUTES, self.attributes, without=SUBJECT)
        return found | _places(ROWS, self.dataset)

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """All that a question may touch: its own, the attributes, the joined ones."""
        attributes = () if self.attributes is None else (self.attributes,)
        return (self.dataset, *attributes, *(each.dataset for each in self.joined))

    def place(self, name: str) -> Place:
        """Where the column lies. Raises `ColumnIsUnknown` or `ColumnIsAmbiguous`."""
        found = self.places.get(name)
        if found is not None:
            return found
        among = [each.name for each in self.joined if name in _exposed(each)]
        if len(among) > 1:
            raise ColumnIsAmbiguous(column=name, accepted=", ".join(f"{alias}.{name}" for alias in among))
        accepted = ", ".join(each for each in sorted(self.places) if self.places[each].column.role != "subject")
        raise ColumnIsUnknown(column=name, dataset=self.dataset.name, accepted=accepted)

    def side(self, name: str) -> str:
        return self.place(name).side

    def column(self, name: str) -> Column:
        return self.place(name).column

    def stored(self, name: str) -> str:
        return self.place(name).stored

    def buckets(self, name: str) -> tuple[Bucket, ...]:
        return self.place(name).buckets

    def dataset_of(self, name: str) -> Dataset:
        """The dataset in which the column lies."""
        side = self.side(name)
        if side == ATTRIBUTES and self.attributes is not None:
            return self.attributes
        return next((each.dataset for each in self.joined if each.name == side), self.dataset)

    def type_of(self, term: Term) -> str:
        """`int`, `float`, `text`, `bool`, `date` or `timestamp`. Raises `ColumnIsUnknown` or `TypeDoesNotFit`."""
        place = self.place(term.column)
        column = place.column
        if term.band is not None:
            if column.type not in NUMERIC:
                raise TypeDoesNotFit(column=column.name, type=column.type, found="band", accepted=self._numbers())
            return "int"
        if term.bucket is None:
            return {"int32": "int", "int64": "int", "float64": "float"}.get(column.type, column.type)
        if term.bucket not in place.buckets:
            raise TypeDoesNotFit(
                column=column.name,
                type=column.type,
                found=term.bucket,
                accepted=", ".join(place.buckets) or "no bucket",
            )
        return {"date": "date", "date_trunc": "timestamp"}.get(term.bucket, "int")

    def type_of_measure(self, measure: Measure) -> str:
        """`int` or `float`. Raises `ColumnIsUnknown`, or `TypeDoesNotFit` for a column that is no number."""
        columns = [self.column(name) for name in measure.columns]
        for column in columns:
            if column.type not in NUMERIC:
                raise TypeDoesNotFit(
                    column=column.name, type=column.type, found=measure.function, accepted=self._numbers()
                )
        is_whole = all(column.type in WHOLE for column in columns) and measure.function in ("sum", "min", "max")
        return "int" if is_whole or not columns else "float"

    def value(self, term: Term, literal: Scalar) -> Value:
        """What the literal means beside this term. Raises `TypeDoesNotFit`."""
        wanted = self.type_of(term)
        value = _as_type(wanted, literal)
        if value is None:
            raise TypeDoesNotFit(column=term.column, type=wanted, found=repr(literal), accepted=_ACCEPTED[wanted])
        return value

    def edges(self, term: Term) -> tuple[int | float, ...]:
        """A band's edges as numbers of the column's type, so that every engine compares like with like.

        A whole number is not below an edge exactly when it is not below the next whole number; beyond 64 bits all are.
        """
        is_whole = self.column(term.column).type in WHOLE
        return tuple(_whole_edge(edge) if is_whole else float(edge) for edge in term.band or ())

    def _numbers(self) -> str:
        return ", ".join(name for name, place in self.places.items() if place.column.type in NUMERIC)


def _places(side: str, dataset: Dataset, *, without: str | None = None) -> dict[str, Place]:
    """The columns of a dataset by name. The local clock's column is reached through the time column."""
    return {
        each.name: Place(side, each, _stored(dataset, each.name))
        for each in dataset.columns
        if each.name not in (without, dataset.local_column) and not each.internal
    }


def _whole_edge(edge: int | float) -> int:
    return max(-(2**63), min(2**63, math.ceil(edge)))


def _stored(dataset: Dataset, name: str) -> str:
    return dataset.local_column or name if name == dataset.time_column else name


def _exposed(joined: Joined) -> dict[str, Place]:
    """What a join offers: the columns derived in it, or those of a dataset that is unique by its keys."""
    if not joined.join.columns:
        return _places(joined.name, joined.dataset, without=SUBJECT)
    made = {}
    for stored, each in joined.derived:
        source = None if each.column is None else joined.dataset.column(each.column)
        kind = "int64" if each.function == "count" else "float64"
        if source is not None and each.function in ("min", "max"):
            kind = source.type
        unit = None if source is None else source.unit
        sensitive = source is not None and source.sensitive
        made[each.as_] = Place(joined.name, Column(each.as_, kind, "measure", unit, sensitive=sensitive), stored)  # type: ignore[arg-type]
    return made


_ACCEPTED = {
    "int": "5",
    "float": "0.5",
    "text": "'text'",
    "bool": "true, false",
    "date": "'2026-01-31'",
    "timestamp": "'2026-01-31', '2026-01-31 12:00'",
}


def _as_type(wanted: str, literal: Scalar) -> Value | None:
    """The literal as a value of this type, or None where it is of another."""
    match wanted, literal:
        case "bool", bool():
            return literal
        case _, bool():
            return None
        case ("int", int()) | ("text", str()):
            return literal
        case "float", int() | float():
            return float(literal)
        case "date", str():
            return _parsed(date.fromisoformat, literal)
        case "timestamp", str():
            return _parsed(_moment, literal)
        case _:
            return None


def _parsed(parse: Callable[[str], date], text: str) -> date | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime:
    """A local date and time. A zone in the text would not be the city's own: refused."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError("a zone")
    return moment

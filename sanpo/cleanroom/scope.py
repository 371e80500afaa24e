"""What a question's names mean: the columns of its dataset and of the subjects' attributes, their types, and the values
that literals stand for. Pure; both engines and all checks ask here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sanpo.cleanroom.errors import ColumnIsUnknown, TypeDoesNotFit
from sanpo.cleanroom.model import SUBJECT, Bucket, Measure, Scalar, Term
from sanpo.lake import Column, Dataset

Value = bool | int | float | str | date | datetime
Side = Literal["rows", "attributes"]
WHOLE = ("int32", "int64")
NUMERIC = (*WHOLE, "float64")
MOMENT_BUCKETS: tuple[Bucket, ...] = ("hour", "half_hour", "date", "weekday", "week", "month", "date_trunc")
DATE_BUCKETS: tuple[Bucket, ...] = ("date", "weekday", "week", "month", "date_trunc")


@dataclass(frozen=True)
class Scope:
    """One dataset and the dataset of its subjects' attributes, if it has one. An own column hides an attribute."""

    dataset: Dataset
    attributes: Dataset | None = None

    @property
    def columns(self) -> dict[str, tuple[Side, Column]]:
        """The columns that a question can name. The local clock's column is reached through the time column."""
        found: dict[str, tuple[Side, Column]] = {}
        if self.attributes is not None:
            found |= {each.name: ("attributes", each) for each in self.attributes.columns if each.role != "subject"}
        hidden = self.dataset.local_column
        return found | {each.name: ("rows", each) for each in self.dataset.columns if each.name != hidden}

    def find(self, name: str) -> tuple[Side, Column]:
        """The column and where it lies. Raises `ColumnIsUnknown`."""
        columns = self.columns
        if name not in columns:
            accepted = ", ".join(each for each in sorted(columns) if each != SUBJECT)
            raise ColumnIsUnknown(column=name, dataset=self.dataset.name, accepted=accepted)
        return columns[name]

    def side(self, name: str) -> Side:
        return self.find(name)[0]

    def column(self, name: str) -> Column:
        return self.find(name)[1]

    def stored(self, name: str) -> str:
        """The column that holds it: moments are read as the clock on the wall showed them."""
        is_time = name == self.dataset.time_column and self.side(name) == "rows"
        return self.dataset.local_column or name if is_time else name

    def buckets(self, name: str) -> tuple[Bucket, ...]:
        """The time buckets that this column can be put into."""
        if self.stored(name) != name:
            return MOMENT_BUCKETS
        return DATE_BUCKETS if self.column(name).type == "date" else ()

    def type_of(self, term: Term) -> str:
        """`int`, `float`, `text`, `bool`, `date` or `timestamp`. Raises `ColumnIsUnknown` or `TypeDoesNotFit`."""
        column = self.column(term.column)
        if term.bucket is None:
            return {"int32": "int", "int64": "int", "float64": "float"}.get(column.type, column.type)
        accepted = self.buckets(term.column)
        if term.bucket not in accepted:
            raise TypeDoesNotFit(
                column=column.name, type=column.type, found=term.bucket, accepted=", ".join(accepted) or "no bucket"
            )
        return {"date": "date", "date_trunc": "timestamp"}.get(term.bucket, "int")

    def type_of_measure(self, measure: Measure) -> str:
        """`int` or `float`. Raises `ColumnIsUnknown`, or `TypeDoesNotFit` for a column that is no number."""
        if measure.column is None:
            return "int"
        column = self.column(measure.column)
        if column.type not in NUMERIC:
            numbers = ", ".join(name for name, (_, each) in self.columns.items() if each.type in NUMERIC)
            raise TypeDoesNotFit(column=column.name, type=column.type, found=measure.function, accepted=numbers)
        is_whole = column.type in WHOLE and measure.function in ("sum", "min", "max")
        return "int" if is_whole else "float"

    def value(self, term: Term, literal: Scalar) -> Value:
        """What the literal means beside this term. Raises `TypeDoesNotFit`."""
        wanted = self.type_of(term)
        value = _as_type(wanted, literal)
        if value is None:
            raise TypeDoesNotFit(column=term.column, type=wanted, found=repr(literal), accepted=_ACCEPTED[wanted])
        return value


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

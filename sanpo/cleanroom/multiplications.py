"""What the multiplication of two datasets bought: tables by unit from open data or from protected answers, then a measure
of the gain (`increments`). Small or no gain is said as plainly as a large one.

Open data is counted as it is; a unit that it does not name has nothing. Data about people comes through `ask`, under an
agreement and with everything that belongs to a question; a unit whose cell is withheld is left out and counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct

from sanpo.cleanroom.actions import ask
from sanpo.cleanroom.engines.reference import holds
from sanpo.cleanroom.errors import (
    KeyIsUnknown,
    MultiplicationHasTooLittle,
    OpenDataIsTooLarge,
    QuestionIsMalformed,
    TypeDoesNotFit,
)
from sanpo.cleanroom.increments import Increment, measure_increment
from sanpo.cleanroom.model import DatasetName, Dimension, Filter, Measure, Name, Question
from sanpo.cleanroom.scope import NUMERIC, ROWS, Scope
from sanpo.ground.actors import Actor, Client, Staff, System
from sanpo.ground.city import City
from sanpo.ground.errors import NotSignedIn
from sanpo.lake import Dataset, get_dataset, open_snapshot, snapshot

MOST_ROWS = 500_000
_THIRD_MESH = 8
"""Digits of the code of a standard grid square of about 1 km (JIS X 0410); the squares inside begin with them."""


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One number for each unit: rows counted, or a column summed or averaged, where the filter holds."""

    dataset: DatasetName
    function: Literal["count", "sum", "avg"] = "count"
    column: Name | None = None
    filter: Filter | None = None
    agreement_id: str | None = None

    def __post_init__(self) -> None:
        if (self.function == "count") != (self.column is None):
            raise ValueError("`column` belongs to `sum` and `avg`")


Parts = Annotated[tuple[Part, ...], Meta(min_length=1, max_length=6)]


class Multiplication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Does `added` tell more of `target` than `base` does alone? All by the same declared key, `unit`.

    With `above` the target is yes where its number is greater, else it is the number itself.
    """

    unit: Name
    target: Part
    base: Parts
    added: Parts
    above: int | None = None


def read_multiplication(data: bytes) -> Multiplication:
    """From JSON. Raises `QuestionIsMalformed` with the path of the problem."""
    try:
        return msgspec.json.decode(data, type=Multiplication)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `")
        raise QuestionIsMalformed(where=where.rstrip("`") or "$", problem=problem) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise QuestionIsMalformed(where="$", problem=str(error)) from None


@dataclass(frozen=True)
class Bought:
    """The increment, how many units were left out because they were withheld, and whose data it rests on."""

    increment: Increment
    units: int
    withheld: int
    withheld_share: float
    entries: tuple[str, ...]
    attributions: tuple[str, ...]


@dataclass
class _Table:
    """One part by unit; `withheld` are units of which nothing may be told."""

    numbers: dict[str, float]
    is_open: bool
    withheld: frozenset[str] = frozenset()
    entry_id: str | None = None


def multiply(city: City, actor: Actor, asked: Multiplication) -> Bought:
    """Measures what the added parts bought.

    Raises `NotSignedIn`, `KeyIsUnknown`, `ColumnIsUnknown`, `TypeDoesNotFit`, `OpenDataIsTooLarge`,
    `MultiplicationHasTooLittle`, and for data about people whatever `ask` raises.
    """
    if not isinstance(actor, Client | Staff | System):
        raise NotSignedIn
    parts = (asked.target, *asked.base, *asked.added)
    tables = [_table(city, actor, part, asked.unit) for part in parts]
    known, withheld = _units(tables)
    columns = np.array([[table.numbers.get(unit, 0.0) for table in tables] for unit in known]).reshape(-1, len(tables))
    target = columns[:, 0] if asked.above is None else (columns[:, 0] > asked.above).astype(float)
    shaped = np.sign(columns) * np.log1p(np.abs(columns))
    split = 1 + len(asked.base)
    try:
        increment = measure_increment(target, shaped[:, 1:split], shaped[:, split:], _areas(city, asked, known))
    except ValueError as problem:
        raise MultiplicationHasTooLittle(problem=str(problem)) from None
    whole = len(known) + len(withheld)
    return Bought(
        increment,
        len(known),
        len(withheld),
        len(withheld) / whole if whole else 0.0,
        tuple(table.entry_id for table in tables if table.entry_id is not None),
        tuple(dict.fromkeys(line for part in parts for line in _attribution(get_dataset(city, part.dataset)))),
    )


def _table(city: City, actor: Actor, part: Part, unit: str) -> _Table:
    dataset = get_dataset(city, part.dataset)
    column = _unit_column(city, dataset, unit)
    return _asked(city, actor, part, column) if dataset.personal else _counted(city, dataset, part, column)


def _unit_column(city: City, dataset: Dataset, unit: str) -> str:
    """The column of the unit's key, in the dataset or in its subjects' attributes."""
    homes = (dataset, *(() if dataset.attributes is None else (get_dataset(city, dataset.attributes),)))
    keys = [key for home in homes for key in home.keys if key.kind in ("area", "mesh")]
    for key in keys:
        if key.name == unit:
            return str(key.column)
    raise KeyIsUnknown(key=unit, dataset=dataset.name, accepted=", ".join(key.name for key in keys) or "—")


def _counted(city: City, dataset: Dataset, part: Part, unit_column: str) -> _Table:
    """An open dataset by unit."""
    scope = Scope(dataset)
    column = None if part.column is None else scope.column(part.column)
    if column is not None and column.type not in NUMERIC:
        numbers = ", ".join(each.name for each in dataset.columns if each.type in NUMERIC)
        raise TypeDoesNotFit(column=column.name, type=column.type, found=part.function, accepted=numbers)
    version = snapshot(city, dataset.name)
    if version.rows > MOST_ROWS:
        raise OpenDataIsTooLarge(dataset=dataset.name, rows=version.rows, most=MOST_ROWS)
    found: dict[str, list[float]] = {}
    for row in open_snapshot(version).to_table().to_pylist():
        if part.filter is not None and not holds(part.filter, {(ROWS, k): v for k, v in row.items()}, scope):
            continue
        value = 1 if part.column is None else row[part.column]
        if value is not None and row[unit_column] is not None:
            found.setdefault(str(row[unit_column]), []).append(float(value))
    mean = part.function == "avg"
    return _Table({unit: sum(values) / (len(values) if mean else 1) for unit, values in found.items()}, is_open=True)


def _asked(city: City, actor: Actor, part: Part, unit_column: str) -> _Table:
    """Data about people by unit: a question like any other."""
    question = Question(
        dataset=part.dataset,
        dimensions=(Dimension(column=unit_column),),
        measures=(Measure(function=part.function, column=part.column),),
        filter=part.filter,
    )
    answer = ask(city, actor, part.agreement_id, question)
    told = {str(row.values[0]): row.values[1] for row in answer.rows if not row.suppressed}
    withheld = frozenset(str(row.values[0]) for row in answer.rows if row.suppressed)
    numbers = {unit: float(value) for unit, value in told.items() if value is not None}
    return _Table(numbers, is_open=False, withheld=withheld, entry_id=answer.entry_id)


def _units(tables: list[_Table]) -> tuple[list[str], frozenset[str]]:
    """The units that all parts can tell of, and those of which one part may not tell."""
    closed = [table for table in tables if not table.is_open]
    named = {unit for table in tables for unit in (*table.numbers, *table.withheld)}
    withheld = frozenset(unit for table in closed for unit in named - table.numbers.keys())
    return sorted(named - withheld), withheld


def _areas(city: City, asked: Multiplication, units: list[str]) -> Any:
    """The area of each unit: for a grid square the standard square around it, else the unit itself."""
    dataset = get_dataset(city, asked.target.dataset)
    is_mesh = any(key.name == asked.unit and key.kind == "mesh" for key in dataset.keys)
    names = [unit[:_THIRD_MESH] if is_mesh else unit for unit in units]
    numbers: Mapping[str, int] = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def _attribution(dataset: Dataset) -> tuple[str, ...]:
    if dataset.source is None:
        return ()
    return (f"{dataset.name}: {dataset.source.publisher}, {dataset.licence}, {dataset.source.url}",)


__all__ = ["Bought", "Multiplication", "Part", "multiply", "read_multiplication"]

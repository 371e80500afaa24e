"""Rows of an open dataset out of opened files: each cell by its column's recipe, each bad row named with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from sanpo.lake.errors import OpenFileIsUnreadable
from sanpo.lake.opendata.cells import Parser, local_time, mesh_of, parser_of
from sanpo.lake.opendata.descriptor import Descriptor, Recipe
from sanpo.lake.opendata.files import OpenedFile
from sanpo.lake.opendata.problems import CellIsBad, Problem, Problems, Reason

_CHUNK = 1 << 16
_SHOWN = 80


@dataclass(frozen=True)
class Parsed:
    """The sound rows of an import in the dataset's schema; file and number of each; the problems of the others."""

    table: pa.Table
    origins: list[tuple[str, int]]
    problems: Problems
    rows: int


def parse_rows(descriptor: Descriptor, files: Iterable[OpenedFile], city_zone: ZoneInfo) -> Parsed:
    """All rows of the files, each of which is read before the next is asked for.

    `city_zone` is the clock of the local column, and of the files unless the descriptor names theirs. Raises
    `OpenFileIsUnreadable` where a file lacks a column that a recipe names.
    """
    zone = ZoneInfo(descriptor.file.timezone) if descriptor.file.timezone else city_zone
    work = _Work(descriptor, [parser_of(recipe, zone) for recipe in descriptor.recipes], city_zone)
    for file in files:
        work.take(file)
    return work.done()


@dataclass(frozen=True)
class _Maker:
    """Makes one column's values from the cells at `at`; texts in `empty` are none."""

    recipe: Recipe
    at: tuple[int, ...]
    parse: Parser
    empty: frozenset[str]

    def texts(self, cells: list[str]) -> list[str]:
        return [cells[at].strip() for at in self.at]

    def value(self, cells: list[str]) -> Any:
        """The value; None where a text is missing that it needs. Raises `CellIsBad`."""
        texts = ["" if text in self.empty else text for text in self.texts(cells)]
        if self.recipe.mesh_size_m is not None:
            found = mesh_of(texts[0], texts[1], self.recipe) if all(texts) else None
        else:
            text = " ".join(texts) if all(texts) else ""
            text = (self.recipe.values or {}).get(text, text)
            found = self.parse(text) if text else None
        if found is None and self.recipe.required:
            raise CellIsBad(Reason.EMPTY)
        return found


class _Work:
    """What is under way: rows as lists of values, turned into Arrow chunk by chunk."""

    def __init__(self, descriptor: Descriptor, parsers: list[Parser], city_zone: ZoneInfo) -> None:
        self._descriptor, self._parsers, self._city_zone = descriptor, parsers, city_zone
        self._schema = descriptor.dataset.schema
        self._batches: list[pa.RecordBatch] = []
        self._pending: list[list[Any]] = []
        self._origins: list[tuple[str, int]] = []
        self._problems: list[Problem] = []
        self._rows = 0

    def take(self, file: OpenedFile) -> None:
        width, makers = len(file.header), self._makers(file)
        for number, cells in file.rows:
            self._rows += 1
            if len(cells) < width or any(cell.strip() for cell in cells[width:]):
                self._problems.append(
                    Problem(file.name, number, "", Reason.WRONG_COLUMNS, f"{len(cells)}, not {width}")
                )
                continue
            values = self._values(file.name, number, cells, makers)
            if values is not None:
                self._pending.append(values)
                self._origins.append((file.name, number))
            if len(self._pending) == _CHUNK:
                self._flush()

    def done(self) -> Parsed:
        self._flush()
        table = pa.Table.from_batches(self._batches, self._schema)
        return Parsed(table, self._origins, Problems(self._problems), self._rows)

    def _makers(self, file: OpenedFile) -> list[_Maker]:
        empty = frozenset(self._descriptor.file.empty)
        return [
            _Maker(recipe, tuple(_position(place, file) for place in recipe.places), parse, empty)
            for recipe, parse in zip(self._descriptor.recipes, self._parsers, strict=True)
        ]

    def _values(self, file: str, number: int, cells: list[str], makers: list[_Maker]) -> list[Any] | None:
        """The row's values; None where one is bad, which is written down."""
        values: dict[str, Any] = {}
        is_good = True
        for maker in makers:
            name = maker.recipe.column.name
            try:
                values[name] = maker.value(cells) if maker.at else None
            except CellIsBad as error:
                is_good = False
                found = " ".join(maker.texts(cells))[:_SHOWN]
                self._problems.append(Problem(file, number, name, error.reason, found))
        dataset = self._descriptor.dataset
        if is_good and dataset.local_column is not None and dataset.time_column is not None:
            values[dataset.local_column] = local_time(values[dataset.time_column], self._city_zone)
        return list(values.values()) if is_good else None

    def _flush(self) -> None:
        if not self._pending:
            return
        columns = [
            pa.array(values, field.type)
            for values, field in zip(zip(*self._pending, strict=True), self._schema, strict=True)
        ]
        self._batches.append(pa.record_batch(columns, schema=self._schema))
        self._pending = []


def _position(place: str | int, file: OpenedFile) -> int:
    """Where the file has this column. Raises `OpenFileIsUnreadable` where it has none, or several of that name."""
    count = file.header.count(place) if isinstance(place, str) else int(place <= len(file.header))
    if count == 1:
        return file.header.index(place) if isinstance(place, str) else place - 1
    columns = ", ".join(file.header)
    if count == 0:
        raise OpenFileIsUnreadable(file=file.name, problem=f"it has no column {place}; it has: {columns}")
    raise OpenFileIsUnreadable(file=file.name, problem=f"{count} columns are named {place}: give the position, from 1")

"""The margins of a table: for each subset of its dimensions the sums of its cells over the others. Pure.

A reader can ask for any margin in another question, so disclosure control looks at all of them, told or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from sanpo.cleanroom.model import Measure
from sanpo.cleanroom.plan import Cell
from sanpo.cleanroom.scope import Value

Ints = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Key = tuple[Value | None, ...]
ADDITIVE = ("count", "subjects", "sum", "avg")
"""What can be told of a margin from its cells; `subjects` by uniting them."""


@dataclass(frozen=True, eq=False)
class Level:
    """One subset of the dimensions. `of[i]` is the place of cell i in it, `first[p]` the first cell of place p."""

    dimensions: tuple[int, ...]
    of: Ints
    first: Ints

    @property
    def size(self) -> int:
        return len(self.first)

    def name(self, key: Key) -> tuple[Key, tuple[bool, ...]]:
        """The place of a cell with this key: the key with None where the level sums, and marks of where it does."""
        totals = tuple(place not in self.dimensions for place in range(len(key)))
        return tuple(None if total else value for value, total in zip(key, totals, strict=True)), totals

    def summed(self, values: Floats) -> Floats:
        """The sum of the cells' values at each place."""
        return np.asarray(np.bincount(self.of, weights=values, minlength=self.size), dtype=np.float64)

    def largest(self, values: Floats) -> Floats:
        """The largest of the cells' values at each place."""
        found = np.full(self.size, -np.inf)
        np.maximum.at(found, self.of, values)
        return found


def in_order(cells: Sequence[Cell]) -> list[int]:
    """The numbers of the cells by their keys, missing values last: whatever order an engine has, the same cells are
    suppressed."""
    return sorted(range(len(cells)), key=lambda number: tuple(map(_rank, cells[number].key)))


def levels_of(cells: Sequence[Cell]) -> tuple[Level, ...]:
    """Every level of the table, coarsest first. The last is the cells themselves, which come `in_order`."""
    count = len(cells[0].key)
    codes = np.zeros((len(cells), count), dtype=np.intp)
    for place in range(count):
        ranks = [_rank(cell.key[place]) for cell in cells]
        numbers = {rank: number for number, rank in enumerate(sorted(set(ranks)))}
        codes[:, place] = [numbers[rank] for rank in ranks]
    subsets = [subset for size in range(count + 1) for subset in combinations(range(count), size)]
    return tuple(_level(codes, subset) for subset in subsets)


def _level(codes: Ints, dimensions: tuple[int, ...]) -> Level:
    whole = np.zeros(len(codes), dtype=np.intp)
    for place in dimensions:
        _, whole = np.unique(whole * (codes[:, place].max() + 1) + codes[:, place], return_inverse=True)
    _, first, of = np.unique(whole, return_index=True, return_inverse=True)
    return Level(dimensions, of, first)


def _rank(value: Value | None) -> Any:
    is_number = value is not None and value == value
    return (value is None, not is_number, value if is_number else 0)


def sum_in(cell: Cell, measures: Sequence[Measure], column: str) -> int | float | None:
    """The sum of a column in a cell: as told by a sum, else from an average and the number of values."""
    found = {each.function: at for at, each in enumerate(measures) if each.column == column}
    if "sum" in found:
        return cell.values[found["sum"]]
    average = cell.values[found["avg"]]
    return None if average is None else average * cell.filled[found["avg"]]


def margin_cells(cells: Sequence[Cell], measures: Sequence[Measure], level: Level) -> list[Cell]:
    """The cells of a margin: rows and sums added, averages from sum and number of values, subjects united.

    A key is None where the margin sums over the dimension (the level tells that from a missing value); values that
    cells do not add up to (quantiles, extremes, variance, correlation) are None. `largest` is not known and empty.
    """
    members: list[list[Cell]] = [[] for _ in range(level.size)]
    for cell, place in zip(cells, level.of, strict=True):
        members[place].append(cell)
    return [_margin_cell(found, measures, level) for found in members]


def _margin_cell(cells: Sequence[Cell], measures: Sequence[Measure], level: Level) -> Cell:
    key, _ = level.name(cells[0].key)
    filled = tuple(sum(cell.filled[at] for cell in cells) for at in range(len(measures)))
    rows = sum(cell.rows for cell in cells)
    values = tuple(
        rows if each.function == "count" else _margin_value(cells, measures, each, filled[at])
        for at, each in enumerate(measures)
    )
    return Cell(key, values, filled, rows, united([cell.subjects for cell in cells]))


def _margin_value(
    cells: Sequence[Cell], measures: Sequence[Measure], measure: Measure, filled: int
) -> int | float | None:
    if measure.function not in ("sum", "avg") or measure.column is None:
        return None
    sums = [sum_in(cell, measures, measure.column) for cell in cells]
    present = [each for each in sums if each is not None]
    if not present or not filled:
        return None
    return sum(present) if measure.function == "sum" else float(sum(present)) / filled


def united(bitmaps: Sequence[bytes]) -> bytes:
    """The bitmap of whoever is in any of these."""
    both = np.frombuffer(bitmaps[0], dtype=np.uint8).copy()
    for bits in bitmaps[1:]:
        both |= np.frombuffer(bits, dtype=np.uint8)
    return both.tobytes()


def counted(bitmap: bytes) -> int:
    """How many subjects a bitmap has."""
    return int(np.bitwise_count(np.frombuffer(bitmap, dtype=np.uint8)).sum())

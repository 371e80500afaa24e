"""What is wrong with a row of a file: a reason out of a fixed list, and what was found there."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Reason(StrEnum):
    """Why a row cannot be imported. The words under `energy.reason.<value>` say what would be accepted."""

    WRONG_COLUMNS = "wrong_columns"
    MISSING_METER = "missing_meter"
    MISSING_START = "missing_start"
    MALFORMED_START = "malformed_start"
    IMPOSSIBLE_START = "impossible_start"
    OFF_GRID = "off_grid"
    WRONG_OFFSET = "wrong_offset"
    MISSING_VALUE = "missing_value"
    MALFORMED_VALUE = "malformed_value"
    NEGATIVE_VALUE = "negative_value"
    VALUE_TOO_LARGE = "value_too_large"
    DUPLICATE = "duplicate"
    CONFLICTING = "conflicting"
    WRONG_INTERVAL = "wrong_interval"
    GAP_AT_CLOCK_CHANGE = "gap_at_clock_change"
    UNKNOWN_METER = "unknown_meter"
    ALREADY_IMPORTED = "already_imported"
    NOT_ELECTRICITY = "not_electricity"
    WRONG_DIRECTION = "wrong_direction"
    WRONG_UNIT = "wrong_unit"


class Problem(NamedTuple):
    """`row` is the line of a CSV file (the header is line 1), or the ordinal of the reading in a Green Button file."""

    row: int
    meter_id: str
    reason: Reason
    found: str


class Problems:
    """The problems of one file. A row may have several."""

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self._found = list(found)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __add__(self, other: "Problems") -> "Problems":
        return Problems([*self._found, *other._found])

    def first(self, count: int) -> list[Problem]:
        """The first in order of row."""
        return sorted(self._found)[:count]

    def counts(self) -> dict[Reason, int]:
        """How many problems for each reason, the most frequent first."""
        return dict(Counter(problem.reason for problem in self._found).most_common())

    def rows(self) -> NDArray[np.int64]:
        """The rows that have a problem, each once, ascending."""
        return np.unique(np.fromiter((problem.row for problem in self._found), np.int64, len(self._found)))

    def write_csv(self, path: Path) -> None:
        """One line for each problem, in order of row: row, meter_id, reason, found."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(Problem._fields)
            writer.writerows(sorted(self._found))

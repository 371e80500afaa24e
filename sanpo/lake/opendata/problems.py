"""What is wrong with a row of an open file: a reason out of a fixed list, where it is, and what was found there."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Reason(StrEnum):
    """Why a row cannot be imported. The words under `lake.reason.<value>` say what would be accepted."""

    WRONG_COLUMNS = "wrong_columns"
    EMPTY = "empty"
    NOT_WHOLE = "not_whole"
    NOT_A_NUMBER = "not_a_number"
    TOO_LARGE = "too_large"
    NOT_A_DATE = "not_a_date"
    NOT_A_TIME = "not_a_time"
    NO_SUCH_LOCAL_TIME = "no_such_local_time"
    AMBIGUOUS_LOCAL_TIME = "ambiguous_local_time"
    NOT_A_BOOLEAN = "not_a_boolean"
    NOT_IN_DOMAIN = "not_in_domain"
    NO_PLACE_IN_JAPAN = "no_place_in_japan"
    REPEATED_KEY = "repeated_key"


class Problem(NamedTuple):
    """`row` is the row of the table as a spreadsheet numbers it (the first line is row 1), or the number of a feature."""

    file: str
    row: int
    column: str
    reason: Reason
    found: str


class CellIsBad(Exception):
    """A cell cannot become a value: raised by a parser, turned into a `Problem` where its row is known."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Problems:
    """The problems of an import, as they were found. A row may have several."""

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self._found = list(found)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __add__(self, other: "Problems") -> "Problems":
        return Problems([*self._found, *other._found])

    def first(self, count: int) -> list[Problem]:
        return self._found[:count]

    def counts(self) -> dict[str, int]:
        """How many problems for each reason, the most frequent first."""
        return dict(Counter(str(problem.reason) for problem in self._found).most_common())

    def rows(self) -> set[tuple[str, int]]:
        """The rows that have a problem, each once."""
        return {(problem.file, problem.row) for problem in self._found}

    def write_csv(self, path: Path) -> None:
        """One line for each problem: file, row, column, reason, found."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(Problem._fields)
            writer.writerows(self._found)

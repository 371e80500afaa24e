"""Disclosure control: the only exit of the clean room. Pure.

* A cell with fewer distinct subjects than the minimum tells nothing but its key and that it is suppressed.
* A measure that is missing in some rows of a cell is told only if enough subjects must still be behind it: at worst
  each row without a value is a different subject's only row.
* If nothing is left to tell the question is refused in the same words as if nobody had been found, so that a refusal
  does not tell none from few.
* Order and limit act on what is released, between protection and the count of whom it is about. So the contributors
  are exactly the subjects of the cells that leave, and their number cannot be used to subtract a suppressed cell.

One answer has no totals, so a suppressed cell cannot be derived from it alone. What several answers tell together
(margins, differences between days) is not decided here yet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sanpo.cleanroom.errors import TooFewSubjects
from sanpo.cleanroom.plan import Cell
from sanpo.cleanroom.scope import Value


@dataclass(frozen=True)
class Row:
    """One row of an answer. `subjects` is None where the cell is suppressed; `hidden` marks each suppressed measure."""

    key: tuple[Value | None, ...]
    values: tuple[int | float | None, ...]
    hidden: tuple[bool, ...]
    subjects: int | None
    cell_no: int


@dataclass(frozen=True)
class Release:
    """What may leave, and whom it is about: bit n % 8 of byte n // 8 is set for each contributing subject n."""

    rows: tuple[Row, ...]
    contributors: bytes
    contributor_count: int


def release(
    cells: Sequence[Cell],
    functions: Sequence[str],
    *,
    minimum: int,
    arrange: Callable[[Sequence[Row]], Sequence[Row]],
) -> Release:
    """Protects every cell. `functions` are the measures', `arrange` sorts and cuts. Raises `TooFewSubjects`."""
    rows = tuple(arrange([_protected(at, cell, functions, minimum) for at, cell in enumerate(cells)]))
    told = [cells[row.cell_no].subjects for row in rows if row.subjects is not None]
    if not told:
        raise TooFewSubjects(minimum=minimum)
    united = np.bitwise_or.reduce([np.frombuffer(bits, dtype=np.uint8) for bits in told])
    contributors = np.packbits(np.unpackbits(united), bitorder="little").tobytes()
    return Release(rows, contributors, int(np.bitwise_count(united).sum()))


def _protected(cell_no: int, cell: Cell, functions: Sequence[str], minimum: int) -> Row:
    subjects = int(np.bitwise_count(np.frombuffer(cell.subjects, dtype=np.uint8)).sum())
    if subjects < minimum:
        return Row(cell.key, (None,) * len(functions), (True,) * len(functions), None, cell_no)
    hidden = tuple(subjects - (cell.rows - filled) < minimum for filled in cell.filled)
    values = (
        subjects if function == "subjects" else value for function, value in zip(functions, cell.values, strict=True)
    )
    return Row(
        cell.key, tuple(None if hide else v for hide, v in zip(hidden, values, strict=True)), hidden, subjects, cell_no
    )

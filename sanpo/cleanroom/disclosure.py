"""Disclosure control: the only exit of the clean room. Pure.

* What `suppression` withholds leaves as a key without values; nothing says whether for its own sake or for another's. A
  measure that few subjects may be behind, or that few hold most of, is withheld by itself.
* Margins are told where the rule asks for totals, each as a question that has it for a cell would tell it.
* Counts and sums are told as multiples of the rule's rounding, and an average as the quotient of the two as told: it
  says nothing that they do not.
* If nothing is left to tell the question is refused: in the same words where few and where none were found, so that a
  refusal does not tell which.
* Order and limit act on what is released, between protection and the count of whom it is about. So the contributors
  are exactly the subjects of the cells and margins that leave.

What it does not do. It looks at one answer and at the margins over its own dimensions: other filters, other buckets of
the same column (months of days) and other days are for the guard, which compares answers. The reader that it supposes is
not in the table, and knows the data but does not argue from this code's choices (one of the withheld cells must be below
the minimum; complements tend to be small). Measures are looked at one by one, not together (no cell has more subjects
than rows). Extremes, quantiles, variances and correlations do not add up: cells protect them, intervals do not.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import overload

import numpy as np

from sanpo.cleanroom.errors import AnswerIsTooLarge, AnswersAreTooClose, DisclosureIsNotSafe, TooFewSubjects
from sanpo.cleanroom.margins import ADDITIVE, counted, in_order, margin_cells, sum_in, united
from sanpo.cleanroom.model import Measure
from sanpo.cleanroom.plan import MOST_CELLS, Cell
from sanpo.cleanroom.primary import NOT_GIVEN, MarginShares, Protection, protection_of
from sanpo.cleanroom.scope import Value
from sanpo.cleanroom.suppression import Withheld, withheld_in

__all__ = ["Protection", "Release", "Row", "protection_of", "release"]


@dataclass(frozen=True)
class Row:
    """One row of an answer. `subjects` is None where the cell is suppressed; `hidden` marks each suppressed measure.

    `totals` marks the dimensions that a margin sums over; its key is None there, as it is at a missing value.
    `cell_no` is the cell's place in `Release.cells`.
    """

    key: tuple[Value | None, ...]
    values: tuple[int | float | None, ...]
    hidden: tuple[bool, ...]
    subjects: int | None
    cell_no: int
    totals: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Release:
    """What may leave, and whom it is about: bit n % 8 of byte n // 8 is set for each contributing subject n.

    `contributor_count` is exact, for the journal's entry, which commits to the set; `subjects` is the same number as it
    may be told. `complements` counts the rows that are withheld for others' sake: for records, not for the asker, who
    would know of a single withheld row which it is. `cells` are those given, then the margins that were looked at.
    """

    rows: tuple[Row, ...]
    contributors: bytes
    contributor_count: int
    subjects: int
    complements: int
    cells: tuple[Cell, ...]


def release(
    cells: Sequence[Cell],
    measures: Sequence[Measure],
    *,
    protection: Protection,
    arrange: Callable[[Sequence[Row]], Sequence[Row]],
    withheld: Collection[int] = (),
    margin_shares: MarginShares = NOT_GIVEN,
) -> Release:
    """Protects every cell. `measures` are the question's, `arrange` sorts and cuts, `withheld` numbers the cells that the
    guard takes for too close to earlier answers. `margin_shares` are for margins what `Cell.largest` is for cells.

    Raises `TooFewSubjects`, `AnswersAreTooClose`, `DisclosureIsNotSafe`, and `AnswerIsTooLarge` where margins make it so.
    """
    if not cells:
        raise TooFewSubjects(minimum=protection.minimum)
    numbers = in_order(cells)
    close = [place for place, number in enumerate(numbers) if number in withheld]
    found = withheld_in([cells[n] for n in numbers], measures, protection, close, margin_shares)
    everything, places = _everything(cells, numbers, measures, found, protection)
    all_rows = [
        _row(everything[number], number, measures, found, place, protection) for number, place in enumerate(places)
    ]
    rows = tuple(arrange(all_rows))
    told = [everything[row.cell_no].subjects for row in rows if row.subjects is not None]
    if not told or not found.is_safe:
        raise _refusal(all_rows, found, protection.minimum)
    bits = np.frombuffer(united(told), dtype=np.uint8)
    return Release(
        rows=rows,
        contributors=np.packbits(np.unpackbits(bits), bitorder="little").tobytes(),
        contributor_count=counted(bits.tobytes()),
        subjects=_rounded(counted(bits.tobytes()), protection.rounding),
        complements=sum(row.subjects is None and not found.is_primary(*places[row.cell_no]) for row in rows),
        cells=tuple(everything),
    )


def _refusal(rows: Sequence[Row], found: Withheld, minimum: int) -> Exception:
    """Why nothing can be told: a limit can leave suppressed rows only, which says as little as that all are."""
    any_is_told = any(row.subjects is not None for row in rows)
    if found.is_safe and (any_is_told or found.few[-1].all()):
        return TooFewSubjects(minimum=minimum)
    return AnswersAreTooClose(minimum=minimum) if found.close.any() else DisclosureIsNotSafe(minimum=minimum)


def _everything(
    cells: Sequence[Cell], numbers: Sequence[int], measures: Sequence[Measure], found: Withheld, protection: Protection
) -> tuple[list[Cell], list[tuple[int, int]]]:
    """The cells as given, then the margins if they are told; and for each its level and its place in that."""
    own = len(found.levels) - 1
    everything = list(cells)
    places = [(own, place) for _, place in sorted(zip(numbers, range(len(numbers)), strict=True))]
    if protection.totals:
        if sum(level.size for level in found.levels) > MOST_CELLS:
            raise AnswerIsTooLarge(most=MOST_CELLS)
        sorted_cells = [cells[n] for n in numbers]
        for at, level in reversed(list(enumerate(found.levels[:-1]))):
            everything += margin_cells(sorted_cells, measures, level)
            places += [(at, place) for place in range(level.size)]
    return everything, places


def _row(
    cell: Cell,
    number: int,
    measures: Sequence[Measure],
    found: Withheld,
    where: tuple[int, int],
    protection: Protection,
) -> Row:
    at, place = where
    level, is_margin = found.levels[at], at < len(found.levels) - 1
    hidden = tuple(
        hide or (is_margin and measure.function not in ADDITIVE)
        for hide, measure in zip(found.hides(measures, at, place), measures, strict=True)
    )
    is_told = not found.whole[at][place]
    subjects = _rounded(counted(cell.subjects), protection.rounding)
    values = (_told(cell, measures, measure, subjects, protection.rounding) for measure in measures)
    return Row(
        key=cell.key,
        values=tuple(None if hide else value for hide, value in zip(hidden, values, strict=True)),
        hidden=hidden,
        subjects=subjects if is_told else None,
        cell_no=number,
        totals=level.name(cell.key)[1],
    )


def _told(
    cell: Cell, measures: Sequence[Measure], measure: Measure, subjects: int, rounding: int
) -> int | float | None:
    """The value as it may be told."""
    number = measures.index(measure)
    value = cell.values[number]
    match measure.function:
        case "subjects":
            return subjects
        case "count" | "sum" if value is not None:
            return _rounded(value, rounding)
        case "avg" if value is not None and measure.column is not None and rounding > 1:
            filled = _rounded(cell.filled[number], rounding)
            return _rounded(sum_in(cell, measures, measure.column) or 0, rounding) / filled if filled else None
        case _:
            return value


@overload
def _rounded(value: int, rounding: int) -> int: ...
@overload
def _rounded(value: float, rounding: int) -> float: ...
def _rounded(value: int | float, rounding: int) -> int | float:
    """The nearest multiple, halves away from zero."""
    if rounding <= 1:
        return value
    steps = int(abs(Fraction(value)) / rounding + Fraction(1, 2))
    rounded = steps * rounding if value >= 0 else -steps * rounding
    return rounded if isinstance(value, int) else float(rounded)

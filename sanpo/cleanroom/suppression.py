"""Which cells of an answer are withheld: those of too few or too dominant subjects, and those that would betray them. Pure.

To what `primary` withholds comes what it takes so that the rest, with every margin that is told or could be asked, leaves
it uncertain enough (`complements`, `audit`).

Levels are worked off from the coarsest to the finest, and each looks only at itself and at what is coarser (as HiTaS does:
de Wolf, 2002). So a margin is withheld here exactly where a question that has it for its cells would withhold it; all other
margins are taken for known. A level for which no safe choice is found is withheld whole.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sanpo.cleanroom.margins import Floats, Level, Mask
from sanpo.cleanroom.model import Measure
from sanpo.cleanroom.plan import Cell
from sanpo.cleanroom.primary import (
    MOMENTS,
    NOT_GIVEN,
    Asked,
    Column,
    Counts,
    MarginShares,
    Protection,
    Sheet,
    alone_in,
    only,
    summed_columns,
)

if TYPE_CHECKING:
    from sanpo.cleanroom.audit import Effort, Quantity


@dataclass(frozen=True, eq=False)
class Withheld:
    """By level (coarsest first) and place: where there are too `few` subjects, what is withheld `whole`, and what is in
    one column. `close`: the cells that the guard withholds; `alone`: by measure, those that tell nothing of it for its
    own sake. `is_safe` is false where keys and margins alone would tell too much."""

    levels: tuple[Level, ...]
    few: tuple[Mask, ...]
    close: Mask
    whole: tuple[Mask, ...]
    columns: Mapping[str, tuple[Mask, ...]]
    alone: tuple[Mask, ...]
    is_safe: bool

    def is_primary(self, at: int, place: int) -> bool:
        """Whether a place is withheld for its own sake."""
        return bool(self.few[at][place] or only(self.levels[at], self.close)[place])

    def hides(self, measures: Sequence[Measure], at: int, place: int) -> tuple[bool, ...]:
        """For each measure whether a place of level `at` withholds it."""
        is_cell = at == len(self.levels) - 1
        return tuple(
            bool(self.whole[at][place])
            or (is_cell and bool(self.alone[number][place]))
            or (measure.function in MOMENTS and self._hides_column(measure, at, place))
            for number, measure in enumerate(measures)
        )

    def _hides_column(self, measure: Measure, at: int, place: int) -> bool:
        return any(bool(self.columns[name][at][place]) for name in measure.columns if name in self.columns)


def withheld_in(
    cells: Sequence[Cell],
    measures: Sequence[Measure],
    protection: Protection,
    close: Collection[int] = (),
    margin_shares: MarginShares = NOT_GIVEN,
) -> Withheld:
    """What to withhold of these cells (`in_order`) and of their margins; `close` are to be withheld in any case."""
    counts = Counts(cells, protection.minimum, close)
    walk = _Walk(counts, keys_leave=protection.totals)
    whole, is_safe = walk.through(counts.sheet())
    columns = {}
    for name in summed_columns(measures):
        found, is_safe_too = walk.through(Column(counts, measures, name, protection, margin_shares).sheet(whole))
        columns[name] = found if is_safe_too else tuple(np.ones_like(mask) for mask in found)
    alone = tuple(alone_in(counts, number, measure, protection) for number, measure in enumerate(measures))
    return Withheld(counts.levels, counts.few, counts.close, whole, columns, alone, is_safe)


class _Walk:
    """From the coarsest level to the finest. `keys_leave` where margins are told, and with them the keys of all cells."""

    def __init__(self, counts: Counts, *, keys_leave: bool) -> None:
        self._counts, self._keys_leave = counts, keys_leave
        self._effort: Effort | None = None

    def through(self, sheet: Sheet) -> tuple[tuple[Mask, ...], bool]:
        """What is withheld at each level, and whether that is safe at the finest."""
        found: list[Mask] = []
        is_safe = True
        last = len(self._counts.levels) - 1
        for at in range(last + 1):
            hidden = sheet.primary[at] | sheet.start[at]
            tells_something = not hidden.all() or (at == last and self._keys_leave)
            if sheet.primary[at].any() and tells_something:
                completed = self._completed(sheet, at, hidden, found)
                is_safe = completed is not None or at < last
                hidden = np.ones_like(hidden) if completed is None else completed
            found.append(hidden)
        return tuple(found), is_safe

    def _completed(self, sheet: Sheet, at: int, hidden: Mask, above: Sequence[Mask]) -> Mask | None:
        """The hidden cells of a level with their complements; None where no safe choice is found."""
        from sanpo.cleanroom.audit import Effort, frame_of  # the solver takes half a second to import
        from sanpo.cleanroom.complements import Search, protected

        self._effort = self._effort or Effort()
        levels, subjects = self._counts.levels, self._counts.subjects(at)
        level = levels[at]
        coarser = [n for n in range(at) if set(levels[n].dimensions) < set(level.dimensions)]
        primary = [sheet.primary[n] for n in (*coarser, at)]
        frame = frame_of(level, [levels[n] for n in coarser], withheld=[above[n] for n in coarser], protect=primary)
        lines = [levels[n].of[level.first] for n in coarser if len(levels[n].dimensions) == 1]
        codes = np.stack(lines, axis=1) if lines else np.arange(level.size)[:, None]
        search = Search(frame, 1 + subjects / subjects.mean(), codes, self._effort)
        quantities = [_quantity([asked(n) for n in (*coarser, at)], primary) for asked in sheet.additive]
        return protected(search, hidden, quantities)


def _quantity(asked: Sequence[Asked], targets: Sequence[Mask]) -> "Quantity":
    from sanpo.cleanroom.audit import Quantity

    def of(part: str) -> Floats:
        return np.concatenate([getattr(each, part)[mask] for each, mask in zip(asked, targets, strict=True)])

    own = asked[-1]
    return Quantity(own.values - own.least, of("up"), of("down"), of("width"), own.whole)

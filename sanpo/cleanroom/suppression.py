"""Which cells of an answer are withheld: those of too few or too dominant subjects, and those that would betray them. Pure.

*Primary*: a cell of fewer distinct subjects than the minimum; for one column also a cell of which the n largest subjects
hold more than k % ((n, k) dominance), or in which too few subjects may be behind the values.

*Complementary*: what it takes so that the rest, with every margin that is told or could be asked, leaves each of those
uncertain enough (`audit`): subjects by the minimum; rows by as many as so many subjects have (who knows how many each has
could count subjects by them); sums by `protection_percent` either way. An average goes with its sum, since the number of
values gives one from the other. Subjects are taken to add up over cells as rows do, though one may be in several: the
reader may know that none is.

Levels are worked off from the coarsest to the finest, and each looks only at itself and at what is coarser (as HiTaS does:
de Wolf, 2002). So a margin is withheld here exactly where a question that has it for its cells would withhold it; all other
margins are taken for known. A level for which no safe choice is found is withheld whole.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from sanpo.cleanroom.margins import Floats, Level, Mask, counted, levels_of, sum_in, united
from sanpo.cleanroom.model import Measure
from sanpo.cleanroom.plan import Cell
from sanpo.cleanroom.scope import Value
from sanpo.consent import AnalysisRule

if TYPE_CHECKING:
    from sanpo.cleanroom.audit import Effort, Quantity

SUMMED = ("sum", "avg")
MOMENTS = (*SUMMED, "variance", "correlation")
"""Functions that one subject's large value decides."""
MarginShares = Mapping[tuple[tuple[Value | None, ...], tuple[bool, ...]], tuple[float | None, ...]]
"""By a margin's key (None where it sums) and marks of the dimensions it sums over: by measure the share of its largest."""
NOT_GIVEN: MarginShares = {}


@dataclass(frozen=True)
class Protection:
    """What the rule asks of an answer.

    `minimum`: the fewest subjects of a cell. `dominance`: (n, percent), or None. `rounding`: counts and sums are told as
    multiples of it (1: as they are). `protection_percent`: how close an estimate of a withheld sum may come. `totals`:
    margins are told as well.
    """

    minimum: int
    dominance: tuple[int, int] | None = None
    rounding: int = 1
    protection_percent: int = 10
    totals: bool = False


def protection_of(rule: AnalysisRule, minimum: int, *, totals: bool = False) -> Protection:
    """What an agreement's rule asks; the minimum is that of the question, which may be higher than the rule's."""
    chosen = Protection(minimum, totals=totals)
    if rule.dominance is not msgspec.UNSET:
        chosen = replace(chosen, dominance=(rule.dominance.n, rule.dominance.percent))
    if rule.rounding is not msgspec.UNSET:
        chosen = replace(chosen, rounding=rule.rounding)
    if rule.protection_percent is not msgspec.UNSET:
        chosen = replace(chosen, protection_percent=rule.protection_percent)
    return chosen


@dataclass(frozen=True, eq=False)
class Withheld:
    """By level (coarsest first) and place: where there are too `few` subjects, what is withheld `whole`, and what is in
    one column. `close`: the cells that the guard withholds; `alone`: by measure, those that tell nothing of it for its
    own sake."""

    levels: tuple[Level, ...]
    few: tuple[Mask, ...]
    close: Mask
    whole: tuple[Mask, ...]
    columns: Mapping[str, tuple[Mask, ...]]
    alone: tuple[Mask, ...]

    def is_primary(self, at: int, place: int) -> bool:
        """Whether a place is withheld for its own sake."""
        return bool(self.few[at][place] or _only(self.levels[at], self.close)[place])

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
    counts = _Counts(cells, protection.minimum, close)
    alone = tuple(_alone(counts, number, measure, protection) for number, measure in enumerate(measures))
    start = tuple(np.zeros_like(mask) for mask in counts.few)
    whole = _walked(counts, _Sheet(counts.primary, start, (counts.subjects_asked, counts.rows_asked)))
    names = dict.fromkeys(each.column for each in measures if each.function in SUMMED and each.column is not None)
    sheets = {name: _Column(counts, measures, name, protection, margin_shares).sheet(whole) for name in names}
    columns = {name: _walked(counts, sheet) for name, sheet in sheets.items()}
    return Withheld(counts.levels, counts.few, counts.close, whole, columns, alone)


def _only(level: Level, chosen: Mask) -> Mask:
    """The places of a level that hold nothing but chosen cells."""
    return level.largest((~chosen).astype(np.float64)) <= 0


@dataclass(frozen=True, eq=False)
class _Asked:
    """One additive measure at the places of one level: its values, the least that a reader knows of them, and how far
    each must stay uncertain."""

    values: Floats
    least: float
    up: Floats
    down: Floats
    width: Floats
    whole: bool


@dataclass(frozen=True, eq=False)
class _Sheet:
    """What is withheld together: by level what is `primary` and what was withheld before; and what adds up."""

    primary: tuple[Mask, ...]
    start: tuple[Mask, ...]
    additive: tuple[Callable[[int], _Asked], ...]


class _Counts:
    """Subjects and rows of every level. Subjects of a margin are united only where it can matter."""

    def __init__(self, cells: Sequence[Cell], minimum: int, close: Collection[int]) -> None:
        self.cells, self.minimum, self.levels = cells, minimum, levels_of(cells)
        self._effort: Effort | None = None
        self.close = np.isin(np.arange(len(cells)), list(close))
        self.own = np.array([counted(cell.subjects) for cell in cells], dtype=np.float64)
        self.own_rows = np.array([cell.rows for cell in cells], dtype=np.float64)
        self.few = tuple(map(self._few, range(len(self.levels))))
        self.primary = tuple(few | _only(level, self.close) for few, level in zip(self.few, self.levels, strict=True))
        self._united: dict[int, Floats] = {}

    def _few(self, at: int) -> Mask:
        level = self.levels[at]
        few = level.largest(self.own) < self.minimum
        doubtful = few & (level.summed(self.own) >= self.minimum)
        few[doubtful] = self._subjects_at(level, doubtful) < self.minimum
        return few

    def _subjects_at(self, level: Level, wanted: Mask) -> Floats:
        members: dict[int, list[bytes]] = {int(place): [] for place in np.flatnonzero(wanted)}
        for cell, place in zip(self.cells, level.of.tolist(), strict=True):
            if place in members:
                members[place].append(cell.subjects)
        return np.array([counted(united(bitmaps)) for bitmaps in members.values()], dtype=np.float64)

    def subjects(self, at: int) -> Floats:
        """Distinct subjects at each place of a level."""
        if at == len(self.levels) - 1:
            return self.own
        if at not in self._united:
            level = self.levels[at]
            self._united[at] = self._subjects_at(level, np.ones(level.size, dtype=bool))
        return self._united[at]

    @property
    def effort(self) -> "Effort":
        from sanpo.cleanroom.audit import Effort

        self._effort = self._effort or Effort()
        return self._effort

    def subjects_asked(self, at: int) -> _Asked:
        return _counted(self.subjects(at), 1, np.full(self.levels[at].size, float(self.minimum)))

    def rows_asked(self, at: int) -> _Asked:
        rows = self.levels[at].summed(self.own_rows)
        return _counted(rows, 1, self.worth(at, rows))

    def worth(self, at: int, rows: Floats) -> Floats:
        """How many rows the minimum of subjects has: at each place's own rate or at that of all, whichever is lower."""
        subjects = self.subjects(at)
        return np.asarray(np.ceil(self.minimum * np.minimum(rows / subjects, rows.sum() / subjects.sum())))


def _counted(values: Floats, least: float, width: Floats) -> _Asked:
    return _Asked(values, least, np.zeros_like(values), np.zeros_like(values), width, True)


def _alone(counts: _Counts, number: int, measure: Measure, protection: Protection) -> Mask:
    """Cells in which too few subjects may be behind the measure (at worst each row without a value is a different
    subject's only row), or few hold most of it."""
    hidden: Mask = _behind(counts, number) < protection.minimum
    if protection.dominance is not None and measure.function in MOMENTS:
        hidden = hidden | (_shares(counts, number) > protection.dominance[1] / 100)
    return hidden


def _behind(counts: _Counts, number: int) -> Floats:
    filled = np.array([cell.filled[number] for cell in counts.cells], dtype=np.float64)
    return counts.own - (counts.own_rows - filled)


def _shares(counts: _Counts, number: int) -> Floats:
    found = [cell.largest[number] if cell.largest else None for cell in counts.cells]
    return np.array([0.0 if share is None else share for share in found])


class _Column:
    """One summed column: its sums, how many values they have, who is behind them, and what must be withheld of it."""

    def __init__(
        self,
        counts: _Counts,
        measures: Sequence[Measure],
        name: str,
        protection: Protection,
        margin_shares: MarginShares,
    ) -> None:
        self.counts, self.protection, self._margin_shares = counts, protection, margin_shares
        number = self._number = next(
            at for at, each in enumerate(measures) if each.function in SUMMED and each.column == name
        )
        self.sums = np.array([float(sum_in(cell, measures, name) or 0) for cell in counts.cells])
        self.filled = np.array([cell.filled[number] for cell in counts.cells], dtype=np.float64)
        self.behind, self.shares = _behind(counts, number), _shares(counts, number)
        self.is_signed = bool((self.sums < 0).any())

    def sheet(self, whole: tuple[Mask, ...]) -> "_Sheet":
        """What is withheld of this column, on top of what is withheld whole."""
        places = range(len(self.counts.levels))
        primary = tuple(self.counts.primary[at] | self._few_behind(at) | self._dominated(at) for at in places)
        has_gaps = bool((self.filled != self.counts.own_rows).any())
        return _Sheet(primary, whole, (self._sums, self._numbers) if has_gaps else (self._sums,))

    def _few_behind(self, at: int) -> Mask:
        """Behind a margin there are as many as behind any of its cells."""
        level, minimum = self.counts.levels[at], self.protection.minimum
        few = level.largest(self.behind) < minimum
        if few.any():
            missing = level.summed(self.counts.own_rows - self.filled)
            few &= self.counts.subjects(at) - missing < minimum
        return few

    def _dominated(self, at: int) -> Mask:
        """Where a margin's own shares are not given, its largest hold no more than its cells' on average (or, where a sum
        can be negative, than in the cell where they hold most)."""
        level = self.counts.levels[at]
        if self.protection.dominance is None:
            return np.zeros(level.size, dtype=bool)
        if self._margin_shares and at < len(self.counts.levels) - 1:
            share = self._given(level)
        elif self.is_signed:
            share = level.largest(self.shares)
        else:
            sums = level.summed(self.sums)
            share = level.summed(self.shares * self.sums) / np.where(sums > 0, sums, 1.0)
        return np.asarray(share > self.protection.dominance[1] / 100)

    def _given(self, level: Level) -> Floats:
        """The shares of a margin; one that is not given counts as all."""
        cells = self.counts.cells
        found = [self._margin_shares.get(level.name(cells[first].key)) for first in level.first]
        return np.array([1.0 if each is None else each[self._number] or 0.0 for each in found])

    def _sums(self, at: int) -> _Asked:
        """Near is the percentage of a sum; of a sum of zero that of the smallest other one."""
        values = self.counts.levels[at].summed(self.sums)
        sizes = np.abs(values)
        smallest = sizes[sizes > 0].min() if sizes.any() else 0.0
        near = np.where(sizes > 0, sizes, smallest) * self.protection.protection_percent / 100
        return _Asked(values, -np.inf if self.is_signed else 0.0, near, near, np.zeros_like(near), False)

    def _numbers(self, at: int) -> _Asked:
        """The number of values, which sum and average tell together."""
        values = self.counts.levels[at].summed(self.filled)
        return _counted(values, 0, np.where(self.counts.primary[at], self.counts.worth(at, values), 0.0))


def _walked(counts: _Counts, sheet: _Sheet) -> tuple[Mask, ...]:
    """What is withheld at each level, from the coarsest to the finest."""
    found: list[Mask] = []
    for at in range(len(counts.levels)):
        hidden = sheet.primary[at] | sheet.start[at]
        if sheet.primary[at].any() and not hidden.all():
            hidden = _completed(counts, sheet, at, hidden, found)
        found.append(hidden)
    return tuple(found)


def _completed(counts: _Counts, sheet: _Sheet, at: int, hidden: Mask, above: Sequence[Mask]) -> Mask:
    """The hidden cells of a level with their complements; all cells where no safe choice is found."""
    from sanpo.cleanroom.audit import frame_of  # the solver takes half a second to import
    from sanpo.cleanroom.complements import Search, protected

    level = counts.levels[at]
    coarser = [n for n in range(at) if set(counts.levels[n].dimensions) < set(level.dimensions)]
    frame = frame_of(
        level,
        [counts.levels[n] for n in coarser],
        withheld=[above[n] for n in coarser],
        protect=[sheet.primary[n] for n in (*coarser, at)],
    )
    subjects = counts.subjects(at)
    lines = [counts.levels[n].of[level.first] for n in coarser if len(counts.levels[n].dimensions) == 1]
    codes = np.stack(lines, axis=1) if lines else np.arange(level.size)[:, None]
    search = Search(frame, 1 + subjects / subjects.mean(), codes, counts.effort)
    quantities = [
        _quantity([additive(n) for n in (*coarser, at)], [sheet.primary[n] for n in (*coarser, at)])
        for additive in sheet.additive
    ]
    found = protected(search, hidden, quantities)
    return np.ones_like(hidden) if found is None else found


def _quantity(asked: Sequence[_Asked], targets: Sequence[Mask]) -> "Quantity":
    from sanpo.cleanroom.audit import Quantity

    def of(part: str) -> Floats:
        return np.concatenate([getattr(each, part)[mask] for each, mask in zip(asked, targets, strict=True)])

    own = asked[-1]
    return Quantity(own.values - own.least, of("up"), of("down"), of("width"), own.whole)

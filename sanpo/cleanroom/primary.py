"""Primary suppression: which cells are withheld for their own sake, and how uncertain each must stay. Pure.

* A cell of fewer distinct subjects than the minimum tells nothing.
* Of one measure a cell tells nothing in which too few subjects may be behind the values: at worst each row without a value
  is a different subject's only row. Nor does one of which the n largest subjects hold more than k % of the absolute values
  ((n, k) dominance; Hundepool et al., Statistical Disclosure Control, 2012, ch. 4), if the measure is made of sums.

How uncertain: subjects by the minimum; rows by as many as so many subjects have (who knows how many each has could count
subjects by them); sums by `protection_percent` either way. An average goes with its sum, since the number of values gives
one from the other. Subjects are taken to add up over cells as rows do, though one may be in several: the reader may know
that none is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from sanpo.cleanroom.margins import Floats, Key, Level, Mask, counted, levels_of, sum_in, united
from sanpo.cleanroom.model import Measure
from sanpo.cleanroom.plan import Cell
from sanpo.consent import AnalysisRule

SUMMED = ("sum", "avg")
MOMENTS = (*SUMMED, "variance", "correlation")
"""Functions that one subject's large value decides."""
MarginShares = Mapping[tuple[Key, tuple[bool, ...]], tuple[float | None, ...]]
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


def only(level: Level, chosen: Mask) -> Mask:
    """The places of a level that hold nothing but chosen cells."""
    return level.largest((~chosen).astype(np.float64)) <= 0


@dataclass(frozen=True, eq=False)
class Asked:
    """One additive measure at the places of one level: its values, the least that a reader knows of them, and how far
    each must stay uncertain."""

    values: Floats
    least: float
    up: Floats
    down: Floats
    width: Floats
    whole: bool


@dataclass(frozen=True, eq=False)
class Sheet:
    """What is withheld together: by level what is `primary` and what was withheld before; and what adds up."""

    primary: tuple[Mask, ...]
    start: tuple[Mask, ...]
    additive: tuple[Callable[[int], Asked], ...]


class Counts:
    """Subjects and rows of every level. Subjects of a margin are united only where it can matter."""

    def __init__(self, cells: Sequence[Cell], minimum: int, close: Collection[int]) -> None:
        self.cells, self.minimum, self.levels = cells, minimum, levels_of(cells)
        self.close = np.isin(np.arange(len(cells)), list(close))
        self.own = np.array([counted(cell.subjects) for cell in cells], dtype=np.float64)
        self.own_rows = np.array([cell.rows for cell in cells], dtype=np.float64)
        self.few = tuple(map(self._few, range(len(self.levels))))
        self.primary = tuple(few | only(level, self.close) for few, level in zip(self.few, self.levels, strict=True))
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

    def sheet(self) -> Sheet:
        """What is withheld whole."""
        nothing = tuple(np.zeros_like(mask) for mask in self.few)
        return Sheet(self.primary, nothing, (self._subjects_asked, self._rows_asked))

    def _subjects_asked(self, at: int) -> Asked:
        return _counted(self.subjects(at), 1, np.full(self.levels[at].size, float(self.minimum)))

    def _rows_asked(self, at: int) -> Asked:
        rows = self.levels[at].summed(self.own_rows)
        return _counted(rows, 1, self.worth(at, rows))

    def worth(self, at: int, rows: Floats) -> Floats:
        """How many rows the minimum of subjects has: at each place's own rate or at that of all, whichever is lower."""
        subjects = self.subjects(at)
        return np.asarray(np.ceil(self.minimum * np.minimum(rows / subjects, rows.sum() / subjects.sum())))


def _counted(values: Floats, least: float, width: Floats) -> Asked:
    return Asked(values, least, np.zeros_like(values), np.zeros_like(values), width, True)


def alone_in(counts: Counts, number: int, measure: Measure, protection: Protection) -> Mask:
    """Cells in which too few subjects may be behind the measure (at worst each row without a value is a different
    subject's only row), or few hold most of it."""
    hidden: Mask = _behind(counts, number) < protection.minimum
    if protection.dominance is not None and measure.function in MOMENTS:
        hidden = hidden | (_shares(counts, number) > protection.dominance[1] / 100)
    return hidden


def _behind(counts: Counts, number: int) -> Floats:
    filled = np.array([cell.filled[number] for cell in counts.cells], dtype=np.float64)
    return counts.own - (counts.own_rows - filled)


def _shares(counts: Counts, number: int) -> Floats:
    found = [cell.largest[number] if cell.largest else None for cell in counts.cells]
    return np.array([0.0 if share is None else share for share in found])


def summed_columns(measures: Sequence[Measure]) -> tuple[str, ...]:
    """The columns whose sums are told, by a sum or an average."""
    return tuple(dict.fromkeys(m.column for m in measures if m.function in SUMMED and m.column is not None))


class Column:
    """One summed column: its sums, how many values they have, who is behind them, and what must be withheld of it."""

    def __init__(
        self,
        counts: Counts,
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

    def sheet(self, whole: tuple[Mask, ...]) -> Sheet:
        """What is withheld of this column, on top of what is withheld whole."""
        places = range(len(self.counts.levels))
        primary = tuple(self.counts.primary[at] | self._few_behind(at) | self._dominated(at) for at in places)
        has_gaps = bool((self.filled != self.counts.own_rows).any())
        return Sheet(primary, whole, (self._sums, self._numbers) if has_gaps else (self._sums,))

    def _few_behind(self, at: int) -> Mask:
        """Behind a margin there are as many as behind any of its cells."""
        level, minimum = self.counts.levels[at], self.protection.minimum
        few = level.largest(self.behind) < minimum
        if few.any():
            missing = level.summed(self.counts.own_rows - self.filled)
            few &= self.counts.subjects(at) - missing < minimum
        return few

    def _dominated(self, at: int) -> Mask:
        """Where a margin's own shares are not given: its largest hold no more of it than its cells' do on average (than
        any cell's do, where sums can be negative)."""
        level = self.counts.levels[at]
        if self.protection.dominance is None:
            return np.zeros(level.size, dtype=bool)
        if at == len(self.counts.levels) - 1:
            share = self.shares
        elif self._margin_shares:
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

    def _sums(self, at: int) -> Asked:
        """Near is the percentage of a sum; of a sum of zero that of the smallest other one."""
        values = self.counts.levels[at].summed(self.sums)
        sizes = np.abs(values)
        smallest = sizes[sizes > 0].min() if sizes.any() else 0.0
        near = np.where(sizes > 0, sizes, smallest) * self.protection.protection_percent / 100
        return Asked(values, -np.inf if self.is_signed else 0.0, near, near, np.zeros_like(near), False)

    def _numbers(self, at: int) -> Asked:
        """The number of values, which sum and average tell together."""
        values = self.counts.levels[at].summed(self.filled)
        return _counted(values, 0, np.where(self.counts.primary[at], self.counts.worth(at, values), 0.0))

"""The audit: what a reader can work out about withheld values from everything that is or could be told. Pure.

The reader knows each cell that is told, each margin that is told or could be asked, which cells there are, that each of
them is about somebody, and that counts are whole numbers. For a withheld value that leaves an interval, its *feasibility
interval*: the least and the most that agree with all of it, two linear programmes (Hundepool et al., Statistical
Disclosure Control, 2012, ch. 4; so does the audit of τ-ARGUS). A value is safe where the interval is wide enough:

* counts (subjects, rows): its width is at least the `width` asked for (a *sliding* protection level);
* sums: it reaches at least `down` below and `up` above the true value (*lower* and *upper* protection levels).

Programmes are about differences to the true table, on those withheld cells alone that subtraction does not give. Every
solution is a table that the reader cannot tell from the true one, so each one found widens the intervals of all; a
programme pushes many values at once, and only what stays narrow is solved by itself. A table of counts is checked in whole
numbers, so that neither fractions nor the solver need to be trusted; where it does not hold it is looked for in whole
numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from sanpo.cleanroom.margins import Floats, Ints, Level, Mask

SOLVE_S, NODES = 3.0, 500
"""A programme that takes longer, or needs more branches for whole numbers, counts as not solved."""
CLOSELY = 40
"""So many targets that look exposed are looked at one by one."""
_ALIKE = 1e3
"""Values that are pushed together differ by no more than this factor, so that one tolerance suits them all."""
_NEARLY = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class Frame:
    """What binds the cells of one level: 0/1 rows over its cells for each known margin, and for each value to protect."""

    known: sparse.csr_array
    targets: sparse.csr_array


def frame_of(level: Level, coarser: Sequence[Level], withheld: Sequence[Mask], protect: Sequence[Mask]) -> Frame:
    """The frame of a level. `withheld`: which places of each coarser level the reader does not know; `protect`: which
    places are targets, of each coarser level and at last of the level itself."""
    known = []
    for at, each in enumerate(coarser):
        told = ~withheld[at] & ~_implied(level, each, coarser, withheld)
        known.append(_rows(each.of[level.first], told))
    inside = np.arange(level.size)
    members = [*(each.of[level.first] for each in coarser), inside]
    targets = [_rows(of, mask) for of, mask in zip(members, protect, strict=True)]
    return Frame(_stacked(known, level.size), _stacked(targets, level.size))


def _implied(level: Level, margin: Level, coarser: Sequence[Level], withheld: Sequence[Mask]) -> Mask:
    """Which places of a margin are the sums of known places of one next finer margin, and so say nothing new."""
    implied = np.zeros(margin.size, dtype=bool)
    for at, each in enumerate(coarser):
        if len(each.dimensions) == len(margin.dimensions) + 1 and set(margin.dimensions) < set(each.dimensions):
            unknown = np.bincount(margin.of[each.first], weights=withheld[at], minlength=margin.size)
            implied |= unknown == 0
    return implied


def _rows(of: Ints, wanted: Mask) -> sparse.csr_array:
    """A 0/1 row for each wanted place, over the cells that lie in it."""
    number = np.cumsum(wanted) - 1
    inside = np.flatnonzero(wanted[of])
    shape = (int(wanted.sum()), len(of))
    return sparse.csr_array((np.ones(len(inside)), (number[of[inside]], inside)), shape=shape)


def _stacked(rows: Sequence[sparse.csr_array], width: int) -> sparse.csr_array:
    found = [each for each in rows if each.shape[0]]
    return sparse.csr_array(sparse.vstack(found)) if found else sparse.csr_array((0, width))


@dataclass(frozen=True, eq=False)
class Quantity:
    """One additive measure. `room`: how far each cell can fall (to 1 or 0; without end where values may be negative).

    `up`, `down` and `width` are asked for each target; `whole` where the reader knows that values are whole numbers.
    """

    room: Floats
    up: Floats
    down: Floats
    width: Floats
    whole: bool

    def only(self, target: int) -> "Quantity":
        """The same, with nothing asked but for one target."""
        up, down, width = (np.where(np.arange(len(p)) == target, p, 0.0) for p in (self.up, self.down, self.width))
        return Quantity(self.room, up, down, width, self.whole)


@dataclass(eq=False)
class Seen:
    """How far below and above the true value each target was found to be possible."""

    low: Floats
    high: Floats

    def note(self, change: Floats) -> None:
        self.high = np.maximum(self.high, change)
        self.low = np.maximum(self.low, -change)

    def lacks(self, quantity: Quantity) -> tuple[Floats, Floats]:
        """How far each target must yet be found possible: below, above. Either will do for a width."""
        wide = self.low + self.high >= quantity.width * _NEARLY
        down = np.where(self.low < quantity.down * _NEARLY, quantity.down, 0.0)
        up = np.where(self.high < quantity.up * _NEARLY, quantity.up, 0.0)
        return (
            np.maximum(down, np.where(wide, 0.0, quantity.width - self.high)),
            np.maximum(up, np.where(wide, 0.0, quantity.width - self.low)),
        )

    def exposed(self, quantity: Quantity) -> Mask:
        down, up = self.lacks(quantity)
        return (down > 0) | (up > 0)


def audited(frame: Frame, hidden: Mask, quantity: Quantity, effort: "Effort", *, closely: int = CLOSELY) -> Seen:
    """How far each target can be off, given that these cells are hidden; looks no further than what is asked.

    Where more than `closely` targets look exposed they are taken to be, without a closer look at each.
    """
    table = _Hidden(frame, hidden, quantity, effort)
    seen = Seen(np.zeros(table.count), np.zeros(table.count))
    if not closely and (seen.exposed(quantity) & ~table.is_open).any():
        return seen
    for signs in _ways(table.count):
        if not (seen.exposed(quantity) & table.is_open).any():
            return seen
        table.push(seen, quantity, signs)
    left = np.flatnonzero(seen.exposed(quantity) & table.is_open)
    for target in left if len(left) <= closely else ():
        for sign in (1, -1):
            table.push(seen, quantity, np.where(np.arange(table.count) == target, sign, 0))
    return seen


def _ways(count: int) -> Iterator[Ints]:
    """Which targets to push up (1) and which down (−1): all one way; then each two of them apart at least once, since
    what rises in one place must fall in another."""
    numbers = np.arange(count)
    for bit in range(count.bit_length() + 1):
        signs = 1 - 2 * (((numbers << 1) >> bit) & 1)
        yield -signs
        yield signs


class _Hidden:
    """The hidden cells of a table, what is known about them, and the programmes over them."""

    def __init__(self, frame: Frame, hidden: Mask, quantity: Quantity, effort: "Effort") -> None:
        self._effort = effort
        at = np.flatnonzero(hidden)
        loose = at[~determined(frame.known[:, at])]
        known = frame.known[:, loose].tocsr()
        self.known = known[np.flatnonzero(np.diff(known.indptr))]
        self.targets = frame.targets[:, loose].tocsr()
        self.count = self.targets.shape[0]
        self.is_open = np.diff(self.targets.indptr) > 0
        self.room, self.whole = quantity.room[loose], quantity.whole
        self._fall = self.targets @ self.room
        right = sparse.csr_array((self.known.shape[0], self.count))
        reached = sparse.hstack([self.targets, -sparse.eye_array(self.count)])
        self._rows = sparse.csc_array(sparse.vstack([sparse.hstack([self.known, right]), reached]))

    def push(self, seen: Seen, quantity: Quantity, signs: Ints) -> None:
        """Notes tables that agree with all that is known and have the targets as far off as they lack, or as can be."""
        down, up = seen.lacks(quantity)
        want = np.where(
            self.is_open, np.where(signs > 0, up, np.where(signs < 0, np.minimum(down, self._fall), 0.0)), 0.0
        )
        while want.any():
            alike = want * _ALIKE >= want.max()
            change = self._found(np.where(alike, want, 0.0) * signs)
            if change is not None:
                seen.note(self.targets @ change)
            want = np.where(alike, 0.0, want)

    def _found(self, want: Floats) -> Floats | None:
        unit = 1.0 if self.whole else float(np.abs(want).max())
        asked = np.sign(want) * np.ceil(np.abs(want)) if self.whole else want / unit
        change = self._solved(asked, unit, in_whole=False)
        if change is not None and self.whole and not self._is_whole(change):
            change = self._solved(asked, unit, in_whole=True)
        if change is None or (self.whole and not self._is_whole(change)):
            return None
        return np.round(change) if self.whole else change * unit

    def _solved(self, asked: Floats, unit: float, *, in_whole: bool) -> Floats | None:
        """Variables: the change of each hidden cell, then how far each target got (no further than asked)."""
        cells, margins = self.known.shape[1], np.zeros(self.known.shape[0])
        most = 4 * float(np.abs(asked).sum())
        found = self._effort.solved(
            cost=np.concatenate([np.zeros(cells), -1 / np.where(asked, asked, np.inf)]),
            least=np.concatenate([-np.minimum(self.room / unit, most), np.minimum(asked, 0.0)]),
            most=np.concatenate([np.full(cells, most), np.maximum(asked, 0.0)]),
            rows=self._rows,
            ends=(
                np.concatenate([margins, np.where(asked > 0, 0.0, -np.inf)]),
                np.concatenate([margins, np.where(asked < 0, 0.0, np.inf)]),
            ),
            whole=cells if in_whole else 0,
        )
        return None if found is None else found[:cells]

    def _is_whole(self, change: Floats) -> bool:
        """Whether, put into whole numbers, it still agrees with everything known."""
        rounded = np.round(change)
        return not np.any(self.known @ rounded) and bool(np.all(rounded >= -self.room))


def determined(known: sparse.csr_array) -> Mask:
    """Which hidden cells a reader finds by subtracting alone: the last one of a known margin, again and again."""
    by_cell = known.tocsc()
    by_margin = known.tocsr()
    open_in = np.diff(by_margin.indptr)
    found = np.zeros(known.shape[1], dtype=bool)
    single = list(np.flatnonzero(open_in == 1))
    while single:
        margin = single.pop()
        cells = by_margin.indices[by_margin.indptr[margin] : by_margin.indptr[margin + 1]]
        for cell in cells[~found[cells]]:
            found[cell] = True
            touched = by_cell.indices[by_cell.indptr[cell] : by_cell.indptr[cell + 1]]
            open_in[touched] -= 1
            single.extend(touched[open_in[touched] == 1])
    return found


@dataclass
class Effort:
    """How long the programmes of one answer may take together. When it is spent nothing more is found to be safe."""

    left_s: float = 10.0

    def solved(
        self, *, cost: Floats, least: Floats, most: Floats, rows: Any, ends: tuple[Floats, Floats], whole: int = 0
    ) -> Floats | None:
        """The cheapest x with `least` ≤ x ≤ `most` and `ends` around `rows` @ x, the first `whole` of x whole numbers.

        None where there is none, or where it was not found in time.
        """
        if self.left_s <= 0:
            return None
        began = perf_counter()
        found = milp(
            cost,
            integrality=np.concatenate([np.ones(whole), np.zeros(len(cost) - whole)]) if whole else None,
            bounds=Bounds(least, most),
            constraints=LinearConstraint(sparse.csc_array(rows), *ends),
            options={"time_limit": min(SOLVE_S, self.left_s), "node_limit": NODES},
        )
        self.left_s -= perf_counter() - began
        return None if found.x is None else np.asarray(found.x, dtype=np.float64)

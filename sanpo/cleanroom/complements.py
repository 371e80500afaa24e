"""Complementary suppression: which further cells to withhold, so that those withheld for themselves cannot be derived. Pure.

The audit says which values a reader could still work out. For those a linear programme over all cells looks for the
cheapest other table that has the same margins and in which each of them is as far off as asked; every cell in which that
table differs is withheld (Kelly, Golden and Assad, Cell suppression, 1992; Fischetti and Salazar, 2000, for any number of
dimensions). The cost of a cell grows with the subjects that are lost with it and, from the second solution on, falls with
the use the last one made of it, so that few cells are used at all (reweighting: Candès, Wakin and Boyd, 2008). In large
tables the programme chooses among the corners of cheap boxes only (the hypercube method: Giessing and Repsilber, 2002).
Then the audit is asked again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import sparse

from sanpo.cleanroom.audit import Effort, Frame, Quantity, Seen, audited, determined
from sanpo.cleanroom.margins import Floats, Ints, Mask

ROUNDS = 12
TRIES = 2_000
"""Divided by the number of hidden cells: how many complements are tried to be told after all."""
REWEIGHTED = 3
MANY = 2_000
"""Of more cells only those of boxes are looked at first."""
_WIDEST = 1_000_000
"""A larger grid of keys is too empty for boxes."""
_NOTHING = 1e-6
_STRETCHES = (2.0, 4.0)
"""More than is needed is asked for where the fractions of a solution left whole numbers too narrow."""


@dataclass(frozen=True, eq=False)
class Search:
    """One level's cells: what binds them, what hiding each costs, their coordinates (for boxes); and the time left."""

    frame: Frame
    cost: Floats
    codes: Ints
    effort: Effort


def protected(search: Search, fixed: Mask, quantities: Sequence[Quantity]) -> Mask | None:
    """The fixed cells with as many others as it takes until every target is safe in every quantity; None where no others
    were found that do."""
    hidden: Mask | None = fixed
    for quantity in quantities:
        hidden = None if hidden is None else _widened(search, hidden, quantity)
    return None if hidden is None else _trimmed(search, hidden, fixed, quantities)


def _widened(search: Search, hidden: Mask, quantity: Quantity) -> Mask | None:
    for turn in range(ROUNDS):
        seen = audited(search.frame, hidden, quantity, search.effort)
        exposed = np.flatnonzero(seen.exposed(quantity))
        if not len(exposed):
            return hidden
        grown = _grown(search, hidden, quantity, _wanted(search, quantity, seen, at_first=not turn), exposed)
        if grown is None:
            return None
        hidden = grown
    return None


def _trimmed(search: Search, hidden: Mask, fixed: Mask, quantities: Sequence[Quantity]) -> Mask:
    """Without complements that others made needless; of a large table only the dearest are tried."""
    hidden = _useful(search, hidden, fixed)
    added = np.flatnonzero(hidden & ~fixed)
    for cell in added[np.argsort(-search.cost[added], kind="stable")][: TRIES // max(int(hidden.sum()), 1)]:
        fewer = hidden.copy()
        fewer[cell] = False
        if not any(_looks_exposed(search, fewer, quantity) for quantity in quantities):
            hidden = _useful(search, fewer, fixed)
    return hidden


def _useful(search: Search, hidden: Mask, fixed: Mask) -> Mask:
    """Without complements that can be found by subtracting, and so hide nothing."""
    at = np.flatnonzero(hidden)
    useful = fixed & hidden
    useful[at[~determined(search.frame.known[:, at])]] = True
    return useful


def _looks_exposed(search: Search, hidden: Mask, quantity: Quantity) -> bool:
    return bool(audited(search.frame, hidden, quantity, search.effort, closely=0).exposed(quantity).any())


Wanted = tuple[Floats, Floats]


def _wanted(search: Search, quantity: Quantity, seen: Seen, *, at_first: bool) -> Wanted:
    """How far each target is to be pushed up and down. At first a count is believed to fall as far as it can."""
    down, up = seen.lacks(quantity)
    fall = np.minimum(search.frame.targets @ quantity.room, quantity.width)
    counts = quantity.width > 0
    if at_first:
        up = np.where(counts, np.minimum(up, np.maximum(quantity.width - fall, 1.0)), up)
    return up, np.where(counts, 0.0 if at_first else np.minimum(fall, quantity.width - seen.high), down)


def _grown(search: Search, hidden: Mask, quantity: Quantity, wanted: Wanted, exposed: Ints) -> Mask | None:
    """More cells hidden for the exposed targets; None where no choice of cells helps one of them.

    All targets are pushed at once, which can fail where they are in each other's way; then those that failed by
    themselves.
    """
    everything = np.ones(len(hidden), dtype=bool)
    fields = [_near_boxes(search, hidden, quantity, wanted[0], exposed)] if len(hidden) > MANY else []
    missed = exposed
    for field in (*fields, everything):
        grown, missed = _detoured(search, hidden, quantity, wanted, exposed, field)
        if grown.sum() > hidden.sum():
            return grown
    for target in missed:
        grown, failed = _detoured(search, grown, quantity, wanted, np.array([target]), everything)
        if len(failed) and _is_hopeless(search, quantity, int(target)):
            return None
    for stretch in _STRETCHES:
        if grown.sum() > hidden.sum():
            return grown
        longer = (wanted[0] * stretch, wanted[1] * stretch)
        grown, _ = _detoured(search, hidden, quantity, longer, exposed, everything)
    return grown if grown.sum() > hidden.sum() else None


def _is_hopeless(search: Search, quantity: Quantity, target: int) -> bool:
    """Whether margins alone give the target too closely, whatever cells are hidden."""
    everything = np.ones(len(quantity.room), dtype=bool)
    only = quantity.only(target)
    return bool(audited(search.frame, everything, only, search.effort).exposed(only).any())


def _detoured(
    search: Search, hidden: Mask, quantity: Quantity, wanted: Wanted, targets: Ints, field: Mask
) -> tuple[Mask, Ints]:
    """The hidden cells and those of both detours, up and down, and which targets stay short of a wish."""
    missed: list[Ints] = []
    for sign, want in zip((1, -1), wanted, strict=True):
        chosen = targets[want[targets] > 0]
        if len(chosen):
            programme = _Programme(search, quantity.room, np.flatnonzero(field), chosen, sign, want[chosen])
            found, short = programme.few_cells(search.cost, hidden)
            hidden = hidden | found
            missed.append(chosen[short])
    return hidden, np.unique(np.concatenate(missed)) if missed else targets[:0]


class _Programme:
    """The cheapest table in which targets are as far off as wished, among those that change cells of the field only.

    Variables: how far each cell of the field rises, how far it falls, how far each target stays short of its wish; in
    units of the largest wish. No cell need change by more than all wishes together, or a few times that where a table
    has several dimensions.
    """

    def __init__(self, search: Search, room: Floats, at: Ints, targets: Ints, sign: int, want: Floats) -> None:
        frame, self._effort = search.frame, search.effort
        known, aims = frame.known[:, at].tocsr(), frame.targets[targets][:, at] * sign
        known = known[np.flatnonzero(np.diff(known.indptr))]
        margins, self._count = known.shape[0], len(targets)
        asked = want / want.max()
        most = 4 * float(asked.sum())
        self._at, self._room = at, np.minimum(room[at] / want.max(), most)
        upper = sparse.hstack([known, -known, sparse.csr_array((margins, self._count))])
        lower = sparse.hstack([aims, -aims, sparse.eye_array(self._count)])
        self._rows = sparse.csc_array(sparse.vstack([upper, lower]))
        self._most = np.concatenate([np.full(len(at), most), self._room, asked])
        free = np.full(self._count, np.inf)
        self._ends = (np.concatenate([np.zeros(margins), asked]), np.concatenate([np.zeros(margins), free]))

    def few_cells(self, costs: Floats, hidden: Mask) -> tuple[Mask, Mask]:
        """The cells that change in the cheapest of some solutions, each priced by the last; and who stays short."""
        cost = np.where(hidden[self._at], 0.0, costs[self._at])
        price = cost / np.clip(self._room, 0.1, 1.0)
        cells, short, least = np.zeros(len(hidden), dtype=bool), np.ones(self._count, dtype=bool), np.inf
        for _ in range(REWEIGHTED + 1):
            found = self._solved(price)
            if found is None:
                break
            change = np.abs(found[: len(cost)] - found[len(cost) : 2 * len(cost)])
            if (spent := float(cost[change > _NOTHING].sum())) < least:
                least, cells, short = spent, np.zeros(len(hidden), dtype=bool), found[2 * len(cost) :] > _NOTHING
                cells[self._at[change > _NOTHING]] = True
            price = cost / (change + 0.05)
        return cells, short

    def _solved(self, price: Floats) -> Floats | None:
        """To stay short costs more than any change."""
        cost = np.concatenate([price, price, np.full(self._count, 1e4 * max(float(price.max()), 1.0))])
        least = np.zeros(len(cost))
        return self._effort.solved(cost=cost, least=least, most=self._most, rows=self._rows, ends=self._ends)


def _near_boxes(search: Search, hidden: Mask, quantity: Quantity, want: Floats, exposed: Ints) -> Mask:
    """The corners of each exposed cell's cheapest box, and what is hidden: one by one, so that boxes share corners."""
    shape = tuple(int(top) + 1 for top in search.codes.max(axis=0))
    if np.prod(shape, dtype=float) > _WIDEST:
        return np.ones(len(hidden), dtype=bool)
    grid = _Grid(search, hidden, quantity.room, shape)
    targets = search.frame.targets
    for target in exposed:
        cells = targets.indices[targets.indptr[target] : targets.indptr[target + 1]]
        if len(cells) == 1:
            grid.take(search.codes[cells[0]], float(want[target]))
    return grid.taken


class _Grid:
    """Cells by coordinates. A box has two keys of each dimension; all of its corners must be cells. When one corner rises,
    those an odd number of steps away fall, and all margins stay as they are."""

    def __init__(self, search: Search, hidden: Mask, room: Floats, shape: tuple[int, ...]) -> None:
        self.shape, self.taken, places = shape, hidden.copy(), tuple(search.codes.T)
        self.at = np.full(shape, -1)
        self.at[places] = np.arange(len(hidden))
        self.cost = np.full(shape, np.inf)
        self.cost[places] = np.where(hidden, 0.0, search.cost)
        self.room = np.zeros(shape)
        self.room[places] = room

    def take(self, corner: Ints, want: float) -> None:
        """Takes the cheapest box at this corner in which the falling corners can fall as far as wanted."""
        ways = list(product((False, True), repeat=len(self.shape)))[1:]
        total = np.zeros(self.shape)
        for moved in ways:
            spread = tuple(slice(None) if goes else corner[place] for place, goes in enumerate(moved))
            part = self.cost[spread]
            if sum(moved) % 2:
                part = np.where(self.room[spread] >= want, part, np.inf)
            total += part.reshape([size if goes else 1 for size, goes in zip(self.shape, moved, strict=True)])
        for place, own in enumerate(corner):
            total[(slice(None),) * place + (own,)] = np.inf
        other = np.unravel_index(int(np.argmin(total)), self.shape)
        if np.isfinite(total[other]):
            for moved in ways:
                cell = tuple(other[place] if goes else corner[place] for place, goes in enumerate(moved))
                self.cost[cell] = 0.0
                self.taken[self.at[cell]] = True

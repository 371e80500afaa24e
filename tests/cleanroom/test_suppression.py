"""Attacks by subtraction. Whoever asks for a table and for each of its margins, and puts all answers together, finds no
withheld value. What can be found is computed here by programmes of their own over what was told, not by the audit.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from sanpo.cleanroom.disclosure import Protection, Release, release
from sanpo.cleanroom.errors import DisclosureIsNotSafe, TooFewSubjects
from sanpo.cleanroom.model import Measure
from sanpo.cleanroom.plan import Cell
from tests.chance import often
from tests.cleanroom.questions import EXAMPLES, MARKS

pytestmark = MARKS
MINIMUM, PERCENT = 5, 10
MEASURES = (Measure(function="count"), Measure(function="sum", column="wh"), Measure(function="avg", column="wh"))
Key = tuple[Any, ...]
Held = dict[int, list[int]]
"""By subject: the values of its rows."""


@dataclass(frozen=True)
class Table:
    """Who holds what in each cell. Nobody is in two cells, which the reader may know."""

    cells: dict[Key, Held]
    universe: int

    def asked_by(self, dimensions: tuple[int, ...]) -> dict[Key, Held]:
        """The cells of the question that splits by these dimensions only."""
        found: dict[Key, Held] = {}
        for key, held in self.cells.items():
            found.setdefault(tuple(key[at] for at in dimensions), {}).update(held)
        return found


def to_cell(key: Key, held: Held, universe: int, largest: int) -> Cell:
    flags = np.zeros(universe, dtype=np.uint8)
    flags[list(held)] = 1
    rows, total = sum(map(len, held.values())), sum(map(sum, held.values()))
    share = share_of(held, largest)
    values = (rows, total, total / rows)
    return Cell(key, values, (rows,) * 3, rows, np.packbits(flags).tobytes(), (None, share, share) if largest else ())


def share_of(held: Held, largest: int) -> float | None:
    sizes = sorted((abs(sum(values)) for values in held.values()), reverse=True)
    return sum(sizes[:largest]) / sum(sizes) if sum(sizes) else None


def subsets(size: int) -> list[tuple[int, ...]]:
    return [subset for count in range(size + 1) for subset in combinations(range(size), count)]


def let_out(table: Table, dimensions: tuple[int, ...], protection: Protection) -> Release | None:
    """The answer to the question that splits by these dimensions; None where it is refused."""
    largest = protection.dominance[0] if protection.dominance else 0
    asked = table.asked_by(dimensions)
    cells = [to_cell(key, held, table.universe, largest) for key, held in asked.items()]
    shares = {}
    for kept in subsets(len(dimensions)) if largest else ():
        for key, held in table.asked_by(tuple(dimensions[at] for at in kept)).items():
            name = dict(zip(kept, key, strict=True))
            totals = tuple(at not in kept for at in range(len(dimensions)))
            share = share_of(held, largest)
            shares[tuple(name.get(at) for at in range(len(dimensions))), totals] = (None, share, share)
    try:
        return release(cells, MEASURES, protection=protection, arrange=lambda rows: rows, margin_shares=shares)
    except (TooFewSubjects, DisclosureIsNotSafe):
        return None


Place = tuple[tuple[int, ...], Key]
"""A cell of some question: the dimensions that it splits by, and its key."""


def told_by(table: Table, size: int, protection: Protection) -> dict[str, dict[Place, float]]:
    """All that the questions by each subset of the dimensions tell together: subjects, rows and sums of places."""
    told: dict[str, dict[Place, float]] = {"subjects": {}, "rows": {}, "wh": {}}
    for dimensions in subsets(size):
        out = let_out(table, dimensions, protection)
        for row in () if out is None else out.rows:
            kept = [at for at, total in enumerate(row.totals) if not total]
            place = tuple(dimensions[at] for at in kept), tuple(row.key[at] for at in kept)
            if row.subjects is not None:
                told["subjects"][place] = row.subjects
            if not row.hidden[0]:
                told["rows"][place] = row.values[0] or 0
            if not row.hidden[1]:
                told["wh"][place] = row.values[1] or 0
                assert row.values[2] is not None
    return told


def inside(place: Place, keys: list[Key]) -> np.ndarray:
    dimensions, wanted = place
    return np.array([float(tuple(key[at] for at in dimensions) == wanted) for key in keys])


def interval(place: Place, told: dict[Place, float], keys: list[Key], least: int, whole: bool) -> tuple[float, float]:
    """The least and the most that the place can hold, given what was told of others and that no cell holds less."""
    aim = inside(place, keys)
    rows = np.array([inside(each, keys) for each in told]) if told else np.zeros((0, len(keys)))
    known = np.array(list(told.values()), dtype=float)
    ends = []
    for sign in (1, -1):
        found = milp(
            sign * aim,
            integrality=np.full(len(keys), int(whole)),
            bounds=Bounds(least, 1e7),
            constraints=LinearConstraint(rows, known - 1e-6, known + 1e-6) if told else None,
        )
        assert found.status == 0, found.message
        ends.append(sign * found.fun)
    return ends[0], ends[1]


amounts = st.sampled_from([1, 2, 3, 4, 5, 6, 9, 14, 30])
sizes = st.lists(st.integers(2, 4), min_size=1, max_size=3)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Tables of one to three dimensions with gaps, small cells, zeros and heavy holders."""
    keys = list(product(*map(range, draw(sizes))))
    present = draw(st.integers(60, 100))
    chance = random.Random(draw(st.integers(0, 10**6)))
    cells: dict[Key, Held] = {}
    nobody = 0
    for key in keys:
        if chance.randrange(100) < present:
            count = chance.choice([1, 2, 3, 4, 5, 6, 9, 14, 30, 30])
            wide = chance.choice([0, 10, 100, 100, 3000])
            each = [[chance.randint(0, wide) for _ in range(chance.choice([1, 1, 2]))] for _ in range(count)]
            cells[key] = dict(enumerate(each, start=nobody))
            nobody += count
    return Table(cells or {keys[0]: {0: [1]}}, max(nobody, 1))


def few(table: Table, size: int) -> Iterable[tuple[Place, Held]]:
    """The places that are small in any of the questions."""
    for dimensions in subsets(size):
        for key, held in table.asked_by(dimensions).items():
            if len(held) < MINIMUM:
                yield (dimensions, key), held


def dimensions_of(table: Table) -> int:
    return len(next(iter(table.cells)))


@given(tables(), st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_small_cell_or_margin_can_be_worked_out_from_all_answers_together(table: Table, totals: bool) -> None:
    size, keys = dimensions_of(table), list(table.cells)
    protection = Protection(MINIMUM, protection_percent=PERCENT, totals=totals)
    if let_out(table, tuple(range(size)), protection) is None:
        return  # then nobody learns which cells there are, and each margin stands for itself
    told = told_by(table, size, protection)
    sums_are_told = tells_sums(table, protection)
    for place, held in few(table, size):
        low, high = interval(place, told["subjects"], keys, 1, True)
        assert low <= len(held) <= high
        assert high - low >= MINIMUM
        low, high = interval(place, told["rows"], keys, 1, True)
        assert high - low >= MINIMUM
        if sums_are_told:
            check_sum(place, held, told["wh"], keys)


def tells_sums(table: Table, protection: Protection) -> bool:
    """Whether the table's own answer tells any sum. If not it adds nothing to what the margins tell (but which cells there
    are, as a question for counts does that nobody would refuse)."""
    out = let_out(table, tuple(range(dimensions_of(table))), protection)
    return out is not None and any(not row.hidden[1] for row in out.rows if not any(row.totals))


def check_sum(place: Place, held: Held, told: dict[Place, float], keys: list[Key]) -> None:
    total = sum(map(sum, held.values()))
    low, high = interval(place, told, keys, 0, False)
    assert low <= total * (1 - PERCENT / 100) + 1e-3
    assert high >= total * (1 + PERCENT / 100) - 1e-3


@given(tables(), st.booleans())
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_no_dominated_sum_can_be_worked_out_from_all_answers_together(table: Table, totals: bool) -> None:
    size, keys = dimensions_of(table), list(table.cells)
    protection = Protection(1, dominance=(1, 60), protection_percent=PERCENT, totals=totals)
    if not tells_sums(table, protection):
        return
    told = told_by(table, size, protection)
    for dimensions in subsets(size):
        for key, held in table.asked_by(dimensions).items():
            if (share_of(held, 1) or 0) > 0.6:
                check_sum((dimensions, key), held, told["wh"], keys)


@given(tables(), st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_same_cells_leave_whatever_their_order(table: Table, chance: random.Random) -> None:
    protection = Protection(MINIMUM, totals=True)
    mixed = list(table.cells)
    chance.shuffle(mixed)
    size = tuple(range(dimensions_of(table)))
    outs = [
        let_out(each, size, protection) for each in (table, Table({k: table.cells[k] for k in mixed}, table.universe))
    ]
    assert [None if out is None else shown(out) for out in outs[:1]] == [
        None if o is None else shown(o) for o in outs[1:]
    ]


def shown(out: Release) -> dict[Any, Any]:
    return {(row.key, row.totals): (row.values, row.hidden, row.subjects) for row in out.rows}


@given(tables())
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_what_is_told_stays_told_without_what_was_withheld_whole(table: Table) -> None:
    """Protecting again what left takes nothing more away: cells that were told need nothing from those that were not."""
    size = tuple(range(dimensions_of(table)))
    out = let_out(table, size, Protection(MINIMUM))
    if out is None:
        return
    left = {row.key: table.cells[row.key] for row in out.rows if row.subjects is not None}
    again = let_out(Table(left, table.universe), size, Protection(MINIMUM))
    assert again is not None
    assert {row.key: row.subjects for row in again.rows} == {key: len(held) for key, held in left.items()}


@given(tables(), st.booleans())
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_nothing_is_withheld_where_nothing_is_small_and_margins_are_the_sums_of_their_cells(
    table: Table, averages: bool
) -> None:
    size = dimensions_of(table)
    whole = Table({key: held for key, held in table.cells.items() if len(held) >= MINIMUM}, table.universe)
    if not whole.cells:
        return
    out = let_out(whole, tuple(range(size)), Protection(MINIMUM, totals=True))
    assert out is not None
    assert out.complements == 0
    assert all(row.hidden == (False,) * 3 for row in out.rows)
    for row in out.rows:
        kept = tuple(at for at, total in enumerate(row.totals) if not total)
        held = whole.asked_by(kept)[tuple(row.key[at] for at in kept)]
        rows, total = sum(map(len, held.values())), sum(map(sum, held.values()))
        assert (row.values, row.subjects) == ((rows, total, total / rows), len(held))
    assert out.contributor_count == len({who for held in whole.cells.values() for who in held})


@given(tables(), st.sampled_from([2, 3, 10, 100]))
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_rounding_withholds_the_same_and_tells_nothing_but_multiples(table: Table, rounding: int) -> None:
    size = tuple(range(dimensions_of(table)))
    exact, rough = (let_out(table, size, Protection(MINIMUM, rounding=each, totals=True)) for each in (1, rounding))
    if exact is None or rough is None:
        assert exact is rough is None
        return
    assert exact.contributors == rough.contributors
    assert rough.subjects == nearest(exact.subjects, rounding)
    for one, other in zip(exact.rows, rough.rows, strict=True):
        assert (one.key, one.totals, one.hidden) == (other.key, other.totals, other.hidden)
        if one.subjects is not None:
            assert other.subjects == nearest(one.subjects, rounding)
        if not one.hidden[1] and not one.hidden[0]:
            rows, total = nearest(one.values[0] or 0, rounding), nearest(one.values[1] or 0, rounding)
            assert other.values == (rows, total, total / rows if rows else None)


def nearest(value: float, rounding: int) -> int:
    """By counting: the multiple that is nearest, the larger of two."""
    below = int(value) // rounding * rounding
    return below if value - below < below + rounding - value else below + rounding


@pytest.mark.parametrize("seed", range(often(1, 20)))
def test_no_cell_of_a_wide_table_is_a_total_minus_its_neighbours(seed: int) -> None:
    """A table of three dimensions with totals, as large as the benchmark's third: no line has a single hidden cell."""
    chance = random.Random(seed)
    cells: dict[Key, Held] = {}
    nobody = 0
    for key in product(range(10), range(8), range(5)):
        count = chance.choice([2, 4]) if chance.random() < 0.05 else chance.randrange(10, 60)
        cells[key] = {who: [chance.randrange(1, 500)] for who in range(nobody, nobody + count)}
        nobody += count
    out = let_out(Table(cells, nobody), (0, 1, 2), Protection(10, totals=True))
    assert out is not None
    hidden = {row.key for row in out.rows if row.subjects is None}
    assert {key for key, held in cells.items() if len(held) < 10} < hidden
    for key in hidden:
        for at in range(3):
            line = [other for other in hidden if other[:at] + other[at + 1 :] == key[:at] + key[at + 1 :]]
            assert len(line) > 1

"""The only exit: what is withheld leaves by no way, neither by value nor by order nor by count."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanpo.cleanroom import disclosure
from sanpo.cleanroom.answer import arrange_for
from sanpo.cleanroom.disclosure import Protection, Release, release
from sanpo.cleanroom.errors import AnswerIsTooLarge, AnswersAreTooClose, DisclosureIsNotSafe, TooFewSubjects
from sanpo.cleanroom.model import Dimension, Measure, Order, Question
from sanpo.cleanroom.plan import Cell
from tests.cleanroom.questions import EXAMPLES, MARKS

pytestmark = MARKS
UNIVERSE = 64
MINIMUM = 5
QUESTION = Question(
    dataset="a.b",
    dimensions=(Dimension(column="x"),),
    measures=(Measure(function="count"), Measure(function="subjects"), Measure(function="sum", column="y")),
)
FIVE, SIX = [1, 2, 3, 4, 5], [11, 12, 13, 14, 15, 16]
MANY = list(range(20, 40))


def cell(key: str, people: list[int], *, rows: int = 90, filled: int = 90, total: int | None = 100) -> Cell:
    return Cell((key,), (rows, None, total), (rows, rows, filled), rows, bits_of(people))


def bits_of(people: list[int]) -> bytes:
    flags = np.zeros(UNIVERSE, dtype=np.uint8)
    flags[people] = 1
    return np.packbits(flags).tobytes()


def people_of(contributors: bytes) -> list[int]:
    return np.flatnonzero(np.unpackbits(np.frombuffer(contributors, dtype=np.uint8), bitorder="little")).tolist()


def let_out(
    cells: list[Cell],
    *orders: Order,
    limit: int | None = None,
    withheld: frozenset[int] = frozenset(),
    protection: Protection | None = None,
) -> Release:
    question = Question(
        dataset="a.b",
        dimensions=QUESTION.dimensions,
        measures=QUESTION.measures,
        order_by=orders,
        limit=limit,
    )
    return release(
        cells,
        QUESTION.measures,
        protection=protection or Protection(MINIMUM),
        arrange=arrange_for(question),
        withheld=withheld,
    )


def told(out: Release) -> list[str]:
    return [str(row.key[0]) for row in out.rows if row.subjects is not None]


def test_release_tells_a_cell_of_the_minimum_and_hides_two_below() -> None:
    out = let_out([cell("a", FIVE), cell("few", [6, 7, 8]), cell("too", [9, 10, 11, 12])])
    enough, few, too = out.rows
    assert (enough.values, enough.subjects, enough.hidden) == ((90, 5, 100), 5, (False, False, False))
    for row in (few, too):
        assert (row.values, row.subjects, row.hidden) == ((None,) * 3, None, (True,) * 3)
    assert out.complements == 0


def test_small_cell_takes_the_smallest_other_one_that_hides_it() -> None:
    out = let_out([cell("few", [1, 2]), cell("many", MANY), cell("six", SIX), cell("some", list(range(41, 55)))])
    assert (told(out), out.complements) == (["many", "some"], 1)


def test_release_names_exactly_the_people_of_the_cells_that_leave() -> None:
    out = let_out([cell("a", FIVE), cell("b", [4, 5, 6, 7, 63]), cell("c", [20, 21, 22]), cell("d", [20, 30, 31, 32])])
    assert people_of(out.contributors) == [1, 2, 3, 4, 5, 6, 7, 63]
    assert out.contributor_count == out.subjects == 8


def test_people_of_a_margin_that_leaves_are_named_though_their_cells_are_hidden() -> None:
    out = let_out([cell("a", FIVE), cell("b", [20, 21]), cell("c", SIX)], protection=Protection(MINIMUM, totals=True))
    assert [(row.key, row.subjects, row.totals) for row in out.rows][-1] == ((None,), 13, (True,))
    assert people_of(out.contributors) == sorted([*FIVE, *SIX, 20, 21])


def test_row_points_to_its_cell_in_the_order_given() -> None:
    cells = [cell("z", FIVE), cell("a", SIX)]
    out = let_out(cells, protection=Protection(MINIMUM, totals=True))
    assert (
        [out.cells[row.cell_no].key for row in out.rows] == [row.key for row in out.rows] == [("a",), ("z",), (None,)]
    )
    assert out.cells[:2] == tuple(cells)


def test_release_hides_a_measure_that_too_few_may_be_behind_with_another_cells() -> None:
    one, two = cell("one", SIX, rows=9, filled=8), cell("two", SIX, rows=9, filled=7)
    other, many = cell("three", SIX, total=90), cell("many", MANY, total=9000)
    assert [row.hidden for row in let_out([one, other, many]).rows] == [(False,) * 3] * 3
    hidden = {row.key[0]: row.hidden for row in let_out([two, other, many]).rows}
    only_sum = (False, False, True)
    assert hidden == {"two": only_sum, "three": only_sum, "many": (False,) * 3}


@pytest.mark.parametrize("cells", [[], [cell("few", [1, 2])], [cell("few", [1]), cell("too", [2, 3, 4, 5])]])
def test_release_is_refused_alike_when_nothing_or_too_little_was_found(cells: list[Cell]) -> None:
    with pytest.raises(TooFewSubjects) as refused:
        let_out(cells)
    assert refused.value.fields == {"minimum": MINIMUM}


def test_release_is_refused_when_the_only_other_cell_would_tell_the_small_one() -> None:
    with pytest.raises(DisclosureIsNotSafe) as refused:
        let_out([cell("few", [1]), cell("many", MANY)])
    assert refused.value.fields == {"minimum": MINIMUM}


def test_cell_too_close_to_an_earlier_answer_is_withheld_with_another() -> None:
    cells = [cell("a", MANY), cell("b", FIVE), cell("c", SIX), cell("d", list(range(41, 60)))]
    out = let_out(cells, withheld=frozenset({3}))
    assert (told(out), out.complements) == (["a", "c"], 1)
    with pytest.raises(AnswersAreTooClose):
        let_out(cells[:2], withheld=frozenset({0}))


def test_release_is_refused_when_the_limit_leaves_suppressed_rows_only() -> None:
    with pytest.raises(TooFewSubjects):
        let_out([cell("a", [1, 2, 3, 7]), cell("b", [4, 5, 6, 8]), cell("c", MANY)], limit=1)


def test_suppressed_cells_come_last_in_either_order() -> None:
    cells = [cell("few", [1], total=50), cell("b", FIVE, total=10), cell("c", SIX, total=90), cell("d", MANY, total=70)]
    for descending, expected in ((False, ["b", "d"]), (True, ["d", "b"])):
        out = let_out(cells, Order("sum_y", descending))
        assert [row.key[0] for row in out.rows] == [*expected, "c", "few"]


def test_order_by_what_is_rounded_goes_by_what_is_told() -> None:
    cells = [cell("a", FIVE, total=104), cell("b", SIX, total=96), cell("c", MANY, total=97)]
    out = let_out(cells, Order("sum_y", descending=True), protection=Protection(MINIMUM, rounding=10))
    assert [(row.key[0], row.values[2]) for row in out.rows] == [("a", 100), ("b", 100), ("c", 100)]


def test_totals_are_refused_beyond_the_size_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosure, "MOST_CELLS", 2)
    with pytest.raises(AnswerIsTooLarge):
        let_out([cell("a", FIVE), cell("b", SIX)], protection=Protection(MINIMUM, totals=True))


@pytest.mark.parametrize(
    ("value", "rounding", "expected"),
    [
        (14, 10, 10),
        (15, 10, 20),
        (-15, 10, -20),
        (-14, 10, -10),
        (2**70 + 1, 2, 2**70 + 2),
        (7, 1, 7),
        (7, 3, 6),
        (8, 3, 9),
    ],
)
def test_value_is_rounded_to_the_nearest_multiple_halves_away_from_zero(
    value: int, rounding: int, expected: int
) -> None:
    assert disclosure._rounded(value, rounding) == expected
    assert disclosure._rounded(float(value), rounding) == float(expected)


people = st.lists(st.integers(0, UNIVERSE - 1), min_size=1, max_size=12, unique=True)
cells = st.lists(
    st.builds(
        lambda members, rows, empty, total: Cell(
            ("",), (rows, None, total), (rows, rows, max(rows - empty, 0)), rows, bits_of(members)
        ),
        people,
        st.integers(12, 40),
        st.integers(0, 10),
        st.none() | st.integers(-1000, 1000),
    ),
    min_size=1,
    max_size=8,
).map(lambda found: [replace(each, key=(f"k{at}",)) for at, each in enumerate(found)])
orders = st.lists(st.builds(Order, st.sampled_from(["x", "rows", "subjects", "sum_y"]), st.booleans()), max_size=2)


@given(cells, orders, st.none() | st.integers(1, 8), st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_leaves_is_made_of_what_is_told_alone(
    found: list[Cell], wanted: list[Order], limit: int | None, data: st.DataObject
) -> None:
    """Whatever stands in a hidden place, nothing that leaves depends on it: the same rows, in the same order, about the
    same people. (Which places are hidden does depend on what is in them.)"""
    before = outcome(found, wanted, limit)
    everything = outcome(found, [], None)
    if isinstance(before, str) or isinstance(everything, str):
        return
    hidden = {row.cell_no: row for row in everything.rows}
    changed = [
        each if hidden[at].subjects is not None else replace(each, values=(77, None, data.draw(st.integers(-9, 9))))
        for at, each in enumerate(found)
    ]
    again = [_seen(each, hidden[at]) for at, each in enumerate(changed)]
    rows = {row.key: row.values for row in before.rows}
    assert all(rows[key] == values for key, values in again if key in rows)
    listed = [row.cell_no for row in before.rows if row.subjects is not None]
    assert people_of(before.contributors) == sorted({who for at in listed for who in members(found[at])})
    assert before == outcome(list(reversed(found)), wanted, limit, flip=len(found) - 1)


def _seen(each: Cell, row: disclosure.Row) -> tuple[object, tuple[object, ...]]:
    values = (each.values[0], None if row.subjects is None else len(members(each)), each.values[2])
    return each.key, tuple(None if hide else value for hide, value in zip(row.hidden, values, strict=True))


def members(each: Cell) -> list[int]:
    return np.flatnonzero(np.unpackbits(np.frombuffer(each.subjects, dtype=np.uint8))).tolist()


def outcome(found: list[Cell], wanted: list[Order], limit: int | None, *, flip: int | None = None) -> Release | str:
    """What leaves; with `flip` cells are numbered from the other end, as if they had come in that order."""
    try:
        out = let_out(found, *wanted, limit=limit)
    except (TooFewSubjects, DisclosureIsNotSafe) as refusal:
        return str(refusal)
    if flip is None:
        return replace(out, cells=())
    return replace(out, cells=(), rows=tuple(replace(row, cell_no=flip - row.cell_no) for row in out.rows))

"""The only exit: whatever is below the minimum cannot change what leaves, by value, by order or by count."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanpo.cleanroom.answer import arrange_for
from sanpo.cleanroom.disclosure import Release, release
from sanpo.cleanroom.errors import TooFewSubjects
from sanpo.cleanroom.model import Dimension, Measure, Order, Question
from sanpo.cleanroom.plan import Cell
from tests.cleanroom.questions import EXAMPLES, MARKS

pytestmark = MARKS
UNIVERSE = 64
MINIMUM = 5
FUNCTIONS = ["count", "subjects", "sum"]
QUESTION = Question(
    dataset="a.b",
    dimensions=(Dimension(column="x"),),
    measures=(Measure(function="count"), Measure(function="subjects"), Measure(function="sum", column="y")),
)


def cell(key: str, people: list[int], *, rows: int = 9, filled: int = 9, total: int | None = 100) -> Cell:
    return Cell((key,), (rows, None, total), (rows, rows, filled), rows, bits_of(people))


def bits_of(people: list[int]) -> bytes:
    flags = np.zeros(UNIVERSE, dtype=np.uint8)
    flags[people] = 1
    return np.packbits(flags).tobytes()


def people_of(contributors: bytes) -> list[int]:
    return np.flatnonzero(np.unpackbits(np.frombuffer(contributors, dtype=np.uint8), bitorder="little")).tolist()


def let_out(cells: list[Cell], *orders: Order, limit: int | None = None) -> Release:
    question = Question(
        dataset="a.b",
        dimensions=QUESTION.dimensions,
        measures=QUESTION.measures,
        order_by=orders,
        limit=limit,
    )
    return release(cells, FUNCTIONS, minimum=MINIMUM, arrange=arrange_for(question))


def test_release_tells_a_cell_of_the_minimum_and_hides_one_below() -> None:
    out = let_out([cell("enough", [1, 2, 3, 4, 5]), cell("few", [6, 7, 8, 9])])
    enough, few = out.rows
    assert (enough.values, enough.subjects, enough.hidden) == ((9, 5, 100), 5, (False, False, False))
    assert (few.key, few.values, few.subjects, few.hidden) == (("few",), (None,) * 3, None, (True,) * 3)


def test_release_names_exactly_the_people_of_the_cells_that_leave() -> None:
    out = let_out([cell("a", [1, 2, 3, 4, 5]), cell("b", [4, 5, 6, 7, 63]), cell("c", [20, 21])])
    assert people_of(out.contributors) == [1, 2, 3, 4, 5, 6, 7, 63]
    assert out.contributor_count == 8


def test_release_hides_a_measure_that_too_few_may_be_behind() -> None:
    people = [1, 2, 3, 4, 5, 6]
    one_missing, two_missing = cell("one", people, rows=9, filled=8), cell("two", people, rows=9, filled=7)
    assert [row.hidden for row in let_out([one_missing, two_missing]).rows] == [(False,) * 3, (False, False, True)]
    assert let_out([two_missing]).rows[0].values == (9, 6, None)


@pytest.mark.parametrize("cells", [[], [cell("few", [1, 2])], [cell("few", [1]), cell("too", [2, 3, 4, 5])]])
def test_release_is_refused_alike_when_nothing_or_too_little_was_found(cells: list[Cell]) -> None:
    with pytest.raises(TooFewSubjects) as refused:
        let_out(cells)
    assert refused.value.fields == {"minimum": MINIMUM}


def test_release_is_refused_when_the_limit_leaves_suppressed_rows_only() -> None:
    with pytest.raises(TooFewSubjects):
        let_out([cell("a", [1]), cell("b", [1, 2, 3, 4, 5])], limit=1)


def test_suppressed_cell_comes_last_in_either_order() -> None:
    cells = [cell("few", [1], total=50), cell("b", [1, 2, 3, 4, 5], total=10), cell("c", [1, 2, 3, 4, 5], total=90)]
    for descending, expected in ((False, ["b", "c", "few"]), (True, ["c", "b", "few"])):
        out = let_out(cells, Order("sum_y", descending))
        assert [row.key[0] for row in out.rows] == expected


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
def test_release_does_not_depend_on_what_is_suppressed(
    found: list[Cell], wanted: list[Order], limit: int | None, data: st.DataObject
) -> None:
    few = data.draw(st.lists(st.integers(0, UNIVERSE - 1), min_size=1, max_size=MINIMUM - 1, unique=True))
    total, rows = data.draw(st.integers(-1000, 1000)), data.draw(st.integers(1, 50))
    other = [
        replace(each, values=(rows, None, total), filled=(rows, rows, rows), rows=rows, subjects=bits_of(few))
        if count(each) < MINIMUM
        else _with_hidden_value_changed(each, total)
        for each in found
    ]
    assert outcome(found, wanted, limit) == outcome(other, wanted, limit)


def _with_hidden_value_changed(each: Cell, total: int) -> Cell:
    is_hidden = count(each) - (each.rows - each.filled[2]) < MINIMUM
    return replace(each, values=(*each.values[:2], total)) if is_hidden else each


def count(each: Cell) -> int:
    return int(np.bitwise_count(np.frombuffer(each.subjects, dtype=np.uint8)).sum())


def outcome(found: list[Cell], wanted: list[Order], limit: int | None) -> Release | str:
    try:
        return let_out(found, *wanted, limit=limit)
    except TooFewSubjects as refusal:
        return str(refusal)

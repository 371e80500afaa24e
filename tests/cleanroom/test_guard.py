"""What several answers to one organisation tell together: nothing about fewer than the minimum."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo import app
from sanpo.cleanroom import ask
from sanpo.cleanroom.errors import AnswersAreTooClose
from sanpo.cleanroom.guard import SubjectBits, key_hash, moved_by_few, moved_rows, sets_of, too_close
from sanpo.cleanroom.guard import Told as ToldCell
from sanpo.cleanroom.memory import KEPT, forget
from sanpo.cleanroom.plan import Cell
from sanpo.ground.actors import System
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.lake import append, get_dataset
from tests.cleanroom.cities import BEGIN, BY_AREA, TOTAL, Metered, Walk

MEAN = "select avg(energy_wh) from energy.readings"


@pytest.fixture
def own(settings: Settings, clock: FixedClock) -> Iterator[Walk]:
    """A walk in a city of its own, whose lake may change."""
    city = app.open_city(settings, clock=clock, pool=8)
    yield Metered(city).walk()
    city.db.close()


def late(walk: Walk, *places: int) -> None:
    """One more reading for each of these people."""
    schema = get_dataset(walk.city, "energy.readings").schema
    at = BEGIN + timedelta(days=1)
    rows = [
        (
            walk.people[place].subject_no,
            walk.people[place].subject_no,
            at,
            (at + timedelta(hours=9)).replace(tzinfo=None),
            50,
        )
        for place in places
    ]
    columns = dict(zip(schema.names, map(list, zip(*rows, strict=True)), strict=True))
    append(walk.city, "energy.readings", pa.table(columns, schema=schema))


def test_answer_after_a_withdrawal_is_refused_and_cannot_be_subtracted(walk: Walk) -> None:
    walk.give(*range(20))
    walk.ask(TOTAL)
    walk.withdraw(3)
    with pytest.raises(AnswersAreTooClose) as refused:
        walk.ask(TOTAL)
    assert refused.value.fields == {"minimum": 10}
    assert [entry.body["code"] for entry in walk.entries("refusal")] == ["cleanroom.answers_are_too_close"]


def test_answer_is_given_again_when_enough_have_withdrawn(walk: Walk) -> None:
    walk.give(*range(30))
    walk.ask(TOTAL)
    for place in range(10):
        walk.withdraw(place)
    assert walk.ask(TOTAL).subjects == 20


def test_new_grants_of_few_change_nothing_and_the_answer_says_so(walk: Walk) -> None:
    walk.give(*range(20))
    first = walk.ask(TOTAL)
    walk.give(20, 21)
    again = walk.ask(TOTAL)
    assert [row.values for row in again.rows] == [row.values for row in first.rows]
    assert (again.subjects, again.as_before) == (20, first.entry_id)
    walk.give(*range(22, 30))
    assert (walk.ask(TOTAL).subjects, walk.ask(TOTAL).as_before) == (30, None)


def test_late_rows_of_few_change_nothing_and_those_of_many_do(own: Walk) -> None:
    own.give(*range(20))
    first = own.ask(TOTAL)
    late(own, *range(9))
    again = own.ask(TOTAL)
    assert (again.rows[0].values, again.as_before) == (first.rows[0].values, first.entry_id)
    assert again.snapshots == first.snapshots
    late(own, 9)
    assert own.ask(TOTAL).rows[0].values == (170, first.rows[0].values[1] + 500)


def test_filter_that_leaves_out_one_person_is_refused(walk: Walk) -> None:
    walk.give(*range(20))
    walk.ask(MEAN)
    with pytest.raises(AnswersAreTooClose):
        walk.ask(MEAN + " where energy_wh <> 103")


def test_filter_that_leaves_out_one_row_of_few_is_refused(own: Walk) -> None:
    """All are still in the cell, but nine have a row less."""
    own.give(*range(20))
    late(own, *range(9))
    own.ask(MEAN)
    with pytest.raises(AnswersAreTooClose):
        own.ask(MEAN + " where start_at < '2026-03-04'")


def test_cell_that_is_too_close_is_withheld_with_what_would_betray_it(walk: Walk) -> None:
    """Of two areas the other one and the total, which can be asked for, would give it away: so nothing is told."""
    walk.give(*range(24))
    assert [row.subjects for row in walk.ask(BY_AREA).rows] == [12, 12]
    walk.withdraw(0)
    with pytest.raises(AnswersAreTooClose):
        walk.ask(BY_AREA)


def test_other_organisation_was_told_nothing(walk: Walk, metered: Metered) -> None:
    walk.give(*range(20))
    walk.ask(TOTAL)
    other = metered.walk()
    other.give(*range(19))
    assert other.ask(TOTAL).subjects == 19


def test_other_column_tells_nothing_of_the_first(walk: Walk) -> None:
    walk.give(*range(20))
    walk.ask("select sum(energy_wh) from energy.readings")
    walk.withdraw(3)
    assert walk.ask("select count(*) from energy.readings").subjects == 19


def test_number_of_people_may_be_asked_every_day(walk: Walk) -> None:
    walk.give(*range(20))
    people = "select count(distinct subject_no) from energy.readings"
    assert walk.ask(people).rows[0].values == (20,)
    walk.withdraw(3)
    assert walk.ask(people).rows[0].values == (19,)


def test_what_was_told_is_forgotten_after_its_time(walk: Walk) -> None:
    walk.give(*range(20))
    walk.ask(TOTAL)
    assert forget(walk.city) == 0
    later = replace(walk.city, clock=FixedClock(walk.city.now() + KEPT + timedelta(days=1)))
    assert forget(later) >= 1


def test_operator_who_asks_for_an_organisation_is_guarded_too(walk: Walk) -> None:
    walk.give(*range(20))
    operator = System("operator")
    ask(walk.city, operator, walk.agreement.agreement_id, TOTAL)
    walk.withdraw(3)
    with pytest.raises(AnswersAreTooClose):
        ask(walk.city, operator, walk.agreement.agreement_id, TOTAL)


def cell(subjects: set[int], *, key: int = 0, rows: int = 1) -> Cell:
    bits = bytearray(8)
    for number in subjects:
        bits[number // 8] |= 0x80 >> number % 8
    return Cell((key,), (1,), (rows,), rows, bytes(bits))


people = st.sets(st.integers(0, 63))


@given(st.lists(people, max_size=5), st.lists(people, max_size=5), st.integers(2, 12))
def test_cell_is_too_close_exactly_when_a_few_make_the_difference(
    mine: list[set[int]], earlier: list[set[int]], minimum: int
) -> None:
    expected = {at for at, one in enumerate(mine) if any(0 < len(one ^ other) < minimum for other in earlier)}
    before = [SubjectBits(cell(each).subjects) for each in earlier]
    sets = sets_of([cell(each) for each in mine])
    assert too_close(sets, before, minimum) == expected
    kept = [SubjectBits.unpacked(each.packed()) for each in before]
    assert too_close(sets, kept, minimum) == expected


@given(st.dictionaries(st.integers(0, 9), st.integers(1, 3)), st.dictionaries(st.integers(0, 9), st.integers(1, 3)))
def test_rows_moved_by_few_are_found(before: dict[int, int], now: dict[int, int]) -> None:
    cells = [cell(set(now), rows=sum(now.values()))]
    told = {key_hash((0,)): ToldCell(1, key_hash((0,)), SubjectBits(cells[0].subjects).sha256, sum(before.values()))}
    moved = moved_rows(cells, sets_of(cells), told)
    assert bool(moved) == (sum(before.values()) != sum(now.values()))
    changed = sum(before.get(each) != now.get(each) for each in {*before, *now})
    assert moved_by_few(cells, moved, {(0,): before}, {(0,): now}, 4) == (moved if changed < 4 else frozenset())

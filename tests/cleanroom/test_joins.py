"""Joins: engines agree over them, they multiply no row, and they show nothing of people who are not admitted."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.cleanroom.engines import duckdb_engine, reference
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.plan import Cell, Limits, Plan
from tests.cleanroom.agreement import assert_same_cells
from tests.cleanroom.joined_questions import FEW, World, admitted_sets, joined_questions, joined_worlds, limits_for
from tests.cleanroom.questions import EXAMPLES, MARKS
from tests.cleanroom.worlds import Lake, settings_for, write_lake

pytestmark = MARKS


def lake_of(folder: Path, world: World) -> Lake:
    return write_lake(
        folder, world.readings, world.homes, weather=world.weather, rides=world.rides, passes=world.passes
    )


def on_both(lake: Lake, plan: Plan) -> list[Cell]:
    """The cells that both engines find."""
    found = duckdb_engine.run(plan, settings_for(lake.folder))
    assert_same_cells(plan, found, reference.run(plan))
    return found


@given(question=joined_questions(), world=joined_worlds, admitted=admitted_sets, data=st.data())
@settings(max_examples=2 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_engines_agree_over_joins(
    tmp_path_factory: pytest.TempPathFactory, question: Question, world: World, admitted: list[int], data: st.DataObject
) -> None:
    lake = lake_of(tmp_path_factory.getbasetemp() / "joined", world)
    on_both(lake, lake.plan(question, admitted, data.draw(limits_for(question))))


@given(question=joined_questions(), world=joined_worlds, admitted=admitted_sets)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_answer_is_the_same_when_people_who_are_not_admitted_have_no_rows(
    tmp_path_factory: pytest.TempPathFactory, question: Question, world: World, admitted: list[int]
) -> None:
    limits, folder = Limits(largest=2), tmp_path_factory.getbasetemp()
    strangers = set(range(FEW)) - set(admitted)
    lake, alone = lake_of(folder / "all", world), lake_of(folder / "alone", world.without(strangers))
    plan = lake.plan(question, admitted, limits)
    expected = duckdb_engine.run(alone.plan(question, admitted, limits), settings_for(alone.folder))
    assert_same_cells(plan, duckdb_engine.run(plan, settings_for(lake.folder)), expected)

"""Spark Connect: Sail, Sail with two workers and Apache Spark find what the reference and DuckDB find, cell by cell."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.cleanroom.engines import reference, spark_engine
from sanpo.cleanroom.model import Question
from tests.cleanroom.agreement import assert_same_cells
from tests.cleanroom.joined_questions import admitted_sets, joined_questions, joined_worlds, limits_for
from tests.cleanroom.questions import SUBJECTS, fitting_questions, home_rows, reading_rows
from tests.cleanroom.test_joins import lake_of
from tests.cleanroom.worlds import settings_for, write_lake

URLS = {"sail": "sc://127.0.0.1:50051", "sailc": "sc://127.0.0.1:50052", "spark": "sc://127.0.0.1:50053"}
N = int(os.environ.get("N", "50"))
WHICH = os.environ.get("WHICH", "sail").split(",")


@pytest.mark.parametrize("server", WHICH)
@given(question=fitting_questions(), readings=reading_rows, homes=home_rows, admitted=st.lists(st.integers(0, SUBJECTS - 1)), data=st.data())
@settings(max_examples=N, deadline=None, suppress_health_check=list(HealthCheck))
def test_one(tmp_path_factory: Any, server: str, question: Question, readings: Any, homes: Any, admitted: list[int], data: Any) -> None:
    lake = write_lake(tmp_path_factory.getbasetemp() / server, readings, homes)
    plan = lake.plan(question, admitted, data.draw(limits_for(question)))
    expected = reference.run(plan)
    chosen = settings_for(lake.folder, engine=URLS[server])
    assert_same_cells(plan, spark_engine.run(plan, chosen), expected)
    assert spark_engine.holdings(plan, chosen) == reference.holdings(plan)


@pytest.mark.parametrize("server", WHICH)
@given(question=joined_questions(), world=joined_worlds, admitted=admitted_sets, data=st.data())
@settings(max_examples=N, deadline=None, suppress_health_check=list(HealthCheck))
def test_joined(tmp_path_factory: Any, server: str, question: Question, world: Any, admitted: list[int], data: Any) -> None:
    lake = lake_of(tmp_path_factory.getbasetemp() / (server + "j"), world)
    plan = lake.plan(question, admitted, data.draw(limits_for(question)))
    chosen = settings_for(lake.folder, engine=URLS[server])
    assert_same_cells(plan, spark_engine.run(plan, chosen), reference.run(plan))


from sanpo.cleanroom.engines import spark_client
from sanpo.cleanroom.engines.bounded import bound_naively, bounded_cells
from sanpo.cleanroom.engines.spark_bounded import bounded_frame
from tests.cleanroom.bounding import KEYS, boundings, rows, source_table


@pytest.mark.parametrize("server", WHICH)
@given(found=rows(), bounding=boundings())
@settings(max_examples=N, deadline=None, suppress_health_check=list(HealthCheck))
def test_bounds(server: str, found: Any, bounding: Any) -> None:
    session = spark_client._ready_session(URLS[server])
    frame = bounded_frame(session, session.createDataFrame(source_table(found), "k0 string, k1 bigint, subject_no int, moment bigint, v0 bigint, v1 bigint"), KEYS, bounding)
    cells = bounded_cells([list(r.values()) for r in frame.toArrow().to_pylist()], KEYS, bounding)
    assert cells == bound_naively(found, KEYS, bounding)

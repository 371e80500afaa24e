"""Sail, Sail with two workers and Apache Spark find what the reference and DuckDB find, to the last suppressed cell."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.cleanroom.engines import duckdb_engine, reference, spark_client, spark_engine
from sanpo.cleanroom.engines.bounded import Row, bound_naively, bounded_cells
from sanpo.cleanroom.engines.spark_bounded import bounded_frame
from sanpo.cleanroom.errors import EngineIsUnavailable
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import Limits, Plan
from sanpo.cleanroom.private import BoundedCells, Bounding
from sanpo.lake import Snapshot
from tests.chance import often
from tests.cleanroom import worlds
from tests.cleanroom.agreement import assert_same_cells, is_exact
from tests.cleanroom.bounding import KEYS, boundings, rows, source_table
from tests.cleanroom.joined_questions import World, admitted_sets, joined_questions, joined_worlds, limits_for
from tests.cleanroom.questions import SUBJECTS, fitting_questions, home_rows, reading_rows
from tests.cleanroom.spark.servers import SPARK, Server, chosen_for, skip_without_client
from tests.cleanroom.test_engines import outcome
from tests.cleanroom.test_joins import lake_of
from tests.cleanroom.worlds import READINGS, Lake, reading, write_lake

skip_without_client()

RARE, OFTEN = often(8, 100), often(50, 1_000)
"""Generated cases on Apache Spark, which takes seconds for each, and on Sail."""


def as_often_as(server: Server) -> Any:
    examples = RARE if server.name == SPARK else OFTEN
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def assert_all_agree(plan: Plan, lake: Lake, server: Server, minimum: int = 2) -> None:
    expected, chosen = reference.run(plan), chosen_for(lake, server)
    found = spark_engine.run(plan, chosen)
    assert_same_cells(plan, found, expected)
    assert_same_cells(plan, duckdb_engine.run(plan, chosen), expected)
    if all(is_exact(measure, plan) for measure in plan.question.measures):
        assert outcome(plan.question, found, minimum) == outcome(plan.question, expected, minimum)


def test_engines_agree_to_the_last_suppressed_cell(server: Server, tmp_path: Path) -> None:
    @as_often_as(server)
    @given(
        question=fitting_questions(),
        readings=reading_rows,
        homes=home_rows,
        admitted=st.lists(st.integers(0, SUBJECTS - 1)),
        minimum=st.integers(1, 4),
        data=st.data(),
    )
    def agree(
        question: Question,
        readings: list[dict[str, Any]],
        homes: list[dict[str, Any]],
        admitted: list[int],
        minimum: int,
        data: st.DataObject,
    ) -> None:
        lake = write_lake(tmp_path / "lake", readings, homes)
        plan = lake.plan(question, admitted, data.draw(limits_for(question)))
        assert_all_agree(plan, lake, server, minimum)
        assert spark_engine.holdings(plan, chosen_for(lake, server)) == reference.holdings(plan)

    agree()


def test_engines_agree_over_joins(server: Server, tmp_path: Path) -> None:
    @as_often_as(server)
    @given(question=joined_questions(), world=joined_worlds, admitted=admitted_sets, data=st.data())
    def agree(question: Question, world: World, admitted: list[int], data: st.DataObject) -> None:
        lake = lake_of(tmp_path / "lake", world)
        assert_all_agree(lake.plan(question, admitted, data.draw(limits_for(question))), lake, server)

    agree()


def test_engines_bound_alike(server: Server) -> None:
    @as_often_as(server)
    @given(found=rows(), bounding=boundings())
    def agree(found: list[Row], bounding: Bounding) -> None:
        assert bound_by_spark(server, found, bounding) == bound_naively(found, KEYS, bounding)

    agree()


def bound_by_spark(server: Server, found: list[Row], bounding: Bounding) -> BoundedCells:
    session = spark_client.ready_session(server.url)
    kinds = "k0 string, k1 bigint, subject_no int, moment bigint, v0 bigint, v1 bigint"
    frame = bounded_frame(session, session.createDataFrame(source_table(found), kinds), KEYS, bounding)
    return bounded_cells([list(row.values()) for row in frame.toArrow().to_pylist()], KEYS, bounding)


def test_private_answer_is_bounded_alike_from_the_lake_on(server: Server, tmp_path: Path) -> None:
    readings = [reading(n % 9, f"2026-01-0{1 + n % 4} {n % 24:02d}:15", energy_wh=n * 7 % 50 - 3) for n in range(90)]
    lake = write_lake(
        tmp_path / "lake", readings, [{"subject_no": n, "area": "港" if n % 2 else "中央"} for n in range(9)]
    )
    sql = "select area, date_trunc('day', start_at), count(*), sum(energy_wh) from energy.readings group by all"
    plan = lake.plan(parse_sql(sql), list(range(8)))
    days = [reading(0, f"2026-01-0{day}")["start_local"] for day in (1, 2, 3, 4, 5)]
    keys = tuple((area, day) for area in ("中央", "港") for day in days)
    bounding = Bounding(contribution_rows=5, most_cells=2, ends={"energy_wh": (0, 30)}, seed="s")
    found = spark_engine.run_bounded(plan, keys, bounding, chosen_for(lake, server))
    assert found == duckdb_engine.run_bounded(plan, keys, bounding, chosen_for(lake, server))
    # Five rows at most of each of eight people; who has fewer in their two cells counts with those.
    assert 8 * 4 < sum(next(iter(found.series.values()))) <= 8 * 5


def test_every_subject_of_a_large_city_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """120,000 subjects, 30,011 admitted, in 24 cells that each hold many: the bitmaps are DuckDB's, bit by bit."""
    monkeypatch.setattr(worlds, "UNIVERSE", 120_000)
    chance = np.random.default_rng(7)
    lake = write_lake(tmp_path / "lake", [], [])
    table = pa.table(
        {
            "subject_no": np.repeat(np.arange(120_000, dtype=np.int32), 2),
            "start_local": np.datetime64("2026-01-05T00:30", "us")
            + chance.integers(0, 24, 240_000).astype("timedelta64[h]"),
            "energy_wh": chance.integers(0, 900, 240_000).astype(np.int32),
        }
    )
    (file, *_) = lake.readings.files
    pq.write_table(table, file)
    admitted = [0, 63, 64, 119_999, *chance.permutation(119_900)[:30_007].tolist()]
    sql = "select hour(start_at), count(*), avg(energy_wh), quantile_cont(energy_wh, 0.9) from energy.readings group by all"
    plan = lake.plan(parse_sql(sql), admitted)
    found = spark_engine.run(plan, chosen_for(lake, server))
    assert_same_cells(plan, found, duckdb_engine.run(plan, chosen_for(lake, server)))
    assert np.bitwise_count(np.bitwise_or.reduce([np.frombuffer(c.subjects, np.uint8) for c in found])).sum() > 29_000


def test_engine_reads_no_row_of_a_subject_who_is_not_admitted(server: Server, tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake", [reading(n, energy_wh=n) for n in range(40)], [])
    plan = lake.plan(parse_sql("select sum(energy_wh) from energy.readings"), [3, 5])
    assert [cell.values for cell in spark_engine.run(plan, chosen_for(lake, server))] == [(8,)]
    nobody = lake.plan(parse_sql("select count(*) from energy.readings"), [])
    assert spark_engine.run(nobody, chosen_for(lake, server)) == []


def test_sum_beyond_64_bits_is_exact_and_the_largest_are_told(server: Server, tmp_path: Path) -> None:
    readings = [reading(n, total_wh=2**63 - 1, energy_wh=10 ** (n + 1)) for n in range(3)]
    lake = write_lake(tmp_path / "lake", readings, [])
    question = parse_sql("select sum(total_wh), max(energy_wh), sum(energy_wh) from energy.readings")
    plan = lake.plan(question, [0, 1, 2], Limits({"energy_wh": (0, 900)}, largest=1))
    (cell,) = spark_engine.run(plan, chosen_for(lake, server))
    assert cell.values == (3 * (2**63 - 1), 900, 1110)
    assert cell.largest == (pytest.approx(1 / 3), pytest.approx(100 / 111), pytest.approx(100 / 111))


def test_literals_are_values_and_never_text(server: Server, tmp_path: Path) -> None:
    words = ["') or true --", "`x`", "${y}", "\\", "%s"]
    lake = write_lake(tmp_path / "lake", [reading(at, note=word) for at, word in enumerate(words)], [])
    for word in words:
        quoted = word.replace("'", "''")
        plan = lake.plan(parse_sql(f"select count(*) from energy.readings where note = '{quoted}'"), list(range(9)))
        assert [cell.rows for cell in spark_engine.run(plan, chosen_for(lake, server))] == [1]


@pytest.mark.parametrize("old_type", [pa.int64(), pa.int32()], ids=str)
def test_older_files_are_read_in_the_types_of_today(server: Server, tmp_path: Path, old_type: pa.DataType) -> None:
    """A file may lack a column, or have int32 where int64 is meant now, which Sail refuses until the dataset is compacted
    whole; folders may be named as Hive names partitions."""
    lake = write_lake(tmp_path / "lake", [reading(1, total_wh=2**40, volts=1.5)], [])
    folder = lake.folder / "energy wh=5" / "note=x"
    folder.mkdir(parents=True)
    old = pa.table({"subject_no": pa.array([2, 2], pa.int32()), "total_wh": pa.array([7, None], old_type)})
    pq.write_table(old, folder / "a%20b.parquet")
    snapshot = Snapshot(READINGS, 2, (*lake.readings.files, str(folder / "a%20b.parquet")), str(lake.folder))
    newer = Lake(lake.folder, snapshot, lake.homes)
    plan = newer.plan(
        parse_sql("select note, sum(total_wh), count(*), sum(volts) from energy.readings group by note"), [1, 2]
    )
    if server.name != SPARK and old_type == pa.int32():
        with pytest.raises(EngineIsUnavailable):
            spark_engine.run(plan, chosen_for(newer, server))
        return
    (cell,) = spark_engine.run(plan, chosen_for(newer, server))
    assert (cell.key, cell.values, cell.filled, cell.rows) == ((None,), (2**40 + 7, 3, 1.5), (2, 3, 1), 3)

"""All engines give the same answer to the same question, to the last suppressed cell; and DuckDB's is locked in."""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.cleanroom.engines import duckdb_engine, reference
from sanpo.cleanroom.engines.duckdb_sql import to_statement
from sanpo.cleanroom.errors import (
    AnswerIsTooLarge,
    DisclosureIsNotSafe,
    EngineIsUnavailable,
    QuestionNeedsTooMuchMemory,
    QuestionRunsTooLong,
    TooFewSubjects,
)
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import Limits
from sanpo.lake import Snapshot
from sanpo.lake.errors import FileIsBroken
from tests.cleanroom.agreement import assert_same_cells, is_exact
from tests.cleanroom.joined_questions import limits_for
from tests.cleanroom.questions import EXAMPLES, MARKS, SUBJECTS, fitting_questions, home_rows, reading_rows
from tests.cleanroom.worlds import Lake, reading, released, settings_for, write_lake

pytestmark = MARKS


def outcome(question: Question, cells: list[Any], minimum: int) -> Any:
    try:
        return released(question, cells, minimum)
    except (TooFewSubjects, DisclosureIsNotSafe) as refusal:
        return refusal.code


@given(
    question=fitting_questions(),
    readings=reading_rows,
    homes=home_rows,
    admitted=st.lists(st.integers(0, SUBJECTS - 1)),
    minimum=st.integers(1, 4),
    data=st.data(),
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_engines_agree_to_the_last_suppressed_cell(
    tmp_path_factory: pytest.TempPathFactory,
    question: Question,
    readings: list[dict[str, Any]],
    homes: list[dict[str, Any]],
    admitted: list[int],
    minimum: int,
    data: st.DataObject,
) -> None:
    lake = write_lake(tmp_path_factory.getbasetemp() / "agree", readings, homes)
    plan = lake.plan(question, admitted, data.draw(limits_for(question)))
    expected = reference.run(plan)
    found = duckdb_engine.run(plan, settings_for(lake.folder))
    assert_same_cells(plan, found, expected)
    if all(is_exact(measure, plan) for measure in question.measures):
        assert outcome(question, found, minimum) == outcome(question, expected, minimum)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    readings = [reading(n, f"2026-01-05 {n % 24:02d}:15", energy_wh=n, note=f"n{n}") for n in range(40)]
    return write_lake(tmp_path / "lake", readings, [{"subject_no": n, "area": "中央"} for n in range(40)])


def everyone(lake: Lake, sql: str = "select count(*) from energy.readings") -> Any:
    return lake.plan(parse_sql(sql), list(range(40)))


def test_engine_reads_no_row_of_a_subject_who_is_not_admitted(lake: Lake) -> None:
    plan = lake.plan(parse_sql("select sum(energy_wh) from energy.readings"), [3, 5])
    assert [cell.values for cell in duckdb_engine.run(plan, settings_for(lake.folder))] == [(8,)]


def test_sum_beyond_64_bits_is_exact_inside_and_leaves_as_a_float(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "wide", [reading(n, total_wh=2**63 - 1) for n in range(3)], [])
    question = parse_sql("select sum(total_wh) from energy.readings")
    cells = duckdb_engine.run(lake.plan(question, [0, 1, 2]), settings_for(lake.folder))
    assert [cell.values for cell in cells] == [(3 * (2**63 - 1),)]
    (row,), _ = released(question, cells, 1)
    assert repr(row.values) == f"({float(3 * 2**63)!r},)"


@pytest.mark.parametrize("engine", ["duckdb", "reference"])
def test_minimum_and_maximum_are_told_no_further_out_than_the_limits(lake: Lake, engine: str) -> None:
    question = parse_sql("select min(energy_wh), max(energy_wh), sum(energy_wh) from energy.readings")
    plan = lake.plan(question, list(range(40)), Limits({"energy_wh": (5, 30)}))
    (cell,) = reference.run(plan) if engine == "reference" else duckdb_engine.run(plan, settings_for(lake.folder))
    assert cell.values == (5, 30, sum(range(40)))
    assert cell.largest == ()


@pytest.mark.parametrize("engine", ["duckdb", "reference"])
def test_largest_tells_what_part_the_first_subjects_hold(tmp_path: Path, engine: str) -> None:
    readings = [reading(1, energy_wh=60, volts=0.0), reading(1, energy_wh=-20), reading(2, energy_wh=15), reading(3)]
    lake = write_lake(tmp_path / "lake", [*readings, reading(4, energy_wh=5)], [])
    question = parse_sql("select sum(energy_wh), count(*), sum(volts) from energy.readings")
    plan = lake.plan(question, [1, 2, 3, 4], Limits(largest=2))
    (cell,) = reference.run(plan) if engine == "reference" else duckdb_engine.run(plan, settings_for(lake.folder))
    assert cell.largest == (0.95, None, None)


@pytest.mark.parametrize("engine", ["duckdb", "reference"])
@pytest.mark.parametrize(
    ("edges", "bands"), [("9.5, 20", [0, 1, 2]), ("0", [1]), ("1e300", [0]), ("-1e300, 9223372036854775807", [1])]
)
def test_band_is_the_number_of_edges_that_are_not_above(lake: Lake, engine: str, edges: str, bands: list[int]) -> None:
    plan = everyone(lake, f"select band(energy_wh, {edges}), count(*) from energy.readings group by all")
    cells = reference.run(plan) if engine == "reference" else duckdb_engine.run(plan, settings_for(lake.folder))
    assert sorted(cell.key[0] for cell in cells) == bands


def test_engine_finds_no_cell_when_nobody_is_admitted(lake: Lake) -> None:
    plan = lake.plan(parse_sql("select count(*) from energy.readings"), [])
    assert duckdb_engine.run(plan, settings_for(lake.folder)) == []


def test_statement_holds_no_literal_and_no_path(lake: Lake) -> None:
    sql = "select area, count(*) from energy.readings where area in ('中央''; drop') and energy_wh > 777 group by area"
    statement = to_statement(everyone(lake, sql))
    assert "drop" not in statement.sql
    assert "777" not in statement.sql
    assert str(lake.folder) not in statement.sql
    assert {"中央'; drop", 777} <= {value for value in statement.params.values() if isinstance(value, str | int)}


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "attach '/tmp/other.db' as other",
        "copy (select 1) to '/tmp/out.csv'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "set threads = 64",
    ],
)
def test_engine_database_refuses_everything_outside_the_lake(lake: Lake, statement: str) -> None:
    chosen = settings_for(lake.folder)
    duckdb_engine.run(everyone(lake), chosen)
    database = duckdb_engine.database_for(chosen)
    with pytest.raises(duckdb.Error):
        database.cursor().execute(statement)


def test_engine_shows_the_admitted_set_to_its_own_question_only(lake: Lake) -> None:
    chosen = settings_for(lake.folder)
    duckdb_engine.run(everyone(lake), chosen)
    database = duckdb_engine.database_for(chosen)
    with pytest.raises(duckdb.CatalogException):
        database.cursor().execute("select * from admitted")


def test_engine_stops_a_question_at_the_time_limit(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        sql = "select count(*) from range(100000000000) a where a.range % 7 = $p0"
        params = {"p0": 3}
        far: dict[str, Snapshot] = {}

    monkeypatch.setattr(duckdb_engine, "to_statement", lambda plan: Endless)
    with pytest.raises(QuestionRunsTooLong) as refused:
        duckdb_engine.run(everyone(lake), settings_for(lake.folder, question_timeout_ms=200))
    assert refused.value.fields == {"limit_ms": 200}


def test_engine_stops_a_question_at_the_memory_limit(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wide:
        sql = "select count(distinct range) from range(20000000) where range > $p0"
        params = {"p0": 0}
        far: dict[str, Snapshot] = {}

    monkeypatch.setattr(duckdb_engine, "to_statement", lambda plan: Wide)
    with pytest.raises(QuestionNeedsTooMuchMemory) as refused:
        duckdb_engine.run(everyone(lake), settings_for(lake.folder, question_memory_mb=48, question_spill_mb=0))
    assert refused.value.fields == {"limit_mb": 48}


def test_engine_uses_the_disk_where_memory_does_not_do(lake: Lake) -> None:
    """Sorting a table larger than the memory: refused without disk, answered with it, from a folder closed to others."""
    wide = "select max(n) from (select a.range as n from range(6000000) a order by hash(n) offset 5999999)"
    none, some = (settings_for(lake.folder, question_memory_mb=60, question_spill_mb=mb) for mb in (0, 2000))
    with pytest.raises(duckdb.OutOfMemoryException):
        duckdb_engine.database_for(none).cursor().execute(wide)
    assert duckdb_engine.database_for(some).cursor().execute(wide).fetchone() is not None
    (folder,) = (some.home / "spill").iterdir()
    assert folder.stat().st_mode & 0o077 == 0


def test_what_a_killed_process_left_on_the_disk_goes(lake: Lake) -> None:
    left = lake.folder / "spill" / "999999999-of-before"
    left.mkdir(parents=True)
    duckdb_engine.database_for(settings_for(lake.folder))
    assert not left.exists()


@pytest.mark.parametrize("engine", ["duckdb", "reference"])
def test_engine_refuses_an_answer_of_too_many_cells(lake: Lake, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    for module in ("sanpo.cleanroom.engines.duckdb_engine", "sanpo.cleanroom.engines.reference"):
        monkeypatch.setattr(f"{module}.MOST_CELLS", 30)
    monkeypatch.setattr("sanpo.cleanroom.engines.duckdb_sql.MOST_CELLS", 30)
    plan = everyone(lake, "select note, count(*) from energy.readings group by note")
    with pytest.raises(AnswerIsTooLarge) as refused:
        reference.run(plan) if engine == "reference" else duckdb_engine.run(plan, settings_for(lake.folder))
    assert refused.value.fields == {"most": 30}


@pytest.mark.parametrize("damage", ["broken", "gone"])
def test_damaged_file_is_named(lake: Lake, damage: str) -> None:
    victim = Path(lake.readings.files[1])
    victim.unlink()
    if damage == "broken":
        victim.write_bytes(b"PAR1 this is no parquet PAR1")
    with pytest.raises(FileIsBroken) as refused:
        duckdb_engine.run(everyone(lake), settings_for(lake.folder))
    assert (refused.value.fields["dataset"], refused.value.fields["file"]) == ("energy.readings", victim.name)


def test_engine_is_unavailable_when_files_can_be_read_but_do_not_fit(lake: Lake) -> None:
    victim = Path(lake.readings.files[1])
    pq.write_table(pa.table({"subject_no": pa.array([1], pa.int32()), "energy_wh": ["much"]}), victim)
    with pytest.raises(EngineIsUnavailable) as refused:
        duckdb_engine.run(everyone(lake, "select sum(energy_wh) from energy.readings"), settings_for(lake.folder))
    assert refused.value.fields["dataset"] == "energy.readings"
    assert str(lake.folder) not in refused.value.fields["problem"]

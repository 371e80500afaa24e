"""What stops a question at a Spark Connect server, and what is said when the server is not as it should be."""

import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sanpo.cleanroom import ask
from sanpo.cleanroom.engines import spark_engine
from sanpo.cleanroom.errors import AnswerIsTooLarge, EngineIsUnavailable, QuestionRunsTooLong, QuestionWasEnded
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import Plan
from sanpo.lake import FileIsBroken, Snapshot
from tests.cleanroom.cities import BY_AREA, BY_DWELLING, Walk
from tests.cleanroom.spark.servers import SPARK, Server, chosen_for, free_port, running, skip_without_client
from tests.cleanroom.worlds import READINGS, Lake, reading, settings_for, write_lake

skip_without_client()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    readings = [reading(n, f"2026-01-05 {n % 24:02d}:15", energy_wh=n, note=f"n{n}") for n in range(40)]
    return write_lake(tmp_path / "lake", readings, [{"subject_no": n, "area": "中央"} for n in range(40)])


WORKS_BY_THEN_S = 8
"""Apache Spark lets a question run on that is ended while it still plans it, so these are ended later."""


def everyone(lake: Lake, sql: str = "select count(*) from energy.readings") -> Plan:
    return lake.plan(parse_sql(sql), list(range(40)))


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a statement that takes hours in the place of the cells'."""
    from sanpo.cleanroom.engines.spark_client import F

    def counted(rows: Any) -> Any:
        numbers = rows.frame.sparkSession.range(0, 10**13, 1, 2)
        return numbers.groupBy((F.col("id") % F.lit(7)).alias("k0")).agg(F.sum(F.sqrt("id")).alias("rows"))

    monkeypatch.setattr(spark_engine, "_counted", counted)


def assert_idle_soon(server: Server) -> None:
    """Whether the server has stopped working, too: an interrupted question must not burn on."""
    for _ in range(40):
        before = server.cpu_s()
        time.sleep(1)
        if server.cpu_s() - before < 0.5:
            return
    pytest.fail("the server is still busy")


@pytest.mark.usefixtures("endless")
def test_question_is_stopped_at_the_time_limit_and_at_the_server(server: Server, lake: Lake) -> None:
    with pytest.raises(QuestionRunsTooLong) as refused:
        spark_engine.run(everyone(lake), chosen_for(lake, server, question_timeout_ms=15_000))
    assert refused.value.fields == {"limit_ms": 15_000}
    assert_idle_soon(server)


@pytest.mark.usefixtures("endless")
def test_question_is_stopped_when_it_is_ended(server: Server, lake: Lake) -> None:
    asked = time.monotonic()
    with pytest.raises(QuestionWasEnded):
        spark_engine.run(everyone(lake), chosen_for(lake, server), lambda: time.monotonic() > asked + WORKS_BY_THEN_S)
    assert_idle_soon(server)


def test_question_that_is_stopped_leaves_another_alone(
    server: Server, lake: Lake, request: pytest.FixtureRequest
) -> None:
    """Both share the process's session; the tag tells them apart."""
    plain, found = spark_engine._counted, []
    request.getfixturevalue("endless")
    stop = threading.Event()

    def asks_too_much() -> None:
        with pytest.raises(QuestionWasEnded):
            spark_engine.run(everyone(lake), chosen_for(lake, server), stop.is_set)
        found.append("ended")

    other = threading.Thread(target=asks_too_much)
    other.start()
    time.sleep(WORKS_BY_THEN_S)
    spark_engine._counted = plain
    threading.Timer(0.2, stop.set).start()
    assert [cell.rows for cell in spark_engine.run(everyone(lake), chosen_for(lake, server))] == [40]
    other.join(timeout=30)
    assert found == ["ended"]


def test_answer_of_too_many_cells_is_refused(server: Server, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_engine, "MOST_CELLS", 30)
    with pytest.raises(AnswerIsTooLarge) as refused:
        spark_engine.run(
            everyone(lake, "select note, count(*) from energy.readings group by note"), chosen_for(lake, server)
        )
    assert refused.value.fields == {"most": 30}


@pytest.mark.parametrize("damage", ["broken", "gone"])
def test_broken_file_is_named(server: Server, lake: Lake, damage: str) -> None:
    victim = Path(lake.readings.files[1])
    victim.unlink()
    if damage == "broken":
        victim.write_bytes(b"PAR1 this is no parquet PAR1")
    with pytest.raises(FileIsBroken) as refused:
        spark_engine.run(everyone(lake), chosen_for(lake, server))
    assert refused.value.fields["file"].endswith(victim.name)
    assert spark_engine.run(everyone(write_lake(lake.folder, [reading(1)], [])), chosen_for(lake, server)) != []


def test_file_that_the_server_does_not_see_is_no_empty_file(
    server: Server, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both are, is another folder for the server than for us. Sail alone would answer from the one file that it has."""
    names = [Path(file).name for file in lake.readings.files]
    shutil.copy(lake.folder / names[0], server.folder)
    monkeypatch.chdir(lake.folder)
    seen = Snapshot(READINGS, 1, tuple(f"/proc/self/cwd/{name}" for name in names), "/proc/self/cwd")
    hidden = replace(lake, readings=seen)
    with pytest.raises(EngineIsUnavailable) as refused:
        spark_engine.run(everyone(hidden), chosen_for(hidden, server))
    found = "the server sees 1 of 2 files" if server.name != SPARK else "PATH_NOT_FOUND"
    assert found in refused.value.fields["problem"]


def test_answer_of_the_cluster_is_the_citys(server: Server, walk: Walk) -> None:
    """The whole walk with this engine: what leaves and what the journal keeps is what DuckDB's answer would be."""
    walk.give(*range(30))
    on_cluster = replace(walk.city, settings=replace(walk.city.settings, engine=server.url))
    for sql in (BY_AREA, BY_DWELLING, "select quantile_cont(energy_wh, 0.5) from energy.readings"):
        ours, theirs = walk.ask(sql), ask(on_cluster, walk.asker, None, sql)
        assert (ours.rows, ours.subjects, ours.suppressed_cells) == (
            theirs.rows,
            theirs.subjects,
            theirs.suppressed_cells,
        )
    counted = [entry.body["subjects"] for entry in walk.entries("use")]
    assert counted[::2] == counted[1::2]
    assert [len(walk.seen_by(place)) for place in (0, 29, 30)] == [len(counted), len(counted), 0]


def test_nothing_is_recorded_when_no_server_listens(walk: Walk) -> None:
    walk.give(*range(20))
    nowhere = replace(walk.city, settings=replace(walk.city.settings, engine=f"sc://127.0.0.1:{free_port()}"))
    began = time.monotonic()
    with pytest.raises(EngineIsUnavailable) as refused:
        ask(nowhere, walk.asker, None, BY_AREA)
    assert "Connection refused" in refused.value.fields["problem"]
    assert walk.entries("use") == walk.entries("refusal") == []
    assert time.monotonic() - began < 20


def test_answers_go_on_when_the_server_was_restarted(sail: Server, lake: Lake, tmp_path: Path) -> None:
    port = free_port()
    chosen = settings_for(lake.folder, engine=f"sc://127.0.0.1:{port}")
    plan = everyone(lake, "select date_trunc('day', start_at), count(*) from energy.readings group by all")
    before, after = [], []
    for found in (before, after):
        with running(sail.name, tmp_path / "server", port=port):
            found += spark_engine.run(plan, chosen)
    assert before == after


def test_answers_go_on_when_the_server_let_the_session_go(sail: Server, lake: Lake, tmp_path: Path) -> None:
    """Then Sail opens a new one under the old name, which has none of the settings that the answer depends on."""
    plan = everyone(lake, "select hour(start_at), count(*) from energy.readings group by all")
    with running(sail.name, tmp_path / "server", SAIL_SPARK__SESSION_TIMEOUT_SECS="1") as server:
        before = spark_engine.run(plan, chosen_for(lake, server))
        time.sleep(4)
        assert "removing idle session" in (server.folder / "server.log").read_text(encoding="utf-8")
        after = spark_engine.run(plan, chosen_for(lake, server))
    assert sorted(map(repr, before)) == sorted(map(repr, after))

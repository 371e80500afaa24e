"""The lake on an object store: everything that a directory does, against a local S3 server (`make test-s3`)."""

import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa
import pytest
from pyarrow.fs import FileSelector, FileSystem

from sanpo.cleanroom import ask
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.lake import LakeIsUnavailable, SnapshotIsGone, append, compact, open_snapshot, read_subject, snapshot
from sanpo.lake import actions as lake_actions
from sanpo.lake import replace as replace_rows
from sanpo.lake.errors import LakeIsBusy
from sanpo.lake.health import check_files
from sanpo.lake.store import file_system
from sanpo.lake.upkeep import erase_subject, retain
from tests.lake.datasets import COLUMNS, DEMO, described, things
from tests.lake.rows import BEGIN, READINGS, readings
from tests.lake.upkeep.people import PEOPLE, held, homes_of, resident, rows_of
from tests.lake.upkeep.test_retention import HORIZON, NOW, things_at, times
from tests.world import World

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
ME, *OTHERS = PEOPLE
BUCKET = "city"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server of this machine, which forgets everything at its end."""
    program = shutil.which("moto_server") or shutil.which("moto_server", path=str(ROOT / ".venv-s3" / "bin"))
    if program is None:
        pytest.skip("no local S3 server: `make test-s3` sets one up")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    child = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _make_bucket(address)
        yield address
    finally:
        child.terminate()
        child.wait(20)


def _make_bucket(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(f"{address}/{BUCKET}", method="PUT"))
            return
        except OSError:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.2)


@pytest.fixture
def far(city: City, server: str, monkeypatch: pytest.MonkeyPatch) -> City:
    """A city whose lake lies in a bucket; where and with which key comes from the environment, as everybody's does."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    return replace(city, settings=replace(city.settings, lake_url=f"s3://{BUCKET}/{uuid4().hex}"))


def store_of(city: City, name: str = READINGS) -> FileSystem:
    return file_system(f"{city.lake_url}/{name.replace('.', '/')}")


def objects(fs: FileSystem) -> dict[str, bytes]:
    """All objects of a table, by name."""
    found = fs.get_file_info(FileSelector("", recursive=True))
    return {info.path: _read(fs, info.path) for info in found if info.is_file}


def _read(fs: FileSystem, path: str) -> bytes:
    with fs.open_input_stream(path) as file:
        return bytes(file.read())


def test_rows_come_back_sorted_once_and_by_version(far: City) -> None:
    first = append(far, READINGS, readings(range(5), 12), once="imp_a")
    append(far, READINGS, readings(range(5), 12), once="imp_a")
    append(far, READINGS, readings(range(5, 8), 4))
    assert [len(snapshot(far, READINGS, version).files) for version in (first, None)] == [2, 3]
    assert all(file.startswith(far.lake_url) for file in snapshot(far, READINGS).files)
    subjects = [row["subject_no"] for row in held(far)]
    assert len(subjects) == 5 * 12 + 3 * 4
    assert read_subject(far, resident(3), READINGS).num_rows == 12


def test_appends_at_once_all_land(far: City) -> None:
    append(far, READINGS, readings([0], 1))
    start, failed = threading.Barrier(4), list[Exception]()

    def work(subject: int) -> None:
        start.wait()
        try:
            append(far, READINGS, readings([subject], 2))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(subject,)) for subject in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(held(far)) == 9


def test_second_of_two_compactions_at_once_is_refused(far: City, monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in range(2):
        append(far, READINGS, readings([subject], 2))
    real: Callable[..., None] = lake_actions.commit_rewrite

    def commit_late(*args: object) -> None:
        monkeypatch.setattr(lake_actions, "commit_rewrite", real)
        assert compact(far, READINGS).files_after == 1
        real(*args)

    monkeypatch.setattr(lake_actions, "commit_rewrite", commit_late)
    with pytest.raises(LakeIsBusy):
        compact(far, READINGS)
    assert len(held(far)) == 4


def test_erased_resident_is_in_no_object(far: City) -> None:
    append(far, READINGS, rows_of(PEOPLE))
    version = append(far, READINGS, rows_of([ME]))
    fs, mark = store_of(far), ME.to_bytes(4, "little")
    assert any(mark in data for data in objects(fs).values())
    done = erase_subject(far, System("operator"), ME, now=True)
    assert done.state == "gone"
    assert [each.rows for each in done.took_out] == [8]
    left = objects(fs)
    assert not [name for name, data in left.items() if mark in data or str(ME).encode() in data]
    assert not [name for each in done.took_out for name in each.removed if name in left]
    assert {row["subject_no"] for row in held(far)} == set(OTHERS)
    with pytest.raises(SnapshotIsGone):
        snapshot(far, READINGS, version)
    append(far, READINGS, rows_of([ME]))
    assert len(held(far)) == 4 * len(PEOPLE)


def test_retention_and_new_columns_work_too(far: City) -> None:
    short = described(far, things(retention_days=40))
    append(short, DEMO, things_at(HORIZON.replace(year=2020), HORIZON, NOW))
    assert retain(short, System("operator"), DEMO).rows == 1
    grown = described(far, things([*COLUMNS, {"name": "note", "type": "float64", "role": "measure"}]))
    assert times(grown) == [HORIZON, NOW]
    assert open_snapshot(snapshot(grown, DEMO)).to_table()["note"].to_pylist() == [None, None]


def test_duckdb_scans_a_snapshot_with_columns_and_filters_pushed_down(far: City) -> None:
    """DuckDB's own way to S3 is an extension that is loaded from the network; a locked-down engine has none."""
    append(far, READINGS, readings(range(100), 12))
    engine = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    with pytest.raises(duckdb.Error):
        engine.execute("select count(*) from read_parquet($f)", {"f": list(snapshot(far, READINGS).files)})
    engine.execute("set enable_external_access = false")
    cursor = engine.cursor()
    cursor.register("r", open_snapshot(snapshot(far, READINGS)))
    cursor.register("admitted", pa.table({"subject_no": pa.array(range(50), pa.int32())}))
    sql = "select count(*), sum(energy_wh) from r join admitted using (subject_no) where start_at >= $at"
    assert cursor.execute(sql, {"at": BEGIN}).fetchone() == (
        600,
        sum(n * 1000 + step for n in range(50) for step in range(12)),
    )
    plan = str(cursor.execute("explain select sum(energy_wh) from r where subject_no = 3").fetchall()[0][1])
    assert "ARROW_SCAN" in plan
    assert "subject_no = 3" in plan.replace('"', "")
    assert "meter_no" not in plan


def test_question_is_answered_from_the_store_as_from_a_folder(far: City) -> None:
    """The whole walk, two datasets and the guard: of those who agreed, and no difference to the same lake in a folder."""
    world = World(far)
    people = world.residents(14)
    numbers = [each.subject_no for each in people]
    near = replace(far, settings=replace(far.settings, lake_url=""))
    for city in (far, near):
        append(city, READINGS, readings(numbers, 12))
        replace_rows(city, "energy.homes", homes_of(*numbers))
    agreement = world.agreement()
    world.give(agreement, people[:12])
    sql = "select count(*), sum(energy_wh) from energy.readings where dwelling_type is not null"
    asker = world.client(world.university, agreement)
    answers = [ask(city, asker, None, sql) for city in (far, near)]
    assert answers[0].rows == answers[1].rows
    assert [(row.values[0], row.subjects) for row in answers[0].rows] == [(12 * 12, 12)]
    world.give(agreement, people[12:])
    again = ask(far, asker, None, sql)
    assert again.as_before in {answer.entry_id for answer in answers}


def test_check_reads_every_object_and_says_which_is_missing(far: City) -> None:
    append(far, READINGS, readings(range(5), 12))
    assert check_files(far, READINGS).broken == ()
    lost = snapshot(far, READINGS).files[0].removeprefix(f"{far.lake_url}/energy/readings/")
    store_of(far).delete_file(lost)
    assert [(each.file, each.problem) for each in check_files(far, READINGS).broken] == [(lost, "missing")]


def test_store_that_does_not_answer_is_unavailable(far: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(LakeIsUnavailable):
        append(far, READINGS, readings([1], 1))

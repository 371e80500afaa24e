"""Appending: one commit, sorted files, few of them, nothing half done, nothing twice."""

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from sanpo.ground.city import City
from sanpo.lake import append, has_appended, snapshot
from sanpo.lake.errors import RowsDoNotFitDataset
from sanpo.lake.layout import SUBJECTS_PER_RANGE
from tests.lake.rows import READINGS, readings


def held(city: City) -> list[tuple[Any, ...]]:
    """(subject, energy) of all rows of the present snapshot, sorted."""
    files = list(snapshot(city, READINGS).files)
    if not files:
        return []
    return sorted(
        duckdb.execute(
            "select subject_no, energy_wh from read_parquet($f, hive_partitioning = false)", {"f": files}
        ).fetchall()
    )


def test_append_gives_back_what_was_written(city: City) -> None:
    version = append(city, READINGS, readings(range(3), 5))
    assert version == snapshot(city, READINGS).version
    assert held(city) == [(subject, subject * 1000 + step) for subject in range(3) for step in range(5)]


def test_snapshot_is_empty_before_the_first_append(city: City) -> None:
    assert snapshot(city, READINGS).files == ()


def test_files_are_sorted_by_subject_and_time_and_named_by_absolute_path(city: City) -> None:
    append(city, READINGS, readings(range(40), 12))
    for file in snapshot(city, READINGS).files:
        assert Path(file).is_absolute()
        rows = pq.ParquetFile(file).read()
        order = list(zip(rows["subject_no"].to_pylist(), rows["start_at"].cast(pa.int64()).to_pylist(), strict=True))
        assert order == sorted(order)
        assert rows.schema.names == ["subject_no", "meter_no", "start_at", "start_local", "energy_wh"]


def test_partitions_are_utc_months_and_ranges_of_subjects(city: City) -> None:
    # 22:00 UTC on 31 January is 1 February in Japan; the month is UTC's.
    append(city, READINGS, readings([1, SUBJECTS_PER_RANGE, SUBJECTS_PER_RANGE + 1], 12))
    parts = sorted("/".join(Path(file).parts[-3:-1]) for file in snapshot(city, READINGS).files)
    assert parts == [
        "month=2026-01/subject_range=0",
        "month=2026-01/subject_range=1",
        "month=2026-02/subject_range=0",
        "month=2026-02/subject_range=1",
    ]


def test_small_data_makes_one_file_for_each_month(city: City) -> None:
    append(city, READINGS, readings(range(500), 12))
    assert len(snapshot(city, READINGS).files) == 2


def test_stream_is_appended_like_a_table(city: City) -> None:
    table = readings(range(3), 5)
    schema = snapshot(city, READINGS).dataset.schema
    append(city, READINGS, pa.RecordBatchReader.from_batches(schema, table.cast(schema).to_batches(max_chunksize=4)))
    assert len(held(city)) == 15


def test_old_snapshot_still_reads_its_rows_after_an_append(city: City) -> None:
    first = append(city, READINGS, readings(range(2), 2))
    append(city, READINGS, readings(range(2, 4), 2))
    old = snapshot(city, READINGS, first)
    assert sum(pq.ParquetFile(file).metadata.num_rows for file in old.files) == 4


def test_snapshot_leaves_out_months_outside_the_time_asked_for(city: City) -> None:
    append(city, READINGS, readings(range(2), 12))
    from datetime import UTC, datetime

    february = datetime(2026, 2, 1, tzinfo=UTC)
    assert len(snapshot(city, READINGS).files) == 2
    assert ["2026-02" in file for file in snapshot(city, READINGS, since=february).files] == [True]
    assert ["2026-01" in file for file in snapshot(city, READINGS, until=datetime(2026, 1, 31, tzinfo=UTC)).files] == [
        True
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.drop_columns(["energy_wh"]),
        lambda t: t.append_column("extra", t["energy_wh"]),
        lambda t: t.set_column(0, "subject_no", pa.array([2**40] * t.num_rows)),
        lambda t: t.set_column(0, "subject_no", pa.nulls(t.num_rows, pa.int32())),
        lambda t: t.set_column(2, "start_at", pa.nulls(t.num_rows, pa.timestamp("us", "UTC"))),
        lambda t: pa.RecordBatchReader.from_batches(t.schema, t.to_batches()),
    ],
    ids=["column missing", "column too many", "too large", "no subject", "no time", "stream of another schema"],
)
def test_append_is_refused_and_changes_nothing_when_rows_do_not_fit(city: City, change: Any) -> None:
    with pytest.raises(RowsDoNotFitDataset):
        append(city, READINGS, change(readings(range(3), 3)))
    assert held(city) == []
    assert not list(Path(city.lake_url).rglob("*.parquet"))


def test_append_under_the_same_key_lands_once(city: City) -> None:
    append(city, READINGS, readings(range(2), 2), once="imp_a")
    append(city, READINGS, readings(range(2), 2), once="imp_a")
    assert len(held(city)) == 4
    assert has_appended(city, READINGS, "imp_a")
    assert not has_appended(city, READINGS, "imp_b")


def test_appends_at_once_all_land(city: City) -> None:
    append(city, READINGS, readings([0], 1))
    start = threading.Barrier(6)

    def work(subject: int) -> None:
        start.wait()
        append(city, READINGS, readings([subject], 2))

    threads = [threading.Thread(target=work, args=(subject,)) for subject in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted({subject for subject, _ in held(city)}) == list(range(7))
    assert len(held(city)) == 13


def test_first_appends_at_once_make_one_table(city: City) -> None:
    start = threading.Barrier(4)

    def work(subject: int) -> None:
        start.wait()
        append(city, READINGS, readings([subject], 1), once="same" if subject < 2 else None)

    threads = [threading.Thread(target=work, args=(subject,)) for subject in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    subjects = [subject for subject, _ in held(city)]
    assert len(subjects) == 3, "two of the four went under the same key"
    assert {2, 3} < set(subjects)


def _crash_before_commit(lake_url: str, table: pa.Table) -> None:
    """Runs in a process of its own that dies when the files are written and the commit is not."""
    import os

    from sanpo.lake import files, store
    from sanpo.lake.catalogue import _datasets_of
    from sanpo.services.energy.service import service

    dataset = next(dataset for dataset in _datasets_of(service) if dataset.name == READINGS)
    url = store.table_url(lake_url, dataset)
    store.open_table(url, dataset)
    rows = table.append_column("part_", pa.array([(2026 * 12) << 20] * table.num_rows, pa.int64()))
    files.write_files(store.file_system(url), dataset, rows.to_batches())
    os._exit(9)


def test_crash_before_the_commit_leaves_no_row(city: City) -> None:
    schema = snapshot(city, READINGS).dataset.schema
    table = readings(range(2), 2).cast(schema)
    child = multiprocessing.get_context("spawn").Process(target=_crash_before_commit, args=(city.lake_url, table))
    child.start()
    child.join()
    assert child.exitcode == 9
    assert list(Path(city.lake_url).rglob("*.parquet")), "the files are there"
    assert held(city) == []
    append(city, READINGS, readings(range(2), 2))
    assert len(held(city)) == 4


def test_table_is_open_to_any_reader_of_delta(city: City) -> None:
    append(city, READINGS, readings(range(2), 2))
    table = DeltaTable(f"{city.lake_url}/energy/readings")
    assert table.metadata().name == READINGS
    assert table.count() == 4

"""How a dataset may change while its rows stay: new columns read null, int32 grows to int64, all else is refused."""

import threading
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.lake import append, compact, open_snapshot, read_subject, replace, snapshot
from sanpo.lake.actions import check_datasets
from sanpo.lake.errors import ColumnCannotChange
from sanpo.lake.upkeep import erase_subject
from tests.lake.datasets import COLUMNS, DEMO, described, things
from tests.lake.rows import BEGIN
from tests.lake.test_own_rows import resident

NEW = {"name": "note", "type": "float64", "role": "measure"}
BIG = 2**40


def with_column(*added: dict[str, Any], at: int = len(COLUMNS), **changed: dict[str, Any]) -> dict[str, Any]:
    """The manifest's next version: columns added at a place, and others changed or (None) left out."""
    columns = [{**column, **(changed.get(column["name"]) or {})} for column in COLUMNS]
    columns = [column for column in columns if changed.get(column["name"], 1) is not None]
    return things([*columns[:at], *added, *columns[at:]])


def rows(*amounts: int, subject_no: int = 1, **more: list[Any]) -> pa.Table:
    count = len(amounts)
    return pa.table(
        {
            "subject_no": [subject_no] * count,
            "at": [BEGIN] * count,
            "kind": ["a"] * count,
            "amount": list(amounts),
            **more,
        }
    )


def pairs(city: City) -> list[tuple[int, float | None]]:
    found = open_snapshot(snapshot(city, DEMO)).to_table().to_pylist()
    return sorted(((row["amount"], row["note"]) for row in found), key=lambda pair: pair[0])


def asked(city: City, sql: str) -> list[tuple[Any, ...]]:
    """What DuckDB finds in the snapshot's files when it matches columns by name, as the engine does."""
    files = list(snapshot(city, DEMO).files)
    return duckdb.execute(
        sql.format("read_parquet($f, union_by_name = true, hive_partitioning = false)"), {"f": files}
    ).fetchall()


@pytest.fixture
def old(city: City) -> City:
    """Things as the first version of their service wrote them."""
    before = described(city, things())
    append(before, DEMO, rows(1, 2))
    return before


@pytest.mark.parametrize("place", [0, 2, len(COLUMNS)])
def test_new_column_reads_null_in_old_rows_wherever_it_stands(old: City, place: int) -> None:
    new = described(old, with_column(NEW, at=place))
    assert pairs(new) == [(1, None), (2, None)]
    assert asked(new, "select amount, note from {} order by 1") == [(1, None), (2, None)]
    append(new, DEMO, rows(3, note=[0.5]))
    assert pairs(new) == [(1, None), (2, None), (3, 0.5)]
    assert asked(new, "select sum(amount), count(note) from {}") == [(6, 1)]


def test_resident_reads_old_rows_by_the_new_manifest(old: City) -> None:
    new = described(old, with_column(NEW, amount={"type": "int64"}))
    own = read_subject(new, resident(1), DEMO)
    assert own.schema == snapshot(new, DEMO).dataset.schema
    assert own["note"].to_pylist() == [None, None]


def test_int32_grows_to_int64(old: City) -> None:
    new = described(old, with_column(NEW, amount={"type": "int64"}))
    append(new, DEMO, rows(BIG, note=[1.0]))
    assert pairs(new) == [(1, None), (2, None), (BIG, 1.0)]
    assert asked(new, "select max(amount) from {}") == [(BIG,)]


def test_rewrites_write_the_new_columns(old: City) -> None:
    new = described(old, with_column(NEW, amount={"type": "int64"}))
    append(new, DEMO, rows(BIG, subject_no=2, note=[1.0]))
    append(new, DEMO, rows(4, subject_no=2, note=[2.0]))
    erase_subject(new, System("operator"), 2)
    compact(new, DEMO)
    append(new, DEMO, rows(5, note=[3.0]))
    compact(new, DEMO)
    assert pairs(new) == [(1, None), (2, None), (5, 3.0)]


def test_whole_compaction_writes_old_files_in_the_new_types(old: City) -> None:
    new = described(old, with_column(NEW, amount={"type": "int64"}))
    assert compact(new, DEMO).files_before == 0
    assert compact(new, DEMO, spare=0).files_before == 1
    files = snapshot(new, DEMO).files
    assert {str(pq.read_schema(file).field("amount").type) for file in files} == {"int64"}
    assert pairs(new) == [(1, None), (2, None)]


def test_old_version_is_read_by_the_new_manifest(old: City) -> None:
    version = snapshot(old, DEMO).version
    new = described(old, with_column(NEW, amount={"type": "int64"}))
    append(new, DEMO, rows(BIG, note=[1.0]))
    then = snapshot(new, DEMO, version)
    assert [row["note"] for row in open_snapshot(then).to_table().to_pylist()] == [None, None]
    found = duckdb.execute(
        "select count(*), count(note) from read_parquet($f, union_by_name = true)", {"f": list(then.files)}
    )
    assert found.fetchall() == [(2, 0)]


def test_any_reader_of_delta_sees_the_new_columns(old: City) -> None:
    new = described(old, with_column(NEW, amount={"type": "int64"}))
    check_datasets(new)
    table = DeltaTable(f"{new.lake_url}/demo/things")
    types = {field.name: field.type for field in pa.schema(table.schema().to_arrow())}
    assert (types["amount"], types["note"]) == (pa.int64(), pa.float64())
    assert table.count() == 2


def test_process_of_the_older_service_goes_on(old: City) -> None:
    new = described(old, with_column(NEW))
    append(new, DEMO, rows(3, note=[0.5]))
    append(old, DEMO, rows(4))
    assert [row["amount"] for row in open_snapshot(snapshot(old, DEMO)).to_table().to_pylist()].count(3) == 1
    assert pairs(new) == [(1, None), (2, None), (3, 0.5), (4, None)]


def test_processes_that_meet_the_old_table_at_once_agree(old: City) -> None:
    start = threading.Barrier(4)
    failed: list[Exception] = []

    def work(amount: int) -> None:
        new = described(old, with_column(NEW))
        start.wait()
        try:
            append(new, DEMO, rows(amount, note=[0.5]))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(amount,)) for amount in range(10, 14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(pairs(described(old, with_column(NEW)))) == 6


def test_dataset_without_partitions_grows_too(city: City) -> None:
    columns = [{"name": "code", "type": "text", "role": "key"}, {"name": "amount", "type": "int32", "role": "measure"}]
    before = described(city, {"name": DEMO, "personal": False, "columns": columns})
    replace(before, DEMO, pa.table({"code": ["a", "b"], "amount": [1, 2]}))
    columns = [columns[0], {**columns[1], "type": "int64"}, NEW]
    new = described(city, {"name": DEMO, "personal": False, "columns": columns})
    assert pairs(new) == [(1, None), (2, None)]
    append(new, DEMO, pa.table({"code": ["c"], "amount": [BIG], "note": [1.0]}))
    assert pairs(new) == [(1, None), (2, None), (BIG, 1.0)]
    assert asked(new, "select count(note), max(amount) from {}") == [(1, BIG)]


@pytest.mark.parametrize(
    ("manifest", "column", "accepted"),
    [
        (with_column(kind=None), "kind", "kind as text"),
        (with_column(kind={"name": "sort"}), "kind", "new column beside it"),
        (with_column(amount={"type": "float64"}), "amount", "int32 or int64"),
        (with_column(kind={"type": "int64"}), "kind", "text"),
        (with_column({"name": "no", "type": "int32", "role": "key"}), "no", "dimension or measure"),
        ({**with_column(), "time_column": None}, "month, subject_range", "`time_column`"),
        ({**with_column(), "local_column": "at"}, "at", "timestamp"),
    ],
    ids=["removed", "renamed", "to float", "to another kind", "new key", "no time", "to local time"],
)
def test_change_that_old_rows_cannot_follow_is_refused_at_start(
    old: City, manifest: dict[str, Any], column: str, accepted: str
) -> None:
    version = DeltaTable(f"{old.lake_url}/demo/things").version()
    new = described(old, manifest)
    with pytest.raises(ColumnCannotChange) as caught:
        check_datasets(new)
    assert caught.value.fields["column"] == column
    assert accepted in caught.value.fields["accepted"]
    with pytest.raises(ColumnCannotChange):
        snapshot(new, DEMO)
    assert DeltaTable(f"{old.lake_url}/demo/things").version() == version
    assert len(snapshot(old, DEMO).files) == 1


def test_narrowing_is_refused(old: City) -> None:
    check_datasets(described(old, with_column(amount={"type": "int64"})))
    with pytest.raises(ColumnCannotChange) as caught:
        check_datasets(described(old, with_column()))
    assert caught.value.fields["accepted"] == "int64"


def test_city_without_changes_has_no_file_more(old: City) -> None:
    assert len(snapshot(old, DEMO).files) == 1

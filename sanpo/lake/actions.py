"""The verbs of the lake: write rows in one commit, read a snapshot, read one's own rows, keep the files few."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.lake.catalogue import get_dataset, list_datasets
from sanpo.lake.errors import DatasetHasNoSubjects, RowsDoNotFitDataset, reached
from sanpo.lake.files import write_files
from sanpo.lake.layout import ROWS_PER_GROUP, crowded, rows_wanted, sort_columns, sorting_sql
from sanpo.lake.model import Compaction, Dataset, Holding, Snapshot
from sanpo.lake.store import (
    commit_append,
    commit_rewrite,
    file_system,
    live_files,
    open_table,
    readable,
    remove_of,
    table_url,
    tidy,
)

LONGEST_READ = timedelta(hours=24)
"""Files that a commit took out stay this long, so that a question which is under way can end."""


def append(city: City, name: str, rows: pa.Table | pa.RecordBatchReader, *, once: str | None = None) -> int:
    """Adds rows in one atomic, durable commit; returns a version that holds them.

    With `once`, a second append under the same key changes nothing. A `RecordBatchReader` is sorted on disk and needs
    the dataset's exact schema. Raises `DatasetIsUnknown`, `RowsDoNotFitDataset`, `LakeIsBusy`, `LakeIsUnavailable`.
    """
    dataset = get_dataset(city, name)
    url = table_url(city.lake_url, dataset)
    table = open_table(url, dataset)
    if once is not None and table.transaction_version(once) is not None:
        return table.version()
    with _sorted(city, dataset, fitting(dataset, rows)) as batches:
        adds = write_files(file_system(url), dataset, batches)
    if adds or once:
        commit_append(url, dataset, adds, once=once)
    return open_table(url, dataset).version()


def has_appended(city: City, name: str, once: str) -> bool:
    """Whether an append under this key has landed."""
    dataset = get_dataset(city, name)
    return open_table(table_url(city.lake_url, dataset), dataset).transaction_version(once) is not None


def replace(city: City, name: str, rows: pa.Table | pa.RecordBatchReader) -> int:
    """Puts these rows in the place of all, in one commit; returns a version that holds them. Raises as `append`."""
    dataset = get_dataset(city, name)
    url = table_url(city.lake_url, dataset)
    table = open_table(url, dataset)
    with _sorted(city, dataset, fitting(dataset, rows)) as batches:
        adds = write_files(file_system(url), dataset, batches)
    removes = [remove_of(file.path, moved=False) for file in live_files(table, dataset)]
    if adds or removes:
        commit_rewrite(url, table, dataset, adds, removes)
    return open_table(url, dataset).version()


def snapshot(
    city: City, name: str, version: int | None = None, *, since: datetime | None = None, until: datetime | None = None
) -> Snapshot:
    """The files that hold the dataset's rows now, or at `version`; files wholly outside [since, until) may be left out.

    Raises `DatasetIsUnknown`, `SnapshotIsGone`, `LakeIsUnavailable`.
    """
    dataset = get_dataset(city, name)
    url = table_url(city.lake_url, dataset)
    table = open_table(url, dataset, version)
    files = [file for file in live_files(table, dataset) if file.may_hold(subject_no=None, since=since, until=until)]
    return Snapshot(dataset, table.version(), tuple(f"{readable(url)}/{file.path}" for file in files))


def read_subject(
    city: City, actor: Actor, name: str, *, since: datetime | None = None, until: datetime | None = None
) -> pa.Table:
    """The resident's own rows with `since` ≤ time < `until`, in order of key and time. Nobody else's can be asked for.

    Raises `NotSignedIn`, `NotPermitted`, `DatasetIsUnknown`, `DatasetHasNoSubjects`, `LakeIsUnavailable`.
    """
    subject_no = require(actor, Resident).subject_no
    dataset = get_dataset(city, name)
    if not dataset.personal:
        raise DatasetHasNoSubjects(dataset=name)
    url = table_url(city.lake_url, dataset)
    files = live_files(open_table(url, dataset), dataset)
    wanted = [file for file in files if file.may_hold(subject_no=subject_no, since=since, until=until)]
    filters = rows_wanted(dataset, subject_no=subject_no, since=since, until=until)
    with reached(dataset):
        fs = file_system(url)
        found = [
            pq.read_table(file.path, schema=dataset.schema, filesystem=fs, filters=filters, partitioning=None)
            for file in wanted
        ]
    own = pa.concat_tables([dataset.schema.empty_table(), *found])
    return own.sort_by([(column, "ascending") for column in sort_columns(dataset)])


def compact(city: City, name: str, *, spare: int = 1) -> Compaction:
    """Rewrites each partition that has `spare` files more than its rows need, in one commit; rows stay the same.

    Appends may go on meanwhile. Raises `LakeIsBusy` where another compaction or replacement came first.
    """
    dataset = get_dataset(city, name)
    url = table_url(city.lake_url, dataset)
    table = open_table(url, dataset)
    old = crowded(live_files(table, dataset), spare)
    new = []
    if old:
        with _sorted_files(city, dataset, [f"{readable(url)}/{file.path}" for file in old]) as batches:
            new = write_files(file_system(url), dataset, batches, moved=True)
        commit_rewrite(url, table, dataset, new, [remove_of(file.path, moved=True) for file in old])
    tidy(open_table(url, dataset), LONGEST_READ)
    return Compaction(len(old), len(new), sum(file.rows for file in old))


def list_holdings(city: City) -> list[Holding]:
    """Each dataset of the catalogue with how much of it the lake holds."""
    holdings = []
    for dataset in list_datasets(city):
        table = open_table(table_url(city.lake_url, dataset), dataset)
        files = live_files(table, dataset)
        rows, size = sum(file.rows for file in files), sum(file.bytes for file in files)
        holdings.append(Holding(dataset, table.version(), len(files), rows, size))
    return holdings


def fitting(dataset: Dataset, rows: pa.Table | pa.RecordBatchReader) -> pa.Table | pa.RecordBatchReader:
    """The rows in the dataset's schema. Raises `RowsDoNotFitDataset`; a reader must have that schema already."""
    names = dataset.schema.names
    if sorted(rows.schema.names) != sorted(names):
        raise RowsDoNotFitDataset(dataset=dataset.name, problem=f"the columns must be {', '.join(names)}")
    if isinstance(rows, pa.Table):
        try:
            return rows.select(names).cast(dataset.schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise RowsDoNotFitDataset(dataset=dataset.name, problem=str(error)) from error
    if rows.schema != dataset.schema:
        raise RowsDoNotFitDataset(dataset=dataset.name, problem=f"a stream must have the schema {dataset.schema}")
    return rows


@contextmanager
def _sorted(city: City, dataset: Dataset, rows: pa.Table | pa.RecordBatchReader) -> Iterator[Iterator[pa.RecordBatch]]:
    with _engine(city) as engine:
        engine.register("rows_", rows)
        yield engine.sql(sorting_sql(dataset, "rows_")).to_arrow_reader(ROWS_PER_GROUP)


@contextmanager
def _sorted_files(city: City, dataset: Dataset, files: list[str]) -> Iterator[Iterator[pa.RecordBatch]]:
    with _engine(city) as engine:
        rows = "read_parquet(getvariable('files'), hive_partitioning = false)"
        engine.execute("set variable files = $files", {"files": files})
        yield engine.sql(sorting_sql(dataset, rows)).to_arrow_reader(ROWS_PER_GROUP)


@contextmanager
def _engine(city: City) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own that sorts more than fits in memory on disk."""
    settings = city.settings
    with tempfile.TemporaryDirectory(prefix="sanpo-lake-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": settings.question_threads,
            "memory_limit": f"{settings.question_memory_mb}MB",
            "temp_directory": spill,
        }
        with duckdb.connect(config=config) as engine:
            engine.execute("set timezone = 'UTC'")
            yield engine

"""The verbs of the lake: write rows in one commit, read a snapshot, read one's own rows, keep the files few."""

from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.lake.catalogue import every_dataset, find_any
from sanpo.lake.errors import DatasetHasNoSubjects, LakeIsBusy, LakeIsUnavailable, RowsDoNotFitDataset
from sanpo.lake.files import write_files
from sanpo.lake.layout import crowded, rows_wanted, sort_columns
from sanpo.lake.model import Compaction, Dataset, Holding, Snapshot
from sanpo.lake.reading import naming_the_broken, scan
from sanpo.lake.seen import see
from sanpo.lake.sorting import in_order
from sanpo.lake.store import (
    commit_append,
    commit_overwrite,
    commit_rewrite,
    file_system,
    fit_table,
    has_schema,
    live_files,
    open_table,
    readable,
    reading_system,
    remove_of,
    table_url,
    tidy,
)

log = structlog.get_logger()


def append(city: City, name: str, rows: pa.Table | pa.RecordBatchReader, *, once: str | None = None) -> int:
    """Adds rows in one atomic, durable commit; returns a version that holds them.

    With `once`, a second append under the same key changes nothing. A `RecordBatchReader` is sorted on disk and needs
    the dataset's exact schema. Raises `DatasetIsUnknown`, `RowsDoNotFitDataset`, `LakeIsBusy`, `LakeIsUnavailable`.
    """
    dataset = find_any(city, name)
    url = table_url(city.lake_url, dataset)
    table = open_table(url, dataset)
    if once is not None and table.transaction_version(once) is not None:
        return table.version()
    with in_order(city.settings, dataset, fitting(dataset, rows)) as batches:
        adds = write_files(file_system(url), dataset, batches)
    if adds or once:
        commit_append(url, dataset, adds, once=once)
    return open_table(url, dataset).version()


def has_appended(city: City, name: str, once: str) -> bool:
    """Whether an append under this key has landed."""
    dataset = find_any(city, name)
    return open_table(table_url(city.lake_url, dataset), dataset).transaction_version(once) is not None


def replace(city: City, name: str, rows: pa.Table | pa.RecordBatchReader) -> int:
    """Puts these rows in the place of all, in one commit; returns a version that holds them. Raises as `append`."""
    return replace_rows(city, find_any(city, name), rows)


def replace_rows(city: City, dataset: Dataset, rows: pa.Table | pa.RecordBatchReader) -> int:
    """As `replace`, for a dataset as it will be: where its columns were others, they change in the same commit."""
    url = table_url(city.lake_url, dataset)
    table = open_table(url, dataset)
    with in_order(city.settings, dataset, fitting(dataset, rows)) as batches:
        adds = write_files(file_system(url), dataset, batches)
    removes = [remove_of(file.path, moved=False) for file in live_files(table, dataset)]
    if not has_schema(table, dataset):
        commit_overwrite(url, table, dataset, adds)
    elif adds or removes:
        commit_rewrite(url, table, dataset, adds, removes)
    return open_table(url, dataset).version()


def snapshot(
    city: City, name: str, version: int | None = None, *, since: datetime | None = None, until: datetime | None = None
) -> Snapshot:
    """The files that hold the dataset's rows now, or at `version`; files wholly outside [since, until) may be left out.

    Raises `DatasetIsUnknown`, `SnapshotIsGone` (no such version, or its files are gone, or rows of it were deleted since),
    `LakeIsUnavailable`.
    """
    dataset = find_any(city, name)
    url = table_url(city.lake_url, dataset)
    seen, root = see(url, dataset, version), readable(url)
    files = [file for file in seen.files if file.may_hold(subject_no=None, since=since, until=until)]
    paths = [*([seen.shape] if seen.shape and files else []), *(file.path for file in files)]
    rows = sum(file.rows for file in files)
    return Snapshot(dataset, seen.version, tuple(f"{root}/{path}" for path in paths), root, rows)


def read_subject(
    city: City, actor: Actor, name: str, *, since: datetime | None = None, until: datetime | None = None
) -> pa.Table:
    """The resident's own rows with `since` ≤ time < `until`, in order of key and time. Nobody else's can be asked for.

    Raises `NotSignedIn`, `NotPermitted`, `DatasetIsUnknown`, `DatasetHasNoSubjects`, `FileIsBroken`, `LakeIsUnavailable`.
    """
    subject_no = require(actor, Resident).subject_no
    dataset = find_any(city, name)
    if not dataset.personal:
        raise DatasetHasNoSubjects(dataset=name)
    url = table_url(city.lake_url, dataset)
    files = live_files(open_table(url, dataset), dataset)
    wanted = [file.path for file in files if file.may_hold(subject_no=subject_no, since=since, until=until)]
    filters = rows_wanted(dataset, subject_no=subject_no, since=since, until=until)
    fs = reading_system(url)
    with naming_the_broken(fs, dataset, wanted):
        own: pa.Table = scan(fs, dataset, wanted).to_table(filter=pq.filters_to_expression(filters))
    return own.sort_by([(column, "ascending") for column in sort_columns(dataset)])


def count_own_rows(city: City, actor: Actor) -> dict[Dataset, int]:
    """How many rows each personal dataset holds about the resident. Raises as `read_subject`."""
    subject_no = require(actor, Resident).subject_no
    wanted = pq.filters_to_expression([("subject_no", "==", subject_no)])
    counted = {}
    for dataset in every_dataset(city):
        if dataset.personal:
            url = table_url(city.lake_url, dataset)
            files = live_files(open_table(url, dataset), dataset)
            mine = [file.path for file in files if file.may_hold(subject_no=subject_no, since=None, until=None)]
            fs = reading_system(url)
            with naming_the_broken(fs, dataset, mine):
                counted[dataset] = scan(fs, dataset, mine).count_rows(filter=wanted)
    return counted


def compact(city: City, name: str, *, spare: int = 1) -> Compaction:
    """Rewrites each partition that has `spare` files more than its rows need (0: every one); rows stay the same.

    It is one commit, and appends may go on meanwhile. Raises `FileIsBroken`, and `LakeIsBusy` where another compaction or
    replacement came first.
    """
    dataset = find_any(city, name)
    url = table_url(city.lake_url, dataset)
    table = open_table(url, dataset)
    old = crowded(live_files(table, dataset), spare)
    new = []
    if old:
        fs, paths = reading_system(url), [file.path for file in old]
        with (
            naming_the_broken(fs, dataset, paths),
            in_order(city.settings, dataset, scan(fs, dataset, paths)) as batches,
        ):
            new = write_files(file_system(url), dataset, batches, moved=True)
        commit_rewrite(url, table, dataset, new, [remove_of(path, moved=True) for path in paths])
    tidy(open_table(url, dataset), city.settings.lake_grace)
    return Compaction(len(old), len(new), sum(file.rows for file in old))


def list_holdings(city: City) -> list[Holding]:
    """Each dataset of the catalogue with how much of it the lake holds."""
    holdings = []
    for dataset in every_dataset(city):
        table = open_table(table_url(city.lake_url, dataset), dataset)
        files = live_files(table, dataset)
        rows, size = sum(file.rows for file in files), sum(file.bytes for file in files)
        holdings.append(Holding(dataset, table.version(), len(files), rows, size))
    return holdings


def check_datasets(city: City) -> None:
    """Holds every dataset against its manifest, and lets it grow: what a city does before it serves.

    Raises `ColumnCannotChange`. A store that does not answer now is no reason not to serve; it is asked again when read.
    """
    for dataset in every_dataset(city):
        try:
            fit_table(table_url(city.lake_url, dataset), dataset)
        except (LakeIsBusy, LakeIsUnavailable) as error:
            log.warning("dataset_not_checked", dataset=dataset.name, code=error.code)


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

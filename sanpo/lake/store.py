"""The vault: Delta tables through deltalake. One commit makes files that were written before visible, or unseen."""

import contextlib
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction
from pyarrow.fs import FileSystem, PyFileSystem

from sanpo.ground.clock import SystemClock
from sanpo.lake.errors import LakeIsBusy, SnapshotIsGone, reached
from sanpo.lake.layout import MONTH, SUBJECT_RANGE, DataFile, partition_columns
from sanpo.lake.model import Dataset

_REWRITE = "sanpo.rewrite"
"""Delta lets two commits remove the same file if neither says what it read. Because every rewrite names this one
application transaction, the later of two conflicts."""
_ATTEMPTS = 20


def table_url(lake_url: str, dataset: Dataset) -> str:
    """`energy.readings` lies in `<lake>/energy/readings`."""
    return "/".join([lake_url.rstrip("/"), *dataset.name.split(".")])


def readable(url: str) -> str:
    """The table's address as reading engines take it: a plain path for a local one."""
    return unquote(url.removeprefix("file://")) if url.startswith("file://") else url


def file_system(url: str) -> FileSystem:
    """The table's directory or object store as pyarrow sees it; paths are relative to the table."""
    return PyFileSystem(DeltaStorageHandler(url))


def open_table(url: str, dataset: Dataset, version: int | None = None) -> DeltaTable:
    """The table at `version`, or now; made empty where it does not exist yet.

    Raises `SnapshotIsGone` for a version that is not there, `LakeIsUnavailable` where the store cannot be used.
    """
    with reached(dataset):
        try:
            return DeltaTable(url, version=version)
        except TableNotFoundError:
            _create(url, dataset)
            return DeltaTable(url, version=version)
        except DeltaError:
            if version is None:
                raise
            raise SnapshotIsGone(dataset=dataset.name, version=version) from None


def commit_append(url: str, dataset: Dataset, adds: list[AddAction], *, once: str | None) -> bool:
    """Makes new files visible at once and durably; False where an append under the key `once` had landed already."""
    with reached(dataset):
        for _ in range(_ATTEMPTS):
            table = DeltaTable(url)
            if once is not None and table.transaction_version(once) is not None:
                return False
            with contextlib.suppress(CommitFailedError):
                _write(url, table, dataset, list(adds), [] if once is None else [once])
                return True
    raise LakeIsBusy(dataset=dataset.name)


def commit_rewrite(
    url: str, table: DeltaTable, dataset: Dataset, adds: list[AddAction], removes: list[RemoveAction]
) -> None:
    """Puts files in the place of others. `table` is the version whose files were read.

    Raises `LakeIsBusy` if another rewrite has come since: the caller's files would bring back what that one changed.
    """
    with reached(dataset):
        try:
            _write(url, table, dataset, [*adds, *removes], [_REWRITE])
        except CommitFailedError:
            raise LakeIsBusy(dataset=dataset.name) from None


def remove_of(path: str, *, moved: bool) -> RemoveAction:
    """The action that takes a file out. `moved`: its rows live on in another file of the same commit."""
    # Files and their readers live in the machine's time, also where a test or simulation owns the city's clock.
    return RemoveAction(path, not moved, int(SystemClock().now().timestamp() * 1000))


def live_files(table: DeltaTable, dataset: Dataset) -> list[DataFile]:
    """The files of this version of the table, in order of path."""
    partitions = partition_columns(dataset)
    found = [
        DataFile(
            path=row["path"],
            rows=row["num_records"],
            bytes=row["size_bytes"],
            part=tuple(str(row[f"partition.{name}"]) for name in partitions),
            month=row.get(f"partition.{MONTH}"),
            first_subject=row.get("min.subject_no"),
            last_subject=row.get("max.subject_no"),
        )
        for row in pa.table(table.get_add_actions(flatten=True)).to_pylist()
    ]
    return sorted(found, key=lambda file: file.path)


def tidy(table: DeltaTable, older_than: timedelta) -> None:
    """Deletes files that no version needs and that no reader can still be using."""
    hours = int(older_than.total_seconds() // 3600)
    table.vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False, full=True)


def _write(
    url: str, table: DeltaTable, dataset: Dataset, actions: list[AddAction | RemoveAction], names: list[str]
) -> None:
    """The data are on the disk before the commit names them, and the commit before anybody is told."""
    properties = CommitProperties(app_transactions=[Transaction(name, 1) for name in names])
    schema, parts = _delta_schema(dataset), partition_columns(dataset)
    _sync(url, [action.path for action in actions if isinstance(action, AddAction)])
    table.create_write_transaction(actions, "append", schema, parts, commit_properties=properties)
    versions = range(table.version() + 1, DeltaTable(url).version() + 1)
    _sync(url, [f"_delta_log/{version:020d}.json" for version in versions])


def _sync(url: str, paths: list[str]) -> None:
    """Makes local files survive a power cut, with the entries of their folders. An object store has done so already."""
    root = Path(readable(url))
    if "://" in readable(url):
        return
    files = [root / path for path in paths if (root / path).exists()]
    folders = {folder for file in files for folder in file.parents if folder.is_relative_to(root)}
    for target in [*files, *folders]:
        handle = os.open(target, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _delta_schema(dataset: Dataset) -> Schema:
    types = {MONTH: pa.string(), SUBJECT_RANGE: pa.int32()}
    parts = [pa.field(name, types[name]) for name in partition_columns(dataset)]
    return Schema.from_arrow(pa.schema([*dataset.schema, *parts]))


def _create(url: str, dataset: Dataset) -> None:
    schema, parts = _delta_schema(dataset), partition_columns(dataset)
    # Another process may make it in the same moment; a real failure shows when the table is opened next.
    with contextlib.suppress(CommitFailedError):
        DeltaTable.create(url, schema=schema, partition_by=parts, name=dataset.name, mode="ignore")

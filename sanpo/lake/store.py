"""The vault: Delta tables through deltalake. One commit makes files that were written before visible, or unseen."""

import contextlib
import os
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction
from pyarrow.fs import FileSystem, PyFileSystem, SubTreeFileSystem

from sanpo.ground.clock import SystemClock
from sanpo.lake.errors import LakeIsBusy, SnapshotIsGone, reached
from sanpo.lake.evolution import delta_schema, fit, is_fitted
from sanpo.lake.layout import MONTH, DataFile, partition_columns
from sanpo.lake.model import Dataset

_REWRITE = "sanpo.rewrite"
"""Delta lets two commits remove the same file if neither says what it read. Because every rewrite names this one
application transaction, the later of two conflicts."""
_ATTEMPTS = 20
Mode = Literal["append", "overwrite"]
"""Delta's: an overwrite takes all other files out, and may change the columns."""
DELETED = "sanpo.deleted"
"""The application transaction of every commit that takes rows out for good; its version is the one whose files were read."""


def table_url(lake_url: str, dataset: Dataset) -> str:
    """`energy.readings` lies in `<lake>/energy/readings`."""
    return "/".join([lake_url.rstrip("/"), *dataset.name.split(".")])


def readable(url: str) -> str:
    """The table's address as reading engines take it: a plain path for a local one."""
    return unquote(url.removeprefix("file://")) if url.startswith("file://") else url


def file_system(url: str) -> FileSystem:
    """The table's directory or object store as pyarrow sees it; paths are relative to the table."""
    return PyFileSystem(DeltaStorageHandler(url))


@lru_cache(maxsize=256)
def reading_system(url: str) -> FileSystem:
    """The same place for scans, by Arrow's own access, which no lock of the interpreter holds up.

    Under DuckDB, which scans on threads of its own, a file system that is written in Python can wait for itself.
    """
    base, path = FileSystem.from_uri(readable(url))
    return SubTreeFileSystem(path, base)


def open_table(url: str, dataset: Dataset, version: int | None = None) -> DeltaTable:
    """The table at `version`, or now; made empty where it does not exist yet.

    Raises `SnapshotIsGone` for a version that is not there, `ColumnCannotChange` where the manifest has changed too far,
    `LakeIsUnavailable` where the store cannot be used.
    """
    with reached(dataset):
        if version is None:
            table = _open_or_create(url, dataset)
            return table if is_fitted(url, dataset) else fit(url, table, file_system(url), dataset)
        try:
            return DeltaTable(url, version=version)
        except DeltaError:
            raise SnapshotIsGone(dataset=dataset.name, version=version) from None


def fit_table(url: str, dataset: Dataset) -> None:
    """Holds the table against the dataset, also where this process did so before. Raises as `open_table`."""
    if not dataset.is_open:
        with reached(dataset):
            table = _open_or_create(url, dataset)
            fit(url, table, file_system(url), dataset)


def commit_append(url: str, dataset: Dataset, adds: list[AddAction], *, once: str | None) -> bool:
    """Makes new files visible at once and durably; False where an append under the key `once` had landed already."""
    with reached(dataset):
        for _ in range(_ATTEMPTS):
            table = DeltaTable(url)
            if once is not None and table.transaction_version(once) is not None:
                return False
            with contextlib.suppress(CommitFailedError):
                _write(url, table, dataset, list(adds), {} if once is None else {once: 1})
                return True
    raise LakeIsBusy(dataset=dataset.name)


def commit_rewrite(
    url: str, table: DeltaTable, dataset: Dataset, adds: list[AddAction], removes: list[RemoveAction]
) -> None:
    """Puts files in the place of others. `table` is the version whose files were read.

    Raises `LakeIsBusy` if another rewrite has come since: the caller's files would bring back what that one changed.
    """
    _rewrite(url, table, dataset, [*adds, *removes], {})


def commit_deletion(
    url: str, table: DeltaTable, dataset: Dataset, adds: list[AddAction], removes: list[RemoveAction], key: str
) -> None:
    """As `commit_rewrite`, for rows that must not come back: no version before can be read any more.

    `key` tells afterwards, by `find_deletion`, whether the commit has landed.
    """
    _rewrite(url, table, dataset, [*adds, *removes], {DELETED: table.version(), key: table.version()})


def _rewrite(
    url: str,
    table: DeltaTable,
    dataset: Dataset,
    actions: list[AddAction | RemoveAction],
    marks: Mapping[str, int],
    *,
    mode: Mode = "append",
) -> None:
    with reached(dataset):
        try:
            _write(url, table, dataset, actions, {_REWRITE: 1, **marks}, mode=mode)
        except CommitFailedError:
            raise LakeIsBusy(dataset=dataset.name) from None


def commit_overwrite(url: str, table: DeltaTable, dataset: Dataset, adds: list[AddAction]) -> None:
    """Puts files in the place of all others, and the dataset's columns in the place of the table's. Raises as above."""
    _rewrite(url, table, dataset, list(adds), {}, mode="overwrite")


def has_schema(table: DeltaTable, dataset: Dataset) -> bool:
    """Whether the table's columns are those of the dataset."""
    return bool(table.schema() == delta_schema(dataset))


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


def live_paths(table: DeltaTable) -> set[str]:
    """The files of this version by their paths."""
    return set(pa.table(table.get_add_actions()).column("path").to_pylist())


def taken_out(table: DeltaTable) -> list[str]:
    """Files on the disk that a commit has taken out."""
    return table.vacuum(retention_hours=0, enforce_retention_duration=False)


def left_over(table: DeltaTable) -> list[str]:
    """Files on the disk that this version does not have: taken out, not committed yet, or of a writer that broke off."""
    return table.vacuum(retention_hours=0, enforce_retention_duration=False, full=True)


def _write(
    url: str,
    table: DeltaTable,
    dataset: Dataset,
    actions: list[AddAction | RemoveAction],
    marks: Mapping[str, int],
    *,
    mode: Mode = "append",
) -> None:
    """The data are on the disk before the commit names them, and the commit before anybody is told."""
    properties = CommitProperties(app_transactions=[Transaction(name, value) for name, value in marks.items()])
    schema, parts = delta_schema(dataset), partition_columns(dataset)
    sync(url, [action.path for action in actions if isinstance(action, AddAction)])
    table.create_write_transaction(actions, mode, schema, parts, commit_properties=properties)
    versions = range(table.version() + 1, DeltaTable(url).version() + 1)
    sync(url, [f"_delta_log/{version:020d}.json" for version in versions])


def sync(url: str, paths: list[str]) -> None:
    """Makes local files, or that they are gone, survive a power cut. An object store has done so already."""
    root = Path(readable(url))
    if "://" in readable(url):
        return
    files = [root / path for path in paths]
    folders = {folder for file in files for folder in file.parents if folder.is_relative_to(root)}
    for target in [*files, *folders]:
        if target.exists():
            handle = os.open(target, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _open_or_create(url: str, dataset: Dataset) -> DeltaTable:
    try:
        return DeltaTable(url)
    except TableNotFoundError:
        _create(url, dataset)
        return DeltaTable(url)


def _create(url: str, dataset: Dataset) -> None:
    schema, parts = delta_schema(dataset), partition_columns(dataset)
    # Another process may make it in the same moment; a real failure shows when the table is opened next.
    with contextlib.suppress(CommitFailedError):
        DeltaTable.create(url, schema=schema, partition_by=parts, name=dataset.name, mode="ignore")

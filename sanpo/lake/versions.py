"""Versions of a table: which of the old ones can still be read, and which deletion made which.

Old versions are for asking again what was asked before. One that holds a file out of which rows were deleted since, or
a file that is no longer there, is gone.
"""

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyarrow.fs import FileSystem

from sanpo.lake.errors import SnapshotIsGone, reached
from sanpo.lake.model import Dataset
from sanpo.lake.store import DELETED, file_system, live_paths, open_table


def open_version(url: str, dataset: Dataset, version: int | None) -> DeltaTable:
    """The table at `version`, or now. Raises `SnapshotIsGone` unless every row of it can still be read, and may be."""
    now = open_table(url, dataset)
    if version is None or version == now.version():
        return now
    old = open_table(url, dataset, version)
    with reached(dataset):
        deleted = last_deletion(url, now)
        if deleted is not None and version < deleted and live_paths(old) - live_paths(DeltaTable(url, version=deleted)):
            raise SnapshotIsGone(dataset=dataset.name, version=version)
        if missing(file_system(url), live_paths(old) - live_paths(now)):
            raise SnapshotIsGone(dataset=dataset.name, version=version)
    return old


def find_deletion(url: str, dataset: Dataset, key: str) -> int | None:
    """The version that the deletion under this key made; None where it has not landed."""
    with reached(dataset):
        table = DeltaTable(url)
        before = table.transaction_version(key)
        return None if before is None else _first_with(url, key, before, table.version())


def last_deletion(url: str, table: DeltaTable) -> int | None:
    """The newest version that took rows out for good."""
    before = table.transaction_version(DELETED)
    return None if before is None else _first_with(url, DELETED, before, table.version())


def missing(fs: FileSystem, paths: set[str]) -> list[str]:
    """Those of the files that are not there."""
    return [info.path for info in fs.get_file_info(sorted(paths)) if not info.is_file] if paths else []


def _first_with(url: str, name: str, before: int, newest: int) -> int:
    """The first version after `before` that knows this value; appends may have come between."""
    for version in range(before + 1, newest):
        try:
            if DeltaTable(url, version=version).transaction_version(name) == before:
                return version
        except DeltaError:
            continue  # the log before a deletion may be forgotten
    return newest

"""The end of a deletion: the files that held the rows leave the disk, and the log forgets whom they were about."""

import re

import pyarrow.parquet as pq
from pyarrow.fs import FileSelector, FileSystem

from sanpo.ground.city import City
from sanpo.lake.catalogue import find_any
from sanpo.lake.errors import reached
from sanpo.lake.model import Dataset
from sanpo.lake.store import file_system, left_over, live_paths, open_table, sync, table_url, taken_out
from sanpo.lake.upkeep.records import Deletion
from sanpo.lake.versions import missing

_LOG = "_delta_log"
_VERSION = re.compile(r"(\d{20})\.(?:checkpoint\.)?(?:json|parquet|crc)$")
_SUBJECT = re.compile(rb'"subject_no\\?":\s*(\d+)')


def remove_files(city: City, deletion: Deletion, *, at_once: bool = False) -> bool:
    """Deletes what the deletion took out and the remains; True when all of it is gone. Safe to repeat.

    With `at_once` files stay that a writer may be about to commit; the next turn takes them or finds them in use.
    """
    dataset = find_any(city, deletion.dataset)
    url = table_url(city.lake_url, dataset)
    with reached(dataset):
        table = open_table(url, dataset)
        fs = file_system(url)
        gone = {*deletion.removed, *deletion.remains} - live_paths(table)
        kept = set(left_over(table)) - set(taken_out(table)) if at_once else set()
        there = gone - set(missing(fs, gone))
        for path in sorted(there - kept):
            fs.delete_file(path)
        sync(url, sorted(there))
        return not there & kept


def forget_subject(city: City, dataset: Dataset, subject_no: int, version: int | None) -> None:
    """Makes the table's log forget what was before `version` (None: before now), where it names this subject.

    For each file the log keeps the lowest and the highest subject. A checkpoint of the version takes the place of all
    before, as Delta's own clean-up would do it after a month.
    """
    url = table_url(city.lake_url, dataset)
    with reached(dataset):
        table = open_table(url, dataset, version)
        fs = file_system(url)
        old = [path for path in _log_files(fs) if _version_of(path) < table.version()]
        if not any(_names(fs, path, subject_no) for path in old):
            return
        table.create_checkpoint()
        sync(url, [f"{_LOG}/_last_checkpoint"])
        for path in old:
            fs.delete_file(path)
        sync(url, old)


def _log_files(fs: FileSystem) -> list[str]:
    """The files of the log, oldest first."""
    found = [info.path for info in fs.get_file_info(FileSelector(_LOG))]
    return sorted(path for path in found if _VERSION.search(path))


def _version_of(path: str) -> int:
    found = _VERSION.search(path)
    return int(found[1]) if found else -1


def _names(fs: FileSystem, path: str, subject_no: int) -> bool:
    if path.endswith(".parquet"):
        with pq.ParquetFile(path, filesystem=fs) as checkpoint:
            rows = checkpoint.read(columns=["add.stats"]).to_pylist()
        text = "\n".join(row["add"]["stats"] or "" for row in rows if row.get("add")).encode()
    else:
        with fs.open_input_stream(path) as file:
            text = file.read()
    return any(int(found) == subject_no for found in _SUBJECT.findall(text))

"""One deletion: files of a dataset go, or are written anew without some rows, in one commit that is known beforehand.

The order that makes a crash harmless: new files are written, the plan is recorded, Delta commits under the plan's id,
the plan is recorded as landed. A plan whose id Delta does not know has changed nothing and is dropped.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.transaction import AddAction
from pyarrow.fs import FileSystem

from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.lake.catalogue import find_any
from sanpo.lake.errors import LakeIsBusy
from sanpo.lake.files import write_files
from sanpo.lake.layout import PART, ROWS_PER_GROUP, DataFile, Part
from sanpo.lake.model import Dataset
from sanpo.lake.reading import naming_the_broken, scan
from sanpo.lake.store import commit_deletion, file_system, open_table, reading_system, remove_of, table_url
from sanpo.lake.upkeep.records import JOBS, SQL, Deletion, deletion_of
from sanpo.lake.versions import find_deletion

_ATTEMPTS = 5


@dataclass(frozen=True)
class Cut:
    """What goes: files as a whole, and files of which only the rows that `keep` is true for stay."""

    whole: tuple[DataFile, ...]
    in_part: tuple[DataFile, ...]
    keep: pc.Expression
    remains: tuple[str, ...] = ()

    @property
    def old(self) -> tuple[DataFile, ...]:
        return self.whole + self.in_part


@dataclass(frozen=True)
class Cause:
    """Why rows go: a resident's erasure, or the horizon of a retention."""

    erasure_id: str | None = None
    horizon: datetime | None = None


@contextmanager
def leading(city: City) -> Iterator[Transaction | None]:
    """One process at a time takes rows out; None where another is at it. The lock ends with the block."""
    with city.transaction(JOBS) as tx:
        yield tx if tx.get(SQL.lead_deletions).leads else None


def delete_rows(
    city: City, dataset: Dataset, cause: Cause, choose: Callable[[FileSystem, DeltaTable], Cut]
) -> Deletion | None:
    """Takes out what `choose` finds in the present version; None where that is nothing. For whoever is `leading`.

    Raises `FileIsBroken` where a file cannot be read, `LakeIsBusy` where others rewrote the table each time: then
    nothing has changed.
    """
    url = table_url(city.lake_url, dataset)
    for _ in range(_ATTEMPTS):
        table = open_table(url, dataset)
        reads, writes = reading_system(url), file_system(url)
        cut = choose(reads, table)
        if not cut.old and not cut.remains:
            return None
        adds = _written_anew(reads, writes, dataset, cut)
        deletion_id = _plan(city, dataset, cause, table, cut, adds)
        if not cut.old:
            return land(city, deletion_id, table.version())
        try:
            removes = [remove_of(file.path, moved=False) for file in cut.old]
            commit_deletion(url, table, dataset, adds, removes, deletion_id)
        except LakeIsBusy:
            _drop(city, writes, deletion_id, adds)
            continue
        return land(city, deletion_id, find_deletion(url, dataset, deletion_id))
    raise LakeIsBusy(dataset=dataset.name)


def repair_plans(city: City) -> None:
    """Finishes what a crash has left: a plan that Delta knows has landed, any other has changed nothing."""
    with city.transaction(JOBS) as tx:
        plans = [deletion_of(row) for row in tx.all(SQL.deletions_planned)]
    for plan in plans:
        dataset = find_any(city, plan.dataset)
        version = find_deletion(table_url(city.lake_url, dataset), dataset, plan.deletion_id)
        if version is not None:
            land(city, plan.deletion_id, version)
        else:
            with city.transaction(JOBS) as tx:
                tx.execute(SQL.drop_plan, deletion_id=plan.deletion_id)


def land(city: City, deletion_id: str, version: int | None) -> Deletion:
    """Records the version that the deletion has made."""
    with city.transaction(JOBS) as tx:
        return deletion_of(tx.get(SQL.land_deletion, deletion_id=deletion_id, version_after=version, at=tx.now))


def rows_of(fs: FileSystem, dataset: Dataset, file: DataFile, wanted: pc.Expression) -> int:
    """How many rows of the file are wanted; from the statistics of its row groups where these tell."""
    with naming_the_broken(fs, dataset, [file.path]):
        return int(scan(fs, dataset, [file.path]).count_rows(filter=wanted))


def _written_anew(reads: FileSystem, writes: FileSystem, dataset: Dataset, cut: Cut) -> list[AddAction]:
    """A file for each: rows of two files would lie in order only if they were sorted again."""
    adds: list[AddAction] = []
    try:
        for file in cut.in_part:
            with naming_the_broken(reads, dataset, [file.path]):
                adds += write_files(writes, dataset, _kept(reads, dataset, file, cut.keep))
    except BaseException:
        _delete(writes, adds)
        raise
    return adds


def _kept(fs: FileSystem, dataset: Dataset, file: DataFile, keep: pc.Expression) -> Iterator[pa.RecordBatch]:
    """The file's other rows, which lie in order already, with their part's number."""
    number = Part.of(dataset, file).number
    for batch in scan(fs, dataset, [file.path]).scanner(filter=keep, batch_size=ROWS_PER_GROUP).to_batches():
        if batch.num_rows:
            yield batch.append_column(PART, pa.array(np.full(batch.num_rows, number, np.int64)))


def _plan(city: City, dataset: Dataset, cause: Cause, table: DeltaTable, cut: Cut, adds: list[AddAction]) -> str:
    deletion_id = new_id("del")
    stay = sum(json.loads(add.stats)["numRecords"] for add in adds)
    with city.transaction(JOBS) as tx:
        tx.execute(
            SQL.plan_deletion,
            deletion_id=deletion_id,
            erasure_id=cause.erasure_id,
            dataset=dataset.name,
            horizon=cause.horizon,
            at=tx.now,
            rows=sum(file.rows for file in cut.old) - stay,
            version_before=table.version(),
            files_rewritten=len(cut.in_part),
            removed=[file.path for file in cut.old],
            remains=list(cut.remains),
        )
    return deletion_id


def _drop(city: City, fs: FileSystem, deletion_id: str, adds: list[AddAction]) -> None:
    with city.transaction(JOBS) as tx:
        tx.execute(SQL.drop_plan, deletion_id=deletion_id)
    _delete(fs, adds)


def _delete(fs: FileSystem, adds: list[AddAction]) -> None:
    for add in adds:
        fs.delete_file(add.path)

"""The end of a dataset's retention: rows older than its manifest allows leave it, in one commit that the journal tells.

The horizon is a UTC midnight, so that a day's rows go together: a row goes within a day after its time is over.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from pyarrow.fs import FileSystem

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.journal import append
from sanpo.lake.catalogue import every_dataset, find_any
from sanpo.lake.errors import DatasetIsKeptForever, FileIsBroken, LakeIsBusy
from sanpo.lake.layout import DataFile, month_of
from sanpo.lake.model import Dataset
from sanpo.lake.store import live_files, open_table, reading_system, table_url
from sanpo.lake.upkeep.deletion import Cause, Cut, delete_rows, leading, repair_plans, rows_of
from sanpo.lake.upkeep.records import JOBS, SQL, Deletion, deletion_of, moment
from sanpo.lake.upkeep.removal import remove_files


@dataclass(frozen=True)
class Retained:
    """What went, or with a dry run would go. `entry_id` is the journal's; None where nothing went."""

    dataset: str
    horizon: datetime
    rows: int
    files_removed: int
    files_rewritten: int
    entry_id: str | None


def retain(city: City, actor: Actor, name: str, *, dry_run: bool = False) -> Retained:
    """Takes the rows before the dataset's horizon out, in one commit.

    Raises `DatasetIsKeptForever` where its manifest says no `retention_days`, `LakeIsBusy` where others rewrite it,
    `FileIsBroken`, `NotPermitted`, `DatasetIsUnknown`.
    """
    require_officer(actor)
    dataset = find_any(city, name)
    if dataset.retention_days is None:
        raise DatasetIsKeptForever(dataset=name)
    horizon = horizon_of(dataset, city.now())
    if dry_run:
        return _tried(city, dataset, horizon)
    with leading(city) as leads:
        if leads is None:
            raise LakeIsBusy(dataset=name)
        finish_deletions(city)
        done = delete_rows(
            city, dataset, Cause(horizon=horizon), lambda fs, table: _before(fs, table, dataset, horizon)
        )
        if done is None:
            return Retained(name, horizon, 0, 0, 0, None)
        return Retained(name, horizon, done.rows, len(done.removed), done.files_rewritten, _record(city, done))


def retain_all(city: City) -> None:
    """The duty: every dataset with a retention, and the files of earlier ones that no question can be reading.

    A broken file holds up its own dataset only; it is raised at the end.
    """
    broken: list[FileIsBroken] = []
    for dataset in every_dataset(city):
        if dataset.retention_days is not None:
            try:
                retain(city, JOBS, dataset.name)
            except LakeIsBusy:
                continue  # its next turn comes
            except FileIsBroken as error:
                broken.append(error)
    with city.transaction(JOBS) as tx:
        rows = tx.all(SQL.retained_not_gone, before=tx.now - city.settings.lake_grace)
    gone = [row.deletion_id for row in rows if remove_files(city, deletion_of(row))]
    with city.transaction(JOBS) as tx:
        tx.execute(SQL.set_deletion_gone, deletion_ids=gone, at=tx.now)
    if broken:
        raise broken[0]


def finish_deletions(city: City) -> None:
    """Repairs what a crash has left of plans, and of retentions that landed without their journal entry."""
    repair_plans(city)
    with city.transaction(JOBS) as tx:
        unrecorded = [deletion_of(row) for row in tx.all(SQL.deletions_without_entry)]
    for deletion in unrecorded:
        _record(city, deletion)


def horizon_of(dataset: Dataset, now: datetime) -> datetime:
    """Rows before this UTC midnight have been kept for longer than `retention_days`."""
    day = (now.astimezone(UTC) - timedelta(days=dataset.retention_days or 0)).date()
    return datetime.combine(day, time(), UTC)


def _before(fs: FileSystem, table: DeltaTable, dataset: Dataset, horizon: datetime) -> Cut:
    """Months before the horizon's go whole; of its own month the files that hold a row before it."""
    column, limit = pc.field(dataset.time_column or ""), _literal(dataset, horizon)
    whole: list[DataFile] = []
    in_part: list[DataFile] = []
    for file in live_files(table, dataset):
        if file.month is not None and file.month != month_of(horizon):
            old = file.rows if file.month < month_of(horizon) else 0
        else:
            old = rows_of(fs, dataset, file, column < limit)
        if old:
            (whole if old == file.rows else in_part).append(file)
    return Cut(tuple(whole), tuple(in_part), column >= limit)


def _literal(dataset: Dataset, horizon: datetime) -> Any:
    kind = dataset.schema.field(dataset.time_column).type
    return pa.scalar(horizon.date() if pa.types.is_date(kind) else horizon, kind)


def _tried(city: City, dataset: Dataset, horizon: datetime) -> Retained:
    url = table_url(city.lake_url, dataset)
    table = open_table(url, dataset)
    fs = reading_system(url)
    cut = _before(fs, table, dataset, horizon)
    column, limit = pc.field(dataset.time_column or ""), _literal(dataset, horizon)
    rows = sum(file.rows for file in cut.whole)
    rows += sum(rows_of(fs, dataset, file, column < limit) for file in cut.in_part)
    return Retained(dataset.name, horizon, rows, len(cut.old), len(cut.in_part), None)


def _record(city: City, done: Deletion) -> str:
    """The journal entry, and that the deletion has it."""
    with city.transaction(JOBS) as tx:
        days = find_any(city, done.dataset).retention_days
        before = moment(done.horizon) if done.horizon else None
        body = {**done.as_public(), "rows_before": before, "retention_days": days, "deleted_at": moment(tx.now)}
        entry = append(tx, kind="retention", body=body)
        tx.execute(SQL.set_deletion_entry, entry_id=entry.entry_id, deletion_ids=[done.deletion_id])
    return entry.entry_id

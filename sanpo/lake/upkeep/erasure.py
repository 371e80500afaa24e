"""The erasure of one resident from the lake: asked for, carried out by the duty, proved in the journal twice.

First entry: the rows are in no dataset any more, and no earlier version can be read that held them. Second entry: the
old files are gone from the disk. In between lies the time in which questions that are under way may still end.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

import pyarrow.compute as pc
from deltalake import DeltaTable
from psycopg.types.json import Jsonb
from pyarrow.fs import FileSystem

from sanpo.ground.actors import Actor, Resident, System, require
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, NotPermitted
from sanpo.ground.ids import new_id
from sanpo.journal import append
from sanpo.lake.catalogue import every_dataset
from sanpo.lake.layout import DataFile, range_folder
from sanpo.lake.model import Dataset
from sanpo.lake.store import left_over, live_files
from sanpo.lake.upkeep.deletion import Cause, Cut, delete_rows, leading, rows_of
from sanpo.lake.upkeep.records import JOBS, SQL, Erasure, get_erasure, moment, read_erasures
from sanpo.lake.upkeep.removal import forget_subject, remove_files
from sanpo.lake.upkeep.retention import finish_deletions

_PASSES = 3
"""Rows that come in while the others are taken out are taken out too; what comes later still is new data."""


def ask_erasure(city: City, actor: Actor) -> Erasure:
    """Asks for the erasure of the resident's own rows in every dataset; asked again before it is done, it is the same."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        return _ask(tx, resident.subject_no, by=resident.acting_resident_id, role=resident.acting_as)


def list_erasures(city: City, actor: Actor, *, limit: int = 20) -> list[Erasure]:
    """The resident's own erasures, newest first."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        return read_erasures(tx, tx.all(SQL.erasures_of, subject_no=resident.subject_no, limit=limit))


def erase_subject(city: City, actor: Actor, subject_no: int, *, now: bool = False) -> Erasure:
    """Erases a resident's rows from every dataset, by the operator and while they wait; `now` removes the files too.

    Where another process is at such work, the erasure stays asked for and that one carries it out. Raises
    `NotPermitted`, `FileIsBroken`, `LakeIsBusy`, `JournalUnavailable`: what was not done by then, the duty does.
    """
    operator = require(actor, System)
    if operator.duty != "operator":
        raise NotPermitted(needed="operator")
    with city.transaction(operator) as tx:
        asked = _ask(tx, subject_no, by=operator.duty, role="operator")
    carry_out(city, only=subject_no, at_once=now)
    with city.transaction(JOBS) as tx:
        return get_erasure(tx, asked.erasure_id)


def carry_out(city: City, *, only: int | None = None, at_once: bool = False) -> None:
    """The duty: repairs what a crash has left, erases what was asked for, removes files whose time has come.

    With `only`, those of one subject. One erasure that fails holds up no other; the first failure is raised at the end.
    """
    failed: list[DomainError] = []
    with leading(city) as leads:
        if leads is None:
            return
        finish_deletions(city)
        with city.transaction(JOBS) as tx:
            todo = read_erasures(tx, tx.all(SQL.erasures_not_gone))
            todo += read_erasures(tx, tx.all(SQL.erasures_asked))
        for erasure in todo:
            if only in (None, erasure.subject_no):
                try:
                    _further(city, erasure, at_once=at_once)
                except DomainError as error:
                    failed.append(error)
    if failed:
        raise failed[0]


def _further(city: City, erasure: Erasure, *, at_once: bool) -> None:
    """The next step of one erasure, or the next two."""
    if erasure.state == "asked":
        erasure = _erase(city, erasure)
    due = erasure.erased_at is not None and city.now() >= erasure.erased_at + city.settings.lake_grace
    if due or at_once or not erasure.deletions:
        _remove(city, erasure, at_once=not due)


def _ask(tx: Transaction, subject_no: int, *, by: str, role: str) -> Erasure:
    values = {"erasure_id": new_id("ers"), "subject_no": subject_no, "asked_by": by, "asked_as": role}
    tx.execute(SQL.ask_erasure, **values, at=tx.now)
    newest = tx.all(SQL.erasures_of, subject_no=subject_no, limit=1)
    return read_erasures(tx, newest)[0]


def _erase(city: City, erasure: Erasure) -> Erasure:
    known = {name for deletion in erasure.deletions for name in (*deletion.removed, *deletion.remains)}
    cause = Cause(erasure_id=erasure.erasure_id)
    _erase_elsewhere(city, erasure)
    for dataset in every_dataset(city):
        if dataset.personal:
            _erase_from(city, dataset, cause, erasure.subject_no, known)
    with city.transaction(JOBS) as tx:
        return _record_erased(tx, get_erasure(tx, erasure.erasure_id))


def _erase_elsewhere(city: City, erasure: Erasure) -> None:
    """The city's other stores, first: what is deleted there cannot flow into the lake any more."""
    with city.transaction(JOBS) as tx:
        counts = Counter(get_erasure(tx, erasure.erasure_id).elsewhere)
        for eraser in city.erasers:
            counts.update(eraser(tx, erasure.subject_no))
        tx.execute(SQL.set_elsewhere, erasure_id=erasure.erasure_id, elsewhere=Jsonb(dict(counts)))


def _erase_from(city: City, dataset: Dataset, cause: Cause, subject_no: int, known: set[str]) -> None:
    def choose(fs: FileSystem, table: DeltaTable) -> Cut:
        return _of_subject(fs, table, dataset, subject_no, known)

    for _ in range(_PASSES):
        done = delete_rows(city, dataset, cause, choose)
        if done is None:
            return
        known |= {*done.removed, *done.remains}


def _of_subject(fs: FileSystem, table: DeltaTable, dataset: Dataset, subject_no: int, known: set[str]) -> Cut:
    """The files that hold a row of the subject, and the remains of others of the same range of subjects."""
    subject = pc.field("subject_no")
    whole: list[DataFile] = []
    in_part: list[DataFile] = []
    for file in live_files(table, dataset):
        if file.may_hold(subject_no=subject_no, since=None, until=None):
            found = rows_of(fs, dataset, file, subject == subject_no)
            if found:
                (whole if found == file.rows else in_part).append(file)
    folder = range_folder(subject_no)
    remains = tuple(path for path in left_over(table) if folder in path and path not in known)
    return Cut(tuple(whole), tuple(in_part), subject != subject_no, remains)


def _record_erased(tx: Transaction, erasure: Erasure) -> Erasure:
    """The first entry, in the transaction that marks the erasure as done."""
    gone_by = tx.now + timedelta(hours=tx.city.settings.lake_removal_hours)
    body: dict[str, Any] = {
        "erasure_id": erasure.erasure_id,
        "asked_at": moment(erasure.asked_at),
        "erased_at": moment(tx.now),
        "files_gone_by": moment(gone_by),
        "datasets": [deletion.as_public() for deletion in erasure.took_out],
        "elsewhere": dict(erasure.elsewhere),
    }
    entry = append(tx, kind="erasure", body=body, subject_no=erasure.subject_no)
    finished = {"erasure_id": erasure.erasure_id, "entry_id": entry.entry_id, "gone_by": gone_by}
    tx.execute(SQL.finish_erasure, **finished, at=tx.now)
    ids = [deletion.deletion_id for deletion in erasure.deletions]
    tx.execute(SQL.set_deletion_entry, entry_id=entry.entry_id, deletion_ids=ids)
    return get_erasure(tx, erasure.erasure_id)


def _remove(city: City, erasure: Erasure, *, at_once: bool) -> None:
    """The second entry, once nothing is left of the files; until then the next turn tries again."""
    left = [each for each in erasure.deletions if not remove_files(city, each, at_once=at_once)]
    if left:
        return
    versions = {each.dataset: each.version_after for each in erasure.deletions}
    for dataset in every_dataset(city):
        if dataset.personal:
            forget_subject(city, dataset, erasure.subject_no, versions.get(dataset.name))
    with city.transaction(JOBS) as tx:
        body: dict[str, Any] = {
            "erasure_id": erasure.erasure_id,
            "erasure_entry_id": erasure.entry_id,
            "files_gone_at": moment(tx.now),
            "datasets": [
                {"dataset": each.dataset, "files": len(each.removed), "removed_sha256": each.removed_sha256}
                for each in erasure.took_out
            ],
            "other_files": sum(len(each.remains) for each in erasure.deletions),
        }
        entry = append(tx, kind="erasure.completed", body=body, subject_no=erasure.subject_no)
        tx.execute(SQL.finish_removal, erasure_id=erasure.erasure_id, entry_id=entry.entry_id, at=tx.now)
        ids = [deletion.deletion_id for deletion in erasure.deletions]
        tx.execute(SQL.set_deletion_gone, deletion_ids=ids, at=tx.now)

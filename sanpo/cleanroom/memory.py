"""What was told to whom: the cells of released answers, kept for the guard. Written in the releasing transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from sanpo.cleanroom.guard import (
    SubjectBits,
    Told,
    close_counts,
    key_hash,
    same_question,
    same_split,
    sets_of,
    told_columns,
    told_hash,
)
from sanpo.cleanroom.model import Question, read_question
from sanpo.cleanroom.plan import Cell
from sanpo.cleanroom.store import SQL
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.journal import Appended

KEPT = timedelta(days=400)
"""How long answers are remembered; then what they told is too old to be subtracted from."""
MOST_SPLITS = 8
"""How many earlier questions over the same dimensions are looked at, newest first."""


@dataclass(frozen=True)
class Earlier:
    """One answer told before: its question, the versions that it read and who was admitted."""

    entry_no: int
    entry_id: str
    question: Question
    is_same: bool
    snapshots: Mapping[str, int]
    admitted: SubjectBits
    answered_at: datetime


def remember(
    tx: Transaction,
    entry: Appended,
    organisation_no: int,
    question: Question,
    snapshots: Mapping[str, int],
    admitted: SubjectBits,
    cells: Sequence[Cell],
) -> None:
    """Keeps the cells that this answer tells, unless the same were told to the same question before."""
    sets = sets_of(cells)
    told = told_hash(cells, sets)
    if was_told(tx, organisation_no, question, told):
        return
    _remember_sets(tx, [admitted, *sets])
    tx.execute(
        SQL.remember_answer,
        entry_no=entry.entry_no,
        entry_id=entry.entry_id,
        organisation_no=organisation_no,
        dataset=question.dataset,
        columns=told_columns(question),
        question=msgspec.json.encode(question).decode(),
        question_sha256=same_question(question),
        split_sha256=same_split(question),
        told_sha256=told,
        snapshots=msgspec.json.encode(snapshots).decode(),
        admitted=admitted.sha256,
        at=tx.now,
    )
    tx.execute(
        SQL.remember_cells,
        entry_no=entry.entry_no,
        keys=[key_hash(cell.key) for cell in cells],
        sets=[each.sha256 for each in sets],
        rows=[cell.rows for cell in cells],
    )


def was_told(tx: Transaction, organisation_no: int, question: Question, told_sha256: bytes) -> bool:
    """Whether these very cells were told to this organisation for this question."""
    row = tx.one(
        SQL.was_told,
        organisation_no=organisation_no,
        question_sha256=same_question(question),
        told_sha256=told_sha256,
    )
    return row is not None


def _remember_sets(tx: Transaction, sets: Sequence[SubjectBits]) -> None:
    distinct = {each.sha256: each for each in sets}
    known = {bytes(row.set_sha256) for row in tx.all(SQL.known_sets, hashes=list(distinct))}
    new = {key: each for key, each in distinct.items() if key not in known}
    if new:
        tx.execute(
            SQL.remember_sets,
            hashes=list(new),
            counts=[each.count for each in new.values()],
            bits=[each.packed() for each in new.values()],
        )


def sets_close_to(
    tx: Transaction, organisation_no: int, question: Question, sets: Sequence[SubjectBits], minimum: int
) -> list[SubjectBits]:
    """Sets of subjects told to this organisation, about a column in common, that could be too close to these."""
    near = close_counts(sets, minimum)
    rows = tx.all_binary(
        SQL.sets_close_to,
        organisation_no=organisation_no,
        dataset=question.dataset,
        columns=told_columns(question),
        lows=[low for low, _ in near],
        highs=[high for _, high in near],
    )
    return [SubjectBits.unpacked(row.bits) for row in rows]


def find_earlier(tx: Transaction, organisation_no: int, question: Question) -> list[Earlier]:
    """Answers told to this organisation over the same dimensions, the newest of each question, newest first."""
    rows = tx.all(
        SQL.earlier_answers,
        organisation_no=organisation_no,
        columns=told_columns(question),
        split_sha256=same_split(question),
        limit=MOST_SPLITS,
    )
    same = same_question(question)
    return [
        Earlier(
            row.entry_no,
            row.entry_id,
            read_question(row.question),
            row.question_sha256 == same,
            msgspec.json.decode(row.snapshots, type=dict[str, int]),
            SubjectBits.unpacked(row.bits),
            row.answered_at,
        )
        for row in rows
    ]


def told_by(tx: Transaction, entry_nos: Iterable[int]) -> dict[int, dict[bytes, Told]]:
    """The cells of these answers by key."""
    wanted = list(entry_nos)
    found: dict[int, dict[bytes, Told]] = {number: {} for number in wanted}
    for row in tx.all(SQL.told_by, entry_nos=wanted):
        told = Told(row.entry_no, row.key_sha256, row.set_sha256, row.rows)
        found[row.entry_no][told.key_sha256] = told
    return found


def forget(city: City) -> int:
    """Forgets answers that are older than `KEPT`; returns how many."""
    with city.transaction(System("jobs")) as tx:
        gone = tx.execute(SQL.forget_answers, before=tx.now - KEPT)
        tx.execute(SQL.forget_sets)
    return gone

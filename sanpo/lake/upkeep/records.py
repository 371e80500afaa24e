"""What the database knows of deletions: who asked for an erasure, what went out of which dataset, what is left to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from sanpo.ground.actors import System
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries

SQL = load_queries("sanpo.lake")
JOBS = System("jobs")
State = Literal["asked", "erased", "gone"]


@dataclass(frozen=True)
class Deletion:
    """Rows that one commit took out of one dataset. `removed` are the files that it took out of the table.

    `remains` are other files on the disk in which rows of the same person may lie: of commits before, or of writers that
    broke off. `version_after` is None until the commit has landed. `horizon` is set where a retention ended.
    """

    deletion_id: str
    erasure_id: str | None
    dataset: str
    horizon: datetime | None
    rows: int
    version_before: int
    version_after: int | None
    files_rewritten: int
    removed: tuple[str, ...]
    remains: tuple[str, ...]

    @property
    def removed_sha256(self) -> str:
        """Names the list of removed files without showing it: SHA-256 over their sorted names, each with a line end."""
        return sha256("".join(f"{name}\n" for name in sorted(self.removed)).encode()).hexdigest()

    def as_public(self) -> dict[str, Any]:
        """What the journal tells of it."""
        return {
            "dataset": self.dataset,
            "rows": self.rows,
            "files_removed": len(self.removed),
            "files_rewritten": self.files_rewritten,
            "removed_sha256": self.removed_sha256,
            "version_before": self.version_before,
            "version_after": self.version_after,
        }


@dataclass(frozen=True)
class Erasure:
    """A resident's wish to have their rows erased, and how far it is. `gone_by` bounds when the old files are gone.

    `elsewhere` counts what was deleted in the city's other stores, by name.
    """

    erasure_id: str
    subject_no: int
    asked_at: datetime
    asked_as: Literal["self", "parent", "carer", "operator"]
    erased_at: datetime | None
    entry_id: str | None
    gone_by: datetime | None
    gone_at: datetime | None
    gone_entry_id: str | None
    elsewhere: Mapping[str, int]
    deletions: tuple[Deletion, ...] = ()

    @property
    def state(self) -> State:
        if self.gone_at is not None:
            return "gone"
        return "asked" if self.erased_at is None else "erased"

    @property
    def took_out(self) -> tuple[Deletion, ...]:
        """The deletions that found something in the present version."""
        return tuple(deletion for deletion in self.deletions if deletion.removed)


def read_erasures(tx: Transaction, rows: Sequence[Any]) -> list[Erasure]:
    """Rows of `lake.erasures` with what was deleted for them."""
    found = tx.all(SQL.deletions_of, erasure_ids=[row.erasure_id for row in rows])
    deletions = [deletion_of(row) for row in found]
    return [_erasure(row, tuple(each for each in deletions if each.erasure_id == row.erasure_id)) for row in rows]


def get_erasure(tx: Transaction, erasure_id: str) -> Erasure:
    return read_erasures(tx, [tx.get(SQL.erasure, erasure_id=erasure_id)])[0]


def deletion_of(row: Any) -> Deletion:
    return Deletion(
        row.deletion_id,
        row.erasure_id,
        row.dataset,
        row.horizon,
        row.rows,
        row.version_before,
        row.version_after,
        row.files_rewritten,
        tuple(row.removed),
        tuple(row.remains),
    )


def moment(at: datetime) -> str:
    """As times stand in journal entries."""
    return at.isoformat(timespec="milliseconds")


def _erasure(row: Any, deletions: tuple[Deletion, ...]) -> Erasure:
    return Erasure(
        row.erasure_id,
        row.subject_no,
        row.asked_at,
        row.asked_as,
        row.erased_at,
        row.entry_id,
        row.gone_by,
        row.gone_at,
        row.gone_entry_id,
        row.elsewhere,
        deletions,
    )

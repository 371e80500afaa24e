"""The journal's vault: its SQL as functions. Imported only by the modules of this district that act."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries
from sanpo.journal import subjects
from sanpo.journal.model import Checkpoint, Leaf, SubjectSet, commit_to
from sanpo.journal.tiles import Place

SQL = load_queries(__package__)
DUTY = "journal"
"""The duty that row-level security lets open sealed sets: of the sequencer, the prover and the audit."""


def insert_entry(tx: Transaction, columns: dict[str, Any]) -> int:
    """An entry that is about nobody in particular; returns its number."""
    return int(tx.get(SQL.append_entry, **columns).entry_no)


def insert_entry_of_one(tx: Transaction, columns: dict[str, Any], subject_no: int) -> int:
    """An entry about one resident, whom only the salt ties to its public part."""
    salt = secrets.token_bytes(subjects.SALT_BYTES)
    person = commit_to(subject_no, salt)
    return int(tx.get(SQL.append_entry_of_one, **columns, subject_no=subject_no, salt=salt, person=person).entry_no)


def insert_use(tx: Transaction, columns: dict[str, Any], people: SubjectSet) -> int:
    """An entry about many residents; its tree is made when it is sequenced."""
    universe = subjects.whole_blocks(people.universe)
    sealed = {
        "use_key": secrets.token_bytes(subjects.KEY_BYTES),
        "bits": people.bits[: universe // 8].ljust(universe // 8, b"\x00"),
        "universe": universe,
        "subject_count": people.count,
    }
    return int(tx.get(SQL.append_use, **columns, **sealed).entry_no)


def insert_gathered(tx: Transaction, **columns: Any) -> None:
    tx.execute(SQL.gather, **columns)


def take_gathered(tx: Transaction, limit: int) -> list[Any]:
    """Takes the next small uses out, in the order in which they were recorded."""
    return sorted(tx.all(SQL.take_gathered, limit=limit), key=lambda row: row.gathered_no)


def lead(tx: Transaction) -> bool:
    """True where this transaction became the only sequencer, until it ends."""
    return bool(tx.get(SQL.lead).leads)


def latest_checkpoint(tx: Transaction) -> Checkpoint | None:
    row = tx.one(SQL.latest_checkpoint)
    return Checkpoint(*row) if row else None


def checkpoints(tx: Transaction) -> Iterator[Checkpoint]:
    """All checkpoints, smallest first."""
    after, page = 0, 1000
    while rows := tx.all(SQL.checkpoints_from, after=after, limit=page):
        yield from (Checkpoint(*row) for row in rows)
        after = rows[-1].size


def insert_checkpoint(tx: Transaction, checkpoint: Checkpoint) -> None:
    tx.execute(SQL.store_checkpoint, **vars(checkpoint))


def entries_not_in_tree(tx: Transaction, *, entries: int, slots: int) -> list[Any]:
    return tx.all(SQL.entries_not_in_tree, entries=entries, slots=slots)


def count_not_in_tree(tx: Transaction) -> int:
    return int(tx.get(SQL.count_not_in_tree).waiting)


def put_in_tree(tx: Transaction, rows: Sequence[Any], first: int, roots: Mapping[int, bytes]) -> None:
    """Numbers the rows from leaf `first` on and keeps the roots of their sealed sets (by entry number)."""
    numbers = [row.entry_no for row in rows]
    tx.execute(
        SQL.put_in_tree,
        entry_nos=numbers,
        leaf_indexes=list(range(first, first + len(rows))),
        subjects_roots=[roots.get(number) for number in numbers],
    )


def get_sealed_set(tx: Transaction, entry_no: int) -> Any:
    """Key, bits and block roots of a use; only for the duty."""
    return tx.get(SQL.sealed_set, entry_no=entry_no)


def get_sealed_block(tx: Transaction, entry_no: int, block: int) -> Any:
    """Key, the bits of one block and all block roots of a use; only for the duty."""
    size = subjects.BLOCK // 8
    return tx.get(SQL.sealed_block, entry_no=entry_no, first_byte=block * size + 1, bytes=size)


def update_block_roots(tx: Transaction, entry_no: int, block_roots: Sequence[bytes]) -> None:
    tx.execute(SQL.store_block_roots, entry_no=entry_no, block_roots=b"".join(block_roots))


def find_tiles(tx: Transaction, places: Iterable[Place]) -> dict[Place, bytes]:
    """The tiles at these places that are there, in one round trip."""
    wanted = list(places)
    if not wanted:
        return {}
    columns = {"levels": [level for level, _ in wanted], "indexes": [index for _, index in wanted]}
    rows = tx.all_binary(SQL.find_tiles, **columns)
    return {(row.level, row.index): row.hashes for row in rows}


def upsert_tiles(tx: Transaction, tiles: Mapping[Place, bytes]) -> None:
    tx.execute(
        SQL.store_tiles,
        levels=[level for level, _ in tiles],
        indexes=[index for _, index in tiles],
        hashes=list(tiles.values()),
    )


def find_entry(tx: Transaction, entry_id: str) -> Any | None:
    """One entry with its leaf's columns, and the opening of its commitment where the actor may see it."""
    return tx.one(SQL.find_entry, entry_id=entry_id)


def list_uses(tx: Transaction, **filters: Any) -> list[Any]:
    return tx.all(SQL.list_uses, **filters)


def list_entries(tx: Transaction, *, before: int | None, limit: int) -> list[Any]:
    return tx.all(SQL.list_entries, before=before, limit=limit)


def leaves_from(tx: Transaction, first: int, count: int) -> list[Any]:
    """Entries in the tree's order, from leaf `first` on."""
    return tx.all(SQL.leaves_from, first=first, count=count)


def leaf_of(row: Any, subjects_root: bytes | None) -> Leaf:
    """What the tree hashes of an entry's row."""
    return Leaf(row.entry_id, row.kind, row.appended_at, row.body, row.person, row.universe, subjects_root)

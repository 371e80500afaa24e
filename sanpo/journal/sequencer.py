"""Puts committed entries into the tree and signs it: one leader, one transaction a batch, no entry ever renumbered.

An entry whose transaction commits late, with a lower number than entries already in the tree, simply comes in a later
batch. A crash at any point leaves the batch before: number, tiles, roots and checkpoint commit together.
"""

from dataclasses import dataclass, field
from typing import Any

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.journal import merkle, store, subjects, tiles
from sanpo.journal.gathering import put_together
from sanpo.journal.model import Checkpoint
from sanpo.journal.note import ED25519, TreeHead, VerifierKey, sign_tree_head

MAX_ENTRIES = 10_000
MAX_SLOTS = 400_000
"""Together about a second's work."""
_MAX_BATCHES = 60


@dataclass
class _Batch:
    leaves: list[bytes] = field(default_factory=list)
    subjects_roots: dict[int, bytes] = field(default_factory=dict)


def sequence(city: City, *, max_entries: int = MAX_ENTRIES, max_slots: int = MAX_SLOTS) -> Checkpoint | None:
    """Takes the next entries into the tree. None where nothing waits, or another process is at it."""
    with city.transaction(System(store.DUTY)) as tx:
        if not store.lead(tx):
            return None
        put_together(tx)
        rows = store.entries_not_in_tree(tx, entries=max_entries, slots=max_slots)
        if not rows:
            return None
        before = store.latest_checkpoint(tx)
        size = before.size if before else 0
        batch = _hash(tx, rows)
        old = store.find_tiles(tx, tiles.edge(size))
        new = tiles.grow(size, old, batch.leaves)
        checkpoint = _sign(city, size + len(rows), tiles.root(size + len(rows), {**old, **new}))
        store.put_in_tree(tx, rows, size, batch.subjects_roots)
        store.upsert_tiles(tx, new)
        store.insert_checkpoint(tx, checkpoint)
        return checkpoint


def sequence_all(city: City) -> Checkpoint | None:
    """Batch after batch until nothing waits (or for about a minute); returns the last checkpoint made."""
    last = None
    for _ in range(_MAX_BATCHES):
        checkpoint = sequence(city)
        if checkpoint is None:
            break
        last = checkpoint
    return last


def verifier_key(city: City) -> VerifierKey:
    """The public key under which this city's checkpoints are signed; `str()` of it is what verifiers are given."""
    return VerifierKey(city.settings.journal_origin, ED25519, city.keys.public_bytes)


def _hash(tx: Transaction, rows: list[Any]) -> _Batch:
    batch = _Batch()
    for row in rows:
        root = None
        if row.universe is not None:
            root = batch.subjects_roots[row.entry_no] = _seal(tx, row.entry_no)
        batch.leaves.append(merkle.leaf_hash(store.leaf_of(row, root).to_bytes()))
    return batch


def _seal(tx: Transaction, entry_no: int) -> bytes:
    """Makes the tree of a use's residents from what its own transaction stored; the same row gives the same root."""
    sealed = store.get_sealed_set(tx, entry_no)
    roots = subjects.block_roots(sealed.use_key, sealed.bits)
    store.update_block_roots(tx, entry_no, roots)
    return merkle.root(roots)


def _sign(city: City, size: int, root: bytes) -> Checkpoint:
    key = verifier_key(city)
    note = sign_tree_head(TreeHead(key.name, size, root), key, city.keys.sign)
    return Checkpoint(size, root, str(note), city.now())

"""What can be done with the journal: append to it, list it, prove from it, and hand out its tree."""

import json
from collections.abc import Collection, Sequence
from typing import Any

import psycopg

from sanpo.ground.actors import Actor, Anonymous, Resident, System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.journal import merkle, store, subjects, tiles
from sanpo.journal.model import (
    ID_PREFIX,
    Appended,
    Checkpoint,
    Entry,
    JournalEntryIsNoUse,
    JournalEntryNotFound,
    JournalEntryNotYetSequenced,
    JournalIsEmpty,
    JournalUnavailable,
    SubjectSet,
    TileNotFound,
    body_bytes,
    check_kind,
)
from sanpo.journal.tlogproof import TlogProof
from sanpo.journal.verifier import Extra, PersonExtra, SlotExtra

MAX_PAGE = 200


def append(
    tx: Transaction,
    *,
    kind: str,
    body: dict[str, Any],
    agreement_no: int | None = None,
    organisation_no: int | None = None,
    subject_no: int | None = None,
    subjects: SubjectSet | None = None,
    entry_id: str | None = None,
) -> Appended:
    """Records `body` in the caller's own transaction, in one statement: no append, no answer.

    `body` is public. Whom the entry is about goes into `subject_no` (one resident) or `subjects` (a use of many), where
    only they can see it. `entry_id` is for a caller that names the entry in rows of its own which it writes before this
    one. Raises `JournalUnavailable`, `JournalEntryIsTooLarge`, or ground's `NotCanonical`.
    """
    if subject_no is not None and subjects is not None:
        raise ValueError("an entry is about one resident or about a set of them, not both")
    columns = {
        "entry_id": entry_id or new_id(ID_PREFIX),
        "kind": check_kind(kind),
        "agreement_no": agreement_no,
        "organisation_no": organisation_no,
        "appended_at": tx.now,
        "body": body_bytes(body),
    }
    try:
        if subjects is not None:
            entry_no = store.insert_use(tx, columns, subjects)
        elif subject_no is not None:
            entry_no = store.insert_entry_of_one(tx, columns, subject_no)
        else:
            entry_no = store.insert_entry(tx, columns)
    except psycopg.Error as error:
        raise JournalUnavailable(problem=type(error).__name__) from error
    return Appended(str(columns["entry_id"]), entry_no)


def gather(
    tx: Transaction,
    *,
    body: dict[str, Any],
    counts: dict[str, int],
    agreement_no: int,
    organisation_no: int,
    subjects: Collection[int],
    universe: int,
) -> None:
    """Records a small use in the caller's own transaction; within a second it is in an entry with others like it.

    For uses that come by the hundred in a second, each about few residents. Those of the same `body` become one entry,
    whose body says when the first and the last were, how many answers and residents, and the sums of `counts`. Raises
    `JournalUnavailable`, `JournalEntryIsTooLarge`, or ground's `NotCanonical`.
    """
    try:
        store.insert_gathered(
            tx,
            kind="use",
            agreement_no=agreement_no,
            organisation_no=organisation_no,
            appended_at=tx.now,
            body=body_bytes(body),
            counts=json.dumps(counts),
            subject_nos=sorted(set(subjects)),
            universe=universe,
        )
    except psycopg.Error as error:
        raise JournalUnavailable(problem=type(error).__name__) from error


def list_uses_of(
    city: City,
    actor: Resident,
    *,
    before: int | None = None,
    limit: int = 20,
    include_out: bool = False,
    agreement_nos: Sequence[int] | None = None,
) -> list[Entry]:
    """Uses that included this resident, newest first, at once after their commit; `before` is an `entry_no`.

    With `include_out` also those that did not. `agreement_nos` narrows it, which keeps it fast in a
    long log.
    """
    with city.transaction(actor) as tx:
        rows = store.list_uses(
            tx,
            before=before,
            limit=min(limit, MAX_PAGE),
            include_out=include_out,
            agreement_nos=None if agreement_nos is None else list(agreement_nos),
        )
    return [_entry(row) for row in rows]


def list_entries(city: City, *, before: int | None = None, limit: int = 50) -> list[Entry]:
    """The public journal, newest first; `before` is an `entry_no`."""
    with city.transaction(Anonymous()) as tx:
        return [_entry(row) for row in store.list_entries(tx, before=before, limit=min(limit, MAX_PAGE))]


def prove_use(city: City, actor: Resident, entry_id: str) -> str:
    """A `.tlog-proof` that this resident was in this use, or was not.

    Raises as `prove_entry` does, or `JournalEntryIsNoUse`.
    """
    return _prove(city, actor, entry_id, needs_use=True)


def prove_entry(city: City, actor: Actor, entry_id: str) -> str:
    """A `.tlog-proof` of the entry. A resident's own opens their slot or commitment, others the public part alone.

    Raises `JournalEntryNotFound` or `JournalEntryNotYetSequenced`.
    """
    return _prove(city, actor, entry_id, needs_use=False)


def latest_checkpoint(city: City) -> Checkpoint:
    """The newest signed tree head. Raises `JournalIsEmpty`."""
    with city.transaction(Anonymous()) as tx:
        return _checkpoint(tx)


def read_tile(city: City, level: int, path: str) -> bytes:
    """A tile's concatenated hashes by its path after the level (C2SP tlog-tiles). Raises `TileNotFound`."""
    index, wide = _parsed(f"{level}/{path}", path)
    with city.transaction(Anonymous()) as tx:
        tile = store.find_tiles(tx, [(level, index)]).get((level, index), b"") if level < 8 else b""
    if len(tile) < wide * merkle.HASH_BYTES:
        raise TileNotFound(path=f"{level}/{path}")
    return tile[: wide * merkle.HASH_BYTES]


def read_bundle(city: City, path: str) -> bytes:
    """The entries under a tile of level 0, each after its 16-bit length (C2SP tlog-tiles). Raises `TileNotFound`."""
    index, wide = _parsed(f"entries/{path}", path)
    with city.transaction(Anonymous()) as tx:
        rows = store.leaves_from(tx, index * tiles.WIDTH, wide)
    if len(rows) < wide:
        raise TileNotFound(path=f"entries/{path}")
    leaves = [store.leaf_of(row, row.subjects_root).to_bytes() for row in rows]
    return b"".join(len(leaf).to_bytes(2) + leaf for leaf in leaves)


def inclusion_proof(tx: Transaction, index: int, size: int) -> tuple[bytes, ...]:
    """The path of leaf `index` in the tree of `size`, from at most two tiles a level, read in one query."""
    ranges = merkle.inclusion_ranges(index, size)
    found = store.find_tiles(tx, tiles.places(ranges))
    return tuple(tiles.range_hash(start, end, found) for start, end in ranges)


def _prove(city: City, actor: Actor, entry_id: str, *, needs_use: bool) -> str:
    with city.transaction(actor) as tx:
        row = store.find_entry(tx, entry_id)
        if row is None:
            raise JournalEntryNotFound(entry_id=entry_id[:40])
        if needs_use and row.universe is None:
            raise JournalEntryIsNoUse(entry_id=entry_id)
        if row.leaf_index is None:
            raise JournalEntryNotYetSequenced(entry_id=entry_id)
        checkpoint = _checkpoint(tx)
        hashes = inclusion_proof(tx, row.leaf_index, checkpoint.size)
    extra = Extra(
        leaf=store.leaf_of(row, row.subjects_root).to_bytes().decode(),
        person=PersonExtra(row.salt.hex(), row.subject_no) if row.salt is not None else None,
        slot=_open_slot(city, row, actor.subject_no) if row.universe and isinstance(actor, Resident) else None,
    )
    return str(TlogProof(row.leaf_index, hashes, checkpoint.note, extra.to_bytes()))


def _open_slot(city: City, row: Any, subject_no: int) -> SlotExtra:
    """Opens one slot at the journal's own duty: a resident's transaction cannot read what others' slots are made of."""
    if subject_no >= row.universe:
        return SlotExtra(False, subject_no, [], "")
    with city.transaction(System(store.DUTY)) as tx:
        sealed = store.get_sealed_block(tx, row.entry_no, subject_no // subjects.BLOCK)
    size = merkle.HASH_BYTES
    roots = [sealed.block_roots[at : at + size] for at in range(0, len(sealed.block_roots), size)]
    slot = subjects.open_slot(subject_no, sealed.use_key, sealed.bits, roots)
    return SlotExtra(slot.included, subject_no, [item.hex() for item in slot.path], slot.salt.hex())


def _checkpoint(tx: Transaction) -> Checkpoint:
    checkpoint = store.latest_checkpoint(tx)
    if checkpoint is None:
        raise JournalIsEmpty
    return checkpoint


def _parsed(whole: str, path: str) -> tuple[int, int]:
    found = tiles.parse_tile_path(path)
    if found is None:
        raise TileNotFound(path=whole[:80])
    return found


def _entry(row: Any) -> Entry:
    return Entry(**{**row._asdict(), "body": json.loads(row.body)})

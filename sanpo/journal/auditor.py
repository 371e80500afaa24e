"""Recomputes the journal from its entries and compares it with every root, tile and signature that the city gave out.

The root is folded by another way than the sequencer's tiles, so that one mistake cannot hide in both. That the roots of
all checkpoints are those of prefixes of one tree is what consistency between any two of them means.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.journal import merkle, store, subjects, tiles
from sanpo.journal.model import Checkpoint, JournalIsInconsistent, NoteIsMalformed
from sanpo.journal.note import TreeHead, VerifierKey, is_signed_by, parse_note
from sanpo.journal.sequencer import verifier_key

_PAGE = 4 * tiles.WIDTH


@dataclass(frozen=True)
class AuditReport:
    """What was found in order: entries in the tree, uses among them, checkpoints; and entries that still wait."""

    entries: int
    uses: int
    checkpoints: int
    waiting: int


def audit(city: City, progress: Callable[[int, int], None] = lambda done, size: None) -> AuditReport:
    """Raises `JournalIsInconsistent` at the first thing that does not follow from the entries.

    `progress` is told after each page how many entries of how many were read. About 15 µs an entry, 0.2 s a use of
    120,000. The journal may grow meanwhile: what the newest checkpoint at the start covers is what is audited.
    """
    with city.transaction(System(store.DUTY)) as tx:
        newest = store.latest_checkpoint(tx)
        run = _Audit(tx, verifier_key(city), newest.size if newest else 0)
        run.entries(progress)
        run.rest_of_tiles()
        return AuditReport(run.frontier.size, run.uses, run.checked, store.count_not_in_tree(tx))


class _Audit:
    def __init__(self, tx: Transaction, key: VerifierKey, size: int) -> None:
        self.tx = tx
        self.key = key
        self.size = size
        self.frontier = merkle.Frontier()
        self.levels: list[list[bytes]] = [[]]  # hashes of each level that no full tile holds yet
        self.full: list[int] = [0]  # full tiles of each level so far
        self.uses = self.checked = 0
        self.checkpoints: Iterator[Checkpoint] = store.checkpoints(tx)
        self.next = next(self.checkpoints, None)

    def entries(self, progress: Callable[[int, int], None]) -> None:
        while self.frontier.size < self.size:
            rows = store.leaves_from(self.tx, self.frontier.size, min(_PAGE, self.size - self.frontier.size))
            if not rows:
                raise JournalIsInconsistent(what="entries under the newest checkpoint", at=self.frontier.size)
            for row in rows:
                self._entry(row)
            progress(self.frontier.size, self.size)

    def rest_of_tiles(self) -> None:
        for level, hashes in enumerate(self.levels):
            if hashes:
                self._tile(level, hashes)

    def _entry(self, row: Any) -> None:
        if row.leaf_index != self.frontier.size:
            raise JournalIsInconsistent(what="gap in the entries", at=self.frontier.size)
        if row.universe is not None:
            self._use(row)
        leaf = merkle.leaf_hash(store.leaf_of(row, row.subjects_root).to_bytes())
        self.frontier.append(leaf)
        self._into_tile(0, leaf)
        if self.next is not None and self.next.size == self.frontier.size:
            self._checkpoint(self.next)
            self.next = next(self.checkpoints, None)

    def _use(self, row: Any) -> None:
        sealed = store.get_sealed_set(self.tx, row.entry_no)
        roots = subjects.block_roots(sealed.use_key, sealed.bits)
        if b"".join(roots) != sealed.block_roots or merkle.root(roots) != row.subjects_root:
            raise JournalIsInconsistent(what="set of residents", at=row.leaf_index)
        self.uses += 1

    def _into_tile(self, level: int, item: bytes) -> None:
        if level == len(self.levels):
            self.levels.append([])
            self.full.append(0)
        hashes = self.levels[level]
        hashes.append(item)
        if len(hashes) == tiles.WIDTH:
            self._tile(level, hashes)
            self.full[level] += 1
            self.levels[level] = []
            self._into_tile(level + 1, merkle.root(hashes))

    def _tile(self, level: int, hashes: list[bytes]) -> None:
        place = (level, self.full[level])
        if not store.find_tiles(self.tx, [place]).get(place, b"").startswith(b"".join(hashes)):
            raise JournalIsInconsistent(what=f"tile of level {level}", at=self.full[level])

    def _checkpoint(self, checkpoint: Checkpoint) -> None:
        head = TreeHead(self.key.name, checkpoint.size, self.frontier.root())
        try:
            note = parse_note(checkpoint.note)
        except NoteIsMalformed:
            raise JournalIsInconsistent(what="checkpoint's note", at=checkpoint.size) from None
        if head.root != checkpoint.root or note.text != head.text or not is_signed_by(note, self.key):
            raise JournalIsInconsistent(what="checkpoint", at=checkpoint.size)
        self.checked += 1

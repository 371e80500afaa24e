"""The guard against differencing: what several answers to one recipient tell together. Pure.

Two answers can be subtracted. If a cell now and a cell told before differ by a few subjects, the difference is about
those few, whether data came late, somebody withdrew or joined, or the filter was narrowed on purpose. So a cell is
withheld whose set of subjects differs from that of an earlier cell, told to the same organisation and about a column in
common, by fewer than the minimum but by somebody; and so is a cell of the same subjects in which the rows of fewer than
the minimum differ (asked again later, or with another filter over the same dimensions).

Not decided here: what three or more answers tell together by adding and subtracting. Where that matters, the release
with differential privacy has a bound for it.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from sanpo.cleanroom.model import Question, question_json
from sanpo.cleanroom.plan import Cell
from sanpo.ground.canonical import sha256_hex

Holdings = Mapping[tuple[Any, ...], Mapping[int, int]]
"""By cell's key and subject: how many rows."""
ROWS_COLUMN = "*"
"""Stands for the count of rows among the columns that an answer tells of."""


@dataclass(frozen=True)
class SubjectBits:
    """Who was in a cell, by its hash; bit 7 − n % 8 of byte n // 8 is subject n."""

    bits: bytes

    @cached_property
    def sha256(self) -> bytes:
        return sha256(self.bits.rstrip(b"\x00")).digest()

    @cached_property
    def count(self) -> int:
        return int(np.bitwise_count(np.frombuffer(self.bits, dtype=np.uint8)).sum())

    @staticmethod
    def of(numbers: npt.NDArray[np.int32]) -> "SubjectBits":
        """From subject numbers."""
        flags = np.zeros(int(numbers.max()) + 1 if len(numbers) else 8, dtype=np.uint8)
        flags[numbers] = 1
        return SubjectBits(np.packbits(flags).tobytes())

    def packed(self) -> bytes:
        """Compressed, to be kept."""
        return zlib.compress(self.bits.rstrip(b"\x00"), 6)

    @staticmethod
    def unpacked(data: bytes) -> "SubjectBits":
        return SubjectBits(zlib.decompress(data))

    def differs_by(self, other: "SubjectBits") -> int:
        """How many subjects are in one of both only."""
        size = max(len(self.bits), len(other.bits))
        both = [np.frombuffer(each.bits.ljust(size, b"\x00"), dtype=np.uint8) for each in (self, other)]
        return int(np.bitwise_count(both[0] ^ both[1]).sum())


@dataclass(frozen=True)
class Told:
    """One cell told before: the entry that told it, its key's hash, its subjects' hash and its rows."""

    entry_no: int
    key_sha256: bytes
    set_sha256: bytes
    rows: int


def told_columns(question: Question) -> list[str]:
    """The columns that its answer tells of, `*` for the count of rows. How many people it is about tells nothing of them."""
    names = {name for measure in question.measures for name in measure.columns}
    counts = {ROWS_COLUMN for measure in question.measures if measure.function == "count"}
    return sorted(names | counts)


def same_question(question: Question) -> str:
    """Hash of what decides the cells and their values; order and limit do not."""
    plain = question_json(question)
    return sha256_hex(repr({k: v for k, v in plain.items() if k not in ("order_by", "limit", "release")}).encode())


def same_split(question: Question) -> str:
    """Hash of what decides how rows are split into cells; the filter may differ."""
    plain = question_json(question)
    return sha256_hex(repr([plain.get(k) for k in ("dataset", "joins", "dimensions")]).encode())


def key_hash(key: tuple[Any, ...]) -> bytes:
    return sha256(repr(key).encode()).digest()


def close_counts(sets: Iterable[SubjectBits], minimum: int) -> list[tuple[int, int]]:
    """Between which numbers of subjects an earlier set must lie to be close to one of these."""
    return sorted({(max(0, each.count - minimum + 1), each.count + minimum - 1) for each in sets})


def sets_of(cells: Sequence[Cell]) -> list[SubjectBits]:
    """Who is in each cell; cells of the same people share one set, which is hashed once."""
    known: dict[bytes, SubjectBits] = {}
    return [known.setdefault(cell.subjects, SubjectBits(cell.subjects)) for cell in cells]


def told_hash(cells: Sequence[Cell], sets: Sequence[SubjectBits]) -> bytes:
    """Stands for which cells, of whom and of how many rows: what was told once can be told again."""
    parts = sorted((key_hash(cell.key), each.sha256, cell.rows) for cell, each in zip(cells, sets, strict=True))
    return sha256(repr(parts).encode()).digest()


def too_close(sets: Sequence[SubjectBits], earlier: Iterable[SubjectBits], minimum: int) -> frozenset[int]:
    """Numbers of the cells whose subjects differ from an earlier set's by fewer than the minimum, but by somebody."""
    by_count: dict[int, list[SubjectBits]] = {}
    for each in {one.sha256: one for one in earlier}.values():
        by_count.setdefault(each.count, []).append(each)
    risky = set()
    for at, one in enumerate(sets if by_count else ()):
        near = (other for n in range(one.count - minimum + 1, one.count + minimum) for other in by_count.get(n, ()))
        if any(0 < one.differs_by(other) < minimum for other in near):
            risky.add(at)
    return frozenset(risky)


def moved_rows(cells: Sequence[Cell], sets: Sequence[SubjectBits], told: Mapping[bytes, Told]) -> frozenset[int]:
    """Numbers of the cells that were told under the same key, of the same subjects, but of other rows."""
    found = set()
    for at, cell in enumerate(cells):
        before = told.get(key_hash(cell.key))
        if before is not None and before.rows != cell.rows and before.set_sha256 == sets[at].sha256:
            found.add(at)
    return frozenset(found)


def moved_by_few(
    cells: Sequence[Cell], moved: Iterable[int], before: Holdings, now: Holdings, minimum: int
) -> frozenset[int]:
    """Of these cells those in which the number of rows changed for fewer subjects than the minimum."""
    few = set()
    for at in moved:
        old, new = before.get(cells[at].key, {}), now.get(cells[at].key, {})
        changed = sum(old.get(subject) != new.get(subject) for subject in {*old, *new})
        if changed < minimum:
            few.add(at)
    return frozenset(few)

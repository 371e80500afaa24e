"""Nouns of the journal and its pure rules: what an entry is, what of it goes into the tree, and what can go wrong."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sanpo.ground.canonical import canonical_json
from sanpo.ground.errors import DomainError, Kind

ID_PREFIX = "ent"
MAX_BODY_BYTES = 60_000
"""An entry and its frame must fit the 16-bit length of an entry bundle (C2SP tlog-tiles)."""
_KIND = re.compile(r"[a-z]+(?:[._][a-z]+)*")


class JournalUnavailable(DomainError):
    """The entry could not be appended, so nothing that needs it may happen. Field: problem."""

    code = "journal.journal_unavailable"
    kind = Kind.UNAVAILABLE


class JournalEntryIsTooLarge(DomainError):
    """An entry's body is longer than the log's format can carry. Fields: size_bytes, limit_bytes."""

    code = "journal.entry_is_too_large"
    kind = Kind.INVALID


class JournalEntryNotFound(DomainError):
    """There is no such entry. Field: entry_id."""

    code = "journal.entry_not_found"
    kind = Kind.NOT_FOUND


class JournalEntryIsNoUse(DomainError):
    """The entry is about no set of residents, so there is nothing to be in or out of. Field: entry_id."""

    code = "journal.entry_is_no_use"
    kind = Kind.CONFLICT


class JournalEntryNotYetSequenced(DomainError):
    """The entry is safe, but the signed tree does not hold it yet (≤ 1 s). Field: entry_id."""

    code = "journal.entry_not_yet_sequenced"
    kind = Kind.CONFLICT


class JournalIsEmpty(DomainError):
    """No checkpoint was signed yet."""

    code = "journal.journal_is_empty"
    kind = Kind.NOT_FOUND


class TileNotFound(DomainError):
    """The tree is not that large, or the path is not of the form of C2SP tlog-tiles. Field: path."""

    code = "journal.tile_not_found"
    kind = Kind.NOT_FOUND


class NoteIsMalformed(DomainError):
    """A text is no signed note or checkpoint. Field: problem."""

    code = "journal.note_is_malformed"
    kind = Kind.INVALID


class VerifierKeyIsMalformed(DomainError):
    """A text is no C2SP verifier key. Field: problem."""

    code = "journal.verifier_key_is_malformed"
    kind = Kind.INVALID


class ProofIsInvalid(DomainError):
    """A proof proves nothing. `step` is the first check that failed, `problem` what was found there.

    Steps: `format`, `checkpoint`, `signature`, `entry`, `inclusion`, `subject`, `person`.
    """

    code = "journal.proof_is_invalid"
    kind = Kind.INVALID


class JournalIsInconsistent(DomainError):
    """The audit found a stored thing that does not follow from the entries. Fields: what, at."""

    code = "journal.journal_is_inconsistent"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class SubjectSet:
    """Whom a use was about: bit n of `bits` (PostgreSQL's `get_bit`: byte n // 8, lowest bit first) is subject n.

    `universe` is the number of subjects that there are, `count` how many bits are set. Raises `ValueError` where they
    disagree.
    """

    bits: bytes
    universe: int
    count: int

    def __post_init__(self) -> None:
        number = int.from_bytes(self.bits, "little")
        if self.universe < 1 or number.bit_length() > self.universe or number.bit_count() != self.count:
            raise ValueError("bits, universe and count of a subject set disagree")

    @classmethod
    def of(cls, numbers: Collection[int], universe: int) -> "SubjectSet":
        """The set of these subject numbers; the universe has room for them all at least."""
        bits = bytearray(-(-max(universe, max(numbers) + 1) // 8))
        for number in numbers:
            bits[number // 8] |= 1 << number % 8
        return cls(bytes(bits), len(bits) * 8, len(set(numbers)))


@dataclass(frozen=True)
class Appended:
    """The entry as the caller's transaction will leave it; `entry_no` is its number in the database."""

    entry_id: str
    entry_no: int


@dataclass(frozen=True)
class Entry:
    """The public part of one entry. `leaf_index` is None until the tree holds it.

    `included` is for whoever asked about a use: whether they were in it; None where nobody asked.
    """

    entry_no: int
    entry_id: str
    kind: str
    agreement_no: int | None
    organisation_no: int | None
    appended_at: datetime
    body: dict[str, Any]
    leaf_index: int | None
    included: bool | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A signed tree head: the journal had `size` entries under `root`; `note` is the C2SP checkpoint."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


@dataclass(frozen=True)
class Leaf:
    """What the tree hashes of an entry. `person` commits to one resident, `subjects_root` to all of a use."""

    entry_id: str
    kind: str
    appended_at: datetime
    body: bytes
    person: bytes | None = None
    universe: int | None = None
    subjects_root: bytes | None = None

    def to_bytes(self) -> bytes:
        """Canonical JSON (RFC 8785) of `{at, body, entry_id, kind, person?, subjects?, v}` around the body's bytes."""
        parts = [
            b'{"at":"%s","body":%s' % (written(self.appended_at).encode(), self.body),
            b'"entry_id":"%s","kind":"%s"' % (self.entry_id.encode(), self.kind.encode()),
        ]
        if self.person is not None:
            parts.append(b'"person":"%s"' % self.person.hex().encode())
        if self.subjects_root is not None:
            universe, tree = str(self.universe).encode(), self.subjects_root.hex().encode()
            parts.append(b'"subjects":{"root":"%s","universe":%s}' % (tree, universe))
        return b",".join([*parts, b'"v":1}'])


def written(moment: datetime) -> str:
    """UTC with microseconds and `Z`, as in every leaf."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def commit_to(subject_no: int, salt: bytes) -> bytes:
    """Stands for one resident in a public entry: SHA-256(salt (16 bytes) || subject number (8 bytes, big-endian))."""
    return sha256(salt + subject_no.to_bytes(8)).digest()


def check_kind(kind: str) -> str:
    """Kinds are lower-case words such as `use` or `grant.given`, at most 64 letters; others raise `ValueError`."""
    if len(kind) > 64 or not _KIND.fullmatch(kind):
        raise ValueError(f"{kind!r} is no kind of journal entry")
    return kind


def body_bytes(body: dict[str, Any]) -> bytes:
    """The body as it is stored and hashed. Raises `JournalEntryIsTooLarge` or ground's `NotCanonical`."""
    data = canonical_json(body)
    if len(data) > MAX_BODY_BYTES:
        raise JournalEntryIsTooLarge(size_bytes=len(data), limit_bytes=MAX_BODY_BYTES)
    return data

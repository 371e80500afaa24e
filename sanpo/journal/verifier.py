"""Reads a proof with nothing at hand but the public key. Pure and offline: what a sceptic reads and reimplements.

Checked in this order, each step named in the error: `format` of the file; `checkpoint` and its `signature`; the
`entry`; its `inclusion` in the tree; then, where the proof opens one, the `subject`'s slot or the `person` that the
entry commits to.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from sanpo.ground.canonical import NotCanonical, canonical_json
from sanpo.journal import merkle
from sanpo.journal.model import NoteIsMalformed, ProofIsInvalid, commit_to
from sanpo.journal.note import (
    Cosignature,
    Note,
    TreeHead,
    VerifierKey,
    cosignature_of,
    is_signed_by,
    parse_key,
    parse_note,
    parse_tree_head,
)
from sanpo.journal.subjects import Slot, slot_holds
from sanpo.journal.tlogproof import parse_proof

Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Salt = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Number = Annotated[int, Meta(ge=0)]


class SlotExtra(Struct, frozen=True, forbid_unknown_fields=True):
    """An opened slot. A resident whose number is not in the use's universe has no slot: salt and path are empty."""

    included: bool
    number: Number
    path: list[Hash]
    salt: Annotated[str, Meta(pattern="^(?:[0-9a-f]{32})?$")]


class PersonExtra(Struct, frozen=True, forbid_unknown_fields=True):
    """An opened commitment."""

    salt: Salt
    subject_no: Number


class Extra(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The proof's extra data: the leaf as text, and what the resident alone may open of it."""

    leaf: str
    person: PersonExtra | None = None
    slot: SlotExtra | None = None

    def to_bytes(self) -> bytes:
        return canonical_json(msgspec.to_builtins(self))


class SubjectsPart(Struct, frozen=True, forbid_unknown_fields=True):
    root: Hash
    universe: Number


class LeafPart(Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    body: dict[str, Any]
    entry_id: str
    kind: str
    v: Literal[1]
    person: Hash | None = None
    subjects: SubjectsPart | None = None


@dataclass(frozen=True)
class Verdict:
    """What the proof proves: that the log `origin` holds this entry under a signed tree head of `size` entries.

    `included` says whether resident `subject_no` was in it; both are None where the proof opens nothing.
    """

    origin: str
    size: int
    leaf_index: int
    entry_id: str
    kind: str
    at: str
    body: dict[str, Any]
    subject_no: int | None
    included: bool | None
    cosignatures: tuple[Cosignature, ...]


def verify(text: str, vkey: str, *, witnesses: Sequence[str] = ()) -> Verdict:
    """Checks a `.tlog-proof` against the journal's key and, where given, witnesses' keys (all in C2SP's vkey form).

    Raises `ProofIsInvalid` with the step that failed, or `VerifierKeyIsMalformed`. A witness that gave no cosignature
    is absent from the verdict; one whose cosignature is wrong spoils the proof.
    """
    key, trusted = parse_key(vkey), [parse_key(witness) for witness in witnesses]
    proof = parse_proof(text)
    head, cosignatures = _checkpoint(proof.checkpoint, key, trusted)
    extra = _typed(proof.extra or b"", Extra, "format")
    leaf = _typed(extra.leaf.encode(), LeafPart, "entry")
    hashed = merkle.leaf_hash(extra.leaf.encode())
    if not merkle.inclusion_holds(proof.index, head.size, hashed, proof.hashes, head.root):
        raise ProofIsInvalid(step="inclusion", problem="the path from the entry does not lead to the signed root")
    subject_no, included = _opened(extra, leaf)
    return Verdict(
        origin=head.origin,
        size=head.size,
        leaf_index=proof.index,
        entry_id=leaf.entry_id,
        kind=leaf.kind,
        at=leaf.at,
        body=leaf.body,
        subject_no=subject_no,
        included=included,
        cosignatures=cosignatures,
    )


def _checkpoint(
    text: str, key: VerifierKey, witnesses: Sequence[VerifierKey]
) -> tuple[TreeHead, tuple[Cosignature, ...]]:
    try:
        note = parse_note(text)
        head = parse_tree_head(note.text)
    except NoteIsMalformed as error:
        raise ProofIsInvalid(step="checkpoint", problem=error.fields["problem"]) from None
    if head.origin != key.name or not is_signed_by(note, key):
        raise ProofIsInvalid(step="signature", problem=f"the checkpoint is not signed by {key.name}")
    return head, _cosignatures(note, witnesses)


def _cosignatures(note: Note, witnesses: Sequence[VerifierKey]) -> tuple[Cosignature, ...]:
    try:
        found = [cosignature_of(note, witness) for witness in witnesses]
    except NoteIsMalformed as error:
        raise ProofIsInvalid(step="signature", problem=error.fields["problem"]) from None
    return tuple(cosignature for cosignature in found if cosignature is not None)


def _opened(extra: Extra, leaf: LeafPart) -> tuple[int | None, bool | None]:
    if extra.slot is not None:
        return _opened_slot(extra.slot, leaf.subjects)
    if extra.person is None:
        return None, None
    commitment = commit_to(extra.person.subject_no, bytes.fromhex(extra.person.salt))
    if leaf.person != commitment.hex():
        raise ProofIsInvalid(step="person", problem="the entry commits to someone else")
    return extra.person.subject_no, True


def _opened_slot(extra: SlotExtra, subjects: SubjectsPart | None) -> tuple[int, bool]:
    if subjects is None:
        raise ProofIsInvalid(step="subject", problem="the entry is about no set of residents")
    beyond = extra.number >= subjects.universe and not (extra.included or extra.path or extra.salt)
    slot = Slot(extra.number, extra.included, bytes.fromhex(extra.salt), tuple(map(bytes.fromhex, extra.path)))
    if not beyond and not slot_holds(slot, subjects.universe, bytes.fromhex(subjects.root)):
        raise ProofIsInvalid(step="subject", problem="the slot does not belong to the entry's set of residents")
    return extra.number, extra.included


_T = TypeVar("_T", Extra, LeafPart)


def _typed(data: bytes, kind: type[_T], step: str) -> _T:
    """The value, if its bytes are the one canonical form of it: so that no two readers can see different things."""
    try:
        value = json.loads(data)
        if canonical_json(value) != data:
            raise ProofIsInvalid(step=step, problem="not canonical JSON (RFC 8785)")
        return msgspec.convert(value, kind)
    except (ValueError, RecursionError, NotCanonical) as error:
        raise ProofIsInvalid(step=step, problem=f"not the JSON that was expected: {error}") from None

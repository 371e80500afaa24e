"""The gate: the only maker of an `Admission`, without which no engine scans a personal dataset.

An admission fixes, before the scan, the set of residents whose grant is valid. `confirm` checks it again right before
the release, under a lock that a withdrawal also takes: so an answer either leaves before the withdrawal, or without
the resident (promises 1 and 3).
"""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np
import numpy.typing as npt

from sanpo.consent.model import PublishedAgreement
from sanpo.consent.store import SQL, agreement_of
from sanpo.ground.actors import Actor, Anonymous, Client, Staff, System
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, Kind, NotFound, NotPermitted, NotSignedIn
from sanpo.people import list_members_with

CHUNK = 2048
_PROCESS_KEY = secrets.token_bytes(32)


class AgreementIsNotInForce(DomainError):
    """The agreement is not approved, was closed, or its term has not begun or is over. Fields: state, term."""

    code = "consent.agreement_is_not_in_force"
    kind = Kind.REFUSED


class QuestionIsWiderThanAgreement(DomainError):
    """The question touches what the agreement does not cover. Fields: outside, covered."""

    code = "consent.question_is_wider_than_agreement"
    kind = Kind.REFUSED


class AdmissionIsForged(DomainError):
    """Something that the gate did not make was shown as an admission."""

    code = "consent.admission_is_forged"
    kind = Kind.REFUSED


@dataclass(frozen=True)
class Admission:
    """Proof that the gate let this question through, and the set of subjects whose rows may be read.

    `bits` holds one bit per subject_no, least significant bit first; `universe` is its length in bits.
    """

    agreement: PublishedAgreement
    dataset: str
    columns: frozenset[str]
    bits: bytes
    admitted_at: datetime
    asked_by: str
    _seal: bytes

    @property
    def universe(self) -> int:
        return len(self.bits) * 8

    @property
    def subjects(self) -> npt.NDArray[np.int32]:
        """The subject numbers, ascending, int32. Read from the sealed bits each time: nothing kept could be altered."""
        flags = np.unpackbits(np.frombuffer(self.bits, dtype=np.uint8), bitorder="little")
        return np.flatnonzero(flags).astype(np.int32)


@dataclass
class Reading:
    """Proof that the gate let a transaction read rows as they come, and whose they may be (docs/decisions/0019).

    Where an `Admission` fixes everybody before a scan, this asks for the residents whose rows were found. While it is
    `held` none of them can withdraw; else what will leave is confirmed at the end. A household counts no further here
    than who granted.
    """

    agreement: PublishedAgreement
    asked_by: str
    held: bool
    _tx: Transaction
    universe: int = CHUNK
    """How many subject numbers the agreement's set has room for, as far as is known."""
    _grants: dict[int, bool] = field(default_factory=dict)

    def includes(self, subjects: Collection[int]) -> bool:
        """Whether the rows about all of these may be read. Who was asked for once is not asked for again."""
        unknown = sorted({number for number in subjects if number not in self._grants})
        if unknown:
            number, now = self.agreement.agreement_no, self._tx.city.now()
            rows = self._tx.all(SQL.granting, agreement_no=number, subjects=unknown, now=now)
            self._grants |= dict.fromkeys(unknown, False) | {row.subject_no: True for row in rows}
            if rows:
                self.universe = CHUNK * (1 + rows[0].last_chunk_no)
        return all(self._grants[number] for number in subjects)

    def confirm(self, subjects: Collection[int]) -> bool:
        """Whether these still grant, at this moment and until the transaction ends: as `confirm` of an admission."""
        if self.held:
            return True
        number = self.agreement.agreement_no
        self._tx.execute(SQL.share_withdrawals, agreement_no=number)
        row = self._tx.one(SQL.agreement_by_no, agreement_no=number)
        self.held = True
        self._grants.clear()
        return row is not None and row.state == "approved" and self.includes(subjects)


def begin_reading(tx: Transaction, actor: Actor, agreement_id: str, *, held: bool) -> Reading:
    """Lets a transaction read. `held` is for one that ends within milliseconds: withdrawals wait for it.

    Raises `NotFound` for an agreement that is not the actor's, `AgreementIsNotInForce`.
    """
    known: dict[str, int] = tx.city.__dict__.setdefault("_agreement_numbers", {})
    if agreement_id not in known:
        known[agreement_id] = get_own_agreement(tx, actor, agreement_id).agreement_no
    if held:
        tx.execute(SQL.hold, agreement_no=known[agreement_id])
    else:
        tx.admit(agreement_no=known[agreement_id])
    agreement = get_own_agreement(tx, actor, agreement_id)
    check_in_force(tx, agreement)
    return Reading(agreement, _name_of(actor), held, tx)


def admit(tx: Transaction, actor: Actor, agreement_id: str, *, dataset: str, columns: frozenset[str]) -> Admission:
    """Lets a question through: reads, in the question's own transaction, who has granted this agreement at this moment.

    Raises `NotFound` for an agreement that is not the actor's, `AgreementIsNotInForce`, `QuestionIsWiderThanAgreement`.
    """
    agreement = get_own_agreement(tx, actor, agreement_id)
    check_in_force(tx, agreement)
    check_covered(agreement, dataset, columns)
    tx.admit(agreement_no=agreement.agreement_no)
    bits = _granted_bits(tx, agreement)
    asked_by = _name_of(actor)
    seal = _seal(agreement, dataset, columns, bits, tx.now, asked_by)
    return Admission(agreement, dataset, columns, bits, tx.now, asked_by, seal)


def confirm(tx: Transaction, admission: Admission) -> bool:
    """True if all admitted subjects still grant, at this moment and until this transaction ends.

    Takes the agreement's withdrawal lock in shared mode: a withdrawal that has not committed waits for the release.
    """
    check_genuine(admission)
    number = admission.agreement.agreement_no
    tx.execute(SQL.share_withdrawals, agreement_no=number)
    row = tx.one(SQL.agreement_by_no, agreement_no=number)
    if row is None or row.state != "approved":
        return False
    before = np.frombuffer(admission.bits, dtype=np.uint8)
    now = np.zeros(len(before), dtype=np.uint8)
    current = np.frombuffer(_granted_bits(tx, agreement_of(row)), dtype=np.uint8)[: len(before)]
    now[: len(current)] = current
    return not bool(np.any(before & ~now))


def check_genuine(admission: object) -> Admission:
    """The admission, if this process's gate made it and nothing in it was changed; raises `AdmissionIsForged`."""
    if type(admission) is not Admission or type(admission.bits) is not bytes:
        raise AdmissionIsForged
    a = admission
    try:
        genuine = hmac.compare_digest(
            _seal(a.agreement, a.dataset, a.columns, a.bits, a.admitted_at, a.asked_by), a._seal
        )
    except (TypeError, ValueError):  # a part that the gate would not have put there cannot even be sealed
        genuine = False
    if not genuine:
        raise AdmissionIsForged
    return a


def get_own_agreement(tx: Transaction, actor: Actor, agreement_id: str) -> PublishedAgreement:
    """The agreement if the actor may ask under it. Another organisation's looks like none at all.

    Raises `NotSignedIn`, `NotFound`, `NotPermitted`.
    """
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    row = tx.one(SQL.agreement, agreement_id=agreement_id)
    if row is None:
        raise NotFound(what="agreement")
    agreement = agreement_of(row)
    match actor:
        case Client() if actor.organisation_no == agreement.organisation_no:
            if actor.agreement_id not in (None, agreement_id):
                raise NotPermitted(needed=f"a token for {agreement_id}")
        case Staff() if actor.organisation_no == agreement.organisation_no:
            pass
        case System(duty="operator"):
            pass
        case System() if agreement.draft.service is not None and actor.duty == f"service:{agreement.draft.service}":
            pass
        case _:
            raise NotFound(what="agreement")
    return agreement


def check_in_force(tx: Transaction, agreement: PublishedAgreement) -> None:
    """Raises `AgreementIsNotInForce` unless it is approved and in its term today."""
    term = agreement.draft.term
    today = tx.now.astimezone(tx.city.settings.zone).date()
    if agreement.state != "approved" or not agreement.runs_on(today):
        raise AgreementIsNotInForce(state=agreement.state, term=f"{term.first_day} – {term.last_day}")


def check_covered(agreement: PublishedAgreement, dataset: str, columns: frozenset[str]) -> None:
    """Raises `QuestionIsWiderThanAgreement` unless the agreement names the dataset and all of these columns of it."""
    covered = agreement.columns_of(dataset)
    outside = sorted(columns - covered) if covered else [dataset]
    if outside:
        raise QuestionIsWiderThanAgreement(outside=", ".join(outside), covered=_covered_words(agreement))


def _granted_bits(tx: Transaction, agreement: PublishedAgreement) -> bytes:
    """The set as one bitmap. A grant whose time is over is taken out here, before the job records its expiry."""
    number = agreement.agreement_no
    rows = tx.all_binary(SQL.granted_chunks, agreement_no=number)
    if not rows:
        return bytes(CHUNK // 8)
    size = CHUNK // 8
    bits = np.zeros((rows[-1].chunk_no + 1) * size, dtype=np.uint8)
    for row in rows:
        bits[row.chunk_no * size : (row.chunk_no + 1) * size] = np.frombuffer(bytes(row.bits), dtype=np.uint8)
    for late in tx.all(SQL.overdue, agreement_no=number, now=tx.city.now()):
        bits[late.subject_no >> 3] &= ~np.uint8(1 << (late.subject_no & 7))
    return _with_households(tx, number, bits) if agreement.rule.household == "any" else bits.tobytes()


def _with_households(tx: Transaction, agreement_no: int, bits: npt.NDArray[np.uint8]) -> bytes:
    """Adds who lives with somebody who granted, but nobody who has said no to this agreement."""
    members = np.array(list_members_with(tx, bits.tobytes()), dtype=np.int64)
    chunks = 1 + int(members.max(initial=0)) // CHUNK
    wider = np.zeros(max(len(bits), chunks * CHUNK // 8), dtype=np.uint8)
    wider[: len(bits)] = bits
    refused = {row.subject_no for row in tx.all(SQL.refused, agreement_no=agreement_no)}
    for subject_no in members.tolist():
        if subject_no not in refused:
            wider[subject_no >> 3] |= np.uint8(1 << (subject_no & 7))
    return wider.tobytes()


def _seal(
    agreement: PublishedAgreement, dataset: str, columns: frozenset[str], bits: bytes, at: datetime, asked_by: str
) -> bytes:
    everything = msgspec.msgpack.encode((agreement, dataset, sorted(columns), bits, at, asked_by))
    return hmac.digest(_PROCESS_KEY, everything, "sha256")


def _covered_words(agreement: PublishedAgreement) -> str:
    return "; ".join(f"{use.name}: {', '.join(use.columns)}" for use in agreement.draft.datasets)


def _name_of(actor: Actor) -> str:
    match actor:
        case Client():
            return actor.client_id
        case Staff():
            return actor.staff_id
        case System():
            return actor.duty
        case _:
            return "nobody"

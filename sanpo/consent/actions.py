"""What residents do with agreements: give, defer, refuse, withdraw, renew; and what ends a grant without them.

Each decision is one transaction: the grant, its bit, the signed record, the journal entry and, where data may no longer
be used, the notice to the recipient. All commit together or nothing does.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import Any

import msgspec

from sanpo.consent.model import PublishedAgreement, parse_document
from sanpo.consent.notices import queue_notice
from sanpo.consent.receipts import GrantEvent, build_record, record_bytes, sign_input, to_kantara, to_receipt
from sanpo.consent.states import BY_RESIDENT, Decision, State, next_state
from sanpo.consent.store import SQL, agreement_of
from sanpo.ground.actors import Actor, Resident, System, require
from sanpo.ground.canonical import sha256_hex
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, Kind, NotFound
from sanpo.ground.ids import check_id, new_id
from sanpo.journal import append
from sanpo.people import pseudonym

__all__ = ["Decision", "Outcome", "decide", "expire_grants", "get_record", "list_history", "list_offers"]
BATCH = 500
END_GRANTS = "consent.end_grants"


class AgreementIsNotOffered(DomainError):
    """It cannot be agreed to now: not approved, closed, or past its term. Field: state."""

    code = "consent.agreement_is_not_offered"
    kind = Kind.GONE


class AgreementHasChanged(DomainError):
    """The resident read another text than the one stored. Field: sha256 (what is stored)."""

    code = "consent.agreement_has_changed"
    kind = Kind.CONFLICT


class GrantChangedMeanwhile(DomainError):
    """The same grant was decided twice at the same moment; nothing was done by this one."""

    code = "consent.grant_changed_meanwhile"
    kind = Kind.CONFLICT


class Done(Enum):
    RECORDED = "recorded"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Outcome:
    """What a decision did: the state now, and the event that is its receipt (None where nothing changed)."""

    done: Done
    state: State
    event_id: str | None
    entry_id: str | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Offer:
    """An agreement as one resident sees it."""

    agreement: PublishedAgreement
    state: State
    since_at: datetime | None
    expires_at: datetime | None


def decide(
    city: City, actor: Actor, agreement_id: str, decision: Decision, *, sha256: str | None = None, language: str = "ja"
) -> Outcome:
    """The resident's decision on an agreement. `sha256` names the text that was read, where the door knows it.

    Raises `NotFound`, `AgreementIsNotOffered`, `AgreementHasChanged`, `DecisionDoesNotApply`, `GrantChangedMeanwhile`.
    """
    resident = require(actor, Resident)
    check_id("agr", agreement_id)
    if decision not in BY_RESIDENT:
        raise NotFound(what="decision")
    with city.transaction(resident) as tx:
        row = tx.one(SQL.grant, agreement_id=agreement_id, subject_no=resident.subject_no)
        if row is None or row.state in ("proposed", "rejected"):
            raise NotFound(what="agreement")
        agreement = agreement_of(row)
        if sha256 is not None and sha256 != agreement.sha256:
            raise AgreementHasChanged(sha256=agreement.sha256)
        before = State(row.grant_state) if row.grant_state else State.REQUESTED
        if decision in (Decision.GIVE, Decision.RENEW):
            _check_offered(tx, agreement)
        if _is_repeat(before, decision):
            return Outcome(Done.UNCHANGED, before, None, None, row.expires_at)
        after = next_state(before, decision)
        return _record(tx, agreement, resident.subject_no, row.grant_state, after, resident, language)


def expire_grants(city: City) -> int:
    """Records the expiry of grants whose time is over (the gate has ignored them since). Returns how many."""
    done = 0
    with city.transaction(System("jobs")) as tx:
        for late in tx.all(SQL.any_overdue, now=tx.now, limit=BATCH):
            agreement = agreement_of(tx.get(SQL.agreement_by_no, agreement_no=late.agreement_no))
            row = tx.get(SQL.grant, agreement_id=agreement.agreement_id, subject_no=late.subject_no)
            _record(tx, agreement, late.subject_no, row.grant_state, State.EXPIRED, tx.actor, "ja")
            done += 1
    return done


def end_grants(city: City, agreement_id: str, after: State) -> int:
    """Records the end of every valid grant of a closed agreement, a batch to a transaction; returns how many.

    Safe to repeat: what is recorded is no longer valid, so a second run goes on where the first stopped.
    """
    done = 0
    while True:
        with city.transaction(System("jobs")) as tx:
            agreement = agreement_of(tx.get(SQL.agreement, agreement_id=agreement_id))
            batch = tx.all(SQL.valid_of_agreement, agreement_no=agreement.agreement_no, limit=BATCH)
            for grant in batch:
                _record(tx, agreement, grant.subject_no, grant.state, after, tx.actor, "ja")
        done += len(batch)
        if len(batch) < BATCH:
            return done


def list_offers(city: City, actor: Actor) -> list[Offer]:
    """All agreements that are offered to the resident or that they have decided on, newest first."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        rows = tx.all(SQL.offers, subject_no=resident.subject_no, today=_today(tx))
    return [_offer(row) for row in rows if row.state not in ("proposed", "rejected")]


def get_offer(city: City, actor: Actor, agreement_id: str) -> Offer:
    """One agreement as the resident sees it; raises `NotFound`."""
    resident = require(actor, Resident)
    check_id("agr", agreement_id)
    with city.transaction(resident) as tx:
        row = tx.one(SQL.grant, agreement_id=agreement_id, subject_no=resident.subject_no)
    if row is None or row.state in ("proposed", "rejected"):
        raise NotFound(what="agreement")
    return _offer(row)


def list_history(
    city: City, actor: Actor, *, agreement_no: int | None = None, before: str | None = None, limit: int = 50
) -> list[Any]:
    """The resident's decisions, newest first, each with what its recipient was told and whether it acknowledged."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        return tx.all(
            SQL.history, subject_no=resident.subject_no, agreement_no=agreement_no, before=before, limit=limit
        )


def get_record(city: City, actor: Actor, event_id: str, form: str = "dpv") -> dict[str, Any]:
    """The signed receipt of one decision: `dpv` (ISO/IEC TS 27560 as JSON-LD) or `kantara` (1.1). Own only."""
    resident = require(actor, Resident)
    check_id("evt", event_id)
    with city.transaction(resident) as tx:
        row = tx.one(SQL.event, event_id=event_id)
        if row is None:
            raise NotFound(what="receipt")
        vkey = city.keys.vkey(city.settings.journal_origin)
        record: dict[str, Any] = msgspec.json.decode(bytes(row.record))
        if form == "dpv":
            return to_receipt(record, bytes(row.signature), vkey)
        agreement = agreement_of(tx.get(SQL.agreement, agreement_id=row.agreement_id))
        event = GrantEvent(
            row.event_id,
            State(row.state),
            row.at,
            row.expires_at,
            _subject_of(record),
            row.acted_as,
            None,
            row.language,
        )
        return to_kantara(event, agreement, city.settings.jurisdiction, vkey, city.settings.origin)


def _record(
    tx: Transaction,
    agreement: PublishedAgreement,
    subject_no: int,
    before: str | None,
    after: State,
    actor: Actor,
    language: str,
) -> Outcome:
    """Writes one move of one grant with everything that belongs to it."""
    expires_at = _expiry(tx, agreement) if after.counts else None
    ends = before in ("given", "renewed") and not after.counts
    if ends:
        tx.execute(SQL.lock_withdrawals, agreement_no=agreement.agreement_no)
    keys = {"subject_no": subject_no, "agreement_no": agreement.agreement_no, "state": after.value, "at": tx.now}
    event = _event(tx, agreement, subject_no, after, expires_at, actor, language)
    record = record_bytes(build_record(event, agreement, tx.city.settings.jurisdiction))
    body = {"agreement_id": agreement.agreement_id, "state": after.value, "record_sha256": sha256_hex(record)}
    entry_id = new_id("ent")
    moved = tx.one(
        SQL.move_grant,
        **keys,
        before=before,
        event_id=event.event_id,
        expires_at=expires_at,
        acted_by=_acting(actor),
        acted_as=event.acted_as,
        language=language,
        record=record,
        signature=tx.city.keys.sign(sign_input(record)),
        entry_id=entry_id,
        flips=after.counts or ends,
        granted=after.counts,
    )
    if moved is None:
        raise GrantChangedMeanwhile
    append(tx, kind="grant", body=body, agreement_no=agreement.agreement_no, subject_no=subject_no, entry_id=entry_id)
    if ends:
        queue_notice(tx, agreement, subject_no, event.event_id, after)
    return Outcome(Done.RECORDED, after, event.event_id, entry_id, expires_at)


def _event(
    tx: Transaction,
    agreement: PublishedAgreement,
    subject_no: int,
    state: State,
    expires_at: datetime | None,
    actor: Actor,
    language: str,
) -> GrantEvent:
    acted_as = actor.acting_as if isinstance(actor, Resident) else "city"
    representative = None
    if isinstance(actor, Resident) and acted_as != "self":
        representative = actor.acting_resident_id
    known_as = pseudonym(tx.city, agreement.organisation_no, subject_no)
    return GrantEvent(new_id("evt"), state, tx.now, expires_at, known_as, acted_as, representative, language)


def _expiry(tx: Transaction, agreement: PublishedAgreement) -> datetime:
    """`grant_days` from now, but not beyond the agreement's last local day."""
    term, zone = agreement.draft.term, tx.city.settings.zone
    end = datetime.combine(term.last_day + timedelta(days=1), time(), zone).astimezone(UTC)
    return min(tx.now + timedelta(days=term.grant_days), end)


def _check_offered(tx: Transaction, agreement: PublishedAgreement) -> None:
    if agreement.state != "approved" or agreement.draft.term.last_day < _today(tx):
        raise AgreementIsNotOffered(state=agreement.state)


def _is_repeat(before: State, decision: Decision) -> bool:
    """The same button pressed again (a double tap, a retried request) does nothing."""
    return (before, decision) in {
        (State.GIVEN, Decision.GIVE),
        (State.RENEWED, Decision.GIVE),
        (State.WITHDRAWN, Decision.WITHDRAW),
        (State.DEFERRED, Decision.DEFER),
        (State.REFUSED, Decision.REFUSE),
    }


def _offer(row: Any) -> Offer:
    state = State(row.grant_state) if row.grant_state else State.REQUESTED
    return Offer(agreement_of(row), state, row.since_at, row.expires_at)


def _today(tx: Transaction) -> Any:
    return tx.now.astimezone(tx.city.settings.zone).date()


def _acting(actor: Actor) -> str:
    return actor.acting_resident_id if isinstance(actor, Resident) else type(actor).__name__.lower()


def _subject_of(record: dict[str, Any]) -> str:
    return str(record["dpv:hasDataSubject"]["@id"]).removeprefix("urn:sanpo:subject:")


def title_of(document: bytes, lang: str) -> str:
    """The title of a stored agreement, for lists."""
    return parse_document(bytes(document)).draft.title.in_language(lang)

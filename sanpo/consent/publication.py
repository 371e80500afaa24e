"""What organisations and the city do with agreements: publish, approve, reject, close. Published text never changes."""

from typing import Any

from sanpo.consent.actions import END_GRANTS
from sanpo.consent.datasets import dataset_columns
from sanpo.consent.model import (
    AgreementIsInvalid,
    Document,
    Draft,
    PublishedAgreement,
    Recipient,
    Text,
    check_draft,
    check_replacement,
    document_bytes,
)
from sanpo.consent.states import State
from sanpo.consent.store import SQL, agreement_of, get_agreement
from sanpo.ground.actors import Actor, Anonymous, Client, Staff, System, require_officer
from sanpo.ground.canonical import sha256_hex
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, Kind, NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import check_id, new_id
from sanpo.ground.outbox import publish
from sanpo.journal import append
from sanpo.people import get_organisation


class AgreementIsDecided(DomainError):
    """The officer has decided on it already. Field: state."""

    code = "consent.agreement_is_decided"
    kind = Kind.CONFLICT


class AgreementExists(DomainError):
    """The very same text was published before. Field: sha256."""

    code = "consent.agreement_exists"
    kind = Kind.CONFLICT


def publish_agreement(
    city: City, actor: Actor, draft: Draft, *, organisation_id: str | None = None
) -> PublishedAgreement:
    """Freezes a draft under its hash; residents see it once an officer approves. The city's operator may publish for
    any organisation, everyone else for their own.

    Raises `AgreementIsInvalid`, `AgreementHasEmptyGain`, `PurposeIsUnknown`, `ChangeIsMaterial`, `AgreementExists`.
    """
    publisher = _publisher(actor, organisation_id)
    with city.transaction(actor) as tx:
        organisation = get_organisation(tx, publisher)
        check_draft(draft, today=tx.now.astimezone(city.settings.zone).date())
        _check_datasets(city, draft)
        if draft.rule.min_subjects < city.settings.minimum_subjects:
            raise AgreementIsInvalid(
                where="$.rule.min_subjects", problem=f"the city's minimum is {city.settings.minimum_subjects}"
            )
        replaced = _replaced(tx, draft, publisher)
        recipient = Recipient(
            organisation.organisation_id, Text(organisation.name_ja, organisation.name_en), organisation.contact
        )
        document = Document(draft, recipient, Text(city.settings.city_name_ja, city.settings.city_name_en))
        return _insert(tx, document, organisation.organisation_no, replaced)


def approve_agreement(city: City, actor: Actor, agreement_id: str, *, note: str = "") -> PublishedAgreement:
    """The officer lets residents see it. A replacement takes over: after a material change everybody is asked anew."""
    return _decide(city, actor, agreement_id, "approved", note)


def reject_agreement(city: City, actor: Actor, agreement_id: str, *, note: str) -> PublishedAgreement:
    """The officer turns it down, with the reason for the organisation to read."""
    return _decide(city, actor, agreement_id, "rejected", note)


def close_agreement(
    city: City, actor: Actor, agreement_id: str, *, note: str, after: State = State.REVOKED
) -> PublishedAgreement:
    """Ends an approved agreement now: every grant becomes `revoked` (or `invalidated`), its recipient is told."""
    officer = require_officer(actor)
    check_id("agr", agreement_id)
    with city.transaction(officer) as tx:
        agreement = _locked(tx, agreement_id)
        if agreement.state != "approved":
            raise AgreementIsDecided(state=agreement.state)
        _close(tx, agreement, note, after)
        return get_agreement(tx, agreement_id)


def find_agreement(city: City, actor: Actor, agreement_id: str) -> PublishedAgreement | None:
    """An agreement that the actor may read: approved and closed ones are public, others for their side only."""
    check_id("agr", agreement_id)
    with city.transaction(actor) as tx:
        row = tx.one(SQL.agreement, agreement_id=agreement_id)
    if row is None:
        return None
    agreement = agreement_of(row)
    return agreement if _may_read(actor, agreement) else None


def list_agreements(
    city: City,
    actor: Actor,
    *,
    state: str | None = None,
    organisation_no: int | None = None,
    service: str | None = None,
) -> list[PublishedAgreement]:
    """The agreements that the actor may read, newest first."""
    with city.transaction(actor) as tx:
        rows = tx.all(SQL.agreements, organisation_no=organisation_no, state=state, service=service)
    return [agreement for agreement in map(agreement_of, rows) if _may_read(actor, agreement)]


def count_granted(city: City, agreement_no: int) -> int:
    """How many residents have granted: a public number."""
    with city.transaction(Anonymous()) as tx:
        return int(tx.get(SQL.count_granted, agreement_no=agreement_no).n)


def _publisher(actor: Actor, organisation_id: str | None) -> str:
    if isinstance(actor, System) and organisation_id is not None:
        return organisation_id
    if isinstance(actor, Client | Staff):
        if organisation_id not in (None, actor.organisation_id):
            raise NotPermitted(needed="staff of that organisation")
        return actor.organisation_id
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    raise NotPermitted(needed="organisation")


def _check_datasets(city: City, draft: Draft) -> None:
    """Every dataset and column must exist in a service's manifest."""
    known = dataset_columns(city)
    for at, use in enumerate(draft.datasets):
        if use.name not in known:
            raise AgreementIsInvalid(where=f"$.datasets[{at}].name", problem=f"not one of {sorted(known)}")
        outside = sorted(set(use.columns) - known[use.name])
        if outside:
            accepted = ", ".join(sorted(known[use.name]))
            raise AgreementIsInvalid(where=f"$.datasets[{at}].columns", problem=f"{outside} not among: {accepted}")


def _replaced(tx: Transaction, draft: Draft, organisation_id: str) -> PublishedAgreement | None:
    if draft.replaces is None:
        return None
    old = get_agreement(tx, check_id("agr", draft.replaces.agreement_id))
    if old.organisation_id != organisation_id or old.state != "approved":
        raise NotFound(what="agreement")
    check_replacement(old.draft, draft)
    return old


def _insert(
    tx: Transaction, document: Document, organisation_no: int, replaced: PublishedAgreement | None
) -> PublishedAgreement:
    data = document_bytes(document)
    agreement_id, digest, term = new_id("agr"), sha256_hex(data), document.draft.term
    row = tx.one(
        SQL.insert_agreement,
        agreement_id=agreement_id,
        organisation_no=organisation_no,
        sha256=digest,
        document=data,
        service=document.draft.service,
        replaces_no=None if replaced is None else replaced.agreement_no,
        first_day=term.first_day,
        last_day=term.last_day,
        published_at=tx.now,
    )
    if row is None:
        raise AgreementExists(sha256=digest)
    body: dict[str, Any] = {"agreement_id": agreement_id, "sha256": digest, "state": "proposed"}
    append(tx, kind="agreement", body=body, agreement_no=row.agreement_no, organisation_no=organisation_no)
    return get_agreement(tx, agreement_id)


def _decide(city: City, actor: Actor, agreement_id: str, state: str, note: str) -> PublishedAgreement:
    officer = require_officer(actor)
    check_id("agr", agreement_id)
    with city.transaction(officer) as tx:
        agreement = _locked(tx, agreement_id)
        if agreement.state != "proposed":
            raise AgreementIsDecided(state=agreement.state)
        _set_state(tx, agreement, state, note)
        if state == "approved":
            _take_over(tx, agreement)
        return get_agreement(tx, agreement_id)


def _take_over(tx: Transaction, new: PublishedAgreement) -> None:
    """The new agreement stands in for the old one. After a material change all are asked anew; otherwise grants carry
    over as they are, with the receipts they have."""
    replaces = new.draft.replaces
    if replaces is None:
        return
    old = get_agreement(tx, replaces.agreement_id)
    if old.state != "approved":
        return
    keys = {"old_no": old.agreement_no, "new_no": new.agreement_no}
    tx.execute(SQL.lock_withdrawals, agreement_no=old.agreement_no)
    if replaces.material:
        tx.execute(SQL.request_grants, **keys, at=tx.now)
    else:
        tx.execute(SQL.carry_grants, **keys)
        tx.execute(SQL.carry_chunks, **keys)
        tx.execute(SQL.end_grants, agreement_no=old.agreement_no, state=State.REVOKED.value, at=tx.now)
        tx.execute(SQL.clear_chunks, agreement_no=old.agreement_no)
    _close(tx, old, f"replaced by {new.agreement_id}", State.REVOKED)


def _close(tx: Transaction, agreement: PublishedAgreement, note: str, after: State) -> None:
    """Closed is closed at once, by the agreement's own state; each grant's end is recorded by a job, in batches."""
    tx.execute(SQL.lock_withdrawals, agreement_no=agreement.agreement_no)
    _set_state(tx, agreement, "closed", note)
    publish(tx, END_GRANTS, {"agreement_id": agreement.agreement_id, "after": after.value}, lock=agreement.agreement_id)


def _set_state(tx: Transaction, agreement: PublishedAgreement, state: str, note: str) -> None:
    by = tx.actor.staff_id if isinstance(tx.actor, Staff) else type(tx.actor).__name__.lower()
    tx.execute(
        SQL.decide_agreement, agreement_no=agreement.agreement_no, state=state, at=tx.now, by=by, note=note[:2000]
    )
    body = {"agreement_id": agreement.agreement_id, "sha256": agreement.sha256, "state": state}
    append(
        tx,
        kind="agreement",
        body=body,
        agreement_no=agreement.agreement_no,
        organisation_no=agreement.organisation_no,
    )


def _locked(tx: Transaction, agreement_id: str) -> PublishedAgreement:
    row = tx.one(SQL.lock_agreement, agreement_id=agreement_id)
    if row is None:
        raise NotFound(what="agreement")
    return agreement_of(row)


def _may_read(actor: Actor, agreement: PublishedAgreement) -> bool:
    if agreement.state in ("approved", "closed"):
        return True
    if isinstance(actor, Client | Staff) and actor.organisation_no == agreement.organisation_no:
        return True
    return isinstance(actor, System) or (isinstance(actor, Staff) and actor.role == "officer")

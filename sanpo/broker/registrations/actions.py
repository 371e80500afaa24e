"""Register, update, retrieve, query and delete context sources (§5.9, §5.10)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sanpo.broker import store as entities
from sanpo.broker.contexts import Context
from sanpo.broker.entities import Place
from sanpo.broker.registrations import matching
from sanpo.broker.registrations.errors import (
    EntityIsHeldHere,
    RegistrationConflicts,
    RegistrationExists,
    RegistrationNotFound,
)
from sanpo.broker.registrations.holding import find_held
from sanpo.broker.registrations.matching import Asked, Match
from sanpo.broker.registrations.model import Registration, registration_of
from sanpo.broker.registrations.reading import merge_members, public, read_registration
from sanpo.broker.registrations.states import SourceState, state_in
from sanpo.broker.registrations.store import SQL, doc_of, known, raise_revision, rows_of, text
from sanpo.broker.selection import Window
from sanpo.broker.sight import DUTY, check_reader, check_writer, may_write
from sanpo.broker.store import decode
from sanpo.broker.subscriptions.sources import Source
from sanpo.broker.subscriptions.telling import source_of, tell
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id

PREFIX = "urn:ngsi-ld:ContextSourceRegistration:"
Fits = Callable[[Registration], bool]


def register(place: Place, data: Any, context: Context) -> str:
    """5.9.2: stores a registration; returns its id. For who may write entities."""
    check_writer(place.city, place.actor)
    doc = read_registration(data, context, place.city.now())
    registration_id = str(doc.setdefault("id", PREFIX + new_id("csr")))
    tenant_no = entities.make_tenant_no(place.city, place.tenant)
    with place.transaction(DUTY) as tx:
        raise_revision(tx)
        _check_conflicts(tx, tenant_no, doc)
        made = tx.one(
            SQL.insert_registration,
            tenant_no=tenant_no,
            registration_id=registration_id,
            doc=text(tx.city, doc),
            expires_at=_moment(doc.get("expiresAt")),
            now=tx.now,
        )
        if made is None:
            raise RegistrationExists(registration_id=registration_id)
        tell(tx, tenant_no, [(None, Source(doc, tx.now, tx.now))])
    return registration_id


def update(place: Place, registration_id: str, data: Any, context: Context) -> None:
    """5.9.3: merges a fragment. Raises `RegistrationNotFound`, `RegistrationConflicts`."""
    check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction(DUTY) as tx:
        raise_revision(tx)
        row = _row(tx, tenant_no, registration_id)
        before = source_of(row)
        doc = merge_members(before.doc, data, context, tx.now)
        expires_at = _moment(doc.get("expiresAt"))
        _check_conflicts(tx, tenant_no, doc)
        tx.execute(
            SQL.update_registration,
            tenant_no=tenant_no,
            registration_id=registration_id,
            doc=text(tx.city, doc),
            expires_at=expires_at,
            now=tx.now,
        )
        after = Source(doc, row.created_at, tx.now) if _is_alive(expires_at, tx.now) else None
        tell(tx, tenant_no, [(None if row.ended else before, after)])


def delete(place: Place, registration_id: str) -> None:
    """5.9.4. Raises `RegistrationNotFound`."""
    check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction(DUTY) as tx:
        raise_revision(tx)
        row = tx.one(SQL.delete_registration, tenant_no=tenant_no, registration_id=registration_id)
        if row is None:
            raise RegistrationNotFound(registration_id=registration_id)
        if not row.ended:
            tell(tx, tenant_no, [(source_of(row), None)])


def retrieve(place: Place, registration_id: str, context: Context, *, system: bool = False) -> Any:
    """5.10.1. Raises `RegistrationNotFound`."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction() as tx:
        row = _row(tx, tenant_no, registration_id)
    return public(
        row, _shown(place.city, row, may_write(place.city, place.actor)), context, place.city.now(), system=system
    )


def query(
    place: Place, asked: Asked, fits: Fits, window: Window, context: Context, *, system: bool = False
) -> tuple[list[Any], bool, int]:
    """5.10.2: registrations that match, each with the information that does; whether more follow, and how many there are."""
    check_reader(place.actor)
    now, sees_all = place.city.now(), may_write(place.city, place.actor)
    found = []
    for row in rows_of(place.city, place.find_tenant_no()):
        registration = registration_of(_shown(place.city, row, sees_all))
        if _is_alive(row.expires_at, now) and matching.match(registration, asked) and fits(registration):
            found.append((row, matching.narrowed(registration, asked).doc))
    page = found[window.offset : window.offset + window.limit]
    docs = [public(row, doc, context, now, system=system) for row, doc in page]
    return docs, len(found) > window.offset + window.limit, len(found)


def matches(place: Place, asked: Asked, fits: Fits = lambda registration: True) -> list[Match]:
    """The registrations that hold something of what an operation is about (§5.12), whether they serve it or not."""
    tenant_no = entities.find_tenant_no(place.city, place.tenant)
    if tenant_no is None:
        return []
    now = place.city.now()
    found = []
    for registration, expires_at in known(place.city, tenant_no):
        if _is_alive(expires_at, now) and fits(registration):
            match = matching.match(registration, asked)
            if match is not None:
                found.append(match)
    return found


def is_distributed(place: Place) -> bool:
    """Whether the place's tenant knows of any other source."""
    tenant_no = entities.find_tenant_no(place.city, place.tenant)
    return tenant_no is not None and bool(known(place.city, tenant_no))


def note_asked(place: Place, told: Sequence[tuple[str, str | None]]) -> None:
    """Counts what was asked of sources, by registration and with what went wrong (table 5.2.9-2)."""
    ids, errors = [each for each, _ in told], [error for _, error in told]
    with place.city.db.connection() as conn:
        values = {"tenant_no": place.find_tenant_no(), "ids": ids, "errors": errors, "now": place.city.now()}
        conn.run(SQL.note_asked, values)


def list_sources(place: Place) -> list[SourceState]:
    """All registrations of a tenant with the state of their sources, for the city's operator."""
    check_reader(place.actor)
    now = place.city.now()
    return [
        state_in(row, registration_of(decode(row.text)), now) for row in rows_of(place.city, place.find_tenant_no())
    ]


def _is_alive(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is None or expires_at > now


def _row(tx: Transaction, tenant_no: int, registration_id: str) -> Any:
    row = tx.one(SQL.registration, tenant_no=tenant_no, registration_id=registration_id)
    if row is None:
        raise RegistrationNotFound(registration_id=registration_id)
    return row


def _shown(city: City, row: Any, sees_all: bool) -> dict[str, Any]:
    """The document as it is shown: what a source is told beside the request, for those alone who may register."""
    doc = doc_of(city, row)
    if not sees_all:
        doc.pop("contextSourceInfo", None)
    return doc


def _check_conflicts(tx: Transaction, tenant_no: int, doc: Any) -> None:
    """A proxy may take neither what another has taken nor what is held here (§5.9.2.4)."""
    registration = registration_of(doc)
    if not registration.is_proxy:
        return
    rows: Sequence[Any] = tx.all(SQL.registrations, tenant_no=tenant_no)
    others = [registration_of(decode(row.text)) for row in rows if _is_alive(row.expires_at, tx.now)]
    other = matching.conflicting(registration, others)
    if other is not None:
        raise RegistrationConflicts(registration_id=other.registration_id)
    held = find_held(tx, tenant_no, registration)
    if held is not None:
        raise EntityIsHeldHere(entity_id=held)


def _moment(given: str | None) -> datetime | None:
    return None if given is None else datetime.fromisoformat(given)

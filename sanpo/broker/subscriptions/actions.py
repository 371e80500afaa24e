"""Create, retrieve, list, update and delete subscriptions, to entities (§5.8.1 to §5.8.5) and to registrations (§5.11.2 to
§5.11.6). A subscription is its creator's alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sanpo.broker.contexts import Context, address_of, resolve, single_url
from sanpo.broker.entities import Place
from sanpo.broker.registrations.store import raise_revision as hold_registrations
from sanpo.broker.selection import Window
from sanpo.broker.sight import DUTY
from sanpo.broker.store import decode, make_tenant_no
from sanpo.broker.subscriptions.endpoints import EVENTS, shown_address
from sanpo.broker.subscriptions.errors import SubscriptionExists, SubscriptionNotFound
from sanpo.broker.subscriptions.model import Kind, Owner
from sanpo.broker.subscriptions.reading import merge_members, read_subscription
from sanpo.broker.subscriptions.sealing import sealed
from sanpo.broker.subscriptions.store import SQL, doc_of, raise_revision, text, unwatch
from sanpo.broker.subscriptions.telling import end_expired, tell_all
from sanpo.broker.subscriptions.writing import public
from sanpo.ground.actors import Actor, Anonymous, Client, Staff, System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.ground.ids import new_id

PREFIX = "urn:ngsi-ld:Subscription:"


def owner_of(actor: Actor, kind: Kind = "entities") -> Owner:
    """Whose a subscription of this actor and of this kind is. Raises `NotSignedIn`, `NotPermitted`."""
    return replace(_owner(actor), kind=kind)


def _owner(actor: Actor) -> Owner:
    match actor:
        case Anonymous():
            raise NotSignedIn
        case Client():
            key = f"{actor.client_id}/{actor.agreement_id or ''}"
            return Owner(key, actor.organisation_no, actor.organisation_id, actor.client_id, actor.agreement_id)
        case System() | Staff(role="officer"):
            return Owner("city")
        case _:
            raise NotPermitted(needed="client")


def create_subscription(place: Place, data: Any, context: Context, given: Any, *, kind: Kind = "entities") -> str:
    """Stores a subscription; returns its id. Changes that commit after this are told; of registrations also what matches now.

    `given` is what the client named as its context: notifications are written with it, if no jsonldContext is asked for.
    """
    owner = owner_of(place.actor, kind)
    doc = read_subscription(data, context, place.city.settings, place.city.now())
    if "jsonldContext" in doc:
        resolve(place.city, doc["jsonldContext"])
    subscription_id = str(doc.setdefault("id", PREFIX + new_id("sub")))
    insert_subscription(place, owner, doc, given)
    return subscription_id


def insert_subscription(place: Place, owner: Owner, doc: Any, given: Any = None) -> None:
    """Stores what was read. Raises `SubscriptionExists`."""
    subscription_id = doc["id"]
    tenant_no = make_tenant_no(place.city, place.tenant)
    with place.transaction(DUTY) as tx:
        _address(tx, place, doc, given)
        _hold(tx, owner)
        if owner.kind == "entities":
            tx.execute(SQL.watch, tenant_no=tenant_no)
        made = tx.one(
            SQL.insert_subscription,
            tenant_no=tenant_no,
            subscription_id=subscription_id,
            **owner.where,
            organisation_no=owner.organisation_no,
            organisation_id=owner.organisation_id,
            client_id=owner.client_id,
            agreement_id=owner.agreement_id,
            revision=raise_revision(tx),
            **_columns(place.city, doc, given),
        )
        if made is None:
            raise SubscriptionExists(subscription_id=subscription_id)
        if owner.kind == "sources":
            tell_all(tx, made.subscription_no)


def update_subscription(
    place: Place, subscription_id: str, data: Any, context: Context, given: Any, *, kind: Kind = "entities"
) -> None:
    """Merges a fragment into the subscription. What waits is dropped where it is paused. Raises `SubscriptionNotFound`."""
    owner = owner_of(place.actor, kind)
    tenant_no = place.find_tenant_no()
    with place.transaction(DUTY) as tx:
        row = tx.one(SQL.lock_subscription, tenant_no=tenant_no, subscription_id=subscription_id, **owner.where)
    if row is None:
        raise SubscriptionNotFound(subscription_id=subscription_id)
    url = data.get("jsonldContext") if type(data) is dict else None
    if type(url) is str:
        resolve(place.city, url)

    def merge(tx: Transaction, doc: Any, known: Any) -> tuple[Any, Any]:
        doc = merge_members(doc, data, context, place.city.settings, tx.now)
        if given is not None and url is None:
            if single_url(known) is None and doc.get("jsonldContext") == address_of(tx, known, place.tenant):
                del doc["jsonldContext"]
            _address(tx, place, doc, given)
        return doc, known if given is None else given

    change_subscription(place, owner, subscription_id, merge)


def change_subscription(
    place: Place, owner: Owner, subscription_id: str, make: Callable[[Transaction, Any, Any], tuple[Any, Any]]
) -> None:
    """Stores what `make` makes of the subscription and of its context. Raises `SubscriptionNotFound`."""
    tenant_no = place.find_tenant_no()
    with place.transaction(DUTY) as tx:
        _hold(tx, owner)
        row = tx.one(SQL.lock_subscription, tenant_no=tenant_no, subscription_id=subscription_id, **owner.where)
        if row is None:
            raise SubscriptionNotFound(subscription_id=subscription_id)
        columns = _columns(place.city, *make(tx, doc_of(place.city, row), decode(row.context_text)))
        columns.pop("subscription_id", None)
        tx.execute(SQL.update_subscription, subscription_no=row.subscription_no, revision=raise_revision(tx), **columns)
        if row.streamed and not columns["streamed"]:
            tx.execute(SQL.drop_sent, subscription_no=row.subscription_no)
        if not columns["is_active"]:
            tx.execute(SQL.drop_waiting, subscription_no=row.subscription_no)
        if owner.kind == "sources":
            tell_all(tx, row.subscription_no)


def _hold(tx: Transaction, owner: Owner) -> None:
    """Lets no registration change between what a subscription to them is told now, and what it is told of changes."""
    if owner.kind == "sources":
        hold_registrations(tx)
        end_expired(tx)


def _address(tx: Transaction, place: Place, doc: Any, given: Any) -> None:
    """A context that has no URL gets one of ours, which notifications name (§5.13.1)."""
    if "jsonldContext" not in doc and single_url(given) is None:
        doc["jsonldContext"] = address_of(tx, given, place.tenant)


def _columns(city: City, doc: Any, given: Any) -> dict[str, Any]:
    now = city.now()
    every = doc.get("timeInterval")
    expires = doc.get("expiresAt")
    return {
        "doc": text(sealed(city.keys, doc)),
        "context": text(given),
        "endpoint": shown_address(doc["notification"]["endpoint"]["uri"]),
        "streamed": doc["notification"]["endpoint"]["uri"] == EVENTS,
        "is_active": doc.get("isActive", True),
        "expires_at": None if expires is None else datetime.fromisoformat(expires),
        "every_s": every,
        "next_at": None if every is None else now + timedelta(seconds=every),
        "now": now,
    }


def retrieve_subscription(
    place: Place, subscription_id: str, context: Context, *, system: bool = False, kind: Kind = "entities"
) -> Any:
    """Raises `SubscriptionNotFound`, also for another's."""
    row = find_row(place, owner_of(place.actor, kind), subscription_id)
    return public(row, doc_of(place.city, row), context, place.city.now(), system=system)


def find_row(place: Place, owner: Owner, subscription_id: str) -> Any:
    """All that is stored of a subscription. Raises `SubscriptionNotFound`, also for another's."""
    tenant_no = place.find_tenant_no()
    with place.transaction(DUTY) as tx:
        row = tx.one(SQL.subscription, tenant_no=tenant_no, subscription_id=subscription_id, **owner.where)
    if row is None:
        raise SubscriptionNotFound(subscription_id=subscription_id)
    return row


@dataclass(frozen=True)
class Listed:
    """A page of subscriptions. `count` is how many there are, where that was asked for."""

    docs: Sequence[Any]
    more: bool
    count: int | None


def list_subscriptions(
    place: Place, context: Context, window: Window, *, system: bool = False, kind: Kind = "entities"
) -> Listed:
    """The actor's own, in the order in which they were created."""
    rows, count = find_rows(place, owner_of(place.actor, kind), window)
    now = place.city.now()
    docs = [public(row, doc_of(place.city, row), context, now, system=system) for row in rows[: window.limit]]
    return Listed(docs, len(rows) > window.limit, count)


def find_rows(place: Place, owner: Owner, window: Window) -> tuple[list[Any], int | None]:
    """All that is stored of a page of subscriptions, with the first of the next page, and how many there are."""
    whose = {"tenant_no": place.find_tenant_no(), **owner.where}
    with place.transaction(DUTY) as tx:
        rows = tx.all(SQL.subscriptions, **whose, limit=window.limit + 1, offset=window.offset)
        return rows, int(tx.get(SQL.count_subscriptions, **whose).n) if window.count else None


def delete_subscription(place: Place, subscription_id: str, owner: Owner | None = None) -> None:
    """Deletes it with what waits to be told. Raises `SubscriptionNotFound`."""
    owner = owner or owner_of(place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction(DUTY) as tx:
        tx.execute(SQL.hold_tenant, tenant_no=tenant_no)
        if not tx.execute(SQL.delete_subscription, tenant_no=tenant_no, subscription_id=subscription_id, **owner.where):
            raise SubscriptionNotFound(subscription_id=subscription_id)
        raise_revision(tx)
        unwatch(tx, tenant_no)

"""Subscriptions that were passed on to other sources, and what those notify (§5.8.1.4, §5.8.5.4, §5.8.6).

A source is known by a secret in the address that it notifies. What it says goes the way of every notification: through the
outbox, at the pace of the subscription that it is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sanpo.broker.contexts import Context
from sanpo.broker.entities import Place
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.model import written
from sanpo.broker.registrations.matching import Asked, match
from sanpo.broker.registrations.model import Registration, registration_of
from sanpo.broker.sight import DUTY
from sanpo.broker.store import decode
from sanpo.broker.subscriptions.actions import find_row, owner_of
from sanpo.broker.subscriptions.following import queue_told
from sanpo.broker.subscriptions.model import Item, Subscription
from sanpo.broker.subscriptions.store import SQL, doc_of, find_one
from sanpo.broker.subscriptions.writing import public
from sanpo.ground.city import City


@dataclass(frozen=True)
class Passed:
    """At which source a subscription is, and as what."""

    registration_id: str
    remote_id: str


@dataclass(frozen=True)
class Told:
    """An entity as a source notifies it: its document, or that it is gone."""

    doc: Any
    is_gone: bool = False


def find_own(place: Place, subscription_id: str) -> Any:
    """All that is stored of a subscription of the actor's. Raises `SubscriptionNotFound`."""
    return find_row(place, owner_of(place.actor), subscription_id)


def list_active(place: Place) -> list[Any]:
    """The same of all subscriptions to entities of a tenant, whose ever they are."""
    with place.transaction(DUTY) as tx:
        return tx.all(SQL.active_subscriptions, tenant_no=place.find_tenant_no())


def context_given(city: City, row: Any) -> Any:
    """The context under which it was made, or asked to be told."""
    return doc_of(city, row).get("jsonldContext", decode(row.context_text))


def shown(place: Place, row: Any, context: Context) -> dict[str, Any]:
    """It as its owner reads it under a context."""
    return public(row, doc_of(place.city, row), context, place.city.now())


def note_passing(place: Place, subscription_no: int, secrets: Sequence[tuple[str, str]]) -> None:
    """Lets sources notify: by registration the secret of each."""
    with place.transaction(DUTY) as tx:
        tx.execute(
            SQL.pass_on,
            tenant_no=place.find_tenant_no(),
            subscription_no=subscription_no,
            registration_ids=[each for each, _ in secrets],
            secrets=[_digest(secret) for _, secret in secrets],
        )


def note_passed(place: Place, secret: str, remote_id: str | None) -> None:
    """What became of it: its id there; None where the source did not take it."""
    with place.transaction(DUTY) as tx:
        if remote_id is None:
            tx.execute(SQL.not_passed, secret=_digest(secret))
        else:
            tx.execute(SQL.passed, secret=_digest(secret), remote_id=remote_id)


def take_back(place: Place, subscription_id: str) -> list[Passed]:
    """Forgets where a subscription is, and says it: what sources notify of it is taken no more."""
    where = {"tenant_no": place.find_tenant_no(), "subscription_id": subscription_id, **owner_of(place.actor).where}
    with place.transaction(DUTY) as tx:
        rows = tx.all(SQL.take_back, **where)
    return [Passed(row.registration_id, row.remote_id) for row in rows if row.remote_id]


def take_back_from(place: Place, registration_id: str) -> list[Passed]:
    """The same of all subscriptions that are at one source."""
    with place.transaction(DUTY) as tx:
        rows = tx.all(SQL.take_back_from, tenant_no=place.find_tenant_no(), registration_id=registration_id)
    return [Passed(registration_id, row.remote_id) for row in rows if row.remote_id]


def take_notification(city: City, secret: str, told: Sequence[Told]) -> bool:
    """Queues what a source notifies, as far as it is registered for it and the subscription is about it.

    Says whether there is such a subscription.
    """
    with city.transaction(DUTY) as tx:
        row = tx.one(SQL.passed_by, secret=_digest(secret))
        subscription = None if row is None else find_one(tx, row.subscription_no)
        if row is None or subscription is None:
            return False
        registration = registration_of(decode(row.text))
        items = [_item(each, written(tx.now)) for each in told if _is_its(registration, subscription, each.doc)]
        if items and subscription.is_on(tx.now):
            queue_told(tx, subscription, items)
            tx.execute(SQL.ring)
    return True


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _is_its(registration: Registration, subscription: Subscription, doc: Any) -> bool:
    types = TypeSelection(tuple((each,) for each in doc["type"]))
    claimed = match(registration, Asked(frozenset({doc["id"]}), types))
    return claimed is not None and (not subscription.doc.get("entities") or subscription.parts[0].matches(doc))


def _item(told: Told, now: str) -> Item:
    """Entities of others have no number here: one is made of their id, and none that is one of ours."""
    number = -1 - int.from_bytes(sha256(told.doc["id"].encode()).digest()[:6])
    kind = "deleted" if told.is_gone else "updated"
    return Item(number, kind, told.doc, {}, (), tuple(told.doc["attrs"]), (), None, now)

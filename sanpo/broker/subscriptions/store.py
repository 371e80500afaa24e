"""The vault's door for subscriptions and notifications."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanpo.broker.language.q.matching import Resolver
from sanpo.broker.ngsi_v2.subscription import Subscription as OfV2
from sanpo.broker.store import decode, encode, find_by_ids
from sanpo.broker.subscriptions.endpoints import EVENTS
from sanpo.broker.subscriptions.model import Item, Owner, Subscription
from sanpo.broker.subscriptions.sealing import opened
from sanpo.broker.subscriptions.sources import SourceSubscription
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
PREFIX = "urn:ngsi-ld:Notification:"


def text(value: Any) -> str:
    return encode(value).decode()


def raise_revision(tx: Transaction) -> int:
    """Tells every process that subscriptions have changed."""
    return int(tx.get(SQL.raise_revision).revision)


def unwatch(tx: Transaction, tenant_no: int) -> None:
    """Changes of a tenant without subscriptions are not noted any more."""
    tx.execute(SQL.hold_tenant, tenant_no=tenant_no)
    tx.execute(SQL.unwatch, tenant_no=tenant_no)


def load(tx: Transaction, numbers: list[int]) -> list[Subscription]:
    return [_subscription(tx.city, row) for row in tx.all(SQL.load, numbers=numbers)]


def load_to_sources(tx: Transaction, tenant_no: int) -> list[SourceSubscription]:
    """The subscriptions of a tenant to registrations, as far as they are on."""
    found = [_subscription(tx.city, row) for row in tx.all(SQL.load_to_sources, tenant_no=tenant_no)]
    return [each for each in found if isinstance(each, SourceSubscription) and each.is_on(tx.now)]


def linked_in(tx: Transaction, tenant_no: int) -> Resolver:
    """Finds public entities: a condition on others would tell of them."""

    def find(entity_id: str) -> Any | None:
        found = find_by_ids(tx, tenant_no, [entity_id]).get(entity_id)
        return None if found is None or found.subjects is not None else found.doc

    return find


def find_one(tx: Transaction, subscription_no: int) -> Subscription | None:
    found = load(tx, [subscription_no])
    return found[0] if found else None


def doc_of(city: City, row: Any) -> dict[str, Any]:
    """The document of a subscription, with what is stored sealed."""
    return opened(city.keys, decode(row.text), row.endpoint)


def _subscription(city: City, row: Any) -> Subscription:
    owner = Owner(row.owner, row.organisation_no, row.organisation_id, row.client_id, row.agreement_id, row.kind)
    doc = doc_of(city, row)
    made = SourceSubscription if row.kind == "sources" else OfV2 if "v2" in doc else Subscription
    return made(
        row.subscription_no,
        row.tenant_no,
        row.tenant,
        row.subscription_id,
        owner,
        doc,
        decode(row.context_text),
        row.is_active,
        row.expires_at,
    )


def items_in(json: str) -> list[Item]:
    return [Item.of_json(each) for each in decode(json)]


def items_text(items: list[Item]) -> str:
    return text([item.as_json() for item in items])


@dataclass(frozen=True)
class Waiting:
    """A notification to be queued: `items` as text, which `items_text` makes."""

    subscription_no: int
    items: str
    due_at: datetime
    periodic: bool = False
    trigger_reason: str | None = None


def queue_notifications(tx: Transaction, waiting: Sequence[Waiting]) -> None:
    """Queues them in this order."""
    if waiting:
        tx.execute(
            SQL.queue,
            ids=[PREFIX + new_id("ntf") for _ in waiting],
            numbers=[each.subscription_no for each in waiting],
            items=[each.items for each in waiting],
            due=[each.due_at for each in waiting],
            periodic=[each.periodic for each in waiting],
            reasons=[each.trigger_reason for each in waiting],
            now=tx.now,
        )


def tell_streams(tx: Transaction, subscriptions: Iterable[Subscription]) -> None:
    """Wakes those who fetch the notifications of these as events."""
    streamed = [each.subscription_no for each in subscriptions if each.endpoint["uri"] == EVENTS]
    if streamed:
        tx.execute(SQL.tell_streams, numbers=streamed)

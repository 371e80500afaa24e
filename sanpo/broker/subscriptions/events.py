"""Notifications that their owner fetches as server-sent events, over a connection that stays open.

The standard knows receivers over HTTP and MQTT only; this is for pages and programs that nobody can call. The endpoint is
`urn:sanpo:events`. Notifications wait in the table like all others; each is made as its owner may see it when it leaves.
What was sent stays for `broker_event_minutes`, so that who was cut off goes on after the last that it has.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sanpo.broker.entities import Place
from sanpo.broker.errors import SightIsContended
from sanpo.broker.ngsi_ld.linking import Linked, link_header
from sanpo.broker.sight import DUTY
from sanpo.broker.subscriptions.actions import owner_of
from sanpo.broker.subscriptions.endpoints import EVENTS
from sanpo.broker.subscriptions.errors import SubscriptionIsNotStreamed, SubscriptionNotFound
from sanpo.broker.subscriptions.making import context_of, make
from sanpo.broker.subscriptions.model import Kind, Subscription
from sanpo.broker.subscriptions.store import SQL, find_one
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.people import is_revoked

MOST_AT_ONCE = 20
LONGEST_WAIT_S = 60.0
CONTENDED_WAIT_S = 1.0


@dataclass
class Stream:
    """Where one connection is in the notifications of its subscription.

    `sent` have left, but are not noted as sent yet. `wait_s` is until more is due of what is there already.
    """

    city: City
    subscription_no: int
    owner: str
    link: bytes
    after: int
    sent: list[int] = field(default_factory=list)
    wait_s: float = LONGEST_WAIT_S


@dataclass(frozen=True)
class Event:
    notification_id: str
    body: bytes


def open_stream(place: Place, subscription_id: str, last_event_id: str | None, *, kind: Kind = "entities") -> Stream:
    """A stream that goes on after a notification, or with what nobody has been sent yet.

    Where that notification is not kept any more, it begins with the oldest that is. Raises `SubscriptionNotFound`, or
    `SubscriptionIsNotStreamed`.
    """
    owner, tenant_no = owner_of(place.actor, kind), place.find_tenant_no()
    with place.transaction(DUTY) as tx:
        row = tx.one(SQL.subscription, tenant_no=tenant_no, subscription_id=subscription_id, **owner.where)
        subscription = None if row is None else find_one(tx, row.subscription_no)
        if subscription is None:
            raise SubscriptionNotFound(subscription_id=subscription_id)
        if subscription.endpoint["uri"] != EVENTS:
            raise SubscriptionIsNotStreamed(subscription_id=subscription_id, uri=EVENTS)
        no = subscription.subscription_no
        after = int(tx.get(SQL.position, subscription_no=no, notification_id=last_event_id).after)
    written = subscription.doc.get("jsonldContext", subscription.context)
    linked = Linked(context_of(place.city, subscription), written)
    return Stream(place.city, no, owner.key, link_header(linked), after)


def read_events(stream: Stream) -> list[Event] | None:
    """What is due next, in order; the uses are in the journal. None where the stream is at its end."""
    with stream.city.transaction(DUTY) as tx:
        _note_sent(tx, stream)
        subscription = find_one(tx, stream.subscription_no)
        if subscription is None or not _lasts(tx, subscription):
            return None
        if not subscription.is_active:
            return []
        where = {"subscription_no": stream.subscription_no, "after": stream.after}
        rows = tx.all(SQL.next_events, **where, limit=MOST_AT_ONCE, now=tx.now)
        due_at = None if rows else tx.get(SQL.next_event_due, **where).at
        stream.wait_s = LONGEST_WAIT_S if due_at is None else max(0.0, (due_at - tx.now).total_seconds())
    return list(_made(stream, subscription, rows))


def _lasts(tx: Transaction, subscription: Subscription) -> bool:
    client_id = subscription.owner.client_id
    is_over = subscription.expires_at is not None and subscription.expires_at <= tx.now
    return (
        not is_over and subscription.endpoint["uri"] == EVENTS and (client_id is None or not is_revoked(tx, client_id))
    )


def _note_sent(tx: Transaction, stream: Stream) -> None:
    if stream.sent:
        tx.execute(SQL.note_sent, subscription_no=stream.subscription_no, numbers=stream.sent, now=tx.now)
        stream.sent.clear()


def _made(stream: Stream, subscription: Subscription, rows: list[Any]) -> Iterator[Event]:
    for row in rows:
        used = set(row.used)
        try:
            message = make(stream.city, subscription, row, used)
        except SightIsContended:
            stream.wait_s = CONTENDED_WAIT_S
            return
        if len(used) > len(row.used):
            with stream.city.transaction(DUTY) as tx:
                tx.execute(SQL.note_used, notification_no=row.notification_no, used=sorted(used))
        stream.after = row.notification_no
        stream.sent.append(row.notification_no)
        if message is not None:
            yield Event(row.notification_id, message.body)

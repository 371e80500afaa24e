"""From changes to notifications: what the core noted in the transaction of each write, matched against subscriptions.

One transaction takes changes out of the outbox and puts notifications in, so that none is lost or told twice. Changes of
public entities are decided here; those of personal ones only as far as their type, since what of them is in sight is known
at the moment of sending.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from sanpo.broker.language.q.matching import Resolver
from sanpo.broker.model import written
from sanpo.broker.sight import DUTY
from sanpo.broker.store import decode
from sanpo.broker.subscriptions.model import Item, Subscription
from sanpo.broker.subscriptions.store import (
    SQL,
    Waiting,
    items_in,
    items_text,
    linked_in,
    load,
    queue_notifications,
    tell_streams,
)
from sanpo.broker.subscriptions.telling import end_expired, tell_in_turn
from sanpo.ground.city import City
from sanpo.ground.db import Transaction

TAKEN = 500
MOST_ROUNDS = 40
MOST_PERIODIC = 500


@dataclass
class Index:
    """Subscriptions by what a change must be about, so that one change is compared with few."""

    revision: int = -1
    lock: Lock = field(default_factory=Lock)
    subscriptions: dict[int, tuple[int, Subscription]] = field(default_factory=dict)
    by_type: dict[tuple[int, str], list[Subscription]] = field(default_factory=dict)
    by_attribute: dict[tuple[int, str], list[Subscription]] = field(default_factory=dict)
    by_tenant: dict[int, list[Subscription]] = field(default_factory=dict)

    def refresh(self, tx: Transaction) -> None:
        """Reads what has changed since."""
        with self.lock:
            row = tx.one(SQL.revision)
            revision = 0 if row is None else int(row.revision)
            if revision != self.revision:
                self._read(tx)
                self.revision = revision

    def _read(self, tx: Transaction) -> None:
        known = {each.subscription_no: each.revision for each in tx.all(SQL.known)}
        kept = {no: found for no, found in self.subscriptions.items() if known.get(no) == found[0]}
        for each in load(tx, [no for no in known if no not in kept]):
            kept[each.subscription_no] = (known[each.subscription_no], each)
        self.subscriptions = kept
        self._sort()

    def _sort(self) -> None:
        by_type: dict[tuple[int, str], list[Subscription]] = defaultdict(list)
        by_attribute: dict[tuple[int, str], list[Subscription]] = defaultdict(list)
        by_tenant: dict[int, list[Subscription]] = defaultdict(list)
        for _, each in self.subscriptions.values():
            if "timeInterval" in each.doc:
                continue
            if each.selections:
                for iri in {choice[0] for selection in each.selections for choice in selection.choices}:
                    by_type[each.tenant_no, iri].append(each)
            elif each.watched is not None:
                for iri in each.watched:
                    by_attribute[each.tenant_no, iri].append(each)
            else:  # as NGSIv2 has them, of entities of any type
                by_tenant[each.tenant_no].append(each)
        self.by_type, self.by_attribute, self.by_tenant = dict(by_type), dict(by_attribute), dict(by_tenant)

    def find(self, tenant_no: int, item: Item) -> list[Subscription]:
        """Those that this change may be for, each once, in the order in which they were created."""
        found = {each.subscription_no: each for each in self.by_tenant.get(tenant_no, ())}
        for iri in item.doc["type"]:
            found.update((each.subscription_no, each) for each in self.by_type.get((tenant_no, iri), ()))
        if self.by_attribute:
            for iri in {*item.doc["attrs"], *item.removed}:
                found.update((each.subscription_no, each) for each in self.by_attribute.get((tenant_no, iri), ()))
        return [found[no] for no in sorted(found)]


def index_of(city: City) -> Index:
    """What this process remembers of one city's subscriptions."""
    index: Index = city.__dict__.setdefault("_broker_subscriptions", Index())
    return index


def subscriptions_of(tx: Transaction, numbers: Sequence[int]) -> dict[int, Subscription]:
    """Those of these numbers that are there: active ones from memory."""
    index = index_of(tx.city)
    index.refresh(tx)
    kept = index.subscriptions
    found = {no: kept[no][1] for no in numbers if no in kept}
    missing = [no for no in numbers if no not in found]
    return found | {each.subscription_no: each for each in load(tx, missing)} if missing else found


def follow(city: City) -> int:
    """Turns the changes that wait into notifications; returns how many changes it were."""
    total = 0
    for _ in range(MOST_ROUNDS):
        with city.transaction(DUTY) as tx:
            if not tx.get(SQL.alone).is_alone:
                break
            end_expired(tx)
            _queue_periodic(tx)
            rows = tx.all(SQL.take_changes, limit=TAKEN)
            if rows:
                _match(tx, sorted(rows, key=lambda row: row.change_no))
        total += len(rows)
        if len(rows) < TAKEN:
            break
    return total


def _match(tx: Transaction, rows: Iterable[Any]) -> None:
    index = index_of(tx.city)
    index.refresh(tx)
    told: dict[int, list[Item]] = defaultdict(list)
    for row in rows:
        item, resolver = _item(row), linked_in(tx, row.tenant_no)
        for each in index.find(row.tenant_no, item):
            if each.is_on(tx.now) and _concerns(each, item, resolver):
                told[each.subscription_no].append(item)
    if told:
        _queue(tx, [(index.subscriptions[no][1], told[no]) for no in sorted(told)])


def _concerns(subscription: Subscription, item: Item, resolver: Resolver) -> bool:
    if item.subjects is None:
        return subscription.fits(item, resolver)
    return subscription.owner.agreement_id is not None and subscription.may_fit(item)


def _item(row: Any) -> Item:
    before = decode(row.before) if row.before else {}
    deleted = row.kind == "deleted"
    return Item(
        row.entity_no,
        row.kind,
        before if deleted else decode(row.after),
        before["attrs"] if deleted else before,
        tuple(row.added),
        tuple(row.updated),
        tuple(row.removed),
        None if row.subjects is None else tuple(row.subjects),
        written(row.at),
    )


def _queue(tx: Transaction, told: list[tuple[Subscription, list[Item]]]) -> None:
    """Notifications of one subscription, each entity once in each."""
    slow = [each.subscription_no for each, items in told if each.throttling_s or _is_personal(items)]
    last = {row.subscription_no: row.last_due_at for row in tx.all(SQL.last_due, numbers=slow)} if slow else {}
    held = {row.subscription_no: row for row in tx.all(SQL.held, numbers=slow, now=tx.now)} if slow else {}
    waiting: list[Waiting] = []
    for subscription, given in told:
        no, items = subscription.subscription_no, given
        row = held.get(no)
        if row is not None:
            items = items_in(row.items) + items
        if subscription.throttling_s:
            items = _latest(items)
        due_at = row.due_at if row is not None else _due_at(tx.now, subscription, last.get(no), items)
        batches = list(_batches(items, subscription.most_items))
        if row is not None:
            tx.execute(SQL.refill, notification_no=row.notification_no, items=items_text(batches.pop(0)))
        waiting.extend(Waiting(no, items_text(batch), due_at) for batch in batches)
        if subscription.throttling_s:
            tx.execute(SQL.note_due, subscription_no=no, due_at=due_at)
    queue_notifications(tx, waiting)
    tell_streams(tx, [each for each, _ in told])


def queue_told(tx: Transaction, subscription: Subscription, items: list[Item]) -> None:
    """What another source has told, at the pace of the subscription that it is for."""
    _queue(tx, [(subscription, items)])


def _is_personal(items: Iterable[Item]) -> bool:
    return any(item.subjects is not None for item in items)


def _due_at(now: datetime, subscription: Subscription, last: datetime | None, items: list[Item]) -> datetime:
    """When it may leave: not sooner after the last than throttling allows; uses of personal ones once in a second."""
    if subscription.throttling_s:
        return now if last is None else max(now, last + timedelta(seconds=subscription.throttling_s))
    if _is_personal(items):
        return datetime.fromtimestamp(math.floor(now.timestamp()) + 1, UTC)
    return now


def _latest(items: list[Item]) -> list[Item]:
    found: dict[int, Item] = {}
    for item in items:
        before = found.get(item.entity_no)
        found[item.entity_no] = item if before is None else before.followed_by(item)
    return list(found.values())


def _batches(items: list[Item], most: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    there: set[int] = set()
    for item in items:
        if item.entity_no in there or len(batch) == most:
            yield batch
            batch, there = [], set()
        batch.append(item)
        there.add(item.entity_no)
    if batch:
        yield batch


def _queue_periodic(tx: Transaction) -> None:
    """Notifications by `timeInterval`, without waiting for a change; none while the one before waits."""
    for row in tx.all(SQL.take_periodic, now=tx.now, limit=MOST_PERIODIC):
        if row.expires_at is not None and row.expires_at <= tx.now:
            continue
        if row.kind == "sources":
            tell_in_turn(tx, row.subscription_no, again=row.is_periodic and not row.is_waiting)
        elif not row.is_waiting:
            queue_notifications(tx, [Waiting(row.subscription_no, items_text([]), tx.now, periodic=True)])

"""From changes of registrations to notifications (§5.11.7), in the transaction of the change: none without the other.

A subscription without a pace is told each change as it is. One with `timeInterval` or `throttling` is told at its moments how
what matches then differs from what it was told last; at each interval also of what has stayed as it was.

Locks are taken in one order: the revision of registrations, registrations, subscriptions.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sanpo.broker.registrations.store import SQL as REGISTRATIONS
from sanpo.broker.registrations.store import raise_revision
from sanpo.broker.store import decode
from sanpo.broker.subscriptions.sources import Source, SourceSubscription
from sanpo.broker.subscriptions.store import (
    SQL,
    Waiting,
    find_one,
    load_to_sources,
    queue_notifications,
    tell_streams,
    text,
)
from sanpo.ground.db import Transaction

Reason = Literal["newlyMatching", "updated", "noLongerMatching"]
Changed = tuple[Source | None, Source | None]
"""A registration before and after; None where it was not there, or its time was over."""


def source_of(row: Any) -> Source:
    return Source(decode(row.text), row.created_at, row.modified_at)


def tell(tx: Transaction, tenant_no: int, changes: Sequence[Changed]) -> None:
    """Tells every subscription of the tenant that a change concerns."""
    concerned = []
    for subscription in load_to_sources(tx, tenant_no):
        told = [(subscription.told_of(before), subscription.told_of(after)) for before, after in changes]
        told = [(old, new) for old, new in told if old is not None or new is not None]
        if not told:
            continue
        concerned.append(subscription)
        if subscription.has_pace:
            no, throttling_s = subscription.subscription_no, subscription.throttling_s
            tx.execute(SQL.tell_soon, subscription_no=no, now=tx.now, throttling_s=throttling_s)
            continue
        for old, new in told:
            reason: Reason = "newlyMatching" if old is None else "noLongerMatching" if new is None else "updated"
            _queue(tx, subscription, reason, [each for each in (new or old,) if each is not None])
    if concerned:
        tell_streams(tx, concerned)
        tx.execute(SQL.ring)


def tell_all(tx: Transaction, subscription_no: int) -> None:
    """What matches now, for a subscription that was made or changed (§5.11.2, §5.11.3)."""
    subscription = _find(tx, subscription_no)
    if subscription is None or not subscription.is_on(tx.now):
        return
    found = _matching(tx, subscription)
    _queue(tx, subscription, "newlyMatching", list(found.values()))
    _note_told(tx, subscription, found)
    if found:
        tell_streams(tx, [subscription])
        tx.execute(SQL.ring)


def tell_in_turn(tx: Transaction, subscription_no: int, *, again: bool) -> None:
    """What has changed since, for one with a pace; `again` also what has not. Throttled, one notification in a turn."""
    subscription = _find(tx, subscription_no)
    if subscription is None:
        return
    last = {
        each: Source.of_json(of) for each, of in decode(tx.get(SQL.told, subscription_no=subscription_no).told).items()
    }
    now = _matching(tx, subscription)
    groups: list[tuple[Reason, dict[str, Source]]] = [
        ("noLongerMatching", {each: of for each, of in last.items() if each not in now}),
        ("newlyMatching", {each: of for each, of in now.items() if each not in last}),
        ("updated", {each: of for each, of in now.items() if each in last and (again or of != last[each])}),
    ]
    groups = [(reason, found) for reason, found in groups if found]
    if not groups:
        return
    for reason, found in groups[:1] if subscription.throttling_s else groups:
        _queue(tx, subscription, reason, list(found.values()), periodic=reason == "updated")
        last = {each: of for each, of in last.items() if each not in found}
        if reason != "noLongerMatching":
            last |= found
    _note_told(tx, subscription, last)
    if subscription.throttling_s and len(groups) > 1:
        tx.execute(SQL.tell_soon, subscription_no=subscription_no, now=tx.now, throttling_s=subscription.throttling_s)
    tell_streams(tx, [subscription])


def end_expired(tx: Transaction) -> None:
    """Tells of registrations whose time is over."""
    if not tx.get(REGISTRATIONS.is_any_over, now=tx.now).is_any_over:
        return
    raise_revision(tx)
    by_tenant: dict[int, list[Changed]] = {}
    for row in sorted(tx.all(REGISTRATIONS.end_expired, now=tx.now), key=lambda row: row.registration_no):
        by_tenant.setdefault(row.tenant_no, []).append((source_of(row), None))
    for tenant_no, changes in sorted(by_tenant.items()):
        tell(tx, tenant_no, changes)


def _find(tx: Transaction, subscription_no: int) -> SourceSubscription | None:
    found = find_one(tx, subscription_no)
    return found if isinstance(found, SourceSubscription) else None


def _matching(tx: Transaction, subscription: SourceSubscription) -> dict[str, Source]:
    rows = tx.all(REGISTRATIONS.registrations, tenant_no=subscription.tenant_no)
    alive = (row for row in rows if row.expires_at is None or row.expires_at > tx.now)
    told = ((row.registration_id, subscription.told_of(source_of(row))) for row in alive)
    return {each: of for each, of in told if of is not None}


def _note_told(tx: Transaction, subscription: SourceSubscription, found: dict[str, Source]) -> None:
    if subscription.has_pace:
        told = text({each: of.as_json() for each, of in found.items()})
        tx.execute(SQL.note_told, subscription_no=subscription.subscription_no, told=told, now=tx.now)


def _queue(
    tx: Transaction,
    subscription: SourceSubscription,
    reason: Reason,
    found: Sequence[Source],
    *,
    periodic: bool = False,
) -> None:
    for first in range(0, len(found), subscription.most_items):
        items = text([each.as_json() for each in found[first : first + subscription.most_items]])
        queue_notifications(tx, [Waiting(subscription.subscription_no, items, tx.now, periodic, reason)])

"""A notification is made when it leaves: of the changes that wait in it, what its owner may see now."""

from dataclasses import replace
from typing import Any

from sanpo.broker.contexts import Context, resolve
from sanpo.broker.contexts.errors import ContextIsNotAvailable
from sanpo.broker.entities import Place
from sanpo.broker.ngsi_v2.notifying import render as render_v2
from sanpo.broker.ngsi_v2.subscription import Subscription as OfV2
from sanpo.broker.querying import query_entities
from sanpo.broker.selection import Window
from sanpo.broker.sight import Sight
from sanpo.broker.store import Stored
from sanpo.broker.subscriptions.model import Item, Subscription
from sanpo.broker.subscriptions.rendering import Message, render, render_sources
from sanpo.broker.subscriptions.sources import SourceSubscription
from sanpo.broker.subscriptions.store import items_in, linked_in
from sanpo.ground.city import City
from sanpo.ground.db import Transaction

MOST_PERIODIC = 1000


def make(city: City, subscription: Subscription, row: Any, used: set[int]) -> Message | None:
    """The notification as its owner may see it now; None where nothing of it is in sight.

    `used` are the entities whose use attempts before have recorded; those of this one are added.
    """
    context = context_of(city, subscription)
    if isinstance(subscription, SourceSubscription):
        return render_sources(city, subscription, row, context)
    place = Place(city, subscription.owner.actor, subscription.tenant, used)
    if row.periodic:
        docs = query_entities(place, subscription.parts, Window(MOST_PERIODIC)).docs
        shown = [Item(0, "created", doc, {}, (), (), (), None, doc["modifiedAt"]) for doc in docs]
    else:
        shown = seen(place, subscription, items_in(row.items))
    if shown and isinstance(subscription, OfV2):
        return render_v2(subscription, row.notification_id, shown)
    return render(place, subscription, row.notification_id, shown, context) if shown else None


def context_of(city: City, subscription: Subscription) -> Context:
    """That of its jsonldContext; what it was made with where that is one of ours and was deleted."""
    try:
        return resolve(city, subscription.doc.get("jsonldContext", subscription.context), counted=False)
    except ContextIsNotAvailable:
        return resolve(city, subscription.context, counted=False)


def seen(place: Place, subscription: Subscription, items: list[Item]) -> list[Item]:
    """What of these changes the owner may see now and asked for; it is in the journal when this returns."""
    if all(item.subjects is None for item in items):
        return items  # matched already, on what everybody sees

    def look(tx: Transaction, sight: Sight) -> list[Item]:
        found = []
        resolver = linked_in(tx, subscription.tenant_no)
        for item in items:
            shown = _shown(sight, item)
            if shown is not None and (item.subjects is None or subscription.fits(shown, resolver)):
                sight.note([Stored(item.entity_no, item.doc, item.subjects)])
                found.append(shown)
        return found

    return place.looking("notify", look, few=True)


def _shown(sight: Sight, item: Item) -> Item | None:
    """The change as it looks through this sight: what is not in it has not changed either."""
    doc = sight.show(Stored(item.entity_no, item.doc, item.subjects))
    if doc is None or item.subjects is None:
        return doc and item
    old = sight.show(Stored(item.entity_no, {**item.doc, "attrs": item.before}, item.subjects))
    before = {} if old is None else old["attrs"]
    known = {*doc["attrs"], *before}
    return replace(
        item,
        doc=doc,
        before=before,
        added=tuple(iri for iri in item.added if iri in known),
        updated=tuple(iri for iri in item.updated if iri in known),
        removed=tuple(iri for iri in item.removed if iri in known),
    )

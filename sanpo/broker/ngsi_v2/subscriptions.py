"""`/v2/subscriptions`. Each face shows the subscriptions that were made by it."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sanpo.broker.errors import TenantNotFound
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Reply
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.entities import BODY
from sanpo.broker.ngsi_v2.subscribing import merge_subscription, public, read_subscription
from sanpo.broker.subscriptions import actions
from sanpo.broker.subscriptions.model import Owner
from sanpo.broker.subscriptions.store import doc_of
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id


def owner_of(call: Call) -> Owner:
    """As for NGSI-LD, beside it."""
    owner = actions.owner_of(call.actor)
    return replace(owner, key=f"v2/{owner.key}")


def create(call: Call) -> Reply:
    """Create Subscription."""
    owner = owner_of(call)
    path = call.headers.get("fiware-servicepath")
    doc = {**read_subscription(call.data, path, call.city.settings), "id": new_id("sub")}
    actions.insert_subscription(call.place, owner, doc)
    return Reply(201, headers=[(b"location", f"/v2/subscriptions/{quote(doc['id'], safe='')}".encode())])


def query(call: Call) -> Reply:
    """List Subscriptions: the caller's own."""
    window, now = call.window, call.city.now()
    try:
        rows, count = actions.find_rows(call.place, owner_of(call), window)
    except TenantNotFound:
        rows, count = [], 0 if window.count else None
    return call.reply([public(row, doc_of(call.city, row), now) for row in rows[: window.limit]], count)


def retrieve(call: Call) -> Reply:
    """Retrieve Subscription."""
    row = actions.find_row(call.place, owner_of(call), call.segments[0])
    return call.reply(public(row, doc_of(call.city, row), call.city.now()))


def update(call: Call) -> Reply:
    """Update Subscription."""
    settings, data = call.city.settings, call.data

    def merge(tx: Transaction, doc: Any, context: Any) -> tuple[Any, Any]:
        return merge_subscription(doc, data, settings), context

    actions.change_subscription(call.place, owner_of(call), call.segments[0], merge)
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """Delete subscription."""
    actions.delete_subscription(call.place, call.segments[0], owner_of(call))
    return NO_CONTENT


_ALL, _ONE = "v2/subscriptions", "v2/subscriptions/{}"
_LISTED, _WRITTEN = frozenset({"limit", "offset", "options"}), frozenset({"options"})
OPERATIONS = [
    Operation("GET", _ALL, query, "", _LISTED, offers=(JSON,)),
    Operation("POST", _ALL, create, "", _WRITTEN, offers=(JSON,), bodies=BODY),
    Operation("GET", _ONE, retrieve, "", offers=(JSON,)),
    Operation("PATCH", _ONE, update, "", _WRITTEN, offers=(JSON,), bodies=BODY),
    Operation("DELETE", _ONE, delete, "", offers=(JSON,)),
]

"""`/subscriptions` (§6.10, §6.11), and beside the standard the state of what is being delivered.

`/csourceSubscriptions` has the same handlers for the other kind of subscription.
"""

from urllib.parse import quote, urlencode

from sanpo.broker.ngsi_ld import subscribing
from sanpo.broker.ngsi_ld.asking import window_of
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Headers, Reply
from sanpo.broker.ngsi_ld.routing import BODIES, PATCHES, Operation, parameters
from sanpo.broker.ngsi_ld.shaping import check_id
from sanpo.broker.ngsi_ld.streaming import EVENT_STREAM, events
from sanpo.broker.store import encode
from sanpo.broker.subscriptions import actions, passing
from sanpo.broker.subscriptions.deliveries import list_own_deliveries
from sanpo.broker.subscriptions.model import Kind

_PATHS: dict[Kind, str] = {"entities": "/ngsi-ld/v1/subscriptions", "sources": "/ngsi-ld/v1/csourceSubscriptions"}


def create(call: Call, kind: Kind = "entities") -> Reply:
    """5.8.1 Create Subscription."""
    data, linked = call.document
    found = actions.create_subscription(call.place, data, linked.context, linked.given, kind=kind)
    if kind == "entities" and call.is_distributed:
        subscribing.pass_on(call, linked, found)
    return Reply(201, headers=[(b"location", f"{_PATHS[kind]}/{quote(found, safe=':')}".encode())])


def query(call: Call, kind: Kind = "entities") -> Reply:
    """5.8.4 Query Subscriptions: the caller's own."""
    linked, window = call.linked, window_of(call)
    system = "sysAttrs" in call.options
    page = actions.list_subscriptions(call.place, linked.context, window, system=system, kind=kind)
    headers: Headers = [*call.preference]
    if page.count is not None:
        headers.append((b"ngsild-results-count", b"%d" % page.count))
    offsets = [("next", window.offset + window.limit)] if page.more and window.limit else []
    if window.offset and window.limit:
        offsets.append(("prev", max(0, window.offset - window.limit)))
    for relation, offset in offsets:
        asked = urlencode({**call.query, "limit": window.limit, "offset": offset})
        headers.append((b"link", f'<{_PATHS[kind]}?{asked}>; rel="{relation}"; type="{call.media_type}"'.encode()))
    return call.answer(page.docs, linked, headers)


def retrieve(call: Call, kind: Kind = "entities") -> Reply:
    """5.8.3 Retrieve Subscription."""
    linked = call.linked
    found = actions.retrieve_subscription(
        call.place, check_id(call.segments[0]), linked.context, system="sysAttrs" in call.options, kind=kind
    )
    return call.answer(found, linked, call.preference)


def update(call: Call, kind: Kind = "entities") -> Reply:
    """5.8.2 Update Subscription."""
    check_id(call.segments[0])
    data, linked = call.document
    actions.update_subscription(call.place, call.segments[0], data, linked.context, linked.given, kind=kind)
    if kind == "entities" and call.is_distributed:
        subscribing.withdraw(call, linked, passing.take_back(call.place, call.segments[0]))
        subscribing.pass_on(call, linked, call.segments[0])
    return NO_CONTENT


def delete(call: Call, kind: Kind = "entities") -> Reply:
    """5.8.5 Delete Subscription."""
    subscription_id, owner = check_id(call.segments[0]), actions.owner_of(call.actor, kind)
    is_passed = kind == "entities" and call.is_distributed
    passed = passing.take_back(call.place, subscription_id) if is_passed else []
    actions.delete_subscription(call.place, subscription_id, owner)
    if passed:
        subscribing.withdraw(call, call.linked, passed)
    return NO_CONTENT


def deliveries(call: Call, kind: Kind = "entities") -> Reply:
    """Notifications that have not arrived, with the receiver's last error. Sanpo's own."""
    limit = call.whole("limit", 100, 1, 1000)
    found = list_own_deliveries(call.place, check_id(call.segments[0]), limit=limit, kind=kind)
    return Reply(200, encode([each.as_public() for each in found]), "application/json")


_ONE = "subscriptions/{}"
OPERATIONS = [
    *subscribing.OPERATIONS,
    Operation("POST", "subscriptions", create, "5.8.1", parameters(), bodies=BODIES),
    Operation("GET", "subscriptions", query, "5.8.4", parameters("limit", "offset", "count", "options")),
    Operation("GET", _ONE, retrieve, "5.8.3", parameters("options")),
    Operation("PATCH", _ONE, update, "5.8.2", parameters(), bodies=PATCHES),
    Operation("DELETE", _ONE, delete, "5.8.5", parameters()),
    Operation("GET", f"{_ONE}/events", events, "none", parameters(), offers=(EVENT_STREAM,)),
    Operation("GET", f"{_ONE}/deliveries", deliveries, "none", parameters("limit")),
]

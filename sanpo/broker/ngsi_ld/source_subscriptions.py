"""`/csourceSubscriptions` (§6.12, §6.13): subscriptions to registrations. As `/subscriptions`, for the other kind."""

from sanpo.broker.ngsi_ld import streaming, subscriptions
from sanpo.broker.ngsi_ld.calls import Call, Reply
from sanpo.broker.ngsi_ld.routing import BODIES, PATCHES, Operation, parameters


def create(call: Call) -> Reply:
    """5.11.2 Create Context Source Registration Subscription."""
    return subscriptions.create(call, "sources")


def query(call: Call) -> Reply:
    """5.11.5 Query Context Source Registration Subscriptions: the caller's own."""
    return subscriptions.query(call, "sources")


def retrieve(call: Call) -> Reply:
    """5.11.4 Retrieve Context Source Registration Subscription."""
    return subscriptions.retrieve(call, "sources")


def update(call: Call) -> Reply:
    """5.11.3 Update Context Source Registration Subscription."""
    return subscriptions.update(call, "sources")


def delete(call: Call) -> Reply:
    """5.11.6 Delete Context Source Registration Subscription."""
    return subscriptions.delete(call, "sources")


def deliveries(call: Call) -> Reply:
    """Notifications about registrations that have not arrived, with the receiver's last error. Sanpo's own."""
    return subscriptions.deliveries(call, "sources")


def events(call: Call) -> Reply:
    """Notifications of a subscription with the endpoint `urn:sanpo:events`, as server-sent events. Sanpo's own."""
    return streaming.events(call, "sources")


_ALL, _ONE = "csourceSubscriptions", "csourceSubscriptions/{}"
OPERATIONS = [
    Operation("POST", _ALL, create, "5.11.2", parameters(), bodies=BODIES),
    Operation("GET", _ALL, query, "5.11.5", parameters("limit", "offset", "count", "options")),
    Operation("GET", _ONE, retrieve, "5.11.4", parameters("options")),
    Operation("PATCH", _ONE, update, "5.11.3", parameters(), bodies=PATCHES),
    Operation("DELETE", _ONE, delete, "5.11.6", parameters()),
    Operation("GET", f"{_ONE}/events", events, "none", parameters(), offers=(streaming.EVENT_STREAM,)),
    Operation("GET", f"{_ONE}/deliveries", deliveries, "none", parameters("limit")),
]

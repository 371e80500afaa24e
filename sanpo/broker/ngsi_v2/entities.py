"""`/v2/entities` and `/v2/entities/{entityId}`."""

from urllib.parse import quote

from sanpo.broker import entities as actions
from sanpo.broker import querying
from sanpo.broker.batches import put_entities
from sanpo.broker.changing import Change
from sanpo.broker.errors import EntityExists, TenantNotFound
from sanpo.broker.model import Entity
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Headers, Reply
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.changing import append
from sanpo.broker.ngsi_v2.names import id_of, name_of
from sanpo.broker.ngsi_v2.selecting import ordering_in, parts_of
from sanpo.broker.querying import Page

BODY = frozenset({JSON})


def create(call: Call) -> Reply:
    """Create Entity; with `upsert` one that is there is updated."""
    entity = call.own_reader.entity(call.data, call.scope)
    if "upsert" not in call.options:
        actions.create_entity(call.place, entity)
        return Reply(201, headers=_location(entity))

    def widen(there: Entity, given: Entity, now: str) -> Change:
        if not call.is_about(there, given):
            raise EntityExists(entity_id=id_of(given["id"]))
        return append(there, {"attrs": given["attrs"]}, now, override="overrideMetadata" in call.options)

    results = put_entities(call.place, [entity], widen)
    for _, error in results.errors:
        raise error
    return Reply(201 if results.created else 204, headers=_location(entity))


def _location(entity: Entity) -> Headers:
    """Where a new entity is."""
    where = f"/v2/entities/{quote(id_of(entity['id']), safe='')}?type={quote(name_of(entity['type'][0]), safe='')}"
    return [(b"location", where.encode())]


def query(call: Call) -> Reply:
    """List Entities."""
    parts = parts_of(call.query, call.paths)
    ordering = ordering_in(call.query.get("orderBy"), call.query)
    try:
        page = querying.query_entities(call.place, parts, call.window, ordering)
    except TenantNotFound:  # a service that nobody has written to is empty
        page = Page([], more=False, count=0 if call.window.count else None)
    writer = call.own_writer()
    return call.reply([writer.entity(doc) for doc in page.docs], page.count)


def retrieve(call: Call) -> Reply:
    """Retrieve Entity."""
    return call.reply(call.own_writer().entity(actions.retrieve_entity(call.place, call.uri, call.wanted)))


def delete(call: Call) -> Reply:
    """Remove Entity."""
    actions.delete_entity(call.place, call.uri, call.wanted)
    return NO_CONTENT


SHOWN = frozenset({"type", "attrs", "metadata", "options"})
OPERATIONS = [
    Operation(
        "GET",
        "v2/entities",
        query,
        "",
        SHOWN
        | {"id", "idPattern", "typePattern", "q", "mq", "georel", "geometry", "coords", "limit", "offset", "orderBy"},
        offers=(JSON,),
    ),
    Operation("POST", "v2/entities", create, "", frozenset({"options"}), offers=(JSON,), bodies=BODY),
    Operation("GET", "v2/entities/{}", retrieve, "", SHOWN, offers=(JSON,)),
    Operation("DELETE", "v2/entities/{}", delete, "", frozenset({"type", "options"}), offers=(JSON,)),
]

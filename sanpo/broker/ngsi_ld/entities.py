"""`/entities` and `/entities/{id}` (§6.4, §6.5) but for the query."""

import dataclasses
from typing import Any
from urllib.parse import quote

from sanpo.broker import entities as actions
from sanpo.broker.errors import EntityIsInvalid, EntityNotFound, ParameterIsInvalid
from sanpo.broker.language.projection import parse_attrs
from sanpo.broker.ngsi_ld import gathering
from sanpo.broker.ngsi_ld.asking import asked_in_url, parts_of
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Headers, Reply
from sanpo.broker.ngsi_ld.entity_maps import mapped
from sanpo.broker.ngsi_ld.joined import joined
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.negotiation import GEO
from sanpo.broker.ngsi_ld.problems import on_error
from sanpo.broker.ngsi_ld.routing import BODIES, PATCHES, WITH_GEO, Operation, parameters
from sanpo.broker.ngsi_ld.shaping import check_id, shape_of, time_of, wanted
from sanpo.broker.purging import purge_entities
from sanpo.broker.querying import find_fitting
from sanpo.broker.representation.reading import Nulls
from sanpo.broker.selection import Ids


def create(call: Call) -> Reply:
    """5.6.1 Create Entity."""
    data, linked = call.document
    entity = call.reader(linked).entity(data)
    actions.create_entity(call.place, entity)
    return Reply(201, headers=[(b"location", b"/ngsi-ld/v1/entities/" + quote(entity["id"], safe=":@").encode())])


def retrieve(call: Call) -> Reply:
    """5.7.1 Retrieve Entity."""
    linked = call.linked
    entity_id = check_id(call.segments[0])
    shape = shape_of(call, call.query, linked)
    doc, warnings = _found(call, linked, entity_id)
    if doc is None:
        reply = on_error(call.city, EntityNotFound(entity_id=entity_id), call.headers)
        return dataclasses.replace(reply, headers=[*reply.headers, *warnings])
    if shape.is_empty(doc) or (shape.attrs is not None and shape.attrs.isdisjoint(doc["attrs"])):
        raise EntityNotFound(entity_id=entity_id)
    join = joined(call, call.query, shape, [doc]) if call.media_type != GEO else None
    among = mapped(call, call.query, lambda known: find_fitting(call.place, [Ids(frozenset({doc["id"]}))], known))
    status, headers = call.applied([doc])
    headers.extend([*warnings, *among.headers])
    if join is None:
        return call.answer(shape.of(doc), linked, headers, status=status)
    if call.query["join"] == "inline":
        return call.answer(join.inline(doc), linked, headers, status=status)
    found = join.flat([doc])
    return call.answer(found if len(found) > 1 else found[0], linked, headers, status=status)


def _found(call: Call, linked: Linked, entity_id: str) -> tuple[Any | None, Headers]:
    """The entity as it is here and as other sources say, with warnings about those. Raises `EntityNotFound`."""
    sources = gathering.sources_of_entity(call, linked, entity_id) if call.is_distributed else []
    fits = wanted(call, linked)
    if not sources:
        return actions.retrieve_entity(call.place, entity_id, fits), []
    try:
        local = [actions.retrieve_entity(call.place, entity_id, fits)]
    except EntityNotFound:
        local = []
    remote, warnings = gathering.retrieve(call, linked, sources, entity_id)
    docs = [doc for doc in gathering.merged(local, remote) if doc["id"] == entity_id]
    return (docs[0] if docs and (fits is None or fits(docs[0]["type"])) else None), warnings


def merge(call: Call) -> Reply:
    """5.6.17 Merge Entity."""
    data, linked = call.document
    entity_id = check_id(call.segments[0])
    fragment = call.reader(linked, Nulls.MERGES).fragment(data)
    _check_same_id(fragment.get("id"), entity_id)
    actions.merge_entity(
        call.place,
        entity_id,
        fragment,
        wanted=wanted(call, linked),
        observed_at=time_of(call, "observedAt"),
        lang=call.query.get("lang"),
    )
    return NO_CONTENT


def replace(call: Call) -> Reply:
    """5.6.18 Replace Entity."""
    data, linked = call.document
    entity_id = check_id(call.segments[0])
    reader = call.reader(linked)
    if isinstance(data, dict) and "id" not in data and "@id" not in data:
        data = {**data, "id": entity_id}
    entity = reader.entity(data)
    _check_same_id(entity["id"], entity_id)
    actions.replace_entity(call.place, entity_id, entity, wanted(call, linked))
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """5.6.6 Delete Entity."""
    actions.delete_entity(call.place, check_id(call.segments[0]), wanted(call, call.linked))
    return NO_CONTENT


def without_id(call: Call) -> Reply:
    """5.6.17, 5.6.18: an empty id in the path is no id."""
    raise EntityIsInvalid(where="id", problem="is missing in the path")


def _check_same_id(given: str | None, entity_id: str) -> None:
    if given is not None and given != entity_id:
        raise EntityIsInvalid(where="id", problem="is not the id in the path")


def purge(call: Call) -> Reply:
    """5.6.21 Purge Entities."""
    linked = call.linked
    # Attributes of named entities may be taken away by id alone; whole entities may not (§5.6.21.4).
    names_attributes = bool(call.query.get("drop") or call.query.get("keep"))
    narrow = call.flag("local") or (names_attributes and bool(call.query.get("id")))
    parts = parts_of(asked_in_url(call), linked.context, local=narrow)
    drop, keep = (
        frozenset(parse_attrs(call.query[name], linked.context, parameter=name)) if call.query.get(name) else None
        for name in ("drop", "keep")
    )
    if drop is not None and keep is not None:
        raise ParameterIsInvalid(name="keep", problem="cannot stand beside drop")
    purge_entities(call.place, parts, drop=drop, keep=keep)
    return NO_CONTENT


_REPLACING = parameters("type", "options", "format")
_MERGING = parameters("type", "observedAt", "lang", "options", "format")
OPERATIONS = [
    Operation("POST", "entities", create, "5.6.1", parameters(), bodies=BODIES),
    Operation(
        "GET",
        "entities/{}",
        retrieve,
        "5.7.1",
        parameters(
            "type", "attrs", "pick", "omit", "lang", "geometryProperty", "options", "format", "datasetId", "join",
            "joinLevel", "containedBy", "entityMap", "entityMapLifetime", "jsonKeys",
        ),
        offers=WITH_GEO,
    ),
    Operation(
        "PATCH", "entities/{}", merge, "5.6.17", _MERGING, bodies=PATCHES
    ),
    Operation("PUT", "entities/{}", replace, "5.6.18", _REPLACING, bodies=BODIES),
    Operation("PUT", "entities", without_id, "5.6.18", _REPLACING, bodies=BODIES),
    Operation("PATCH", "entities", without_id, "5.6.17", _MERGING, bodies=PATCHES),
    Operation("DELETE", "entities/{}", delete, "5.6.6", parameters("type")),
    Operation(
        "DELETE",
        "entities",
        purge,
        "5.6.21",
        parameters(
            "id", "type", "idPattern", "attrs", "q", "csf", "geometry", "georel", "coordinates", "geoproperty", "scopeQ",
            "drop", "keep", "expandValues", "jsonKeys",
        ),
    ),
]  # fmt: skip

"""`/temporal/entities` and below (§6.18 to §6.22), `/temporal/entityOperations/query` (§6.24)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from sanpo.broker.errors import EntityIsInvalid, EntityNotFound, ParameterIsInvalid
from sanpo.broker.ngsi_ld import observations, remembering
from sanpo.broker.ngsi_ld.asking import Asked, asked_in_body, asked_in_url, parts_of, window_of
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Headers, Reply, flag_in
from sanpo.broker.ngsi_ld.entity_maps import mapped
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.routing import BODIES, PATCHES, Operation, parameters
from sanpo.broker.ngsi_ld.shaping import check_id, wanted
from sanpo.broker.ngsi_ld.temporal_words import (
    Told,
    aggregation_of,
    range_of,
    span_of,
    split,
    temporal_fragment,
    temporal_values,
    told_of,
)
from sanpo.broker.querying import Among
from sanpo.broker.representation.checks import check_name, check_uri
from sanpo.broker.representation.reading import Nulls
from sanpo.broker.selection import Ids, Window
from sanpo.broker.temporal import aggregates, evolutions, recording
from sanpo.broker.temporal.model import Evolutions, Span

_PAGED = "/ngsi-ld/v1/temporal/entities"
_ORDERS = ("id", "id;asc", "id;desc")


def put(call: Call) -> Reply:
    """5.6.11 Create or Update Temporal Representation of an Entity."""
    data, linked = call.document
    fragment = temporal_fragment(call.reader(linked), data)
    if "id" not in fragment:
        raise EntityIsInvalid(where="id", problem="is missing")
    if not recording.put_evolution(call.place, fragment["id"], fragment):
        return NO_CONTENT
    return Reply(201, headers=[(b"location", f"{_PAGED}/{quote(fragment['id'], safe=':@')}".encode())])


def append(call: Call) -> Reply:
    """5.6.12 Add Attributes to Temporal Representation of an Entity."""
    data, linked = call.document
    entity_id = check_id(call.segments[0])
    recording.append_to_evolution(call.place, entity_id, temporal_fragment(call.reader(linked), data))
    return NO_CONTENT


def delete_attribute(call: Call) -> Reply:
    """5.6.13 Delete Attribute from Temporal Representation of an Entity."""
    entity_id, iri, _ = _attribute(call, call.linked)
    dataset_id = call.query.get("datasetId") or None
    if dataset_id == "@none":
        dataset_id = None
    if dataset_id is not None:
        check_uri(dataset_id, "datasetId")
    recording.delete_attribute_history(call.place, entity_id, iri, dataset_id=dataset_id, every=call.flag("deleteAll"))
    return NO_CONTENT


def change_instance(call: Call) -> Reply:
    """5.6.14 Modify Attribute Instance in Temporal Representation of an Entity."""
    data, linked = call.document
    entity_id, iri, term = _attribute(call, linked)
    given = data[term] if type(data) is dict and data.keys() == {term} else data
    if type(given) is list and len(given) == 1:
        given = given[0]
    instance = call.reader(linked, Nulls.DELETES).partial(iri, term, given)
    recording.change_instance(call.place, entity_id, iri, check_uri(call.segments[2], "instanceId"), instance)
    return NO_CONTENT


def delete_instance(call: Call) -> Reply:
    """5.6.15 Delete Attribute Instance from Temporal Representation of an Entity."""
    entity_id, iri, _ = _attribute(call, call.linked)
    recording.delete_instance(call.place, entity_id, iri, check_uri(call.segments[2], "instanceId"))
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """5.6.16 Delete Temporal Representation of an Entity."""
    recording.delete_evolution(call.place, check_id(call.segments[0]))
    return NO_CONTENT


def retrieve(call: Call) -> Reply:
    """5.7.3 Retrieve Temporal Evolution of an Entity."""
    linked = call.linked
    entity_id = check_id(call.segments[0])
    span = span_of(call.query, linked, needed=False)
    told = told_of(call, call.query, linked, span)
    found, warnings = _evolution(call, linked, entity_id, span, told)
    if told.shape.is_empty(found.docs[0]):
        raise EntityNotFound(entity_id=entity_id)
    one = [Ids(frozenset({entity_id}))]
    among = mapped(call, call.query, lambda known: evolutions.find_fitting_evolutions(call.place, one, Span(), known))
    return _answer(call, told.of(found.docs[0]), linked, found, [*warnings, *among.headers])


def _evolution(call: Call, linked: Linked, entity_id: str, span: Span, told: Told) -> tuple[Evolutions, Headers]:
    """The history here, with what other sources remember. Raises `EntityNotFound`."""
    fits = wanted(call, linked)
    if told.form == "aggregates":
        return aggregates.retrieve_aggregates(call.place, entity_id, span, aggregation_of(call.query), fits), []
    sources = remembering.sources_of_history(call, linked, entity_id, span) if call.is_distributed else []
    if not sources:
        return evolutions.retrieve_evolution(call.place, entity_id, span, fits), []
    local: Evolutions | None = None
    with suppress(EntityNotFound):
        local = evolutions.retrieve_evolution(call.place, entity_id, span, fits)
    found, warnings = remembering.retrieve(call, linked, sources, entity_id, span, local)
    if not found.docs:
        raise EntityNotFound(entity_id=entity_id)
    return found, warnings


def query(call: Call) -> Reply:
    """5.7.4 Query Temporal Evolution of Entities."""
    linked = call.linked
    return _query(call, asked_in_url(call), linked)


def post_query(call: Call) -> Reply:
    """5.7.4 Query Temporal Evolution of Entities, by POST (6.24.3.1)."""
    data, linked = call.document
    temporal, other = split(data)
    asked = asked_in_body(call, other)
    return _query(call, Asked(temporal_values(temporal, asked.values), asked.selectors), linked)


def _query(call: Call, asked: Asked, linked: Linked) -> Reply:
    window = window_of(call)
    _check_order(asked)
    parts = parts_of(asked, linked.context, local=flag_in(asked.values, "local"))
    span = span_of(asked.values, linked, needed=True)
    told = told_of(call, asked.values, linked, span)
    among = mapped(call, asked.values, lambda known: evolutions.find_fitting_evolutions(call.place, parts, span, known))
    if told.form == "aggregates":
        aggregation = aggregation_of(asked.values)
        found = aggregates.query_aggregates(call.place, parts, span, window, aggregation, among.numbers)
        warnings: Headers = []
    else:
        found, warnings = _found(call, linked, asked, span, window, among.numbers)
    headers: Headers = [*warnings, *among.headers]
    if found.count is not None:
        headers.append((b"ngsild-results-count", b"%d" % found.count))
    headers.extend(_links(call, call.query, window, found))
    docs = [told.of(doc) for doc in found.docs if not told.shape.is_empty(doc)]
    return _answer(call, docs, linked, found, headers, is_new=among.is_new)


def _found(
    call: Call, linked: Linked, asked: Asked, span: Span, window: Window, among: Among
) -> tuple[Evolutions, Headers]:
    """A page of histories, of those here and of what other sources remember."""
    parts = parts_of(asked, linked.context, local=flag_in(asked.values, "local"))
    sources = remembering.sources_of_histories(call, linked, asked, span) if call.is_distributed else []
    if not sources:
        return evolutions.query_evolutions(call.place, parts, span, window, among=among), []
    remote, warnings = remembering.query(call, linked, sources, asked, span)
    here = Window(window.offset + window.limit, count=window.count)
    local = evolutions.query_evolutions(call.place, parts, span, here, among=among)
    return remembering.page(local, remote, span, window), warnings


def _check_order(asked: Asked) -> None:
    """Evolutions can be ordered by id alone (§5.7.4.4)."""
    given = asked.get("orderBy")
    if given is not None and given not in _ORDERS:
        raise ParameterIsInvalid(name="orderBy", problem=f"is none of {', '.join(_ORDERS)}")


def _answer(
    call: Call, body: Any, linked: Linked, found: Evolutions, headers: Headers, *, is_new: bool = False
) -> Reply:
    status = 206 if found.cut is not None else 201 if is_new else 200
    return call.answer(body, linked, [*headers, *range_of(found.cut)], status=status)


def _links(call: Call, values: Mapping[str, str], window: Window, found: Evolutions) -> Headers:
    """Where the pages of entities before and after are (§6.3.10)."""
    if call.method != "GET" or not window.limit:
        return []
    offsets = [("next", window.offset + window.limit)] if found.more else []
    if window.offset:
        offsets.append(("prev", max(0, window.offset - window.limit)))
    return [
        (
            b"link",
            f"<{_PAGED}?{urlencode({**values, 'limit': window.limit, 'offset': offset})}>;"
            f' rel="{relation}"; type="{call.media_type}"'.encode(),
        )
        for relation, offset in offsets
    ]


def _attribute(call: Call, linked: Linked) -> tuple[str, str, str]:
    """The entity's id, and the attribute as IRI and as written."""
    term = check_name(call.segments[1], "attribute")
    return check_id(call.segments[0]), linked.context.expand(term), term


_TIME = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods", "aggrPeriodDuration")
_SHOWN = ("attrs", "pick", "omit", "datasetId", "lang", "options", "format")
_ONE = "temporal/entities/{}"
OPERATIONS = [
    *observations.OPERATIONS,
    Operation("POST", "temporal/entities", put, "5.6.11", parameters("options"), bodies=BODIES),
    Operation(
        "GET",
        "temporal/entities",
        query,
        "5.7.4",
        parameters(
            *_TIME, *_SHOWN, "id", "type", "idPattern", "q", "csf", "geometry", "georel", "coordinates", "geoproperty",
            "scopeQ", "limit", "offset", "count", "orderBy", "expandValues", "jsonKeys", "entityMap", "entityMapLifetime",
            "splitEntities",
        ),
    ),
    Operation(
        "POST",
        "temporal/entityOperations/query",
        post_query,
        "5.7.4",
        parameters("limit", "offset", "count", "options", "format", "lang", "datasetId", "entityMap", "entityMapLifetime"),
        bodies=BODIES,
    ),
    Operation("GET", _ONE, retrieve, "5.7.3", parameters(*_TIME, *_SHOWN, "type", "entityMap", "entityMapLifetime")),
    Operation("DELETE", _ONE, delete, "5.6.16", parameters()),
    Operation("POST", f"{_ONE}/attrs", append, "5.6.12", parameters("options"), bodies=BODIES),
    Operation("DELETE", f"{_ONE}/attrs/{{}}", delete_attribute, "5.6.13", parameters("datasetId", "deleteAll")),
    Operation("PATCH", f"{_ONE}/attrs/{{}}/{{}}", change_instance, "5.6.14", parameters("options"), bodies=PATCHES),
    Operation("DELETE", f"{_ONE}/attrs/{{}}/{{}}", delete_instance, "5.6.15", parameters()),
]  # fmt: skip

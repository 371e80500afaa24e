"""`/v2/types`: which types there are, with how many entities and what attributes."""

from typing import Any

from sanpo.broker import discovery
from sanpo.broker.discovery import Shape
from sanpo.broker.errors import TenantNotFound, TypeNotFound
from sanpo.broker.ngsi_ld.calls import Reply
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.names import iri_of, name_of
from sanpo.broker.ngsi_v2.places import GEO_JSON
from sanpo.broker.ngsi_v2.values import DATE_TIME

_JSON_TYPES = {"string": "Text", "number": "Number", "boolean": "Boolean", "null": "None"}


def list_types(call: Call) -> Reply:
    """List Entity Types."""
    try:
        counts = discovery.count_types(call.place)
    except TenantNotFound:
        counts = {}
    window = call.window
    chosen = sorted(counts, key=name_of)[window.offset : window.offset + window.limit]
    total = len(counts) if window.count else None
    if "values" in call.options:
        return call.reply([name_of(iri) for iri in chosen], total)
    shapes = discovery.list_shapes(call.place) if chosen else []
    detailed = "noAttrDetail" not in call.options
    found = [
        {
            "type": name_of(iri),
            "attrs": _attributes((each for each in shapes if each.type == iri), detailed=detailed),
            "count": counts[iri],
        }
        for iri in chosen
    ]
    return call.reply(found, total)


def retrieve(call: Call) -> Reply:
    """Retrieve entity type."""
    iri = iri_of(call.segments[0])
    shapes = discovery.list_shapes(call.place, iri)
    count = discovery.count_types(call.place).get(iri)
    if count is None:
        raise TypeNotFound(type=call.segments[0])
    detailed = "noAttrDetail" not in call.options
    attributes = _attributes((each for each in shapes if each.type == iri), detailed=detailed)
    return call.reply({"attrs": attributes, "count": count})


def _attributes(shapes: Any, *, detailed: bool) -> dict[str, Any]:
    found: dict[str, set[str]] = {}
    for each in shapes:
        found.setdefault(name_of(each.attribute), set()).add(_type_of(each))
    return {name: {"types": sorted(types) if detailed else []} for name, types in found.items()}


def _type_of(shape: Shape) -> str:
    """As `values.type_and_value` names it."""
    if shape.kind == "GeoProperty":
        return shape.written or GEO_JSON
    if shape.kind != "Property":
        return shape.kind
    if shape.named is not None:
        return shape.named
    return DATE_TIME if shape.typed == DATE_TIME else _JSON_TYPES.get(shape.json or "", "StructuredValue")


OPERATIONS = [
    Operation("GET", "v2/types", list_types, "", frozenset({"limit", "offset", "options"}), offers=(JSON,)),
    Operation("GET", "v2/types/{}", retrieve, "", frozenset({"options"}), offers=(JSON,)),
]

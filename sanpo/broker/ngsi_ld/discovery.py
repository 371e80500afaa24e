"""`/types` and `/attributes` (§6.25 to §6.28)."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sanpo.broker import discovery as actions
from sanpo.broker.discovery import AttributeFound
from sanpo.broker.errors import AttributeNotFound, TypeNotFound
from sanpo.broker.ngsi_ld.calls import Call, Headers, Reply
from sanpo.broker.ngsi_ld.discovering import Survey
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.routing import Operation, parameters
from sanpo.broker.representation.checks import check_name


def list_types(call: Call) -> Reply:
    """5.7.5 and 5.7.6 Retrieve Available Entity Types, with details."""
    linked = call.linked
    compact = linked.context.compact_type
    survey = Survey(call, linked)
    if not call.flag("details"):
        names = [compact(each.iri) for each in survey.types(actions.list_types(call.place), details=False)]
        body = {"id": _list_id("EntityTypeList"), "type": "EntityTypeList", "typeList": names}
        return call.answer(body, linked, [*survey.warnings, *_count(call, names)])
    found = survey.types(actions.list_types_with_attributes(call.place), details=True)
    details = [
        {
            "id": each.iri,
            "type": "EntityType",
            "typeName": compact(each.iri),
            "attributeNames": [linked.context.compact(iri) for iri in each.attributes],
        }
        for each in found
    ]
    return call.answer(details, linked, [*survey.warnings, *_count(call, found)])


def get_type(call: Call) -> Reply:
    """5.7.7 Retrieve Available Entity Type Information."""
    linked = call.linked
    iri = linked.context.expand_type(check_name(call.segments[0], "type"))
    survey, local = Survey(call, linked), None
    with suppress(TypeNotFound):
        local = actions.get_type(call.place, iri)
    found = survey.type_info(iri, local)
    if found is None:
        raise TypeNotFound(type=iri)
    body = {
        "id": iri,
        "type": "EntityTypeInfo",
        "typeName": linked.context.compact_type(iri),
        "entityCount": found.count,
        "attributeDetails": [
            {
                "id": each.iri,
                "type": "Attribute",
                "attributeName": linked.context.compact(each.iri),
                "attributeTypes": list(each.kinds),
            }
            for each in found.attributes
        ],
    }
    return call.answer(body, linked, survey.warnings)


def list_attributes(call: Call) -> Reply:
    """5.7.8 and 5.7.9 Retrieve Available Attributes, with details."""
    linked = call.linked
    survey, details = Survey(call, linked), call.flag("details")
    found = survey.attributes(actions.list_attributes(call.place), details=details)
    headers = [*survey.warnings, *_count(call, found)]
    if not details:
        names = [linked.context.compact(each.iri) for each in found]
        body = {"id": _list_id("AttributeList"), "type": "AttributeList", "attributeList": names}
        return call.answer(body, linked, headers)
    return call.answer([_attribute(each, linked) for each in found], linked, headers)


def get_attribute(call: Call) -> Reply:
    """5.7.10 Retrieve Available Attribute Information."""
    linked = call.linked
    iri = linked.context.expand(check_name(call.segments[0], "attribute"))
    survey, local = Survey(call, linked), None
    with suppress(AttributeNotFound):
        local = actions.get_attribute(call.place, iri)
    found = survey.attribute(iri, local)
    if found is None:
        raise AttributeNotFound(attribute=iri)
    more = {"attributeCount": found.count, "attributeTypes": list(found.kinds)}
    return call.answer(_attribute(found, linked) | more, linked, survey.warnings)


def _attribute(found: AttributeFound, linked: Linked) -> dict[str, Any]:
    return {
        "id": found.iri,
        "type": "Attribute",
        "attributeName": linked.context.compact(found.iri),
        "typeNames": [linked.context.compact_type(iri) for iri in found.types],
    }


def _count(call: Call, found: Sequence[Any]) -> Headers:
    return [(b"ngsild-results-count", b"%d" % len(found))] if call.flag("count") else []


def _list_id(kind: str) -> str:
    return f"urn:ngsi-ld:{kind}:{secrets.token_hex(8)}"


OPERATIONS = [
    Operation("GET", "types", list_types, "5.7.5", parameters("details", "count")),
    Operation("GET", "types/{}", get_type, "5.7.7", parameters()),
    Operation("GET", "attributes", list_attributes, "5.7.8", parameters("details", "count")),
    Operation("GET", "attributes/{}", get_attribute, "5.7.10", parameters()),
]

"""`/v2/entities/{entityId}/attrs`, one attribute, and its value alone."""

from typing import Any

from sanpo.broker import entities as actions
from sanpo.broker.changing import Change
from sanpo.broker.entities import change_entity
from sanpo.broker.errors import AttributeNotFound
from sanpo.broker.model import Instance, default_instance
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Reply
from sanpo.broker.ngsi_ld.negotiation import JSON, choose, media_type_of
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_v2 import changing
from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.entities import BODY, SHOWN
from sanpo.broker.ngsi_v2.errors import AttributesAreMissing, AttributesExist, RequestIsNoNgsiV2
from sanpo.broker.ngsi_v2.names import iri_of, name_of
from sanpo.broker.ngsi_v2.problems import problem
from sanpo.broker.ngsi_v2.syntax import BUILT_IN
from sanpo.broker.ngsi_v2.values import type_and_value
from sanpo.broker.store import encode

TEXT = "text/plain"


def retrieve_all(call: Call) -> Reply:
    """Retrieve Entity Attributes: without id and type."""
    return call.reply(call.own_writer().attributes(actions.retrieve_entity(call.place, call.uri, call.wanted)))


def append(call: Call) -> Reply:
    """Update or Append Entity Attributes; with `append` only those that are not there."""
    fragment, override = call.own_reader.attributes(call.data), "overrideMetadata" in call.options
    strict = "append" in call.options
    change = change_entity(
        call.place,
        call.uri,
        lambda doc, now: changing.append(doc, fragment, now, override=override, strict=strict),
        fragment["attrs"],
        call.wanted,
    )
    if change.refused:
        raise AttributesExist(names=names_of(change))
    return NO_CONTENT


def update(call: Call) -> Reply:
    """Update Existing Entity Attributes."""
    fragment, override = call.own_reader.attributes(call.data), "overrideMetadata" in call.options
    change = change_entity(
        call.place,
        call.uri,
        lambda doc, now: changing.update(doc, fragment, now, override=override),
        fragment["attrs"],
        call.wanted,
    )
    if change.refused:
        raise AttributesAreMissing(names=names_of(change))
    return NO_CONTENT


def names_of(change: Change) -> str:
    """The attributes with which nothing was done."""
    return ", ".join(name_of(iri) for iri in change.refused)


def replace(call: Call) -> Reply:
    """Replace all Entity Attributes."""
    fragment = call.own_reader.attributes(call.data)
    change_entity(
        call.place,
        call.uri,
        lambda doc, now: changing.replace(doc, fragment, now),
        fragment["attrs"],
        call.wanted,
    )
    return NO_CONTENT


def retrieve(call: Call) -> Reply:
    """Get attribute data."""
    return call.reply(call.own_writer().attribute(_instance(call)))


def replace_one(call: Call) -> Reply:
    """Update attribute data."""
    name = _named(call)
    iri, instance = iri_of(name), call.own_reader.attribute(name, call.data)
    override = "overrideMetadata" in call.options
    change_entity(
        call.place,
        call.uri,
        lambda doc, now: changing.update_attribute(doc, iri, instance, now, override=override),
        (iri,),
        call.wanted,
    )
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """Remove a Single Attribute."""
    iri = iri_of(_named(call))
    change_entity(call.place, call.uri, lambda doc, now: changing.delete_attributes(doc, [iri], now), (), call.wanted)
    return NO_CONTENT


def retrieve_value(call: Call) -> Reply:
    """Get Attribute Value: an object or array as JSON, anything else as text."""
    value = type_and_value(_instance(call))[1]
    offered = (JSON, TEXT) if type(value) in (dict, list) else (TEXT,)
    media_type = choose(call.headers.get("accept", ""), offered)
    if media_type is None:
        return problem(406, "NotAcceptable", f"What is there to accept: {', '.join(offered)}.")
    return Reply(200, encode(value), media_type)


def update_value(call: Call) -> Reply:
    """Update Attribute Value."""
    value, iri = _value_in(call), iri_of(_named(call))
    change_entity(
        call.place, call.uri, lambda doc, now: changing.update_value(doc, iri, value, now), (iri,), call.wanted
    )
    return NO_CONTENT


def _value_in(call: Call) -> Any:
    """What the body says: as JSON an object or array, as text also a quoted text, a number, true, false or null."""
    if media_type_of(call.headers.get("content-type", "")) == JSON:
        if type(call.data) not in (dict, list):
            raise RequestIsNoNgsiV2(where="value", problem="is neither object nor array; send it as text/plain")
        return call.data
    return call.data


def _named(call: Call) -> str:
    name = call.segments[1]
    if name in BUILT_IN:
        raise RequestIsNoNgsiV2(where=name, problem="is built in and no resource")
    return name


def _instance(call: Call) -> Instance:
    doc = actions.retrieve_entity(call.place, call.uri, call.wanted)
    name = _named(call)
    found = default_instance(doc["attrs"].get(iri_of(name), []))
    if found is None:
        raise AttributeNotFound(attribute=name)
    return found


_ALL, _ONE, _VALUE = "v2/entities/{}/attrs", "v2/entities/{}/attrs/{}", "v2/entities/{}/attrs/{}/value"
_WRITTEN = frozenset({"type", "options"})
OPERATIONS = [
    Operation("GET", _ALL, retrieve_all, "", SHOWN, offers=(JSON,)),
    Operation("POST", _ALL, append, "", _WRITTEN, offers=(JSON,), bodies=BODY),
    Operation("PUT", _ALL, replace, "", _WRITTEN, offers=(JSON,), bodies=BODY),
    Operation("PATCH", _ALL, update, "", _WRITTEN, offers=(JSON,), bodies=BODY),
    Operation("GET", _ONE, retrieve, "", frozenset({"type", "metadata"}), offers=(JSON,)),
    Operation("PUT", _ONE, replace_one, "", _WRITTEN, offers=(JSON,), bodies=BODY),
    Operation("DELETE", _ONE, delete, "", frozenset({"type"}), offers=(JSON,)),
    Operation("GET", _VALUE, retrieve_value, "", frozenset({"type"}), offers=(JSON, TEXT)),
    Operation("PUT", _VALUE, update_value, "", _WRITTEN, offers=(JSON, TEXT), bodies=frozenset({JSON, TEXT})),
]

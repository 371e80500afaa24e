"""What parts of an answer a request asks for: types, projection, geometry; read by the query language."""

from typing import Any

from sanpo.broker.entities import Wanted
from sanpo.broker.errors import ParameterIsInvalid
from sanpo.broker.model import LOCATION
from sanpo.broker.ngsi_ld.calls import Call
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.negotiation import GEO
from sanpo.broker.representation.checks import check_name, check_time, check_uri
from sanpo.broker.representation.geojson import feature


def check_id(entity_id: str) -> str:
    return check_uri(entity_id, "id")


def time_of(call: Call, name: str) -> str | None:
    given = call.query.get(name)
    return None if given is None else check_time(given, name)


def wanted(call: Call, linked: Linked) -> Wanted | None:
    """The selection of types (§4.17) as a test of an entity's types."""
    given = call.query.get("type")
    if given is None:
        return None
    iris = {linked.context.expand_type(check_name(part, "type")) for part in given.split(",")}
    return lambda types: not iris.isdisjoint(types)


def geometry_iri(call: Call, linked: Linked) -> str:
    given = call.query.get("geometryProperty")
    if given is None:
        return LOCATION
    if call.media_type != GEO:
        raise ParameterIsInvalid(name="geometryProperty", problem="needs Accept: application/geo+json")
    return linked.context.expand(check_name(given, "geometryProperty"))


def shape(call: Call, linked: Linked) -> Any:
    return None


def shaped(call: Call, linked: Linked, doc: Any, how: Any, geometry: str) -> Any:
    writer = call.writer(linked)
    return feature(doc, writer, geometry) if call.media_type == GEO else writer.entity(doc)

"""Type and value of an attribute or metadatum: NGSIv2's on the one side, those of an instance on the other. Pure.

NGSI-LD has few types of attribute and a `valueType` (§4.5.2) for the rest; NGSIv2's types are any word. A value that NGSI-LD
cannot hold as it is (null, its own Null, an object with `@type`) stands in `{"@type": "@json", "@value": …}`. How a place was
written is kept under `v2` and believed only while it still means the geometry beside it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sanpo.broker.errors import EntityIsInvalid
from sanpo.broker.model import NULL, Instance, objects_of, value_of
from sanpo.broker.ngsi_v2.errors import RequestIsNoNgsiV2
from sanpo.broker.ngsi_v2.names import id_of, iri_of, name_of, uri_of
from sanpo.broker.ngsi_v2.places import GEO_JSON, SIMPLE, geometry_in
from sanpo.broker.ngsi_v2.syntax import refuse
from sanpo.broker.representation.checks import check_language_map

DATE_TIME = "DateTime"
TIMES = (DATE_TIME, "ISO8601")
_JSON = "@json"
MAPPING: tuple[tuple[str, str, str], ...] = (
    ("Number", "number", "Property"),
    ("Text", "text", "Property"),
    ("Boolean", "true or false", "Property"),
    ("StructuredValue", "object or array", "Property"),
    ("None", "null", 'Property with the value {"@type": "@json", "@value": null}'),
    ("DateTime, ISO8601", "time, UTC with milliseconds", 'Property with the value {"@type": "DateTime", "@value": …}'),
    ("geo:json", "GeoJSON geometry", "GeoProperty"),
    (
        "geo:point, geo:line, geo:box, geo:polygon",
        "latitude first",
        "GeoProperty; how it was written is kept beside it",
    ),
    ("Relationship", "id or array of ids", "Relationship, short ids as urn:sanpo:v2:…"),
    ("ListRelationship", "array of ids", "ListRelationship"),
    ("LanguageProperty", "object of languages", "LanguageProperty"),
    ("VocabProperty", "term or array of terms", "VocabProperty"),
    ("JsonProperty", "object or array", "JsonProperty"),
    ("ListProperty", "array", "ListProperty"),
    ("any other, or one of these with another value", "any", "Property with the type as valueType"),
)
"""NGSIv2's type, its value, and what it is in NGSI-LD: for the reference page and its test."""


def instance_of(kind: str | None, value: Any, where: str) -> Instance:
    """The instance of a type, the value's default without one. Raises `RequestIsNoNgsiV2`."""
    default = default_type(value)
    kind = kind or default
    if value is not None:
        if kind == GEO_JSON:
            return {"type": "GeoProperty", "value": geometry_in(kind, value, where)}
        if kind in SIMPLE:
            kept = {"type": kind, "value": value}
            return {"type": "GeoProperty", "value": geometry_in(kind, value, where), "v2": kept}
        if kind in TIMES:
            held = {"@type": DATE_TIME, "@value": moment_in(value, where)}
            return {"type": "Property", "value": held, **({} if kind == DATE_TIME else {"valueType": kind})}
        found = _OF_NGSI_LD[kind](value) if kind in _OF_NGSI_LD else None
        if found is not None:
            return {"type": kind, **found}
    instance = {"type": "Property", "value": _wrapped(value)}
    return instance if kind == default else {**instance, "valueType": kind}


def type_and_value(instance: Instance) -> tuple[str, Any]:
    """What NGSIv2 sees of an instance."""
    kind, value = instance["type"], value_of(instance)
    match kind:
        case "Property":
            return _of_property(value, instance.get("valueType"))
        case "GeoProperty":
            return _of_place(value, instance.get("v2"))
        case "Relationship" if type(value) is str:
            return kind, id_of(value)
        case "Relationship" | "ListRelationship":
            return kind, [id_of(uri) for uri in objects_of(instance)]
        case "VocabProperty":
            return kind, [name_of(each) for each in value] if type(value) is list else name_of(value)
        case _:
            return kind, value


def default_type(value: Any) -> str:
    """The type of a value that names none ("Partial Representations")."""
    if value is None:
        return "None"
    if type(value) is bool:
        return "Boolean"
    if type(value) in (int, float):
        return "Number"
    return "Text" if type(value) is str else "StructuredValue"


def moment_in(value: Any, where: str) -> str:
    """A time of ISO 8601 as NGSI-LD has it; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(value)
        return moment_text(found if found.tzinfo is not None else found.replace(tzinfo=UTC))
    except (TypeError, ValueError, OverflowError):
        refuse(where, "is no time such as 2026-04-01T09:00:00.000Z")


def moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown_moment(text: str) -> str:
    """A stored time as NGSIv2 shows it; one that no calendar has, as it is."""
    try:
        return moment_in(text, "")
    except RequestIsNoNgsiV2:
        return text


def _of_property(value: Any, named: str | None) -> tuple[str, Any]:
    if type(value) is dict and value.keys() == {"@type", "@value"}:
        if value["@type"] == _JSON:
            return named or default_type(value["@value"]), value["@value"]
        if value["@type"] == DATE_TIME and type(value["@value"]) is str:
            return named or DATE_TIME, shown_moment(value["@value"])
    return named or default_type(value), value


def _of_place(geometry: Any, kept: Any) -> tuple[str, Any]:
    if kept is not None and geometry_in(kept["type"], kept["value"], "") == geometry:
        return kept["type"], kept["value"]
    return GEO_JSON, geometry


def _wrapped(value: Any) -> Any:
    is_plain = value is not None and value != NULL and not (type(value) is dict and "@type" in value)
    return value if is_plain else {"@type": _JSON, "@value": value}


def _texts(value: Any) -> list[str] | None:
    found = value if type(value) is list else [value]
    return found if all(type(each) is str and each and each != NULL for each in found) else None


def _relationship(value: Any) -> Instance | None:
    ids = _texts(value)
    if not ids:
        return None
    return {"object": [uri_of(each) for each in ids] if type(value) is list else uri_of(value)}


def _list_relationship(value: Any) -> Instance | None:
    ids = _texts(value) if type(value) is list else None
    return None if ids is None else {"objectList": [uri_of(each) for each in ids]}


def _vocab(value: Any) -> Instance | None:
    terms = _texts(value)
    if not terms:
        return None
    return {"vocab": [iri_of(each) for each in terms] if type(value) is list else iri_of(value)}


def _language(value: Any) -> Instance | None:
    try:
        return {"languageMap": check_language_map(value, "")} if NULL not in list(value.values()) else None
    except (EntityIsInvalid, AttributeError):
        return None


_OF_NGSI_LD: dict[str, Callable[[Any], Instance | None]] = {
    "Relationship": _relationship,
    "ListRelationship": _list_relationship,
    "LanguageProperty": _language,
    "VocabProperty": _vocab,
    "JsonProperty": lambda value: {"json": value} if type(value) in (dict, list) else None,
    "ListProperty": lambda value: {"valueList": value} if type(value) is list else None,
}
"""NGSI-LD's own types by name: the member with the value, None where it is no value of that type."""

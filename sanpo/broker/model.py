"""The canonical form of an entity, in which it is stored and on which every part of the broker works. Pure.

Names are expanded IRIs, every attribute is a list of instances, no `@context` is kept (ETSI GS CIM 009 §4.5). The first
instance without `datasetId` is the default instance. Times are UTC with microseconds and `Z`.
"""

from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict

Instance = dict[str, Any]
"""`type`, the value under the key that `VALUE_KEYS` names, `datasetId`, `observedAt`, `unitCode`, `objectType`, `createdAt`,
`modifiedAt`, and `attrs` with sub-attributes in the same form where there are any."""
Attributes = dict[str, list[Instance]]


class Entity(TypedDict):
    """One entity. `scope` is absent where there is none."""

    id: str
    type: list[str]
    scope: NotRequired[list[str]]
    expiresAt: NotRequired[str]
    createdAt: str
    modifiedAt: str
    attrs: Attributes


VALUE_KEYS = {
    "Property": "value",
    "Relationship": "object",
    "GeoProperty": "value",
    "LanguageProperty": "languageMap",
    "VocabProperty": "vocab",
    "JsonProperty": "json",
    "ListProperty": "valueList",
    "ListRelationship": "objectList",
}
"""By type of attribute, the key that holds its value (§4.5.2 to §4.5.24)."""

NGSI_LD = "https://uri.etsi.org/ngsi-ld/"
LOCATION = NGSI_LD + "location"
GEO_NAMES = frozenset({LOCATION, NGSI_LD + "observationSpace", NGSI_LD + "operationSpace"})
"""Attributes of the core context that are always a GeoProperty (§4.7.1)."""
PROOF = NGSI_LD + "ngsildproof"
"""A Property with a W3C Data Integrity proof; it alone has sealed members (§4.5.2.2)."""
NULL = "urn:ngsi-ld:null"
"""Written as a value it deletes (§4.5.0)."""


def null_of(kind: str) -> dict[str, Any]:
    """What says of an instance of this type of attribute that it was deleted (§4.5.0, §4.6.5, §4.5.21.2, §5.8.6)."""
    return {VALUE_KEYS[kind]: {"@none": NULL} if kind == "LanguageProperty" else [NULL] if "List" in kind else NULL}


def value_of(instance: Instance) -> Any:
    """The value, whatever the type of attribute."""
    return instance[VALUE_KEYS[instance["type"]]]


def default_instance(instances: list[Instance]) -> Instance | None:
    """The instance without `datasetId`, if there is one."""
    return next((instance for instance in instances if "datasetId" not in instance), None)


def objects_of(instance: Instance) -> list[str]:
    """The ids that a relationship names, none for another attribute."""
    if instance["type"] == "Relationship":
        found = instance["object"]
        return list(found) if isinstance(found, list) else [found]
    return list(instance["objectList"]) if instance["type"] == "ListRelationship" else []


def written(moment: datetime) -> str:
    """A time as the canonical form holds it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

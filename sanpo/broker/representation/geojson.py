"""Entities as GeoJSON (§4.5.16, §4.5.17): a Feature each, a FeatureCollection for an answer of many."""

from typing import Any

from sanpo.broker.model import LOCATION, default_instance
from sanpo.broker.representation.writing import Plain, Writer


def feature(entity: Any, writer: Writer, geometry_iri: str = LOCATION, whole: Any = None) -> Plain:
    """One entity; its geometry is null where the attribute is missing or is none, in `whole` if that is given."""
    properties = writer.entity(entity)
    found: Plain = {
        "id": properties.pop("id", None),
        "type": "Feature",
        "geometry": _geometry(whole or entity, geometry_iri),
    }
    if found["id"] is None:
        del found["id"]
    return found | {"properties": properties}


def _geometry(entity: Any, iri: str) -> Any:
    instances = entity["attrs"].get(iri, [])
    instance = default_instance(instances) or (instances[0] if instances else None)
    return instance["value"] if instance is not None and instance["type"] == "GeoProperty" else None


def collection(features: list[Plain]) -> Plain:
    return {"type": "FeatureCollection", "features": features}

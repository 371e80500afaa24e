"""Places as NGSIv2 writes them ("Geospatial properties of entities"): texts with the latitude first. Pure."""

from typing import Any

from sanpo.broker.errors import EntityIsInvalid
from sanpo.broker.ngsi_v2.syntax import refuse
from sanpo.broker.representation.geometry import check_geometry

GEO_JSON = "geo:json"
SIMPLE = ("geo:point", "geo:line", "geo:box", "geo:polygon")


def geometry_in(kind: str, value: Any, where: str) -> dict[str, Any]:
    """The GeoJSON geometry of a value of this type. Raises `RequestIsNoNgsiV2`."""
    try:
        if kind != GEO_JSON:
            return check_geometry(_GEOMETRIES[kind](value, where), where)
        if type(value) is dict and value.get("type") == "Feature":
            value = value.get("geometry")
        if type(value) is not dict:
            refuse(where, "is no GeoJSON geometry")
        return check_geometry(value, where)
    except EntityIsInvalid as error:
        refuse(where, error.fields["problem"])


def _position(text: Any, where: str) -> list[float]:
    if type(text) is not str:
        refuse(where, "holds what is no text of latitude and longitude")
    parts = text.split(",")
    if len(parts) != 2:
        refuse(where, "holds what is no latitude and longitude")
    try:
        latitude, longitude = (_number(part.strip()) for part in parts)
    except ValueError:
        refuse(where, "holds what is no latitude and longitude")
    return [longitude, latitude]


def _number(text: str) -> float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _positions(value: Any, where: str, least: int) -> list[list[float]]:
    if type(value) is not list or len(value) < least:
        refuse(where, f"is no array of {least} positions or more")
    return [_position(each, where) for each in value]


def _point(value: Any, where: str) -> dict[str, Any]:
    return {"type": "Point", "coordinates": _position(value, where)}


def _line(value: Any, where: str) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": _positions(value, where, 2)}


def _polygon(value: Any, where: str) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [_positions(value, where, 4)]}


def _box(value: Any, where: str) -> dict[str, Any]:
    corners = _positions(value, where, 2)
    if len(corners) != 2:
        refuse(where, "is no array of two corners")
    (x1, y1), (x2, y2) = corners
    return {"type": "Polygon", "coordinates": [[[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]]]}


_GEOMETRIES = {"geo:point": _point, "geo:line": _line, "geo:box": _box, "geo:polygon": _polygon}

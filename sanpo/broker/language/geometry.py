"""GeoJSON geometries (RFC 7946; ETSI GS CIM 009 §4.7) as shapes, and what lies where between them. Pure.

Lines and areas are straight in longitude and latitude, as RFC 7946 §3.1.1 has it: nothing is carried over the antimeridian
of itself, and what crosses it is written in two parts (§3.1.9). Rings may turn either way; altitudes are read over.

Distances are great circles on a sphere of 6,371,008.8 m: between points exact on it, which is within 0.6 % of the
ellipsoid's. From or to a line or an area the nearest point is looked for in a plane scaled at that place, also over the
antimeridian; up to 500 km and 70° of latitude the result is within another 0.5 %.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from sanpo.broker.errors import EntityIsInvalid
from sanpo.broker.language.errors import GeometryIsMalformed
from sanpo.broker.model import LOCATION
from sanpo.broker.representation.geometry import DEPTHS, check_geometry

EARTH_M = 6_371_008.8


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A checked geometry, as shapely's shape and as GeoJSON."""

    shape: BaseGeometry
    json: dict[str, Any]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Least longitude and latitude, greatest longitude and latitude."""
        low_x, low_y, high_x, high_y = self.shape.bounds
        return float(low_x), float(low_y), float(high_x), float(high_y)


def read_geometry(kind: Any, coordinates: Any, *, where: str = "geometry", strict: bool = False) -> Geometry:
    """The geometry of this type with these coordinates, read already or as JSON text. Raises `GeometryIsMalformed`.

    `strict` also refuses areas whose border crosses itself: of those, inside and outside mean nothing.
    """
    if isinstance(coordinates, str):
        coordinates = _read(coordinates, where)
    return shape_of({"type": kind, "coordinates": coordinates}, where=where, strict=strict)


def shape_of(value: Any, *, where: str = "value", strict: bool = False) -> Geometry:
    """A GeoJSON geometry, also where it is JSON text (§4.7.2), as a shape. Raises `GeometryIsMalformed`."""
    try:
        found = check_geometry(value, where)
    except EntityIsInvalid as error:
        problem = error.fields["problem"]
        raise GeometryIsMalformed(where=where, problem=problem, accepted=" | ".join(DEPTHS)) from None
    flat = {"type": found["type"], "coordinates": found["coordinates"]}
    if flat["type"] == "Point":
        return Geometry(shapely.Point(flat["coordinates"][:2]), flat)
    shape = shapely.from_geojson(json.dumps(flat))
    if flat["type"].endswith("Polygon") and not shapely.is_valid(shape):
        if strict:
            raise GeometryIsMalformed(where=where, problem=shapely.is_valid_reason(shape), accepted="a simple ring")
        shape = shapely.make_valid(shape)
    return Geometry(shape, flat)


def _read(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise GeometryIsMalformed(where=where, problem=text[:40], accepted="JSON") from None


def geometry_of(instance: Mapping[str, Any]) -> Geometry | None:
    """A GeoProperty's geometry, or None where the instance is none or its value cannot be read."""
    if instance.get("type") != "GeoProperty":
        return None
    try:
        return shape_of(instance.get("value"))
    except GeometryIsMalformed:
        return None


def geometries(entity: Mapping[str, Any], name: str = LOCATION) -> list[Geometry]:
    """The geometries of all instances of a GeoProperty."""
    found = map(geometry_of, entity["attrs"].get(name, ()))
    return [each for each in found if each is not None]


def haversine_m(one: Sequence[float], other: Sequence[float]) -> float:
    """Metres between two positions on the sphere."""
    y1, y2 = math.radians(one[1]), math.radians(other[1])
    half = (
        math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin(math.radians(other[0] - one[0]) / 2) ** 2
    )
    return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, half)))


def distance_m(one: Geometry, other: Geometry) -> float:
    """Metres between the nearest points of two geometries, 0 where they meet."""
    if one.json["type"] == "Point" and other.json["type"] == "Point":
        return haversine_m(one.json["coordinates"], other.json["coordinates"])
    if shapely.intersects(one.shape, other.shape):
        return 0.0
    found = _nearest_m(one.shape, other.shape, 0.0)
    a, b = one.box, other.box
    around = 360 - (max(a[2], b[2]) - min(a[0], b[0]))
    highest = max(map(abs, (a[1], a[3], b[1], b[3])))
    if (
        haversine_m((0.0, highest), (min(around, 180.0), highest)) < found
    ):  # the way over the antimeridian may be shorter
        found = min(found, *(_nearest_m(one.shape, other.shape, shift) for shift in (360.0, -360.0)))
    return found


def _nearest_m(one: BaseGeometry, other: BaseGeometry, shift: float) -> float:
    """With `other` moved by whole turns. The plane is scaled where the nearest points turn out to be, and again there."""
    middle = (max(one.bounds[1], other.bounds[1]) + min(one.bounds[3], other.bounds[3])) / 2
    best = math.inf
    for _ in range(3):
        scale = max(math.cos(math.radians(middle)), 1e-6)
        line = shapely.shortest_line(_scaled(one, scale, 0.0), _scaled(other, scale, shift))
        (x1, y1), (x2, y2) = shapely.get_coordinates(line).tolist()
        best = min(best, haversine_m((x1 / scale, y1), (x2 / scale, y2)))
        middle = (y1 + y2) / 2
    return best


def _scaled(shape: BaseGeometry, scale: float, shift: float) -> BaseGeometry:
    moved: BaseGeometry = shapely.transform(shape, lambda at: (at + np.array((shift, 0.0))) * (scale, 1.0))
    return moved

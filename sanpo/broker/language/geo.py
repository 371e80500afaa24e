"""Geoqueries: `georel`, `geometry`, `coordinates`, `geoproperty` (ETSI GS CIM 009 §4.10). Pure.

Python decides, with shapely and, for `near`, by great circle (`geometry.py` states the error). The condition for PostgreSQL
only looks at boxes around `location` and so is never exact; over another GeoProperty it only asks that there is one.
Of several instances any may fit; an entity without the GeoProperty never does, for `disjoint` and minDistance neither.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import shapely
from shapely.geometry.base import BaseGeometry

from sanpo.broker.language.condition import Condition, Parameters
from sanpo.broker.language.geometry import EARTH_M, Geometry, distance_m, geometries, read_geometry
from sanpo.broker.language.names import Names, read_name
from sanpo.broker.language.q.jsonpath import instances
from sanpo.broker.language.scanner import Scanner
from sanpo.broker.model import LOCATION

Relation = Literal["near", "within", "contains", "intersects", "equals", "disjoint", "overlaps"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
_DISTANCE = re.compile(r"(max|min)Distance==((?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_ACCEPTED = "near;maxDistance==metres near;minDistance==metres " + " ".join(RELATIONS[1:])
_MARGIN = 1.000001
_TESTS: dict[str, Callable[[BaseGeometry, BaseGeometry], bool]] = {
    "within": shapely.contains,  # of the reference, which is prepared, about the target
    "contains": shapely.within,
    "intersects": shapely.intersects,
    "equals": shapely.equals,
    "disjoint": shapely.disjoint,
    "overlaps": shapely.overlaps,
}


@dataclass(frozen=True, slots=True)
class GeoQuery:
    """`reference` is GeoJSON text. `max_m` and `min_m` (NGSIv2 may have both) belong to `near`, in metres, above 0."""

    relation: Relation
    reference: str
    geoproperty: str = LOCATION
    max_m: float | None = None
    min_m: float | None = None

    @property
    def geometry(self) -> Geometry:
        return _reference(self.reference)


@lru_cache(maxsize=512)
def _reference(text: str) -> Geometry:
    found = json.loads(text)
    reference = read_geometry(found["type"], found["coordinates"])
    shapely.prepare(reference.shape)  # it is compared with many
    return reference


def parse_geo(
    georel: str | None, geometry: Any, coordinates: Any, names: Names, *, geoproperty: str | None = None
) -> GeoQuery | None:
    """The geoquery, or None where nothing is asked. `coordinates` are JSON text (URL, body) or read already (body).

    Raises `QueryIsMalformed`, `GeometryIsMalformed`.
    """
    if georel is None and geometry is None and coordinates is None:
        return None
    for name, value in (("georel", georel), ("geometry", geometry), ("coordinates", coordinates)):
        if value is None:
            Scanner("", name).fail("georel & geometry & coordinates")
    relation, most, least = _georel(str(georel))
    return geo_query(relation, geometry, coordinates, _geoproperty(geoproperty, names), max_m=most, min_m=least)


def geo_query(
    relation: Relation, kind: Any, coordinates: Any, geoproperty: str, *, max_m: float | None, min_m: float | None
) -> GeoQuery:
    """A geoquery over a checked reference. Raises `GeometryIsMalformed`."""
    reference = read_geometry(kind, coordinates, where="coordinates", strict=True)
    return GeoQuery(relation, json.dumps(reference.json), geoproperty, max_m, min_m)


def _georel(text: str) -> tuple[Relation, float | None, float | None]:
    scanner = Scanner(text, "georel")
    relation = next((each for each in RELATIONS if scanner.take(each)), None)
    if relation is None:
        scanner.fail(_ACCEPTED)
    most = least = None
    if relation == "near":
        scanner.need(";")
        start = scanner.at
        found = scanner.match(_DISTANCE)
        metres = float(found.partition("==")[2]) if found else 0.0
        if found is None or not (math.isfinite(metres) and metres > 0):
            scanner.fail(_ACCEPTED, at=start)
        most, least = (metres, None) if found.startswith("max") else (None, metres)
    if not scanner.ended:
        scanner.fail(_ACCEPTED)
    return relation, most, least


def _geoproperty(text: str | None, names: Names) -> str:
    if not text:
        return LOCATION
    scanner = Scanner(text, "geoproperty")
    found = names.expand(text) if "://" in text else read_name(scanner, names, "attribute")
    if "://" not in text and not scanner.ended:
        scanner.fail("attribute")
    return found


def matches_geo(query: GeoQuery, entity: Mapping[str, Any]) -> bool:
    """Whether any instance of the GeoProperty stands in the relation to the reference."""
    reference = query.geometry
    return any(_stands(query, reference, target) for target in geometries(entity, query.geoproperty))


def _stands(query: GeoQuery, reference: Geometry, target: Geometry) -> bool:
    if query.relation == "near":
        metres = distance_m(reference, target)
        return (query.max_m is None or metres <= query.max_m) and (query.min_m is None or metres > query.min_m)
    return bool(_TESTS[query.relation](reference.shape, target.shape))


def compile_geo(query: GeoQuery, parameters: Parameters, *, alias: str = "e") -> Condition:
    """Never exact. The boxes are compared in a form that a GiST index on the same expression serves."""
    if query.geoproperty != LOCATION:
        exists = f'exists ({instances((query.geoproperty,))} ? (@."type" == "GeoProperty"))'
        return Condition(f"{alias}.doc @@ {parameters.add(exists, 'jsonpath')}", exact=False)
    if query.relation == "disjoint" or (query.relation == "near" and query.max_m is None):
        return Condition(f"{alias}.min_x is not null", exact=False)
    own = f"box(point({alias}.max_x, {alias}.max_y), point({alias}.min_x, {alias}.min_y))"
    if query.max_m is not None:
        boxes, sign = _around(query.geometry.box, query.max_m), "&&"
    else:  # the row's box is around all instances, so that one within it or equal to it is all that can be known
        boxes, sign = [query.geometry.box], "@>" if query.relation in ("contains", "equals") else "&&"
    tests = [f"{own} {sign} {_box(each, parameters)}" for each in boxes]
    return Condition(" or ".join(tests), exact=False)


def _box(box: tuple[float, float, float, float], parameters: Parameters) -> str:
    low_x, low_y, high_x, high_y = box
    return parameters.add(f"(({high_x!r},{high_y!r}),({low_x!r},{low_y!r}))", "box")


def _around(box: tuple[float, float, float, float], metres: float) -> list[tuple[float, float, float, float]]:
    """The box and all that is so near to it; two boxes where that reaches over the antimeridian."""
    low_x, low_y, high_x, high_y = box
    angle = metres / EARTH_M * _MARGIN + 1e-9
    low_y, high_y = low_y - math.degrees(angle), high_y + math.degrees(angle)
    if low_y <= -90 or high_y >= 90 or angle >= math.pi / 2:
        return [(-180.0, max(low_y, -90.0), 180.0, min(high_y, 90.0))]
    widest = max(abs(box[1]), abs(box[3]))
    reach = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(widest))))) + 1e-9
    low_x, high_x = low_x - reach, high_x + reach
    if high_x - low_x >= 360:
        return [(-180.0, low_y, 180.0, high_y)]
    found = [(max(low_x, -180.0), low_y, min(high_x, 180.0), high_y)]
    if low_x < -180:
        found.append((low_x + 360, low_y, 180.0, high_y))
    if high_x > 180:
        found.append((-180.0, low_y, high_x - 360, high_y))
    return found

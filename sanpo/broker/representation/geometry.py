"""GeoJSON geometries (RFC 7946 §3.1): what is one, and the box around it. A GeometryCollection is not (§4.6.3).

The one place where a geometry is checked, whether it comes in an entity or in a query.
"""

from typing import Any

import msgspec

from sanpo.broker.representation.checks import refuse

DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""How many lists are around the positions of each type."""
MAX_POSITIONS = 20_000
_FEWEST = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}
Box = tuple[float, float, float, float]


def is_geometry(value: Any) -> bool:
    """Whether it looks like a geometry: type and coordinates, which still may be wrong."""
    if type(value) is not dict or "coordinates" not in value:
        return False
    kind = value.get("type")
    return type(kind) is str and kind in DEPTHS


def check_geometry(value: Any, where: str) -> dict[str, Any]:
    """The geometry as an object, also where it came as JSON in a string (§4.7.2)."""
    if type(value) is str:
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            refuse(where, "is no GeoJSON geometry")
    if not is_geometry(value):
        refuse(where, "is no GeoJSON geometry")
    kind: str = value["type"]
    count = _check(value["coordinates"], DEPTHS[kind], kind, where)
    if count > MAX_POSITIONS:
        refuse(where, f"has {count} positions, more than {MAX_POSITIONS}")
    found: dict[str, Any] = value
    return found


def _check(coordinates: Any, depth: int, kind: str, where: str) -> int:
    """How many positions there are, each in range, rings closed and long enough."""
    if type(coordinates) is not list or not coordinates:
        refuse(where, "has no coordinates")
    if depth == 0:
        _check_position(coordinates, where)
        return 1
    if depth == 1 and kind in _FEWEST:
        if len(coordinates) < _FEWEST[kind]:
            refuse(where, f"has fewer than {_FEWEST[kind]} positions")
        if kind.endswith("Polygon") and coordinates[0] != coordinates[-1]:
            refuse(where, "has a ring that is not closed")
    return sum(_check(part, depth - 1, kind, where) for part in coordinates)


def _check_position(position: list[Any], where: str) -> None:
    if not 2 <= len(position) <= 4:
        refuse(where, "has a position without two or three numbers")
    for number in position:
        # A number that is not finite is not equal to itself minus itself.
        if type(number) not in (int, float) or number - number != 0:
            refuse(where, "has a position without numbers")
    if not (-180 <= position[0] <= 180 and -90 <= position[1] <= 90):
        refuse(where, "has a position outside longitude ±180, latitude ±90")


def box_of(geometry: dict[str, Any]) -> Box:
    """(min_x, max_x, min_y, max_y) of a checked geometry."""
    if geometry["type"] == "Point":
        x, y = geometry["coordinates"][:2]
        return x, x, y, y
    positions = [geometry["coordinates"]]
    for _ in range(DEPTHS[geometry["type"]]):
        positions = [inner for outer in positions for inner in outer]
    xs, ys = [each[0] for each in positions], [each[1] for each in positions]
    return min(xs), max(xs), min(ys), max(ys)

"""Geoqueries: what each relation means, what is refused, and that no row is lost before Python looks at it."""

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.broker.language.condition import Parameters
from sanpo.broker.language.errors import GeometryIsMalformed, QueryIsMalformed
from sanpo.broker.language.geo import RELATIONS, GeoQuery, compile_geo, matches_geo, parse_geo
from sanpo.broker.language.geometry import (
    EARTH_M,
    distance_m,
    haversine_m,
    read_geometry,
    shape_of,
)
from sanpo.broker.language.ordering import parse_order, sort_entities
from sanpo.broker.language.ordering_sql import compile_order
from sanpo.broker.model import LOCATION
from tests.broker.language.conftest import Rows
from tests.broker.language.made import BASE, EXAMPLES, NAMES, TIMES

_FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
HOLED = [*SQUARE, [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]]


def entity(*geometries: Any, name: str = LOCATION, entity_id: str = "urn:x:1") -> dict[str, Any]:
    listed = [{"type": "GeoProperty", "value": each, "modifiedAt": TIMES[0]} for each in geometries]
    return {"id": entity_id, "type": ["T"], "createdAt": TIMES[0], "modifiedAt": TIMES[0], "attrs": {name: listed}}


def point(x: float, y: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [x, y]}


def query(georel: str, geometry: str, coordinates: Any, geoproperty: str | None = None) -> GeoQuery:
    found = parse_geo(georel, geometry, json.dumps(coordinates), NAMES, geoproperty=geoproperty)
    assert found is not None
    return found


LINE = {"type": "LineString", "coordinates": [[0, 85], [1, 85]]}
MEANINGS = [
    # relation, reference, target, whether it fits
    ("within", "Polygon", SQUARE, point(2, 2), True),
    ("within", "Polygon", SQUARE, point(0, 2), False),  # on the border: interiors do not meet
    ("within", "Polygon", HOLED, point(5, 5), False),
    ("within", "Polygon", HOLED, point(2, 2), True),
    ("within", "MultiPolygon", [SQUARE, [[[20, 0], [30, 0], [30, 9], [20, 0]]]], point(29, 1), True),
    ("contains", "Point", [2, 2], {"type": "Polygon", "coordinates": SQUARE}, True),
    ("contains", "Point", [5, 5], {"type": "Polygon", "coordinates": HOLED}, False),
    ("contains", "Point", [5, 5], {"type": "Polygon", "coordinates": [ring[::-1] for ring in SQUARE]}, True),
    ("intersects", "LineString", [[-5, 5], [15, 5]], {"type": "Polygon", "coordinates": SQUARE}, True),
    ("intersects", "Polygon", SQUARE, point(0, 2), True),
    ("intersects", "Polygon", SQUARE, point(11, 2), False),
    ("disjoint", "Polygon", SQUARE, point(11, 2), True),
    ("disjoint", "Polygon", SQUARE, point(2, 2), False),
    ("equals", "Point", [2, 2], point(2.0, 2.0), True),
    ("equals", "Polygon", SQUARE, {"type": "Polygon", "coordinates": [[*SQUARE[0][1:4], SQUARE[0][0], SQUARE[0][1]]]}, True),
    ("equals", "Point", [2, 2], point(2, 2.0001), False),
    ("equals", "MultiPoint", [[1, 1], [2, 2]], {"type": "MultiPoint", "coordinates": [[2, 2], [1, 1]]}, True),
    ("overlaps", "Polygon", SQUARE, {"type": "Polygon", "coordinates": [[[5, 5], [15, 5], [15, 15], [5, 5]]]}, True),
    ("overlaps", "Polygon", SQUARE, {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}, False),
    ("near;maxDistance==2000", "Point", [8, 40], point(8.01, 40.01), True),
    ("near;maxDistance==1000", "Point", [8, 40], point(8.01, 40.01), False),
    ("near;minDistance==1000", "Point", [8, 40], point(8.01, 40.01), True),
    ("near;minDistance==2000", "Point", [8, 40], point(8.01, 40.01), False),
    ("near;maxDistance==1", "Polygon", SQUARE, point(5, 5), True),
    ("near;maxDistance==2000", "LineString", [[0, 60], [10, 60]], point(10, 60.009), True),
    ("near;maxDistance==2000", "LineString", [[0, 61], [10, 61]], point(10, 60.009), False),
    ("near;maxDistance==20000", "Point", [0, 85], {"type": "LineString", "coordinates": [[1, 85], [0, 85.6]]}, True),
    ("near;maxDistance==5000", "Point", [0, 85], {"type": "LineString", "coordinates": [[1, 85], [0, 85.6]]}, False),
    ("near;maxDistance==3000", "Point", [179.99, 0], point(-179.99, 0), True),  # over the antimeridian
    ("near;maxDistance==3000", "LineString", [[179, 1], [179.99, 0]], point(-179.99, 0), True),
    ("near;maxDistance==2000", "LineString", [[179, 1], [179.99, 0]], point(-179.99, 0), False),
    ("near;maxDistance==2000", "Point", [0, 90], point(120, 89.99), True),  # at the pole
]  # fmt: skip


@pytest.mark.parametrize(("georel", "geometry", "coordinates", "target", "fits"), MEANINGS)
def test_relation_holds_as_the_clause_says(
    rows: Rows, georel: str, geometry: str, coordinates: Any, target: Any, fits: bool
) -> None:
    asked = query(georel, geometry, coordinates)
    assert matches_geo(asked, entity(target)) is fits
    rows.keep([entity(target)])
    if fits:
        assert rows.fitting(lambda parameters: compile_geo(asked, parameters)) == ["urn:x:1"]


def test_any_instance_of_the_named_property_may_fit(rows: Rows) -> None:
    places = entity(point(50, 50), point(2, 2), name=BASE + "area")
    rows.keep([places])
    asked = query("within", "Polygon", SQUARE, "area")
    assert matches_geo(asked, places)
    assert rows.fitting(lambda parameters: compile_geo(asked, parameters)) == ["urn:x:1"]
    assert not matches_geo(query("within", "Polygon", SQUARE), places)
    assert not matches_geo(query("disjoint", "Polygon", SQUARE), places)  # it has no location at all


def test_geometry_written_as_text_is_read() -> None:
    assert matches_geo(query("within", "Polygon", SQUARE), entity(json.dumps(point(2, 2))))


REFUSED = [
    ("touches", "Point", "[8,40]", "georel"),
    ("near", "Point", "[8,40]", "georel"),
    ("near;maxDistance==0", "Point", "[8,40]", "georel"),
    ("near;maxDistance==-100", "Point", "[8,40]", "georel"),
    ("near;maxDistance==inf", "Point", "[8,40]", "georel"),
    ("near;maxDistance==1e400", "Point", "[8,40]", "georel"),
    ("near;maxDistance==5;minDistance==1", "Point", "[8,40]", "georel"),
    ("near;maxDistance=5", "Point", "[8,40]", "georel"),
    ("within;maxDistance==5", "Point", "[8,40]", "georel"),
    (None, "Point", "[8,40]", "georel"),
    ("within", None, "[8,40]", "geometry"),
    ("within", "Point", None, "coordinates"),
]


@pytest.mark.parametrize(("georel", "geometry", "coordinates", "parameter"), REFUSED)
def test_georel_outside_the_grammar_is_refused(
    georel: str | None, geometry: str | None, coordinates: str | None, parameter: str
) -> None:
    with pytest.raises(QueryIsMalformed) as refused:
        parse_geo(georel, geometry, coordinates, NAMES)
    assert refused.value.fields["parameter"] == parameter


BROKEN = [
    ("GeometryCollection", []), ("Circle", [1, 2]), (None, [1, 2]), (["Point"], [1, 2]),
    ("Point", []), ("Point", [1]), ("Point", [1, 2, 3, 4, 5]), ("Point", ["1", "2"]), ("Point", [True, 1]),
    ("Point", [[1, 2]]),
    ("Point", [181, 0]), ("Point", [0, -91]), ("Point", None), ("Point", {}), ("Point", [1e999, 0]), ("Point", [None, 0]),
    ("LineString", [[1, 2]]), ("LineString", [1, 2]), ("MultiPoint", []),
    ("Polygon", [[[0, 0], [1, 0], [0, 0]]]), ("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]]), ("Polygon", []),
    ("Polygon", [[]]),
    ("MultiPolygon", SQUARE), ("MultiPolygon", [[[[0, 0], [1, 0], [1, 1], [0, 1]]]]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "coordinates"), BROKEN)
def test_geometry_that_is_no_geojson_is_refused_with_its_place(kind: Any, coordinates: Any) -> None:
    with pytest.raises(GeometryIsMalformed) as refused:
        shape_of({"type": kind, "coordinates": coordinates}, where="location.value")
    assert refused.value.fields["where"].startswith("location.value")
    assert refused.value.fields["accepted"]


@pytest.mark.parametrize("text", ["", "[1", "{}", "[" * 5_000, "nonsense", '"[1,2]"', "NaN", "[NaN,1]"])
def test_coordinates_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(GeometryIsMalformed):
        parse_geo("near;maxDistance==1", "Point", text, NAMES)


def test_reference_whose_border_crosses_itself_is_refused_and_stored_one_is_mended() -> None:
    bow_tie = [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]]
    with pytest.raises(GeometryIsMalformed):
        query("within", "Polygon", bow_tie)
    assert matches_geo(query("intersects", "Point", [9, 5]), entity({"type": "Polygon", "coordinates": bow_tie}))


def test_three_positions_more_than_are_read_are_refused() -> None:
    with pytest.raises(GeometryIsMalformed):
        read_geometry("MultiPoint", [[0, 0]] * 20_003)


xs = st.one_of(st.sampled_from([-180.0, -179.9, 0.0, 1.0, 2.0, 179.9, 180.0]), st.floats(-180, 180))
ys = st.one_of(st.sampled_from([-90.0, -89.9, 0.0, 1.0, 2.0, 60.0, 90.0]), st.floats(-90, 90))
positions = st.tuples(xs, ys).map(list)


@st.composite
def geometries(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Point", "Point", "MultiPoint", "LineString", "Polygon"]))
    if kind == "Point":
        return {"type": kind, "coordinates": draw(positions)}
    if kind != "Polygon":
        return {"type": kind, "coordinates": draw(st.lists(positions, min_size=2, max_size=3, unique_by=tuple))}
    x, y = draw(st.floats(-180, 170)), draw(st.floats(-90, 80))
    w, h = draw(st.floats(0.001, 10)), draw(st.floats(0.001, 10))
    return {"type": kind, "coordinates": [[[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]]]}


@st.composite
def geo_queries(draw: st.DrawFn) -> GeoQuery:
    reference = draw(geometries())
    relation = draw(st.sampled_from(RELATIONS))
    metres = draw(st.one_of(st.floats(0.001, 3e7), st.sampled_from([1.0, 1e3, 1e5, 1e6])))
    distance = {draw(st.sampled_from(["max_m", "min_m"])): metres} if relation == "near" else {}
    return GeoQuery(relation, json.dumps(reference), LOCATION, **distance)


@given(asked=geo_queries(), targets=st.lists(geometries(), min_size=1, max_size=2))
@settings(max_examples=EXAMPLES * 2, suppress_health_check=_FIXTURE)
def test_no_entity_that_fits_is_lost_before_python_looks(
    rows: Rows, asked: GeoQuery, targets: list[dict[str, Any]]
) -> None:
    place = entity(*targets)
    rows.keep([place])
    found = rows.fitting(lambda parameters: compile_geo(asked, parameters))
    assert not matches_geo(asked, place) or found == ["urn:x:1"]


def at_distance(x: float, y: float, bearing: int, metres: float) -> dict[str, Any]:
    """The point reached from a place along a great circle."""
    angle, course, y0 = metres / EARTH_M, math.radians(bearing), math.radians(y)
    y1 = math.asin(math.sin(y0) * math.cos(angle) + math.cos(y0) * math.sin(angle) * math.cos(course))
    east = math.sin(course) * math.sin(angle) * math.cos(y0)
    x1 = x + math.degrees(math.atan2(east, math.cos(angle) - math.sin(y0) * math.sin(y1)))
    return point((x1 + 540) % 360 - 180, math.degrees(y1))


@pytest.mark.parametrize("x", [10.0, 179.99, -179.99])
@pytest.mark.parametrize("y", [0.0, 60.0, -75.0, 85.0])
def test_all_that_is_near_is_found_in_every_direction(rows: Rows, x: float, y: float) -> None:
    for metres in (2e3, 5e4, 1e6):
        around = [
            entity(at_distance(x, y, bearing, metres * 0.999), entity_id=f"urn:x:{bearing}")
            for bearing in range(0, 360, 10)
        ]
        rows.keep(around)
        asked = query(f"near;maxDistance=={metres}", "Point", [x, y])
        assert all(matches_geo(asked, each) for each in around)
        assert rows.fitting(lambda parameters, asked=asked: compile_geo(asked, parameters)) == [
            each["id"] for each in around
        ]  # type: ignore[misc]


@given(one=positions, other=positions)
@settings(max_examples=EXAMPLES)
def test_distance_between_points_is_the_great_circle(one: list[float], other: list[float]) -> None:
    def vector(at: list[float]) -> tuple[float, float, float]:
        x, y = map(math.radians, at)
        return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)

    a, b = vector(one), vector(other)
    chord = math.dist(a, b)
    expected = 2 * math.asin(min(1.0, chord / 2)) * EARTH_M
    assert haversine_m(one, other) == pytest.approx(expected, rel=1e-6, abs=0.01) or expected > 2e7


@pytest.mark.parametrize(("y", "span"), [(0.0, 1.0), (35.0, 2.0), (60.0, 3.0), (70.0, 4.0)])
def test_distance_to_a_line_is_within_half_a_per_cent(y: float, span: float) -> None:
    """Against the nearest of many points along the line, each measured by great circle."""
    line = read_geometry("LineString", [[0.0, y], [span, y + span]])
    for at in ([span, y], [0.0, y + span / 2], [span / 2, y - span / 3], [-span / 3, y - span / 3]):
        steps = 20_000
        expected = min(haversine_m(at, [span * k / steps, y + span * k / steps]) for k in range(steps + 1))
        assert distance_m(read_geometry("Point", at), line) == pytest.approx(expected, rel=0.005)


def test_order_by_distance_is_that_of_the_rows(rows: Rows) -> None:
    far, near, mid = (
        entity(point(x, y), entity_id=f"urn:x:{n}") for n, (x, y) in enumerate([(10, 45), (8.01, 40), (9, 41)])
    )
    nowhere = entity(entity_id="urn:x:3") | {"attrs": {}}
    rows.keep([far, nowhere, near, mid])
    for direction, expected in (("dist-asc", [1, 2, 0, 3]), ("dist-desc", [0, 2, 1, 3])):
        ordering = parse_order(f"location;{direction}", _Core(), order_from="[8,40]")
        assert [each["id"] for each in sort_entities(ordering, rows.docs)] == [f"urn:x:{n}" for n in expected]
        parameters = Parameters()
        assert rows.ordered(compile_order(ordering, parameters).sql, parameters) == [f"urn:x:{n}" for n in expected]


def test_order_by_distance_without_a_start_is_refused() -> None:
    with pytest.raises(QueryIsMalformed) as refused:
        parse_order("location;dist-asc", NAMES)
    assert refused.value.fields["parameter"] == "orderFrom"


class _Core:
    """Knows `location`, as the core context does."""

    def expand(self, term: str) -> str:
        return LOCATION if term == "location" else BASE + term

    expand_type = expand

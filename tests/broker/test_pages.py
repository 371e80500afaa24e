"""The living picture for people: types, a table and a map, one entity with its history; and nobody's personal ones."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.picture import map_of
from sanpo.ground.city import City
from tests.broker.consented import Town, build
from tests.journeys.town import sign_in

IRI = "https://uri.etsi.org/ngsi-ld/default-context/Sensor"


def sensor(number: int, value: float, minute: int = 0) -> dict[str, Any]:
    at = f"2026-04-01T00:{minute:02d}:00Z"
    place = {"type": "Point", "coordinates": [139.9 + number / 100, 37.5]}
    return {
        "id": f"urn:ngsi-ld:Sensor:{number}",
        "type": "Sensor",
        "temperature": {"type": "Property", "value": value, "unitCode": "CEL", "observedAt": at},
        "name": {"type": "Property", "value": f"<b>橋{number}</b>"},
        "location": {"type": "GeoProperty", "value": place},
    }


@pytest.fixture
def visitor(broker: TestClient[Any], client: Callable[[], TestClient[Any]]) -> TestClient[Any]:
    """Nobody in particular, in a city with three sensors, one of them measured twice."""
    for number in range(3):
        assert broker.post("/entities", json=sensor(number, 10 + number)).status_code == 201
    later = {"value": 21.5, "unitCode": "CEL", "observedAt": "2026-04-01T00:10:00Z"}
    assert broker.patch("/entities/urn:ngsi-ld:Sensor:1/attrs/temperature", json=later).status_code == 204
    return client()


def test_types_are_listed_with_their_counts(visitor: TestClient[Any]) -> None:
    page = visitor.get("/broker").text
    assert "Sensor" in page
    assert "3件" in page


def test_entities_are_a_table_and_points_on_a_map(visitor: TestClient[Any]) -> None:
    page = visitor.get("/broker/entities", params={"type": IRI}).text
    assert page.count('r="11"') == 3
    island = re.search(r'data-map .*?<script type="application/json">(.*?)</script>', page, flags=re.S)
    assert island is not None
    features = json.loads(island[1])["features"]
    assert len(features) == 3
    assert features[1]["geometry"] == sensor(1, 0)["location"]["value"]
    assert features[1]["properties"] == {"name": "<b>橋1</b>", "href": "/broker/entity?id=urn%3Angsi-ld%3ASensor%3A1"}
    assert "12 °C" in page
    assert "&lt;b&gt;橋2&lt;/b&gt;" in page
    assert "<b>橋" not in page


def test_filter_narrows_and_a_wrong_one_is_explained(visitor: TestClient[Any]) -> None:
    page = visitor.get("/broker/entities", params={"type": IRI, "q": "temperature>11.5"}).text
    assert page.count('r="11"') == 2
    wrong = visitor.get("/broker/entities", params={"type": IRI, "q": "temperature>>"})
    assert (wrong.status_code, wrong.text.count('r="11"')) == (200, 3)
    assert 'aria-invalid="true"' in wrong.text


def test_filter_knows_attributes_by_the_names_that_are_shown(
    broker: TestClient[Any], client: Callable[[], TestClient[Any]]
) -> None:
    """Also where they are of another vocabulary."""
    speed = "https://example.org/speed"
    for number in range(2):
        broker.post("/entities", json={**sensor(number, 1), speed: {"type": "Property", "value": number}})
    page = client().get("/broker/entities", params={"type": IRI, "q": "speed==1"}).text
    assert page.count('r="11"') == 1


def test_entity_shows_its_values_and_their_course(visitor: TestClient[Any]) -> None:
    page = visitor.get("/broker/entity", params={"id": "urn:ngsi-ld:Sensor:1"}).text
    assert "21.5 °C" in page
    assert "2026-04-01 09:10" in page
    assert page.count('data-chart="curve"') == 1
    assert visitor.get("/broker/entity", params={"id": "urn:ngsi-ld:Sensor:9"}).status_code == 404


def test_page_of_many_has_a_next_one(broker: TestClient[Any], visitor: TestClient[Any]) -> None:
    broker.post("/entityOperations/create", json=[sensor(number, 1) for number in range(10, 60)])
    first = visitor.get("/broker/entities", params={"type": IRI}).text
    assert "offset=50" in first
    assert visitor.get("/broker/entities", params={"type": IRI, "offset": 50}).text.count('r="11"') == 3


def test_personal_entities_are_shown_to_their_residents_alone(
    web: Any, client: Callable[[], TestClient[Any]], city: City
) -> None:
    town: Town = build(city, 2)
    town.add_meter(0, town.residents[:1], 10)
    web.state.city = town.city
    asked = {"id": "urn:ngsi-ld:Meter:0"}
    assert client().get("/broker/entity", params=asked).status_code == 404
    assert "Meter" not in client().get("/broker").text
    for resident, status in zip(town.residents, (200, 404), strict=True):
        own = sign_in(town.city, client, resident.resident_id)
        assert own.get("/broker/entity", params=asked).status_code == status


def test_one_point_alone_is_a_map_too() -> None:
    place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [139.9, 37.5]}}
    doc = {"id": "urn:a:1", "attrs": {"https://uri.etsi.org/ngsi-ld/location": [place]}}
    found = map_of([doc])
    assert found is not None
    assert [(point.x, point.y) for point in found.points] == [(320, 24)]
    assert map_of([{"id": "urn:a:2", "attrs": {}}]) is None

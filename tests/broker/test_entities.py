"""Entities over HTTP: create, retrieve, replace, merge, delete (ETSI GS CIM 009 §5.6, §5.7.1)."""

from typing import Any

from litestar.testing import TestClient

VEHICLE: dict[str, Any] = {
    "id": "urn:ngsi-ld:Vehicle:1",
    "type": "Vehicle",
    "speed": {"type": "Property", "value": 55, "unitCode": "KMH", "observedAt": "2026-04-01T00:00:00Z"},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [135.9, 35.6]}},
    "isParked": {"type": "Relationship", "object": "urn:ngsi-ld:OffStreetParking:1"},
}
PATH = f"/entities/{VEHICLE['id']}"


def test_created_entity_is_retrieved_as_it_came(broker: TestClient[Any]) -> None:
    made = broker.post("/entities", json=VEHICLE)
    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["location"] == f"/ngsi-ld/v1/entities/{VEHICLE['id']}"
    found = broker.get(PATH)
    assert found.status_code == 200
    assert found.json() == VEHICLE
    assert found.headers["content-type"] == "application/json"
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in found.headers["link"]


def test_entity_is_created_once(broker: TestClient[Any]) -> None:
    assert broker.post("/entities", json=VEHICLE).status_code == 201
    again = broker.post("/entities", json={**VEHICLE, "speed": 1})
    assert (again.status_code, again.json()["type"]) == (409, "https://uri.etsi.org/ngsi-ld/errors/AlreadyExists")
    assert broker.get(PATH).json() == VEHICLE


def test_entity_that_is_not_there_is_not_found(broker: TestClient[Any]) -> None:
    for method in ("GET", "DELETE"):
        answer = broker.request(method, PATH)
        assert (answer.status_code, answer.json()["type"]) == (
            404,
            "https://uri.etsi.org/ngsi-ld/errors/ResourceNotFound",
        )
    assert broker.patch(PATH, json={"speed": 1}).status_code == 404
    assert broker.put(PATH, json=VEHICLE).status_code == 404
    assert broker.get("/entities/no-uri").status_code == 400


def test_replaced_entity_keeps_only_when_it_was_created(broker: TestClient[Any]) -> None:
    broker.post("/entities", json=VEHICLE)
    assert broker.put(PATH, json={"id": VEHICLE["id"], "type": "Car", "name": "x"}).status_code == 204
    assert broker.get(PATH).json() == {
        "id": VEHICLE["id"],
        "type": "Car",
        "name": {"type": "Property", "value": "x"},
    }
    assert broker.put(PATH, json={"id": "urn:ngsi-ld:Vehicle:2", "type": "Car"}).status_code == 400


def test_merge_goes_into_values_and_null_removes(broker: TestClient[Any]) -> None:
    address = {"type": "Property", "value": {"street": "Straße des 17. Juni", "city": "Berlin", "country": "Germany"}}
    names = {"type": "LanguageProperty", "languageMap": {"en": "car", "ja": "車"}}
    broker.post("/entities", json={**VEHICLE, "address": address, "name": names})
    fragment = {
        "address": {"type": "Property", "value": {"street": "Pariser Platz", "country": "urn:ngsi-ld:null"}},
        "name": {"type": "LanguageProperty", "languageMap": {"en": "urn:ngsi-ld:null", "de": "Wagen"}},
        "isParked": "urn:ngsi-ld:null",
        "speed": {"value": 60, "accuracy": 2},
        "new": 1,
    }
    assert broker.patch(PATH, json=fragment).status_code == 204
    found = broker.get(PATH).json()
    assert found["address"]["value"] == {"street": "Pariser Platz", "city": "Berlin"}
    assert found["name"]["languageMap"] == {"ja": "車", "de": "Wagen"}
    assert "isParked" not in found
    assert found["speed"] == {**VEHICLE["speed"], "value": 60, "accuracy": {"type": "Property", "value": 2}}
    assert found["new"] == {"type": "Property", "value": 1}


def test_simplified_merge_keeps_types(broker: TestClient[Any]) -> None:
    names = {"type": "LanguageProperty", "languageMap": {"en": "car"}}
    broker.post("/entities", json={**VEHICLE, "name": names})
    fragment = {"speed": 7, "isParked": "urn:ngsi-ld:OffStreetParking:2", "name": "車"}
    moment = "2026-04-02T00:00:00Z"
    answer = broker.patch(f"{PATH}?options=keyValues&lang=ja&observedAt={moment}", json=fragment)
    assert answer.status_code == 204, answer.text
    found = broker.get(PATH).json()
    assert found["speed"] == {**VEHICLE["speed"], "value": 7, "observedAt": moment}
    assert found["isParked"] == {"type": "Relationship", "object": "urn:ngsi-ld:OffStreetParking:2"}
    assert found["name"]["languageMap"] == {"en": "car", "ja": "車"}


def test_type_that_does_not_fit_hides_the_entity(broker: TestClient[Any]) -> None:
    broker.post("/entities", json=VEHICLE)
    for method in ("GET", "DELETE"):
        assert broker.request(method, f"{PATH}?type=House").status_code == 404
    assert broker.get(f"{PATH}?type=Vehicle").status_code == 200
    assert broker.delete(f"{PATH}?type=Vehicle").status_code == 204
    assert broker.get(PATH).status_code == 404

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

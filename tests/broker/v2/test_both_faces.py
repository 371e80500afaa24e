"""One store, two faces: what one writes the other reads."""

from typing import Any

from litestar.testing import TestClient

Http = TestClient[Any]
LAMP: dict[str, Any] = {
    "id": "urn:ngsi-ld:Lamp:1",
    "type": ["Lamp", "Device"],
    "scope": ["/Madrid/Gardens"],
    "power": {
        "type": "Property",
        "value": 40.5,
        "unitCode": "WTT",
        "observedAt": "2026-04-01T09:00:00Z",
        "accuracy": {"type": "Property", "value": 0.1},
    },
    "seen": {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-04-01T09:00:00Z"}},
    "inRoom": {"type": "Relationship", "object": "urn:ngsi-ld:Room:1"},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [139.7, 35.6]}},
    "label": {"type": "LanguageProperty", "languageMap": {"ja": "灯", "en": "lamp"}},
    "state": {"type": "VocabProperty", "vocab": "on"},
    "https://example.org/speed": [
        {"type": "Property", "value": 1},
        {"type": "Property", "value": 2, "datasetId": "urn:d:1"},
    ],
}


def test_entity_made_in_ngsi_ld_is_readable_in_ngsi_v2(broker: Http, v2: Http) -> None:
    assert broker.post("/entities", json=LAMP).status_code == 201
    found = v2.get("/entities/urn:ngsi-ld:Lamp:1").json()
    assert found == {
        "id": "urn:ngsi-ld:Lamp:1",
        "type": "Lamp",
        "power": {
            "type": "Number",
            "value": 40.5,
            "metadata": {
                "observedAt": {"type": "DateTime", "value": "2026-04-01T09:00:00.000Z"},
                "unitCode": {"type": "Text", "value": "WTT"},
                "accuracy": {"type": "Number", "value": 0.1},
            },
        },
        "seen": {"type": "DateTime", "value": "2026-04-01T09:00:00.000Z", "metadata": {}},
        "inRoom": {"type": "Relationship", "value": "urn:ngsi-ld:Room:1", "metadata": {}},
        "location": {"type": "geo:json", "value": {"type": "Point", "coordinates": [139.7, 35.6]}, "metadata": {}},
        "label": {"type": "LanguageProperty", "value": {"ja": "灯", "en": "lamp"}, "metadata": {}},
        "state": {"type": "VocabProperty", "value": "on", "metadata": {}},
        "https://example.org/speed": {"type": "Number", "value": 1, "metadata": {}},
    }
    assert v2.get("/entities?type=Device&attrs=servicePath&options=values").json() == [["/Madrid/Gardens"]]


def test_change_through_ngsi_v2_leaves_the_rest_of_ngsi_ld(broker: Http, v2: Http) -> None:
    broker.post("/entities", json=LAMP)
    at = "/entities/urn:ngsi-ld:Lamp:1/attrs"
    assert v2.patch(at, json={"power": {"value": 41}}).status_code == 204
    speed = f"{at}/https%3A%2F%2Fexample.org%2Fspeed/value"
    assert v2.put(speed, content="5", headers={"content-type": "text/plain"}).status_code == 204
    found = broker.get("/entities/urn:ngsi-ld:Lamp:1").json()
    assert found["power"] == {**LAMP["power"], "value": 41, "observedAt": "2026-04-01T09:00:00Z"}
    assert [each["value"] for each in found["https://example.org/speed"]] == [5, 2]
    assert found["type"] == LAMP["type"]
    assert found["scope"] in ("/Madrid/Gardens", ["/Madrid/Gardens"])


def test_entity_made_in_ngsi_v2_is_readable_in_ngsi_ld(broker: Http, v2: Http) -> None:
    v2.post(
        "/entities",
        headers={"fiware-servicepath": "/Madrid/Gardens"},
        json={
            "id": "Room1",
            "type": "Room",
            "temperature": {"value": 21, "type": "celsius", "metadata": {"accuracy": {"value": 1}}},
            "location": {"value": "35.6, 139.7", "type": "geo:point"},
            "near": {"value": "Room2", "type": "Relationship"},
            "my-attr": {"value": 1},
        },
    )
    found = broker.get("/entities/urn:sanpo:v2:Room1").json()
    assert found == {
        "id": "urn:sanpo:v2:Room1",
        "type": "Room",
        "scope": "/Madrid/Gardens",
        "temperature": {
            "type": "Property",
            "value": 21,
            "valueType": "celsius",
            "accuracy": {"type": "Property", "value": 1},
        },
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [139.7, 35.6]}},
        "near": {"type": "Relationship", "object": "urn:sanpo:v2:Room2"},
        "urn:sanpo:v2:my-attr": {"type": "Property", "value": 1},
    }
    assert len(broker.get("/entities?type=Room&q=temperature>20&scopeQ=/Madrid/%23").json()) == 1


def test_place_changed_in_ngsi_ld_is_not_shown_as_it_was_written(broker: Http, v2: Http) -> None:
    v2.post("/entities", json={"id": "a", "location": {"value": "35.6, 139.7", "type": "geo:point"}})
    moved = {"value": {"type": "Point", "coordinates": [1, 2]}}
    assert broker.patch("/entities/urn:sanpo:v2:a/attrs/location", json=moved).status_code == 204
    found = v2.get("/entities/a/attrs/location").json()
    assert found == {"type": "geo:json", "value": moved["value"], "metadata": {}}


def test_tenants_are_services(broker: Http, v2: Http) -> None:
    v2.post("/entities", headers={"fiware-service": "Madrid"}, json={"id": "urn:a:1", "type": "T"})
    assert broker.get("/entities/urn:a:1", headers={"ngsild-tenant": "madrid"}).status_code == 200
    assert broker.get("/entities/urn:a:1").status_code == 404
    broker.post("/entities", headers={"ngsild-tenant": "madrid"}, json={"id": "urn:a:2", "type": "T"})
    assert len(v2.get("/entities", headers={"fiware-service": "madrid"}).json()) == 2
    assert v2.get("/entities", headers={"fiware-service": "nowhere"}).json() == []
    assert v2.get("/entities/urn:a:1", headers={"fiware-service": "nowhere"}).status_code == 404
    assert v2.get("/entities", headers={"fiware-service": "no-where"}).status_code == 400

"""Histories told by a client (ETSI GS CIM 009 §4.5.7, §5.5.4, §5.6.11 to §5.6.16)."""

from typing import Any

import pytest
from litestar.testing import TestClient

ID = "urn:ngsi-ld:Vehicle:1"
PATH = f"/temporal/entities/{ID}"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
NULL = "urn:ngsi-ld:null"
SPEED = {"type": "Property", "value": 120, "observedAt": "2026-01-01T00:00:00Z"}
GONE = {"type": "Property", "value": NULL, "observedAt": "2026-01-02T00:00:00Z"}


@pytest.fixture
def told(broker: TestClient[Any]) -> TestClient[Any]:
    body = {"id": ID, "type": "Vehicle", "speed": [SPEED]}
    assert broker.post("/temporal/entities", json=body).status_code == 201
    return broker


def shown(broker: TestClient[Any]) -> Any:
    found = broker.get(PATH).json()
    for each in found["speed"]:
        del each["instanceId"]
    return found


def test_creation_again_adds_types_and_deletions(told: TestClient[Any]) -> None:
    added = {"id": ID, "type": ["Vehicle", "Truck"], "speed": [GONE]}
    assert told.post("/temporal/entities", json=added).status_code == 204  # §5.6.11.4, §4.5.7
    assert shown(told) == {"id": ID, "type": ["Vehicle", "Truck"], "speed": [SPEED, GONE]}
    by_type = "/temporal/entities?type=Truck&timerel=before&timeAt=2030-01-01T00:00:00Z"
    assert [each["id"] for each in told.get(by_type).json()] == [ID]


def test_types_of_an_entity_that_is_there_stay(broker: TestClient[Any]) -> None:
    broker.post("/entities", json={"id": ID, "type": "Vehicle", "speed": 1})
    added = {"id": ID, "type": ["Vehicle", "Truck"], "speed": [SPEED]}
    assert broker.post("/temporal/entities", json=added).status_code == 204
    assert broker.get(f"/entities/{ID}").json()["type"] == "Vehicle"


@pytest.mark.parametrize("query", ["?lang=ja", "?options=temporalValues", "?options=concise", "?options=sysAttrs"])
def test_deletion_of_any_type_of_attribute_is_shown(told: TestClient[Any], query: str) -> None:
    added = {
        "name": {"type": "LanguageProperty", "languageMap": {"@none": NULL}},
        "location": {"type": "GeoProperty", "value": NULL},
        "route": {"type": "ListRelationship", "objectList": NULL},
    }
    assert told.post(f"{PATH}/attrs/", json=added).status_code == 204
    found = told.get(PATH + query)
    assert found.status_code == 200
    assert found.text.count(NULL) == len(added)


@pytest.mark.parametrize(
    "members",
    [
        {"expiresAt": NULL},
        {"scope": NULL},
        {"speed": [{**SPEED, "unitCode": NULL}]},
        {"speed": [{**GONE, "unitCode": "KMH"}]},
        {"speed": [{**SPEED, "value": {"kmh": NULL}}]},
    ],
)
def test_null_elsewhere_is_refused(broker: TestClient[Any], members: Any) -> None:
    answer = broker.post("/temporal/entities", json={"id": ID, "type": "Vehicle", **members})  # §5.5.4
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")
    assert broker.get(PATH).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/temporal/entities/", 405),
        ("DELETE", "/temporal/entities/noUri", 400),
        ("POST", "/temporal/entities//attrs/", 400),
        ("POST", "/temporal/entities/urn:ngsi-ld:Vehicle:2/attrs/", 404),
        ("DELETE", "/temporal/entities//attrs/speed", 400),
        ("DELETE", f"{PATH}/attrs/%2e%2e", 400),  # §5.6.13.4: a step in a path is no name
        ("DELETE", f"{PATH}/attrs/%252e%252e", 400),
        ("DELETE", f"{PATH}/attrs/%2e", 400),
        ("DELETE", f"{PATH}/attrs/speed(", 400),
        ("DELETE", f"{PATH}/attrs/height", 404),
        ("PATCH", f"{PATH}/attrs/speed/noUri", 400),
        ("PATCH", f"{PATH}/attrs/speed/", 405),
        ("PATCH", f"{PATH}/attrs/speed(/urn:ngsi-ld:Instance:1", 400),
        ("PATCH", f"{PATH}/attrs/speed/urn:ngsi-ld:Instance:0", 404),
        ("DELETE", f"{PATH}/attrs//urn:ngsi-ld:Instance:1", 400),
        ("DELETE", f"{PATH}/attrs/speed/urn:ngsi-ld:Instance:0", 404),
    ],
)
def test_change_of_what_is_not_there_is_refused(told: TestClient[Any], method: str, path: str, status: int) -> None:
    body = {"speed": [SPEED]} if method == "POST" else {"value": 1} if method == "PATCH" else None
    assert told.request(method, path, json=body).status_code == status
    assert shown(told)["speed"] == [SPEED]

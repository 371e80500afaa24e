"""Which types and attributes there are, over HTTP (ETSI GS CIM 009 §5.7.5 to §5.7.10)."""

from typing import Any

import pytest
from litestar.testing import TestClient

NAMES = "https://uri.etsi.org/ngsi-ld/default-context/"


@pytest.fixture
def filled(broker: TestClient[Any]) -> TestClient[Any]:
    """Two rooms and a house."""
    entities = [
        {"id": "urn:a:1", "type": "Room", "temperature": 20, "isIn": {"object": "urn:a:3"}},
        {
            "id": "urn:a:2",
            "type": ["Room", "Kitchen"],
            "temperature": [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}],
        },
        {"id": "urn:a:3", "type": "House", "name": "x"},
    ]
    assert broker.post("/entityOperations/create", json=entities).status_code == 201
    return broker


def test_types_are_listed(filled: TestClient[Any]) -> None:
    found = filled.get("/types").json()
    assert found["type"] == "EntityTypeList"
    assert found["typeList"] == ["House", "Kitchen", "Room"]


def test_types_are_listed_with_their_attributes(filled: TestClient[Any]) -> None:
    found = filled.get("/types?details=true").json()
    assert {each["typeName"]: each["attributeNames"] for each in found} == {
        "House": ["name"],
        "Kitchen": ["temperature"],
        "Room": ["isIn", "temperature"],
    }
    assert found[0]["id"] == NAMES + "House"


def test_type_tells_of_its_attributes(filled: TestClient[Any]) -> None:
    found = filled.get("/types/Room").json()
    assert (found["type"], found["entityCount"]) == ("EntityTypeInfo", 2)
    assert {each["attributeName"]: each["attributeTypes"] for each in found["attributeDetails"]} == {
        "isIn": ["Relationship"],
        "temperature": ["Property"],
    }
    assert filled.get("/types/Castle").status_code == 404


def test_attributes_are_listed(filled: TestClient[Any]) -> None:
    assert filled.get("/attributes").json()["attributeList"] == ["isIn", "name", "temperature"]
    found = filled.get("/attributes?details=true").json()
    assert {each["attributeName"]: each["typeNames"] for each in found}["temperature"] == ["Kitchen", "Room"]


def test_attribute_tells_where_it_is(filled: TestClient[Any]) -> None:
    found = filled.get("/attributes/temperature").json()
    assert (found["type"], found["attributeCount"]) == ("Attribute", 2)
    assert found["typeNames"] == ["Kitchen", "Room"]
    assert filled.get("/attributes/nothing").status_code == 404

"""Which types and attributes there are, over HTTP (ETSI GS CIM 009 §5.7.5 to §5.7.10)."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker import discovery
from sanpo.ground.city import City
from tests.broker.consented import ENERGY, METER, build

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


def test_discovery_follows_every_change(filled: TestClient[Any]) -> None:
    def kinds(name: str) -> list[str]:
        found = filled.get(f"/attributes/{name}")
        return found.json()["attributeTypes"] if found.status_code == 200 else []

    assert kinds("name") == ["Property"]
    assert filled.put("/entities/urn:a:3", json={"type": "House", "name": {"object": "urn:a:1"}}).status_code == 204
    assert kinds("name") == ["Relationship"]
    assert filled.post("/entities/urn:a:3/attrs", json={"height": 3}).status_code == 204
    assert kinds("height") == ["Property"]
    assert filled.delete("/entities/urn:a:3/attrs/name").status_code == 204
    assert kinds("name") == []
    more = [{"id": "urn:a:3", "type": "Tower", "height": 4}, {"id": "urn:a:4", "type": "Tower", "depth": 1}]
    assert filled.post("/entityOperations/upsert", json=more).status_code == 201
    assert filled.get("/types").json()["typeList"] == ["Kitchen", "Room", "Tower"]
    assert filled.get("/types/Tower").json()["entityCount"] == 2
    assert filled.post("/entityOperations/update", json=[{"id": "urn:a:4", "width": 1}]).status_code == 204
    assert filled.get("/attributes").json()["attributeList"] == ["depth", "height", "isIn", "temperature", "width"]
    assert filled.post("/entityOperations/delete", json=["urn:a:3", "urn:a:4"]).status_code == 204
    assert filled.get("/types").json()["typeList"] == ["Kitchen", "Room"]


def test_resident_discovers_their_own_too(city: City) -> None:
    town = build(city, 2)
    town.add_meter(1, town.residents[:1], 5)
    assert [each.iri for each in discovery.list_types(town.place(town.residents[0]))] == [METER]
    assert discovery.get_attribute(town.place(town.residents[0]), ENERGY).count == 1
    for actor in (town.residents[1], town.world.officer):
        assert discovery.list_types(town.place(actor)) == []

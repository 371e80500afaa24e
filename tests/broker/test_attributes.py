"""Attributes over HTTP: append, update, partial update, replace, delete (ETSI GS CIM 009 §5.5.8, §5.6.2 to §5.6.5)."""

from typing import Any

import pytest
from litestar.testing import TestClient

ID = "urn:ngsi-ld:Room:1"
PATH = f"/entities/{ID}"
TEMPERATURE = {"type": "Property", "value": 25, "unitCode": "CEL", "observedAt": "2022-03-14T01:59:26.535Z"}
NAMES = "https://uri.etsi.org/ngsi-ld/default-context/"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


@pytest.fixture
def room(broker: TestClient[Any]) -> TestClient[Any]:
    """A broker with one room."""
    assert broker.post("/entities", json={"id": ID, "type": "Room", "temperature": TEMPERATURE}).status_code == 201
    return broker


def attribute(http: TestClient[Any], name: str = "temperature") -> Any:
    return http.get(PATH).json().get(name)


def test_partial_update_leaves_other_members(room: TestClient[Any]) -> None:
    given = {"type": "Property", "value": 100, "observedAt": "2022-03-14T13:00:00.000Z"}
    assert room.patch(f"{PATH}/attrs/temperature", json=given).status_code == 204
    assert attribute(room) == {**given, "unitCode": "CEL"}


def test_update_replaces_the_whole_attribute(room: TestClient[Any]) -> None:
    assert room.patch(f"{PATH}/attrs", json={"temperature": {"type": "Property", "value": 7}}).status_code == 204
    assert attribute(room) == {"type": "Property", "value": 7}


def test_update_adds_attributes_that_are_not_there(room: TestClient[Any]) -> None:
    assert room.patch(f"{PATH}/attrs", json={"temperature": 8, "humidity": 40}).status_code == 204
    assert attribute(room)["value"] == 8
    assert attribute(room, "humidity")["value"] == 40


def test_null_removes_the_attribute(room: TestClient[Any]) -> None:
    assert room.patch(f"{PATH}/attrs", json={"temperature": "urn:ngsi-ld:null"}).status_code == 204
    assert attribute(room) is None


def test_null_removes_a_member_in_a_partial_update(room: TestClient[Any]) -> None:
    assert room.patch(f"{PATH}/attrs/temperature", json={"unitCode": "urn:ngsi-ld:null"}).status_code == 204
    assert "unitCode" not in attribute(room)


def test_instance_with_a_new_dataset_is_added(room: TestClient[Any]) -> None:
    given = {"temperature": {"type": "Property", "value": 30, "datasetId": "urn:ngsi-ld:Dataset:2"}}
    assert room.patch(f"{PATH}/attrs", json=given).status_code == 204
    assert sorted(each["value"] for each in attribute(room)) == [25, 30]


def test_append_overwrites_unless_told_otherwise(room: TestClient[Any]) -> None:
    given = {"temperature": {"type": "Property", "value": 1}, "humidity": {"type": "Property", "value": 40}}
    answer = room.post(f"{PATH}/attrs?options=noOverwrite", json=given)
    assert answer.status_code == 207
    assert answer.json()["updated"] == [NAMES + "humidity"]
    assert [each["attributeName"] for each in answer.json()["notUpdated"]] == [NAMES + "temperature"]
    assert attribute(room)["value"] == 25
    assert room.post(f"{PATH}/attrs", json=given).status_code == 204
    assert attribute(room)["value"] == 1


def test_replaced_attribute_must_be_there(room: TestClient[Any]) -> None:
    assert room.put(f"{PATH}/attrs/temperature", json={"type": "Property", "value": 3}).status_code == 204
    assert attribute(room) == {"type": "Property", "value": 3}
    assert room.put(f"{PATH}/attrs/humidity", json={"type": "Property", "value": 3}).status_code == 404


def test_deleted_attribute_is_gone(room: TestClient[Any]) -> None:
    assert room.delete(f"{PATH}/attrs/temperature?datasetId=urn:ngsi-ld:Dataset:2").status_code == 404
    assert room.delete(f"{PATH}/attrs/temperature").status_code == 204
    answer = room.delete(f"{PATH}/attrs/temperature")
    assert (answer.status_code, answer.json()["type"]) == (404, ERRORS + "ResourceNotFound")


def test_scope_is_deleted_as_an_attribute_but_not_changed_in_part(room: TestClient[Any]) -> None:
    assert room.post(f"{PATH}/attrs", json={"scope": "/Madrid"}).status_code == 204
    assert room.patch(f"{PATH}/attrs/scope", json={"value": "/Tokyo"}).status_code == 400
    assert room.get(PATH).json()["scope"] == "/Madrid"
    assert room.delete(f"{PATH}/attrs/scope").status_code == 204
    assert "scope" not in room.get(PATH).json()


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_type_that_does_not_fit_hides_the_entity(room: TestClient[Any], method: str) -> None:
    given = {"temperature": {"type": "Property", "value": 3}}
    assert room.request(method, f"{PATH}/attrs?type=House", json=given).status_code == 404
    assert attribute(room)["value"] == 25
    assert room.request(method, f"{PATH}/attrs/?type=Room", json=given).status_code == 204


@pytest.mark.parametrize(
    "given", [{"datasetId": "urn:ngsi-ld:null"}, {"value": {"a": "urn:ngsi-ld:null"}}, {"object": "urn:a:b"}]
)
def test_partial_update_refuses_what_it_cannot_mean(room: TestClient[Any], given: Any) -> None:
    answer = room.patch(f"{PATH}/attrs/temperature", json=given)
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")
    assert attribute(room) == TEMPERATURE


def test_scope_is_replaced_or_widened(room: TestClient[Any]) -> None:
    assert room.post(f"{PATH}/attrs", json={"scope": "/Madrid"}).status_code == 204
    assert room.post(f"{PATH}/attrs", json={"scope": "/Tokyo"}).status_code == 204
    assert room.get(PATH).json()["scope"] == "/Tokyo"
    assert room.post(f"{PATH}/attrs?options=noOverwrite", json={"scope": "/Madrid"}).status_code == 204
    assert room.get(PATH).json()["scope"] == ["/Tokyo", "/Madrid"]


@pytest.mark.parametrize("path", ["/entities//attrs/temperature", "/entities//attrs", "/entities/", "/entities/no-uri"])
def test_entity_without_an_id_is_refused(room: TestClient[Any], path: str) -> None:
    answer = room.patch(path, json={"temperature": 1})
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")

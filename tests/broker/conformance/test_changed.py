"""Who and what a change meets (ETSI GS CIM 009 §4.17, §5.5.4, §5.5.8, §5.6.2 to §5.6.6, §5.6.17 to §5.6.21)."""

from typing import Any

import pytest
from litestar.testing import TestClient

ID = "urn:ngsi-ld:Bench:1"
PATH = f"/entities/{ID}"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
NULL = "urn:ngsi-ld:null"
IRI = "https://uri.etsi.org/ngsi-ld/default-context/"
HEIGHT = {"type": "Property", "value": 45, "unitCode": "CMT", "observedAt": "2026-04-01T00:00:00.535Z"}
BENCH = {"id": ID, "type": "Bench", "scope": "/Park", "height": HEIGHT, "seats": 3}


@pytest.fixture
def filled(broker: TestClient[Any]) -> TestClient[Any]:
    assert broker.post("/entities", json=BENCH).status_code == 201
    return broker


def height(broker: TestClient[Any]) -> Any:
    return broker.get(PATH).json().get("height")


@pytest.mark.parametrize("path", [f"{PATH}/attrs", f"{PATH}/attrs/", PATH])
def test_null_deletes_the_attribute(filled: TestClient[Any], path: str) -> None:
    fragment = {"height": {"type": "Property", "value": NULL}}
    assert filled.patch(path, json=fragment).status_code == 204  # §5.5.8, example 3
    assert height(filled) is None


def test_attribute_changes_its_type_only_as_a_whole(filled: TestClient[Any]) -> None:
    fragment = {"type": "Relationship", "object": "urn:a:b"}
    assert filled.patch(f"{PATH}/attrs/height", json=fragment).json()["type"] == ERRORS + "BadRequestData"
    created = filled.get(f"{PATH}?options=sysAttrs").json()["height"]["createdAt"]
    assert filled.put(f"{PATH}/attrs/height", json=fragment).status_code == 204
    assert height(filled) == fragment
    assert filled.get(f"{PATH}?options=sysAttrs").json()["height"]["createdAt"] == created


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"{PATH}/attrs/scope", {"value": "/Street"}, 400),  # §5.6.19.4
        ("PATCH", f"{PATH}/attrs/@height", {"value": 1}, 400),
        ("PATCH", f"{PATH}/attrs/height", {"value": 1, "datasetId": "urn:a:d"}, 404),
        ("PATCH", f"{PATH}/attrs/width", {"value": 1}, 404),
        ("DELETE", f"{PATH}/attrs/width", None, 404),
        ("DELETE", f"{PATH}/attrs/height?datasetId=urn:a:d", None, 404),
        ("DELETE", f"{PATH}/attrs/", None, 405),
        ("DELETE", "/entities//attrs/height", None, 400),
        ("POST", "/entities/noUri/attrs/", {"height": 1}, 400),
        ("PUT", "/entities/", {"type": "Bench"}, 400),
        ("DELETE", "/entities/", None, 400),  # §5.6.21.4: purges nothing in particular
        ("POST", "/entities/urn:ngsi-ld:Bench:2/attrs/", {"height": 1}, 404),
    ],
)
def test_change_is_refused(filled: TestClient[Any], method: str, path: str, body: Any, status: int) -> None:
    answer = filled.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    kind = {400: "BadRequestData", 404: "ResourceNotFound", 405: "OperationNotSupported"}[status]
    assert answer.json()["type"] == ERRORS + kind
    assert filled.get(PATH).json() == {**BENCH, "seats": {"type": "Property", "value": 3}}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{PATH}/attrs/", {"seats": 4}),  # §5.6.3
        ("PATCH", f"{PATH}/attrs/", {"seats": 4}),  # §5.6.2
        ("PATCH", f"{PATH}/attrs/seats", {"value": 4}),  # §5.6.4
        ("PUT", f"{PATH}/attrs/seats", {"value": 4}),  # §5.6.19
        ("DELETE", f"{PATH}/attrs/seats", None),  # §5.6.5
        ("PATCH", PATH, {"seats": 4}),  # §5.6.17
        ("DELETE", PATH, None),  # §5.6.6
    ],
)
def test_type_selects_what_is_changed(filled: TestClient[Any], method: str, path: str, body: Any) -> None:
    before = filled.get(PATH).json()
    assert filled.request(method, f"{path}?type=Chair", json=body).status_code == 404  # §4.17
    assert filled.get(PATH).json() == before
    assert filled.request(method, f"{path}?type=Bench", json=body).status_code == 204
    assert filled.get(PATH).json() != before


def test_update_adds_no_scope(filled: TestClient[Any]) -> None:
    filled.delete(f"{PATH}/attrs/scope")
    answer = filled.patch(f"{PATH}/attrs/", json={"scope": "/Street", "seats": 4})  # §5.6.2.4
    assert answer.status_code == 207
    assert answer.json()["updated"] == [IRI + "seats"]
    assert [each["attributeName"] for each in answer.json()["notUpdated"]] == ["https://uri.etsi.org/ngsi-ld/scope"]
    assert "scope" not in filled.get(PATH).json()
    assert filled.patch(f"{PATH}/attrs/", json={"scope": NULL}).status_code == 204


def test_first_level_member_is_removed_by_a_merge(broker: TestClient[Any]) -> None:
    broker.post("/entities", json={**BENCH, "expiresAt": "2099-01-01T00:00:00Z"})
    assert broker.patch(PATH, json={"expiresAt": NULL}).status_code == 204  # §5.5.4, §5.5.12
    assert "expiresAt" not in broker.get(f"{PATH}?options=sysAttrs").json()


DATASET = "urn:ngsi-ld:Dataset:1"
TYPED: dict[str, tuple[str, Any, Any, Any]] = {
    # the key of the value, the default instance's, the other's, and what deletes (§4.6.5)
    "Property": ("value", 1, 2, NULL),
    "Relationship": ("object", "urn:a:b", "urn:a:c", NULL),
    "GeoProperty": ("value", {"type": "Point", "coordinates": [1, 2]}, {"type": "Point", "coordinates": [3, 4]}, NULL),
    "LanguageProperty": ("languageMap", {"ja": "木"}, {"ja": "鉄"}, {"@none": NULL}),
    "VocabProperty": ("vocab", "wood", "iron", NULL),
    "JsonProperty": ("json", {"a": 1}, {"a": 2}, NULL),
    "ListProperty": ("valueList", [1], [2], NULL),
}


@pytest.mark.parametrize("kind", TYPED)
@pytest.mark.parametrize("path", [PATH, f"{PATH}/attrs/", f"{PATH}/attrs/made"])
@pytest.mark.parametrize("dataset", [{}, {"datasetId": DATASET}])
def test_null_deletes_one_instance_of_any_type(
    broker: TestClient[Any], kind: str, path: str, dataset: dict[str, str]
) -> None:
    key, first, second, null = TYPED[kind]
    one, other = {"type": kind, key: first}, {"type": kind, key: second, "datasetId": DATASET}
    broker.post("/entities", json={"id": ID, "type": "Bench", "made": [one, other]})
    gone = {"type": kind, key: null, **dataset}
    assert broker.patch(path, json=gone if path.endswith("made") else {"made": gone}).status_code == 204
    assert broker.get(PATH).json()["made"] == (one if dataset else other)  # §4.5.5, §5.5.8, §5.5.12

"""What fails a whole batch, and what one of its entities (ETSI GS CIM 009 §4.6.6, §5.6.7 to §5.6.10, §5.6.20)."""

from typing import Any

import pytest
from litestar.testing import TestClient

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
ALL = ("create", "upsert", "update", "merge", "delete")
ONE, TWO = "urn:ngsi-ld:Bench:1", "urn:ngsi-ld:Bench:2"
LD = {"content-type": "application/ld+json"}
CONTEXT = {"@context": {"seats": "https://a.example/seats"}}
LINK = {
    "link": '<https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld>; rel="http://www.w3.org/ns/json-ld#context"'
}


def send(broker: TestClient[Any], operation: str, body: Any, **headers: str) -> Any:
    return broker.post(f"/entityOperations/{operation}", json=body, headers=headers)


def bench(entity_id: str, **members: Any) -> dict[str, Any]:
    return {"id": entity_id, "type": "Bench", **members}


def failed(answer: Any) -> dict[str, str]:
    """The type of error by entity."""
    return {each["entityId"]: each["error"]["type"].removeprefix(ERRORS) for each in answer.json()["errors"]}


@pytest.mark.parametrize("operation", ALL)
def test_null_among_entities_fails_whole(broker: TestClient[Any], operation: str) -> None:
    answer = send(broker, operation, [bench(ONE), None])  # §5.6.7.4
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")
    assert broker.get(f"/entities/{ONE}").status_code == 404


@pytest.mark.parametrize("operation", ALL)
def test_batch_that_is_no_json_fails_whole(broker: TestClient[Any], operation: str) -> None:
    answer = broker.post(f"/entityOperations/{operation}", content=b"[{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "InvalidRequest")


@pytest.mark.parametrize("operation", ["create", "upsert", "update", "merge"])
def test_context_in_header_and_body_fails_whole(broker: TestClient[Any], operation: str) -> None:
    answer = send(broker, operation, [bench(ONE, **CONTEXT)], **LD, **LINK)  # §6.3.5
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")


@pytest.mark.parametrize(
    ("headers", "entity"),
    [
        ({}, bench(TWO, **CONTEXT)),  # §6.3.5: no @context in application/json
        (LD, bench(TWO)),  # §6.3.5: none is missing in application/ld+json
        ({}, bench(TWO, seats={"type": "Property", "value": None})),
    ],
)
def test_entity_that_cannot_be_read_fails_alone(broker: TestClient[Any], headers: Any, entity: Any) -> None:
    other = bench(ONE, **CONTEXT) if headers else bench(ONE)
    answer = send(broker, "create", [other, entity], **headers)
    assert (answer.status_code, answer.json()["success"]) == (207, [ONE])
    assert failed(answer) == {TWO: "BadRequestData"}


def test_context_that_cannot_be_had_fails_each_entity(broker: TestClient[Any]) -> None:
    missing = {"@context": "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-none.jsonld"}
    answer = send(broker, "create", [bench(ONE, **missing), bench(TWO, **missing)], **LD)
    assert answer.status_code == 207
    assert failed(answer) == dict.fromkeys((ONE, TWO), "LdContextNotAvailable")


def test_id_that_comes_twice_is_created_and_deleted_once(broker: TestClient[Any]) -> None:
    answer = send(broker, "create", [bench(ONE), bench(TWO), bench(ONE)])
    assert (answer.status_code, answer.json()["success"], failed(answer)) == (207, [ONE, TWO], {ONE: "AlreadyExists"})
    answer = send(broker, "delete", [ONE, ONE])
    assert (answer.status_code, answer.json()["success"], failed(answer)) == (207, [ONE], {ONE: "ResourceNotFound"})


@pytest.mark.parametrize(
    ("attributes", "status"), [({"width": 9}, 204), ({"seats": 9}, 207), ({"seats": 9, "width": 9}, 207)]
)
def test_update_without_overwriting_says_where_it_did_not(
    broker: TestClient[Any], attributes: dict[str, int], status: int
) -> None:
    send(broker, "create", [bench(ONE, seats=1), bench(TWO)])
    answer = send(
        broker, "update?options=noOverwrite", [bench(ONE, **attributes), bench(TWO, **attributes)]
    )  # §5.6.9.4
    assert answer.status_code == status
    if status == 207:
        assert (answer.json()["success"], failed(answer)) == ([TWO], {ONE: "AlreadyExists"})
    found = broker.get(f"/entities/{ONE}").json()
    assert found["seats"]["value"] == 1
    assert ("width" in found) == ("width" in attributes)


def test_null_in_a_merge_deletes_the_attribute(broker: TestClient[Any]) -> None:
    send(broker, "create", [bench(ONE, seats=1, width=2)])
    answer = send(broker, "merge", [bench(ONE, seats="urn:ngsi-ld:null")])  # §5.6.20.4
    assert (answer.status_code, answer.content) == (204, b"")
    assert broker.get(f"/entities/{ONE}").json() == bench(ONE, width={"type": "Property", "value": 2})

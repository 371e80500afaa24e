"""Batch operations over HTTP (ETSI GS CIM 009 §5.6.7 to §5.6.10, §5.6.20)."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker import history
from sanpo.ground.actors import System
from sanpo.ground.city import City

BATCH = "/entityOperations"


def rooms(count: int, value: int = 1) -> list[dict[str, Any]]:
    return [
        {"id": f"urn:ngsi-ld:Room:{number}", "type": "Room", "temperature": {"type": "Property", "value": value}}
        for number in range(count)
    ]


def value(http: TestClient[Any], number: int) -> Any:
    return http.get(f"/entities/urn:ngsi-ld:Room:{number}").json()["temperature"]["value"]


def test_batch_creates_all(broker: TestClient[Any]) -> None:
    made = broker.post(f"{BATCH}/create", json=rooms(3))
    assert made.status_code == 201
    assert made.json() == [room["id"] for room in rooms(3)]
    assert value(broker, 2) == 1


def test_batch_create_reports_each_that_fails(broker: TestClient[Any]) -> None:
    broker.post("/entities", json=rooms(1)[0])
    answer = broker.post(f"{BATCH}/create", json=[*rooms(2), {"id": "urn:ngsi-ld:Room:9"}])
    assert answer.status_code == 207
    assert answer.json()["success"] == ["urn:ngsi-ld:Room:1"]
    problems = {each["entityId"]: each["error"]["type"].rsplit("/", 1)[-1] for each in answer.json()["errors"]}
    assert problems == {"urn:ngsi-ld:Room:0": "AlreadyExists", "urn:ngsi-ld:Room:9": "BadRequestData"}


@pytest.mark.parametrize("watched", [False, True])
def test_upsert_creates_and_replaces(broker: TestClient[Any], city: City, watched: bool) -> None:
    broker.post("/entities", json={**rooms(1)[0], "old": 1})
    with city.transaction(System("broker")) as tx:
        tx.execute("update broker.tenants set watched = %(watched)s", watched=watched)
    created = broker.get("/entities/urn:ngsi-ld:Room:0?options=sysAttrs").json()["createdAt"]
    made = broker.post(f"{BATCH}/upsert", json=rooms(2, value=2))
    assert (made.status_code, made.json()) == (201, ["urn:ngsi-ld:Room:1"])
    found = broker.get("/entities/urn:ngsi-ld:Room:0?options=sysAttrs").json()
    assert "old" not in found
    assert found["createdAt"] == created
    again = broker.post(f"{BATCH}/upsert", json=rooms(2, value=3))
    assert (again.status_code, again.content) == (204, b"")
    assert (value(broker, 0), value(broker, 1)) == (3, 3)
    with city.transaction(System("broker")) as tx:
        assert tx.get("select count(*) as n from broker.changes").n == (4 if watched else 0)


def test_upsert_with_update_keeps_other_attributes(broker: TestClient[Any]) -> None:
    broker.post("/entities", json={**rooms(1)[0], "old": 1})
    assert broker.post(f"{BATCH}/upsert?options=update", json=rooms(1, value=2)).status_code == 204
    found = broker.get("/entities/urn:ngsi-ld:Room:0").json()
    assert (found["old"]["value"], found["temperature"]["value"]) == (1, 2)


def test_later_of_two_with_one_id_wins(broker: TestClient[Any]) -> None:
    first = {**rooms(1)[0], "old": True}
    made = broker.post(f"{BATCH}/upsert", json=[first, rooms(1, value=2)[0]])
    assert (made.status_code, made.json()) == (201, ["urn:ngsi-ld:Room:0"])
    assert value(broker, 0) == 2
    assert "old" not in broker.get("/entities/urn:ngsi-ld:Room:0").json()


@pytest.mark.parametrize("operation", ["update", "merge"])
def test_batch_changes_what_is_there_and_reports_the_rest(broker: TestClient[Any], operation: str) -> None:
    broker.post(f"{BATCH}/create", json=rooms(2))
    assert broker.post(f"{BATCH}/{operation}", json=rooms(2, value=5)).status_code == 204
    answer = broker.post(f"{BATCH}/{operation}", json=rooms(3, value=6))
    assert answer.status_code == 207
    assert [each["entityId"] for each in answer.json()["errors"]] == ["urn:ngsi-ld:Room:2"]
    assert value(broker, 1) == 6


def test_batch_delete_reports_what_is_not_there(broker: TestClient[Any]) -> None:
    broker.post(f"{BATCH}/create", json=rooms(2))
    answer = broker.post(f"{BATCH}/delete", json=[room["id"] for room in rooms(3)])
    assert answer.status_code == 207
    assert answer.json()["success"] == [room["id"] for room in rooms(2)]
    assert broker.get("/entities/urn:ngsi-ld:Room:0").status_code == 404


@pytest.mark.parametrize("operation", ["create", "upsert", "update", "merge", "delete"])
@pytest.mark.parametrize("body", [[], [None], {}, "x"])
def test_batch_without_items_is_refused(broker: TestClient[Any], operation: str, body: Any) -> None:
    assert broker.post(f"{BATCH}/{operation}", json=body).status_code == 400


def test_batch_of_too_many_is_refused(broker: TestClient[Any]) -> None:
    answer = broker.post(f"{BATCH}/delete", json=["urn:a:b"] * 10_001)
    assert answer.status_code == 400
    assert "broker.batch_is_too_large" not in answer.text
    assert "10000" in answer.json()["detail"].replace(",", "")


def test_every_write_is_in_the_history(broker: TestClient[Any], city: City) -> None:
    broker.post(f"{BATCH}/upsert", json=rooms(2))
    broker.post(f"{BATCH}/upsert", json=rooms(2, value=2))
    broker.patch("/entities/urn:ngsi-ld:Room:0/attrs/temperature", json={"value": 3})
    broker.delete("/entities/urn:ngsi-ld:Room:0")
    history.spread(city)
    with city.transaction(System("broker")) as tx:
        rows = tx.all("select entity_no, number, removed from broker.observations order by entity_no, observation_no")
        assert tx.get("select count(*) as n from broker.writes").n == 0
        assert tx.get("select entity_id from broker.departed").entity_id == "urn:ngsi-ld:Room:0"
    first = rows[0].entity_no
    mine = [(row.number, row.removed) for row in rows if row.entity_no == first]
    assert sorted(mine, key=str) == [(1.0, False), (2.0, False), (3.0, False), (None, True)]


def test_history_takes_numbers_and_times_of_any_size(broker: TestClient[Any], city: City) -> None:
    values: list[Any] = [10**25, -(10**18), 1.5e300, 0.1]
    body = [
        {
            "id": f"urn:a:{at}",
            "type": "T",
            "p": {"type": "Property", "value": value, "observedAt": "2026-01-01T00:00:00,123456789Z"},
        }
        for at, value in enumerate(values)
    ]
    answer = broker.post(f"{BATCH}/upsert", json=body)
    assert answer.status_code == 201, answer.text
    history.spread(city)
    with city.transaction(System("broker")) as tx:
        assert tx.get("select count(*) as n from broker.observations").n == len(values)
    assert broker.patch("/entities/urn:a:0/attrs/p", json={"value": 10**26}).status_code == 204
    huge = b'[{"id": "urn:a:9", "type": "T", "p": 1e999}]'
    answer = broker.post(f"{BATCH}/upsert", content=huge, headers={"content-type": "application/json"})
    assert answer.status_code in (207, 400)

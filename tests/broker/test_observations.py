"""Observations in bulk: the history has all of them, the present value is the last one."""

from typing import Any

import pytest
from litestar.testing import TestClient

PATH = "/temporal/entityOperations/observations"
ROOM = "urn:a:room"


def row(number: float, minute: int, entity_id: str = ROOM, *more: str) -> list[Any]:
    return [entity_id, "temperature", number, f"2026-04-01T09:0{minute}:00Z", *more]


@pytest.fixture
def room(broker: TestClient[Any]) -> TestClient[Any]:
    given = {"type": "Property", "value": 1, "observedAt": "2026-04-01T09:01:00Z"}
    assert broker.post("/entities", json={"id": ROOM, "type": "Room", "temperature": given}).status_code == 201
    return broker


def present(http: TestClient[Any]) -> Any:
    return http.get(f"/entities/{ROOM}").json()["temperature"]


def history(http: TestClient[Any]) -> list[Any]:
    found = http.get(f"/temporal/entities/{ROOM}?timerel=after&timeAt=2026-01-01T00:00:00Z").json()
    return [each["value"] for each in found["temperature"]]


def test_observations_are_history_and_the_last_is_present(room: TestClient[Any]) -> None:
    body = {"observations": [row(4, 4, ROOM, "CEL"), row(2.5, 2), row(3, 3)]}
    assert room.post(PATH, json=body).status_code == 204
    assert history(room) == [1, 2.5, 3, 4]
    found = present(room)
    assert (found["value"], found["observedAt"][:19], found["unitCode"]) == (4, "2026-04-01T09:04:00", "CEL")


def test_late_observation_does_not_change_the_present(room: TestClient[Any]) -> None:
    assert room.post(PATH, json={"observations": [row(9, 0)]}).status_code == 204
    assert present(room)["value"] == 1
    assert history(room) == [9, 1]


def test_unknown_entity_is_named_and_the_others_are_stored(room: TestClient[Any]) -> None:
    answer = room.post(PATH, json={"observations": [row(2, 2), row(7, 2, "urn:a:none")]})
    assert answer.status_code == 207
    assert answer.json()["success"] == [ROOM]
    assert [each["entityId"] for each in answer.json()["errors"]] == ["urn:a:none"]
    assert present(room)["value"] == 2


@pytest.mark.parametrize(
    "rows",
    [[], 1, [1], [[ROOM]], [row("x", 1)], [row(True, 1)], [[ROOM, "t", 1, "now"]], [[1, "t", 1, "now"]]],  # type: ignore[arg-type]
)
def test_rows_that_cannot_be_read_are_refused(room: TestClient[Any], rows: Any) -> None:
    assert room.post(PATH, json={"observations": rows}).status_code == 400
    assert history(room) == [1]

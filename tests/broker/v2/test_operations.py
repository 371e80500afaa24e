"""`/v2/op/update` and `/v2/op/notify`: many entities in one call."""

from typing import Any

import pytest
from litestar.testing import TestClient

Http = TestClient[Any]


def entity(name: str, **attrs: Any) -> dict[str, Any]:
    return {"id": name, "type": "T", **{key: {"value": value} for key, value in attrs.items()}}


@pytest.fixture
def two(v2: Http) -> Http:
    assert update(v2, "append", entity("a", x=1, y=1), entity("b", x=2)).status_code == 204
    return v2


def update(v2: Http, action: str, *entities: Any, options: str = "") -> Any:
    return v2.post(f"/op/update?options={options}", json={"actionType": action, "entities": entities})


def seen(v2: Http) -> dict[str, Any]:
    return {
        each.pop("id"): {name: value for name, value in each.items() if name != "type"}
        for each in v2.get("/entities?options=keyValues").json()
    }


def test_append_creates_and_widens(two: Http) -> None:
    assert update(two, "append", entity("a", x=5, z=9), entity("c")).status_code == 204
    assert seen(two) == {"a": {"x": 5, "y": 1, "z": 9}, "b": {"x": 2}, "c": {}}


def test_append_strict_leaves_what_is_there(two: Http) -> None:
    reply = update(two, "appendStrict", entity("a", x=5, z=9), entity("c", x=1))
    assert (reply.status_code, reply.json()["error"]) == (422, "Unprocessable")
    assert seen(two) == {"a": {"x": 1, "y": 1, "z": 9}, "b": {"x": 2}, "c": {"x": 1}}


def test_update_changes_what_is_there_and_tells_the_first_error(two: Http) -> None:
    assert update(two, "update", entity("a", x=7)).status_code == 204
    reply = update(two, "update", entity("nobody", x=1), entity("a", x=8))
    assert (reply.status_code, reply.json()["error"]) == (404, "NotFound")
    reply = update(two, "update", entity("b", x=3, q=1))
    assert (reply.status_code, reply.json()["error"]) == (422, "Unprocessable")
    assert seen(two) == {"a": {"x": 8, "y": 1}, "b": {"x": 3}}


def test_replace_leaves_nothing_else(two: Http) -> None:
    assert update(two, "replace", entity("a", z=1)).status_code == 204
    assert seen(two) == {"a": {"z": 1}, "b": {"x": 2}}
    assert update(two, "replace", entity("nobody", z=1)).status_code == 404


def test_delete_takes_attributes_or_all(two: Http) -> None:
    assert update(two, "delete", {"id": "a", "type": "T", "x": {}}, entity("b")).status_code == 204
    assert seen(two) == {"a": {"y": 1}}
    assert update(two, "delete", {"id": "a", "type": "Other"}).status_code == 404
    assert update(two, "delete", {"id": "a", "type": "T", "x": {}}).status_code == 404
    assert seen(two) == {"a": {"y": 1}}


def test_key_values_and_old_names_of_actions_are_read(v2: Http) -> None:
    assert update(v2, "APPEND", {"id": "a", "type": "T", "x": 1}, options="keyValues").status_code == 204
    assert seen(v2) == {"a": {"x": 1}}


@pytest.mark.parametrize(
    "body",
    [{}, {"actionType": "explode", "entities": [{"id": "a"}]}, {"actionType": "append", "entities": []}, [], {"x": 1}],
    ids=str,
)
def test_update_that_breaks_a_rule_is_a_bad_request(v2: Http, body: Any) -> None:
    assert v2.post("/op/update", json=body).json()["error"] == "BadRequest"


def test_other_type_of_a_known_id_is_unprocessable(two: Http) -> None:
    assert update(two, "append", {"id": "a", "type": "Other"}).status_code == 422
    assert update(two, "update", {"id": "a", "type": "Other", "x": {"value": 1}}).status_code == 404


def test_entity_in_another_service_path_is_not_the_one_that_is_meant(two: Http) -> None:
    body = {"actionType": "update", "entities": [entity("a", x=5)]}
    assert two.post("/op/update", json=body, headers={"fiware-servicepath": "/Rome"}).status_code == 404
    assert two.post("/op/update", json=body, headers={"fiware-servicepath": "/"}).status_code == 204
    body = {"actionType": "delete", "entities": [{"id": "a", "type": "T"}]}
    assert two.post("/op/update", json=body, headers={"fiware-servicepath": "/Rome"}).status_code == 404
    assert seen(two) == {"a": {"x": 5, "y": 1}, "b": {"x": 2}}


def test_notification_of_another_broker_is_appended(two: Http) -> None:
    body = {"subscriptionId": "5aeb0ee97d4ef10a12a0262f", "data": [entity("a", x=9), entity("d", x=1)]}
    assert two.post("/op/notify", json=body).status_code == 200
    assert seen(two) == {"a": {"x": 9, "y": 1}, "b": {"x": 2}, "d": {"x": 1}}
    assert two.post("/op/notify", json={"data": []}).status_code == 400

"""Entities through `/v2`: made, read, changed and deleted, by the rules of the specification of NGSIv2."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.ngsi_v2.errors import (
    AttributesAreMissing,
    AttributesExist,
    NotBuilt,
    RegistrationNotFound,
    RequestIsNoNgsiV2,
)

Http = TestClient[Any]
ROOM: dict[str, Any] = {
    "id": "Room1",
    "type": "Room",
    "temperature": {"value": 21.5, "type": "Number", "metadata": {"accuracy": {"value": 0.5, "type": "Number"}}},
    "colour": {"value": "red", "type": "Text", "metadata": {}},
}


@pytest.fixture
def room(v2: Http) -> Http:
    assert v2.post("/entities", json=ROOM).status_code == 201
    return v2


def error_of(reply: Any) -> tuple[int, str]:
    assert reply.json().keys() == {"error", "description"}
    return reply.status_code, reply.json()["error"]


def test_entity_is_created_and_read_back(v2: Http) -> None:
    reply = v2.post("/entities", json=ROOM)
    assert (reply.status_code, reply.content) == (201, b"")
    assert reply.headers["location"] == "/v2/entities/Room1?type=Room"
    assert v2.get("/entities/Room1").json() == ROOM
    assert v2.get("/entities/Room1/attrs").json() == {name: ROOM[name] for name in ("temperature", "colour")}


def test_defaults_fill_what_is_left_out(v2: Http) -> None:
    v2.post("/entities", json={"id": "a", "n": {"value": 1}, "b": {"value": True}, "o": {"value": {"x": [1]}}, "z": {}})
    found = v2.get("/entities/a").json()
    assert found["type"] == "Thing"
    assert {name: found[name]["type"] for name in ("n", "b", "o", "z")} == {
        "n": "Number",
        "b": "Boolean",
        "o": "StructuredValue",
        "z": "None",
    }
    assert found["z"] == {"type": "None", "value": None, "metadata": {}}


def test_entity_exists_already_is_unprocessable_unless_upsert(room: Http) -> None:
    assert error_of(room.post("/entities", json=ROOM)) == (422, "Unprocessable")
    more = {"id": "Room1", "type": "Room", "colour": {"value": "blue"}, "size": {"value": 3}}
    assert room.post("/entities?options=upsert", json=more).status_code == 204
    found = room.get("/entities/Room1?options=keyValues").json()
    assert found == {"id": "Room1", "type": "Room", "temperature": 21.5, "colour": "blue", "size": 3}
    assert room.post("/entities?options=upsert", json={"id": "Room2", "type": "Room"}).status_code == 201
    assert error_of(room.post("/entities?options=upsert", json={"id": "Room1", "type": "Hall"}))[0] == 422


def test_representations_are_simplified(room: Http) -> None:
    assert room.get("/entities/Room1?options=keyValues").json() == {
        "id": "Room1",
        "type": "Room",
        "temperature": 21.5,
        "colour": "red",
    }
    assert room.get("/entities/Room1?options=values&attrs=colour,temperature").json() == ["red", 21.5]
    room.post("/entities/Room1/attrs?options=keyValues", json={"other": "red"})
    assert room.get("/entities/Room1?options=unique&attrs=colour,other,temperature").json() == ["red", 21.5]
    assert room.get("/entities?options=keyValues,count").headers["fiware-total-count"] == "1"


def test_builtin_attributes_and_metadata_are_shown_on_demand(room: Http) -> None:
    found = room.get("/entities/Room1?attrs=dateCreated,colour,servicePath&metadata=dateModified,*").json()
    assert found.keys() == {"id", "type", "dateCreated", "colour", "servicePath"}
    assert found["dateCreated"]["type"] == "DateTime"
    assert found["dateCreated"]["value"].endswith("Z")
    assert found["servicePath"]["value"] == "/"
    assert found["colour"]["metadata"].keys() == {"dateModified"}
    found = room.get("/entities/Room1?attrs=*,dateModified&metadata=accuracy").json()
    assert found.keys() == {"id", "type", "temperature", "colour", "dateModified"}
    assert found["temperature"]["metadata"].keys() == {"accuracy"}
    assert found["colour"]["metadata"] == {}


def test_append_updates_and_adds_and_strictly_adds_only(room: Http) -> None:
    assert room.post("/entities/Room1/attrs", json={"colour": {"value": "blue"}, "a": {"value": 1}}).status_code == 204
    reply = room.post("/entities/Room1/attrs?options=append", json={"colour": {"value": "x"}, "b": {"value": 2}})
    assert error_of(reply) == (422, "Unprocessable")
    assert "colour" in reply.json()["description"]
    found = room.get("/entities/Room1?options=keyValues").json()
    assert (found["colour"], found["a"], found["b"]) == ("blue", 1, 2)
    assert AttributesExist.code == "broker.attributes_exist"


def test_update_changes_only_what_is_there(room: Http) -> None:
    reply = room.patch("/entities/Room1/attrs", json={"colour": {"value": "blue"}, "size": {"value": 1}})
    assert error_of(reply) == (422, "Unprocessable")
    assert reply.json()["description"].startswith("These attributes do not exist: size.")
    assert room.get("/entities/Room1?options=keyValues").json()["colour"] == "blue"
    assert AttributesAreMissing.code == "broker.attributes_are_missing"


def test_replace_leaves_nothing_else(room: Http) -> None:
    assert room.put("/entities/Room1/attrs", json={"size": {"value": 3}}).status_code == 204
    assert room.get("/entities/Room1?options=keyValues").json() == {"id": "Room1", "type": "Room", "size": 3}


def test_metadata_stay_unless_overridden(room: Http) -> None:
    accuracy = ROOM["temperature"]["metadata"]["accuracy"]
    room.patch("/entities/Room1/attrs", json={"temperature": {"value": 22, "metadata": {"by": {"value": "x"}}}})
    found = room.get("/entities/Room1/attrs/temperature").json()
    assert found == {
        "type": "Number",
        "value": 22,
        "metadata": {"accuracy": accuracy, "by": {"type": "Text", "value": "x"}},
    }
    room.put("/entities/Room1/attrs/temperature?options=overrideMetadata", json={"value": 23})
    assert room.get("/entities/Room1/attrs/temperature").json() == {"type": "Number", "value": 23, "metadata": {}}


def test_one_attribute_is_read_replaced_and_removed(room: Http) -> None:
    assert room.get("/entities/Room1/attrs/temperature").json() == ROOM["temperature"]
    assert room.put("/entities/Room1/attrs/colour", json={"value": "a", "type": "Colour"}).status_code == 204
    assert room.get("/entities/Room1/attrs/colour").json() == {"type": "Colour", "value": "a", "metadata": {}}
    assert room.delete("/entities/Room1/attrs/colour").status_code == 204
    for reply in (
        room.get("/entities/Room1/attrs/colour"),
        room.delete("/entities/Room1/attrs/colour"),
        room.put("/entities/Room1/attrs/colour", json={"value": 1}),
    ):
        assert error_of(reply) == (404, "NotFound")


@pytest.mark.parametrize(
    ("sent", "value"),
    [('"x"', "x"), ("12.5", 12.5), ("true", True), ("null", None)],
)
def test_value_is_read_and_written_as_text(room: Http, sent: str, value: Any) -> None:
    path = "/entities/Room1/attrs/temperature/value"
    assert room.put(path, content=sent, headers={"content-type": "text/plain"}).status_code == 204
    reply = room.get(path)
    assert (reply.headers["content-type"], reply.text) == ("text/plain", sent)
    found = room.get("/entities/Room1/attrs/temperature").json()
    assert (found["value"], found["type"]) == (value, "Number")
    assert found["metadata"] == ROOM["temperature"]["metadata"]
    assert error_of(room.get(path, headers={"accept": "application/json"})) == (406, "NotAcceptable")


def test_value_that_is_an_object_is_json(room: Http) -> None:
    path = "/entities/Room1/attrs/colour/value"
    assert room.put(path, json={"r": 1, "list": [1, 2]}).status_code == 204
    assert room.get(path).json() == {"r": 1, "list": [1, 2]}
    assert room.get(path, headers={"accept": "text/plain"}).headers["content-type"] == "text/plain"
    assert error_of(room.put(path, json="text"))[0] == 400
    assert error_of(room.put(path, content="red", headers={"content-type": "text/plain"})) == (400, "ParseError")


def test_entity_is_deleted(room: Http) -> None:
    assert error_of(room.delete("/entities/Room1?type=Hall")) == (404, "NotFound")
    assert room.delete("/entities/Room1?type=Room").status_code == 204
    assert error_of(room.get("/entities/Room1")) == (404, "NotFound")
    assert error_of(room.delete("/entities/Room1")) == (404, "NotFound")


def test_times_are_utc_with_milliseconds(v2: Http) -> None:
    times = {"a": "2026-04-01T09:00:00+09:00", "b": "2026-04-01", "c": "2026-04-01T09:00:00.1234Z"}
    v2.post("/entities", json={"id": "t", **{name: {"type": "DateTime", "value": at} for name, at in times.items()}})
    assert v2.get("/entities/t?options=values&attrs=a,b,c").json() == [
        "2026-04-01T00:00:00.000Z",
        "2026-04-01T00:00:00.000Z",
        "2026-04-01T09:00:00.123Z",
    ]
    wrong = {"id": "u", "a": {"type": "DateTime", "value": "tomorrow"}}
    assert error_of(v2.post("/entities", json=wrong)) == (400, "BadRequest")


def test_expired_entity_is_gone(v2: Http) -> None:
    v2.post("/entities", json={"id": "e", "dateExpires": {"type": "DateTime", "value": "2020-01-01T00:00:00Z"}})
    assert v2.get("/entities/e").status_code == 404
    v2.post("/entities", json={"id": "f", "dateExpires": {"type": "DateTime", "value": "2999-01-01T00:00:00Z"}})
    found = v2.get("/entities/f?attrs=dateExpires&options=keyValues").json()
    assert found == {"id": "f", "type": "Thing", "dateExpires": "2999-01-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    "entity",
    [
        {"type": "T"},
        {"id": ""},
        {"id": "a b"},
        {"id": "a/b"},
        {"id": "a?b"},
        {"id": "é"},
        {"id": "x" * 257},
        {"id": "a<b"},
        {"id": "a", "type": "T#"},
        {"id": "a", "type": 5},
        {"id": "a", "geo:distance": {"value": 1}},
        {"id": "a", "*": {"value": 1}},
        {"id": "a", "b&": {"value": 1}},
        {"id": "a", "b": {"value": "x;y"}},
        {"id": "a", "b": {"value": {"k(": 1}}},
        {"id": "a", "b": {"value": 1, "type": "a b"}},
        {"id": "a", "b": {"value": 1, "unit": "C"}},
        {"id": "a", "b": {"value": 1, "metadata": []}},
        {"id": "a", "b": {"value": 1, "metadata": {"*": {"value": 1}}}},
        {"id": "a", "b": {"value": 1, "metadata": {"m": {"value": 1, "metadata": {}}}}},
        {"id": "a", "b": 5},
        {"id": "a", "b": {"type": "geo:point", "value": "91, 200"}},
        {"id": "a", "b": {"type": "geo:point", "value": {"x": 1}}},
        {"id": "a", "b": {"type": "geo:polygon", "value": ["0,0", "0,1", "1,1", "2,2"]}},
        {"id": "a", "b": {"type": "geo:box", "value": ["0,0"]}},
        {"id": "a", "b": {"type": "geo:json", "value": {"type": "Point", "coordinates": ["x", 1]}}},
        [],
    ],
    ids=str,
)
def test_entity_that_breaks_a_rule_is_a_bad_request(v2: Http, entity: Any) -> None:
    assert error_of(v2.post("/entities", json=entity)) == (400, "BadRequest")
    assert RequestIsNoNgsiV2.code == "broker.request_is_no_ngsi_v2"


def test_text_unrestricted_may_hold_anything(v2: Http) -> None:
    v2.post("/entities", json={"id": "a", "b": {"type": "TextUnrestricted", "value": "<a href='x'>(=;)</a>"}})
    assert v2.get("/entities/a/attrs/b").json()["value"] == "<a href='x'>(=;)</a>"


def test_http_errors_are_those_of_ngsi_v2(v2: Http) -> None:
    json = {"content-type": "application/json"}
    assert error_of(v2.post("/entities", content="{", headers=json)) == (400, "ParseError")
    assert error_of(v2.post("/entities", content="a", headers={"content-type": "text/xml"})) == (
        415,
        "UnsupportedMediaType",
    )
    assert error_of(v2.put("/entities", content="{}", headers=json)) == (405, "MethodNotAlowed")
    assert error_of(v2.get("/nothing")) == (404, "NotFound")
    assert error_of(v2.get("/entities", headers={"accept": "text/xml"})) == (406, "NotAcceptable")
    assert error_of(v2.get("/entities?nothing=1")) == (400, "BadRequest")
    assert error_of(v2.get("/entities?options=nothing")) == (400, "BadRequest")
    assert error_of(v2.get("/entities?limit=0")) == (400, "BadRequest")
    assert error_of(v2.get("/entities?limit=1001")) == (400, "BadRequest")
    assert v2.get("/entities", headers={"fiware-correlator": "abc"}).headers["fiware-correlator"] == "abc"


def test_entry_points_name_the_resources(v2: Http) -> None:
    assert v2.get("").json()["entities_url"] == "/v2/entities"
    v2.base_url = v2.base_url.join("/")
    found = v2.get("/version").json()
    assert found["sanpo"]["ngsi"] == ["v2", "ld"]
    assert found["orion"]["version"] == "3.11.0"


def test_registrations_are_answered_honestly(v2: Http) -> None:
    assert v2.get("/registrations").json() == []
    assert error_of(v2.post("/registrations", json={})) == (501, "NotImplemented")
    assert error_of(v2.get("/registrations/abc")) == (404, "NotFound")
    assert (NotBuilt.code, RegistrationNotFound.code) == ("broker.not_built", "broker.v2_registration_not_found")

"""List Entities, `/v2/op/query` and `/v2/types`."""

from typing import Any

import pytest
from litestar.testing import TestClient

Http = TestClient[Any]


@pytest.fixture
def city_of_rooms(v2: Http) -> Http:
    """Rooms 1 to 4, warmer and further north one by one, and a car."""
    for number in range(1, 5):
        room = {
            "id": f"Room{number}",
            "type": "Room",
            "temperature": {"value": 20 + number, "metadata": {"accuracy": {"value": number / 10}}},
            "name": {"value": f"room, {number}"},
            "at": {"type": "DateTime", "value": f"2026-04-0{number}T00:00:00Z"},
            "place": {"type": "geo:point", "value": f"{35 + number}, 139"},
            "floor": {"type": "Relationship", "value": f"Floor{number % 2}"},
        }
        path = {"fiware-servicepath": "/Madrid" if number < 3 else "/Madrid/Gardens"}
        assert v2.post("/entities", json=room, headers=path).status_code == 201
    v2.post("/entities", json={"id": "Car-1", "type": "Car", "speed": {"value": 50}, "tags": {"value": ["a", "b"]}})
    return v2


def ids(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [each["id"] for each in reply.json()]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["Room1", "Room2", "Room3", "Room4", "Car-1"]),
        ({"id": "Room2,Car-1,None"}, ["Room2", "Car-1"]),
        ({"type": "Car"}, ["Car-1"]),
        ({"type": "Car,Room", "limit": "2", "offset": "3"}, ["Room4", "Car-1"]),
        ({"idPattern": "^Room[12]$"}, ["Room1", "Room2"]),
        ({"idPattern": ".*", "typePattern": "^Ca"}, ["Car-1"]),
        ({"q": "temperature>22"}, ["Room3", "Room4"]),
        ({"q": "temperature==21..22;!speed"}, ["Room1", "Room2"]),
        ({"q": "name=='room, 1','room, 2'"}, ["Room1", "Room2"]),
        ({"q": "tags==b"}, ["Car-1"]),
        ({"q": "at>=2026-04-03T00:00:00Z"}, ["Room3", "Room4"]),
        ({"q": "floor==Floor1"}, ["Room1", "Room3"]),
        ({"q": "floor!=Floor1"}, ["Room2", "Room4"]),
        ({"q": "speed:50"}, ["Car-1"]),
        ({"mq": "temperature.accuracy<0.3"}, ["Room1", "Room2"]),
        ({"orderBy": "!temperature", "type": "Room"}, ["Room4", "Room3", "Room2", "Room1"]),
        ({"orderBy": "!id", "limit": "2"}, ["Room4", "Room3"]),
        ({"orderBy": "dateCreated,!temperature", "type": "Room", "limit": "1"}, ["Room4"]),
        ({"georel": "near;maxDistance:1000", "geometry": "point", "coords": "37,139"}, ["Room2"]),
        ({"georel": "near;minDistance:150000", "geometry": "point", "coords": "37,139"}, ["Room4"]),
        ({"georel": "coveredBy", "geometry": "box", "coords": "36.5,138;38.5,140"}, ["Room2", "Room3"]),
        ({"georel": "disjoint", "geometry": "box", "coords": "36.5,138;38.5,140"}, ["Room1", "Room4"]),
    ],
    ids=str,
)
def test_query_finds_what_is_asked_for(city_of_rooms: Http, asked: dict[str, str], expected: list[str]) -> None:
    reply = city_of_rooms.get("/entities", params={**asked, "options": "count"})
    assert ids(reply) == expected
    if "limit" not in asked:
        assert reply.headers["fiware-total-count"] == str(len(expected))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Madrid", ["Room1", "Room2"]),
        ("/Madrid/#", ["Room1", "Room2", "Room3", "Room4"]),
        ("/Madrid/Gardens,/", ["Room3", "Room4", "Car-1"]),
        ("/", ["Car-1"]),
        ("/#", ["Room1", "Room2", "Room3", "Room4", "Car-1"]),
        ("/Rome", []),
    ],
)
def test_service_path_narrows(city_of_rooms: Http, path: str, expected: list[str]) -> None:
    assert ids(city_of_rooms.get("/entities", headers={"fiware-servicepath": path})) == expected


def test_service_path_narrows_one_entity_too(city_of_rooms: Http) -> None:
    here, there = {"fiware-servicepath": "/Madrid"}, {"fiware-servicepath": "/Rome"}
    assert city_of_rooms.get("/entities/Room1", headers=here).status_code == 200
    assert city_of_rooms.get("/entities/Room1", headers=there).status_code == 404
    assert city_of_rooms.patch("/entities/Room1/attrs", json={"a": {}}, headers=there).status_code == 404
    assert city_of_rooms.delete("/entities/Room1", headers=there).status_code == 404
    assert city_of_rooms.delete("/entities/Room1", headers=here).status_code == 204


@pytest.mark.parametrize("path", ["Madrid", "/a b", "/" + "/".join("abcdefghijk"), "/a,/b,/c,/d,/e,/f,/g,/h,/i,/j,/k"])
def test_service_path_that_is_none_is_refused(v2: Http, path: str) -> None:
    assert v2.get("/entities", headers={"fiware-servicepath": path}).status_code == 400


def test_service_path_of_something_new_is_one(v2: Http) -> None:
    for path in ("/a/#", "/a,/b"):
        assert v2.post("/entities", json={"id": "a"}, headers={"fiware-servicepath": path}).status_code == 400


def test_distance_orders(city_of_rooms: Http) -> None:
    for number in (1, 2, 3):
        city_of_rooms.post(
            f"/entities/Room{number}/attrs", json={"location": {"type": "geo:point", "value": f"{number},0"}}
        )
        label = {"defaultLocation": {"value": True}}
        city_of_rooms.post(
            f"/entities/Room{number}/attrs",
            json={"location": {"type": "geo:point", "value": f"{number}, 0", "metadata": label}},
        )
    near = {"georel": "near;maxDistance:900000", "geometry": "point", "coords": "3,0"}
    found = city_of_rooms.get("/entities", params={**near, "orderBy": "geo:distance", "options": "count"})
    assert ids(found) == ["Room3", "Room2", "Room1"]
    assert city_of_rooms.get("/entities", params={"orderBy": "geo:distance"}).status_code == 400


def test_default_location_decides_among_places(v2: Http) -> None:
    there = {"type": "geo:point", "value": "10, 10", "metadata": {"defaultLocation": {"value": True}}}
    v2.post("/entities", json={"id": "a", "location": {"type": "geo:point", "value": "0, 0"}, "home": there})
    near = {"georel": "near;maxDistance:1000", "geometry": "point"}
    assert ids(v2.get("/entities", params={**near, "coords": "10,10"})) == ["a"]
    assert ids(v2.get("/entities", params={**near, "coords": "0,0"})) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"id": "a", "idPattern": "b"},
        {"type": "a", "typePattern": "b"},
        {"q": "a=="},
        {"q": "a==null"},
        {"mq": "a"},
        {"georel": "near", "geometry": "point", "coords": "1,1"},
        {"georel": "coveredBy", "geometry": "circle", "coords": "1,1"},
        {"georel": "coveredBy", "geometry": "box"},
        {"idPattern": "("},
        {"offset": "-1"},
        {"orderBy": "type"},
    ],
    ids=str,
)
def test_query_that_cannot_be_read_is_a_bad_request(v2: Http, asked: dict[str, str]) -> None:
    reply = v2.get("/entities", params=asked)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")


def test_query_by_body_finds_the_same(city_of_rooms: Http) -> None:
    body = {
        "entities": [{"idPattern": ".*", "type": "Room"}, {"id": "Car-1"}],
        "expression": {"q": "temperature<23"},
        "attrs": ["temperature", "dateCreated"],
        "metadata": ["accuracy"],
    }
    reply = city_of_rooms.post("/op/query?options=count&orderBy=!temperature", json=body)
    assert ids(reply) == ["Room2", "Room1"]
    assert reply.headers["fiware-total-count"] == "2"
    assert reply.json()[0].keys() == {"id", "type", "temperature", "dateCreated"}
    city_of_rooms.post("/entities", json={"id": "a,b", "type": "Pair"})
    assert ids(city_of_rooms.post("/op/query", json={"entities": [{"id": "a,b"}]})) == ["a,b"]
    city_of_rooms.delete("/entities/a,b")
    assert ids(city_of_rooms.post("/op/query", json={})) == ["Room1", "Room2", "Room3", "Room4", "Car-1"]
    keys = city_of_rooms.post("/op/query?options=keyValues", json={"entities": [{"type": "Car"}], "attrs": ["speed"]})
    assert keys.json() == [{"id": "Car-1", "type": "Car", "speed": 50}]


@pytest.mark.parametrize(
    "body",
    [[], {"entities": []}, {"entities": [{}]}, {"entities": [{"id": 1}]}, {"expression": {"x": "y"}}, {"scopes": []}],
    ids=str,
)
def test_query_body_that_breaks_a_rule_is_a_bad_request(v2: Http, body: Any) -> None:
    assert v2.post("/op/query", json=body).status_code == 400


def test_types_are_listed_with_their_attributes(city_of_rooms: Http) -> None:
    city_of_rooms.post("/entities", json={"id": "Car-2", "type": "Car", "speed": {"value": "fast"}})
    reply = city_of_rooms.get("/types?options=count")
    assert reply.headers["fiware-total-count"] == "2"
    car, room = reply.json()
    assert car == {
        "type": "Car",
        "attrs": {"speed": {"types": ["Number", "Text"]}, "tags": {"types": ["StructuredValue"]}},
        "count": 2,
    }
    assert {name: each["types"] for name, each in room["attrs"].items()} == {
        "temperature": ["Number"],
        "name": ["Text"],
        "at": ["DateTime"],
        "place": ["geo:point"],
        "floor": ["Relationship"],
    }
    assert city_of_rooms.get("/types?options=values").json() == ["Car", "Room"]
    assert city_of_rooms.get("/types?options=noAttrDetail&limit=1").json()[0]["attrs"]["speed"] == {"types": []}
    assert city_of_rooms.get("/types/Car").json() == {"attrs": car["attrs"], "count": 2}
    assert city_of_rooms.get("/types/None").json()["error"] == "NotFound"
    assert city_of_rooms.get("/types", headers={"fiware-service": "nowhere"}).json() == []

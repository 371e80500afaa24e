"""Evolutions of entities, by clause of ETSI GS CIM 009 (§4.5.6 to §4.5.9, §4.11, §4.5.19, §5.2.21, §5.7.3, §5.7.4)."""

from typing import Any

import pytest
from litestar.testing import TestClient

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
DAY = "2026-03-01T"
WINDOW = f"timerel=between&timeAt={DAY}00:00:00Z&endTimeAt=2026-03-02T00:00:00Z"


def at(time: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": f"{DAY}{time}:00Z", **more}


TRUCKS: list[dict[str, Any]] = [
    {
        "id": "urn:t:1",
        "type": "Truck",
        "speed": [at("12:03", 30), at("12:05", 90)],
        "label": {"type": "LanguageProperty", "languageMap": {"en": "hi"}, "observedAt": f"{DAY}12:00:00Z"},
        "menu": {"type": "JsonProperty", "json": {"a": 1}, "observedAt": f"{DAY}12:00:00Z"},
        "kind": {"type": "VocabProperty", "vocab": "big", "observedAt": f"{DAY}12:00:00Z"},
        "depths": {"type": "ListProperty", "valueList": [1.5, 2], "observedAt": f"{DAY}12:00:00Z"},
        "route": {"type": "ListRelationship", "objectList": ["urn:r:1"], "observedAt": f"{DAY}12:00:00Z"},
    },
    {"id": "urn:t:2", "type": "Truck", "name": at("12:00", "m"), "tags": at("12:00", ["a", "b"])},
]


@pytest.fixture
def trucks(broker: TestClient[Any]) -> TestClient[Any]:
    for truck in TRUCKS:
        assert broker.post("/temporal/entities", json=truck).status_code == 201
    return broker


def test_simplified_evolution_has_pairs_as_each_type_is_written(trucks: TestClient[Any]) -> None:
    """4.5.9"""
    answer = trucks.get("/temporal/entities/urn:t:1?options=temporalValues").json()
    noon = f"{DAY}12:00:00Z"
    assert answer == {
        "id": "urn:t:1",
        "type": "Truck",
        "speed": {"type": "Property", "values": [[30, f"{DAY}12:03:00Z"], [90, f"{DAY}12:05:00Z"]]},
        "label": {"type": "LanguageProperty", "languageMaps": [[{"languageMap": {"en": "hi"}}, noon]]},
        "menu": {"type": "JsonProperty", "jsons": [[{"json": {"a": 1}}, noon]]},
        "kind": {"type": "VocabProperty", "vocabs": [[{"vocab": "big"}, noon]]},
        "depths": {"type": "ListProperty", "valueLists": [[[1.5, 2], noon]]},
        "route": {"type": "ListRelationship", "objectLists": [[["urn:r:1"], noon]]},
    }


# timerel, timeAt, endTimeAt, the minutes of speed that are found: 4.11
BOUNDS = [
    ("after", "12:05:00Z", "", ["05"]),
    ("after", "12:05:00.000Z", "", ["05"]),
    ("before", "12:05:00Z", "", ["03"]),
    ("before", "12:05:00.000Z", "", ["03"]),
    ("between", "12:03:00Z", "12:05:00Z", ["03"]),
    ("between", "12:03:00.000Z", "12:05:00.000Z", ["03"]),
]


@pytest.mark.parametrize(("relation", "start", "end", "minutes"), BOUNDS)
def test_first_bound_is_in_and_last_is_out(
    trucks: TestClient[Any], relation: str, start: str, end: str, minutes: list[str]
) -> None:
    last = f"&endTimeAt={DAY}{end}" if end else ""
    answer = trucks.get(f"/temporal/entities?type=Truck&attrs=speed&timerel={relation}&timeAt={DAY}{start}{last}")
    assert [each["observedAt"][14:16] for each in answer.json()[0]["speed"]] == minutes


# temporalQ and the like of a body, what the answer holds (None: refused)
BODIES: list[tuple[dict[str, Any], str | None]] = [
    ({"temporalQ": {"lastN": 1}}, f"{DAY}12:05:00Z"),
    ({"temporalQ": {"lastN": 0}}, None),
    ({"temporalQ": {"lastN": 1.5}}, None),
    ({"temporalQ": {"timerel": "during"}}, None),
    ({"temporalQ": {"timerel": "between"}}, None),
    ({"temporalQ": {"timeproperty": "soonAt"}}, None),
    ({"temporalQ": {"aggrMethods": ["avg"]}}, '"avg":[[60,'),
    ({"temporalQ": {"aggrMethods": "avg"}}, '"avg":[[60,'),
    ({"temporalQ": {"aggrMethods": "avg", "aggrPeriodDuration": "1h"}}, None),
    ({"aggrParams": {"aggrMethods": ["avg"], "aggrPeriodDuration": "PT0S"}}, '"avg":[[60,'),
    ({"aggrParams": {"aggrMethods": ["mode"]}}, None),
]


@pytest.mark.parametrize(("body", "expected"), BODIES)
def test_posted_temporal_query_is_read_by_its_table(
    trucks: TestClient[Any], body: dict[str, Any], expected: str | None
) -> None:
    """5.2.21, 5.2.44"""
    time = {"timerel": "after", "timeAt": f"{DAY}12:00:00Z", **body.get("temporalQ", {})}
    query = {"type": "Query", "entities": [{"type": "Truck", "id": "urn:t:1"}], **body, "temporalQ": time}
    answer = trucks.post("/temporal/entityOperations/query", json=query)
    if expected is None:
        assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData"), answer.text
    else:
        assert answer.status_code == 200
        assert expected in answer.text


# condition, who fits: 5.7.4.4 and 4.9, on the instances of the span alone
FITTING = [
    ("speed>25", ["1"]), ("speed>95", []), ('name>"l"', ["2"]), ('name>"m"', []), ('name!="x"', ["2"]), ('tags=="a"', ["2"]),
    ('tags!="a"', []), ('tags!="c"', ["2"]), ('label[en]=="hi"', ["1"]), ('label[*]=="hi"', ["1"]), ("kind==big", []),
    ('name~="^m"|speed>25', ["1", "2"]), ("!tags;speed>25", ["1"]), ('(speed>25|name=="m");tags', ["2"]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "expected"), FITTING)
def test_condition_is_tested_on_the_instances_of_the_span(
    trucks: TestClient[Any], condition: str, expected: list[str]
) -> None:
    answer = trucks.get("/temporal/entities", params={"type": "Truck", "q": condition, **_window()})
    assert (answer.status_code, [each["id"][-1] for each in answer.json()]) == (200, expected)


def test_values_of_a_temporal_condition_are_expanded_where_asked(trucks: TestClient[Any]) -> None:
    """5.7.4.3"""
    answer = trucks.get(f"/temporal/entities?type=Truck&q=kind==big&expandValues=kind&{WINDOW}")
    assert [each["id"] for each in answer.json()] == ["urn:t:1"]


@pytest.mark.parametrize("order", ["id", "id;asc"])
def test_evolutions_can_be_ordered_by_id(trucks: TestClient[Any], order: str) -> None:
    """5.7.4.4"""
    answer = trucks.get("/temporal/entities", params={"type": "Truck", "orderBy": order, **_window()})
    assert [each["id"] for each in answer.json()] == ["urn:t:1", "urn:t:2"]


def test_deleted_instance_keeps_its_type(broker: TestClient[Any]) -> None:
    """4.5.7, 4.5.18"""
    truck = {
        "id": "urn:t:3",
        "type": "Truck",
        "label": {"type": "LanguageProperty", "languageMap": {"en": "hi"}},
        "parkedIn": {"type": "Relationship", "object": "urn:p:1"},
        "speed": {"type": "Property", "value": 3},
    }
    assert broker.post("/entities", json=truck).status_code == 201
    for name in ("label", "parkedIn", "speed"):
        assert broker.delete(f"/entities/urn:t:3/attrs/{name}").status_code == 204
    answer = broker.get("/temporal/entities/urn:t:3?timeproperty=deletedAt&timerel=after&timeAt=2000-01-01T00:00:00Z")
    shown = {
        name: {key: each for key, each in answer.json()[name][0].items() if key in _VALUES}
        for name in truck
        if name in _NAMES
    }
    assert shown == {
        "label": {"type": "LanguageProperty", "languageMap": {"@none": "urn:ngsi-ld:null"}},
        "parkedIn": {"type": "Relationship", "object": "urn:ngsi-ld:null"},
        "speed": {"type": "Property", "value": "urn:ngsi-ld:null"},
    }


_NAMES = ("label", "parkedIn", "speed")
_VALUES = ("type", "value", "object", "languageMap")


def _window() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in WINDOW.split("&"))  # type: ignore[misc]


CART: dict[str, Any] = {
    "id": "urn:c:1",
    "type": "Cart",
    "scope": [at("10:00", "/Park/North"), at("12:00", ["/Park/South", "/Depot"]), at("14:00", "/Street")],
    "load": [at("10:30", 1), at("11:30", 2), at("12:30", 3), at("14:30", 4)],
}

# scopeQ, the loads of the times in which it held (4.18, 4.19, 5.7.4.4)
HELD = [
    ("/Park/North", [1, 2]), ("/Park/#", [1, 2, 3]), ("/Park/+", [1, 2, 3]), ("/Depot", [3]), ("(/Depot;/Park/South)", [3]),
    ("(/Depot;/Street)", None), ("/Depot|/Street", [3, 4]), ("/#", [1, 2, 3, 4]), ("/Park", None), ("/Elsewhere", None),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "loads"), HELD)
def test_scope_selects_the_instances_of_the_times_in_which_itat(
    broker: TestClient[Any], condition: str, loads: list[int] | None
) -> None:
    assert broker.post("/temporal/entities", json=CART).status_code == 201
    query = {"type": "Cart", "scopeQ": condition, "attrs": "load", **_window()}
    answer = broker.get("/temporal/entities", params=query)
    assert answer.status_code == 200, answer.text
    found = [_values(each["load"]) for each in answer.json()]
    assert found == ([] if loads is None else [loads])


def test_scope_of_an_evolution_is_the_history_of_a_property(broker: TestClient[Any]) -> None:
    """4.5.6"""
    broker.post("/temporal/entities", json=CART)
    assert [_values([each])[0] for each in broker.get("/temporal/entities/urn:c:1").json()["scope"]] == [
        each["value"] for each in CART["scope"]
    ]
    mean = broker.get("/temporal/entities/urn:c:1?options=aggregatedValues&aggrMethods=max").json()
    assert "load" in mean
    assert mean["load"]["max"][0][0] == 4


def test_change_of_a_scope_is_told_by_its_history(broker: TestClient[Any]) -> None:
    broker.post("/entities", json={"id": "urn:c:2", "type": "Cart", "scope": "/Old"})
    broker.patch("/entities/urn:c:2", json={"scope": ["/New", "/Other"]})
    assert broker.delete("/entities/urn:c:2/attrs/scope").status_code == 204
    told = broker.get("/temporal/entities/urn:c:2").json()["scope"]
    assert sorted(map(str, _values(told))) == ["/Old", "['/New', '/Other']", "urn:ngsi-ld:null"]


@pytest.mark.parametrize("scope", [{"type": "Relationship", "object": "urn:x:1"}, [at("10:00", 5)], [at("soon", "/A")]])
def test_scope_that_is_no_property_of_scopes_is_refused(broker: TestClient[Any], scope: Any) -> None:
    answer = broker.post("/temporal/entities", json={**CART, "scope": scope})
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")


def _values(instances: Any) -> list[Any]:
    return [each["value"] for each in (instances if type(instances) is list else [instances])]

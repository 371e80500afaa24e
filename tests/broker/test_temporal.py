"""Histories over HTTP (ETSI GS CIM 009 §5.6.11 to §5.6.16, §5.7.3, §5.7.4, §4.11, §4.5.6 to §4.5.9, §4.5.19)."""

import json
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.temporal import evolutions
from sanpo.ground.clock import FixedClock

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
CAR = "urn:ngsi-ld:Vehicle:1"
PATH = f"/temporal/entities/{CAR}"
NOON = "2020-09-01T12:0{}:00Z"


def speeds(*numbers: float, unit: str | None = None, first: int = 1) -> list[dict[str, Any]]:
    """Instances a minute apart, from 12:01 on."""
    more = {} if unit is None else {"unitCode": unit}
    return [
        {"type": "Property", "value": number, "observedAt": NOON.format(minute), **more}
        for minute, number in enumerate(numbers, first)
    ]


def vehicle(**attrs: Any) -> dict[str, Any]:
    return {"id": CAR, "type": "Vehicle", **attrs}


@pytest.fixture
def car(broker: TestClient[Any]) -> TestClient[Any]:
    """A vehicle with three speeds, at 12:01, 12:02 and 12:03, and a fuel level at 12:02."""
    fuel = [{"type": "Property", "value": 67.5, "observedAt": NOON.format(2)}]
    body = vehicle(speed=speeds(120, 80, 100, unit="KMH"), fuelLevel=fuel)
    answer = broker.post("/temporal/entities", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/ngsi-ld/v1/temporal/entities/{CAR}"
    return broker


def values(answer: Any, name: str = "speed") -> list[Any]:
    assert answer.status_code == 200, answer.text
    return [each["value"] for each in answer.json().get(name, [])]


def test_created_history_is_retrieved(car: TestClient[Any]) -> None:
    found = car.get(PATH).json()
    assert {key: found[key] for key in ("id", "type")} == {"id": CAR, "type": "Vehicle"}
    first = found["speed"][0]
    assert first.pop("instanceId").startswith("urn:ngsi-ld:Instance:")
    assert first == {"type": "Property", "value": 120, "observedAt": NOON.format(1), "unitCode": "KMH"}
    assert [each["value"] for each in found["speed"]] == [120, 80, 100]
    system = car.get(f"{PATH}?options=sysAttrs").json()
    assert {"createdAt", "modifiedAt"} <= system.keys() & system["speed"][0].keys()


def test_creation_again_adds_instances(car: TestClient[Any]) -> None:
    assert car.post("/temporal/entities", json=vehicle(speed=speeds(60, first=4))).status_code == 204
    assert values(car.get(PATH)) == [120, 80, 100, 60]
    assert car.get(f"/entities/{CAR}").status_code == 404  # the present is another matter


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Vehicle"},
        {"id": CAR},
        {"id": "no uri", "type": "Vehicle"},
        vehicle(speed=[{"type": "Property"}]),
        vehicle(speed=[{"type": "Property", "value": 1, "observedAt": "yesterday"}]),
        [],
    ],
)
def test_creation_of_what_is_no_entity_is_refused(broker: TestClient[Any], body: Any) -> None:
    answer = broker.post("/temporal/entities", json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")


SPANS = {
    "timerel=before&timeAt=2020-09-01T12:02:00Z": [120],
    "timerel=after&timeAt=2020-09-01T12:01:30Z": [80, 100],
    "timerel=between&timeAt=2020-09-01T12:01:30Z&endTimeAt=2020-09-01T12:02:30Z": [80],
    "timerel=after&timeAt=2020-09-01T12:01:30Z&timeproperty=observedAt": [80, 100],
    "timerel=after&timeAt=2020-09-01T12:01:30Z&timeproperty=modifiedAt": [120, 80, 100],
    "timerel=before&timeAt=2020-10-01T00:00:00Z&timeproperty=createdAt": [],
    "timerel=after&timeAt=2020-09-01T12:00:00Z&timeproperty=deletedAt": [],
    "lastN=2": [80, 100],
    "lastN=1&timerel=before&timeAt=2020-09-01T12:03:00Z": [80],
    "attrs=speed": [120, 80, 100],
    "attrs=fuelLevel": [],
    "pick=id,type,speed": [120, 80, 100],
    "omit=speed": [],
    "datasetId=urn:a:b": [],
    "datasetId=@none": [120, 80, 100],
}


@pytest.mark.parametrize("query", SPANS)
def test_retrieval_shows_the_span_asked_for(car: TestClient[Any], query: str) -> None:
    assert values(car.get(f"{PATH}?{query}")) == SPANS[query]


@pytest.mark.parametrize(
    "query",
    [
        "timerel=after",
        "timerel=sometime&timeAt=2020-09-01T12:00:00Z",
        "timerel=between&timeAt=2020-09-01T12:00:00Z",
        "timerel=after&timeAt=yesterday",
        "timeproperty=always",
        "lastN=0",
        "lastN=x",
        "options=aggregatedValues",
        "options=aggregatedValues&aggrMethods=median",
        "options=aggregatedValues&aggrMethods=sum&lastN=1",
        "options=aggregatedValues&aggrMethods=sum&aggrPeriodDuration=hourly",
        "options=aggregatedValues&aggrMethods=sum&aggrPeriodDuration=PT0.001S",
        "attrs=speed&pick=speed",
    ],
)
def test_retrieval_that_cannot_be_understood_is_refused(car: TestClient[Any], query: str) -> None:
    answer = car.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData"), answer.text


def test_history_that_is_not_there_is_not_found(car: TestClient[Any]) -> None:
    assert car.get("/temporal/entities/urn:a:unknown").status_code == 404
    assert car.get(f"{PATH}?attrs=unknown").status_code == 404
    assert car.get("/temporal/entities/none").status_code == 400
    assert car.get(f"{PATH}?unknown=1").status_code == 400


def test_present_writes_are_history(broker: TestClient[Any], clock: FixedClock) -> None:
    body = vehicle(speed={"type": "Property", "value": 1}, name={"type": "Property", "value": "a"})
    broker.post("/entities", json=body)
    clock.advance(seconds=1)
    broker.patch(f"/entities/{CAR}/attrs/speed", json={"value": 2})
    assert values(broker.get(PATH)) == [1, 2]
    assert values(broker.get(PATH), "name") == ["a"]
    broker.delete(f"/entities/{CAR}/attrs/name")
    gone = broker.get(f"{PATH}?timerel=after&timeAt=2020-01-01T00:00:00Z&timeproperty=deletedAt").json()
    assert gone["name"][0]["value"] == "urn:ngsi-ld:null"
    assert "deletedAt" in gone["name"][0]
    broker.delete(f"/entities/{CAR}")
    clock.advance(seconds=1)
    broker.post("/entities", json=vehicle(speed={"type": "Property", "value": 3}))
    history = broker.get(f"{PATH}?timerel=after&timeAt=2020-01-01T00:00:00Z&timeproperty=modifiedAt")
    assert values(history) == [1, 2, 3]


def test_attributes_are_added_and_deleted(car: TestClient[Any]) -> None:
    more = {"speed": speeds(70, first=4), "colour": {"type": "Property", "value": "red", "datasetId": "urn:a:d"}}
    assert car.post(f"{PATH}/attrs", json=more).status_code == 204
    assert values(car.get(PATH)) == [120, 80, 100, 70]
    assert car.delete(f"{PATH}/attrs/colour").status_code == 404  # there is no default instance
    assert car.delete(f"{PATH}/attrs/colour?datasetId=urn:a:d").status_code == 204
    assert car.delete(f"{PATH}/attrs/speed?deleteAll=true").status_code == 204
    assert car.get(PATH).json().keys() == {"id", "type", "fuelLevel"}
    assert car.delete(f"{PATH}/attrs/unknown").status_code == 404
    for method in ("post", "delete"):
        path = "/temporal/entities/urn:a:none/attrs" + ("/speed" if method == "delete" else "")
        kept = {"json": more} if method == "post" else {}
        assert getattr(car, method)(path, **kept).status_code == 404


def test_instance_is_changed_and_deleted(car: TestClient[Any]) -> None:
    first, second, _ = (each["instanceId"] for each in car.get(PATH).json()["speed"])
    changed = {"speed": [{"type": "Property", "value": 121, "observedAt": "2020-09-01T12:01:05Z"}]}
    assert car.patch(f"{PATH}/attrs/speed/{first}", json=changed).status_code == 204
    found = car.get(f"{PATH}?options=sysAttrs").json()["speed"][0]
    assert (found["instanceId"], found["value"], found["unitCode"]) == (first, 121, "KMH")
    assert found["observedAt"] == "2020-09-01T12:01:05Z"
    assert found["createdAt"] <= found["modifiedAt"]
    assert car.delete(f"{PATH}/attrs/speed/{second}").status_code == 204
    assert values(car.get(PATH)) == [121, 100]
    for wrong in (second, "urn:ngsi-ld:Instance:x", "urn:a:b"):
        for answer in (
            car.patch(f"{PATH}/attrs/speed/{wrong}", json=changed),
            car.delete(f"{PATH}/attrs/speed/{wrong}"),
        ):
            assert (answer.status_code, answer.json()["type"]) == (404, ERRORS + "ResourceNotFound")
            assert "has no instance" in answer.json()["detail"]  # broker.instance_not_found
    assert car.delete(f"{PATH}/attrs/fuelLevel/{first}").status_code == 404
    assert (
        car.patch(f"{PATH}/attrs/speed/{first}", json={"speed": {"type": "Relationship", "object": CAR}}).status_code
        == 400
    )
    assert car.patch(f"{PATH}/attrs/speed/{first}", json={"value": "urn:ngsi-ld:null"}).status_code == 400


def test_history_is_deleted_and_the_present_stays(broker: TestClient[Any]) -> None:
    broker.post("/entities", json=vehicle(speed={"type": "Property", "value": 1}))
    assert broker.delete(PATH).status_code == 204
    assert broker.get(PATH).status_code == 404
    assert broker.delete(PATH).status_code == 404
    assert broker.get(f"/entities/{CAR}").status_code == 200


def test_values_are_pairs_of_value_and_time(car: TestClient[Any]) -> None:
    more = {
        "speed": [{**speeds(9)[0], "datasetId": "urn:a:gps"}],
        "owner": [{"type": "Relationship", "object": "urn:a:o", "observedAt": NOON.format(1)}],
        "name": [{"type": "LanguageProperty", "languageMap": {"en": "car"}, "observedAt": NOON.format(1)}],
    }
    car.post(f"{PATH}/attrs", json=more)
    for query in ("options=temporalValues", "format=temporalValues", "format=simplified"):
        found = car.get(f"{PATH}?{query}").json()
        plain = [[120, NOON.format(1)], [80, NOON.format(2)], [100, NOON.format(3)]]
        assert found["speed"] == [
            {"type": "Property", "values": plain},
            {"type": "Property", "datasetId": "urn:a:gps", "values": [[9, NOON.format(1)]]},
        ]
        assert found["owner"] == {"type": "Relationship", "objects": [["urn:a:o", NOON.format(1)]]}
        assert found["name"]["languageMaps"] == [[{"languageMap": {"en": "car"}}, NOON.format(1)]]


def test_aggregates_are_of_periods(car: TestClient[Any]) -> None:
    span = "timerel=between&timeAt=2020-09-01T12:00:00Z&endTimeAt=2020-09-01T12:04:00Z"
    asked = f"{PATH}?{span}&attrs=speed&format=aggregatedValues&aggrMethods="
    whole = ["2020-09-01T12:00:00Z", "2020-09-01T12:04:00Z"]
    methods = {"totalCount": 3, "distinctCount": 3, "sum": 300, "avg": 100, "min": 80, "max": 120, "sumsq": 30800}
    found = car.get(asked + ",".join(methods)).json()["speed"]
    assert found == {"type": "Property", **{name: [[value, *whole]] for name, value in methods.items()}}
    assert car.get(f"{asked}stddev").json()["speed"]["stddev"][0][0] == pytest.approx((800 / 3) ** 0.5)
    halves = car.get(f"{asked}max&aggrPeriodDuration=PT2M").json()["speed"]["max"]
    assert halves == [
        [120, "2020-09-01T12:00:00Z", "2020-09-01T12:02:00Z"],
        [100, "2020-09-01T12:02:00Z", "2020-09-01T12:04:00Z"],
    ]
    monthly = car.get(
        f"{PATH}?timerel=after&timeAt=2020-01-31T00:00:00Z&options=aggregatedValues&aggrMethods=sum&aggrPeriodDuration=P1M"
    )
    assert monthly.json()["speed"]["sum"] == [[300, "2020-08-31T00:00:00Z", "2020-09-30T00:00:00Z"]]
    open_start = car.get(f"{PATH}?timerel=before&timeAt=2020-09-01T12:03:00Z&options=aggregatedValues&aggrMethods=sum")
    assert open_start.json()["speed"]["sum"] == [[200, "2020-09-01T12:01:00Z", "2020-09-01T12:03:00Z"]]
    none = car.get(f"{PATH}?timerel=before&timeAt=2000-01-01T00:00:00Z&options=aggregatedValues&aggrMethods=sum")
    assert none.json().keys() == {"id", "type"}


def test_aggregates_of_other_values(car: TestClient[Any]) -> None:
    at = {"observedAt": NOON.format(1)}
    given = {
        "open": [{"value": True, **at}, {"value": False, **at}],
        "word": [{"value": "b", **at}, {"value": "a", **at}, {"value": "a", **at}],
        "list": [{"value": [1, 2], **at}, {"value": [], **at}],
        "owner": [{"type": "Relationship", "object": "urn:a:o", **at}],
        "thing": [{"value": {"a": 1}, **at}],
    }
    assert car.post(f"{PATH}/attrs", json=given).status_code == 204
    every = "totalCount,distinctCount,sum,avg,min,max,stddev,sumsq"
    found = car.get(f"{PATH}?options=aggregatedValues&aggrMethods={every}").json()
    told = {name: {key: v[0][0] for key, v in found[name].items() if key != "type" and v} for name in given}
    assert told == {
        "open": {
            "totalCount": 2,
            "distinctCount": 2,
            "sum": 1,
            "avg": 0.5,
            "min": 0,
            "max": 1,
            "stddev": 0.5,
            "sumsq": 1,
        },
        "word": {"totalCount": 3, "distinctCount": 2, "min": "a", "max": "b"},
        "list": {"totalCount": 2, "distinctCount": 2, "sum": 2, "avg": 1, "min": 0, "max": 2, "stddev": 1, "sumsq": 4},
        "owner": {"totalCount": 1, "distinctCount": 1},
        "thing": {"totalCount": 1, "distinctCount": 1},
    }
    assert found["owner"]["type"] == "Relationship"


@pytest.fixture
def fleet(car: TestClient[Any]) -> TestClient[Any]:
    """Two more vehicles, the second with a place, and a house without observations."""
    place = [{"type": "GeoProperty", "value": {"type": "Point", "coordinates": [8, 40]}, "observedAt": NOON.format(1)}]
    for body in (
        vehicle(id="urn:ngsi-ld:Vehicle:2", speed=speeds(10)),
        vehicle(id="urn:ngsi-ld:Vehicle:3", scope="/depot", speed=speeds(20, 200), location=place),
    ):
        assert car.post("/temporal/entities", json={**body, "id": body["id"]}).status_code == 201
    assert car.post("/entities", json={"id": "urn:a:house", "type": "House", "name": "x"}).status_code == 201
    return car


SINCE = "timerel=after&timeAt=2020-09-01T12:01:00Z"
FOUND = {
    f"type=Vehicle&{SINCE}": ["1", "2", "3"],
    f"type=House&{SINCE}": [],
    "type=House&timerel=after&timeAt=2020-01-01T00:00:00Z&timeproperty=modifiedAt": ["urn:a:house"],
    "type=Vehicle&timerel=after&timeAt=2020-09-01T12:01:30Z": ["1", "3"],
    f"attrs=fuelLevel&{SINCE}": ["1"],
    f"type=Vehicle&q=speed>150&{SINCE}": ["3"],
    "type=Vehicle&q=speed>150&timerel=before&timeAt=2020-09-01T12:02:00Z": [],
    f"type=Vehicle&id=urn:ngsi-ld:Vehicle:2&{SINCE}": ["2"],
    f"type=Vehicle&idPattern=[12]$&{SINCE}": ["1", "2"],
    f"type=Vehicle&scopeQ=/depot&{SINCE}": ["3"],
    f"georel=near;maxDistance==100&geometry=Point&coordinates=[8,40]&{SINCE}": ["3"],
}


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["id"].removeprefix("urn:ngsi-ld:Vehicle:") for each in answer.json()]


@pytest.mark.parametrize("query", FOUND)
def test_query_finds_whose_history_fits(fleet: TestClient[Any], query: str) -> None:
    assert ids(fleet.get(f"/temporal/entities?{query}")) == FOUND[query]
    counted = fleet.get(f"/temporal/entities?{query}&count=true&limit=1")
    assert counted.headers["ngsild-results-count"] == str(len(FOUND[query]))
    assert ids(counted) == FOUND[query][:1]


@pytest.mark.parametrize(
    "query", [SINCE, "type=Vehicle", f"type=Vehicle&{SINCE}&limit=0", f"type=Vehicle&q=((&{SINCE}"]
)
def test_query_needs_a_time_and_something_to_look_for(fleet: TestClient[Any], query: str) -> None:
    answer = fleet.get(f"/temporal/entities?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")


def test_query_pages_lead_to_each_other(fleet: TestClient[Any]) -> None:
    first = fleet.get(f"/temporal/entities?type=Vehicle&{SINCE}&limit=2")
    assert ids(first) == ["1", "2"]
    last = fleet.get(first.links["next"]["url"].removeprefix("/ngsi-ld/v1"))
    assert ids(last) == ["3"]
    assert "prev" in last.links


def test_query_by_post_is_the_same(fleet: TestClient[Any]) -> None:
    body = {
        "type": "Query",
        "entities": [{"type": "Vehicle", "idPattern": "[13]$"}],
        "temporalQ": {"timerel": "after", "timeAt": NOON.format(1), "lastN": 1},
    }
    answer = fleet.post("/temporal/entityOperations/query", json=body)
    assert ids(answer) == ["1", "3"]
    assert [each["value"] for each in answer.json()[0]["speed"]] == [100]
    aggregated = {
        **body,
        "temporalQ": {"timerel": "after", "timeAt": NOON.format(1)},
        "aggrParams": {"aggrMethods": ["sum"], "aggrPeriodDuration": "PT0S"},
    }
    answer = fleet.post("/temporal/entityOperations/query?options=aggregatedValues", json=aggregated)
    assert [each["speed"]["sum"][0][0] for each in answer.json()] == [300, 220]
    assert fleet.post("/temporal/entityOperations/query", json={**body, "temporalQ": 1}).status_code == 400
    assert fleet.post("/temporal/entityOperations/query", json={**body, "temporalQ": {"x": 1}}).status_code == 400


def test_long_history_comes_in_parts(fleet: TestClient[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evolutions, "MOST_INSTANCES", 2)
    seen: list[Any] = []
    since = NOON.format(1)
    for _ in range(3):
        answer = fleet.get(f"{PATH}?attrs=speed&timerel=after&timeAt={since}")
        seen += [each["value"] for each in answer.json()["speed"] if each["value"] not in seen]
        if answer.status_code == 200:
            break
        assert answer.status_code == 206
        assert answer.headers["content-range"] == "date-time 2020-09-01T12:01:00-2020-09-01T12:02:00/*"
        since = answer.headers["content-range"].split("/")[0][-19:] + "Z"
    assert seen == [120, 80, 100]
    last = fleet.get(f"{PATH}?attrs=speed&timerel=before&timeAt=2020-09-01T13:00:00Z&lastN=3")
    assert last.status_code == 206
    assert last.headers["content-range"] == "date-time 2020-09-01T13:00:00-2020-09-01T12:02:00/3"
    assert [each["value"] for each in last.json()["speed"]] == [80, 100]
    assert fleet.get(f"/temporal/entities?type=Vehicle&{SINCE}").status_code == 206


def test_terms_of_a_context_are_kept_apart(broker: TestClient[Any]) -> None:
    context = {"Vehicle": "urn:a:Vehicle", "speed": "urn:a:speed"}
    ld = {"content-type": "application/ld+json"}
    body = json.dumps({"@context": context, **vehicle(speed=speeds(1))})
    assert broker.post("/temporal/entities", content=body, headers=ld).status_code == 201
    found = broker.get(PATH).json()
    assert found["type"] == "urn:a:Vehicle"
    assert [each["value"] for each in found["urn:a:speed"]] == [1]

"""Discovery and histories over several sources (ETSI GS CIM 009 §5.7.3 to §5.7.11)."""

from typing import Any

import pytest
from litestar.testing import TestClient

from tests.broker.registrations.conftest import Source, register

CAR = "urn:ngsi-ld:Car:1"
IRI = "https://uri.etsi.org/ngsi-ld/default-context/"
SPEED = {"type": "Property", "value": 80}
WHOLE = {"id": CAR, "type": "Car", "speed": SPEED}
REMEMBERS = {"operations": ["retrieveTemporal", "queryTemporal"]}
SPAN = "timerel=after&timeAt=2026-01-01T00:00:00Z"


def at(hour: int, value: int, **members: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": f"2026-02-01T{hour:02}:00:00Z", **members}


@pytest.fixture
def personal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A city in which `Meter` is declared personal."""
    for module in ("discovering", "gathering", "portions"):
        monkeypatch.setattr(f"sanpo.broker.ngsi_ld.{module}.personal_types", lambda city: {IRI + "Meter": None})


def test_types_of_others_are_listed(here: TestClient[Any], source: Source, personal: None) -> None:
    """§5.7.5, §5.7.6: those that the source is registered for, and none that is personal here."""
    here.post("/entities", json=WHOLE)
    for name in ("Bus", "Meter"):
        register(here, source, entity={"type": name})
    listed = {"id": "urn:x", "type": "EntityTypeList", "typeList": ["Bus", "Car", "Meter", "Tram"]}
    source.lay("GET", "types", 200, listed)
    assert here.get("/types").json()["typeList"] == ["Bus", "Car"]
    assert source.lines == ["GET types"]
    details = [
        {"id": IRI + name, "type": "EntityType", "typeName": name, "attributeNames": ["line"]}
        for name in ("Bus", "Meter", "Tram")
    ]
    source.lay("GET", "types", 200, details)
    found = {each["typeName"]: each["attributeNames"] for each in here.get("/types?details=true").json()}
    assert found == {"Bus": ["line"], "Car": ["speed"]}
    assert here.get("/types?local=true").json()["typeList"] == ["Car"]
    assert source.lines[1:] == ["GET types?details=true"]


@pytest.mark.parametrize("is_here", [True, False])
def test_type_is_described_by_all_that_have_it(here: TestClient[Any], source: Source, is_here: bool) -> None:
    """§5.7.7"""
    if is_here:
        here.post("/entities", json=WHOLE)
    register(here, source)
    register(here, source, mode="auxiliary", operations=["retrieveOps"])
    source.lay(
        "GET",
        "types/Car",
        200,
        {
            "id": IRI + "Car",
            "type": "EntityTypeInfo",
            "typeName": "Car",
            "entityCount": 3,
            "attributeDetails": [
                {"id": "x", "type": "Attribute", "attributeName": "fuel", "attributeTypes": ["Property"]}
            ],
        },
    )
    found = here.get("/types/Car").json()
    assert (found["entityCount"], len(source.asked)) == (4 if is_here else 3, 1)
    assert [each["attributeName"] for each in found["attributeDetails"]] == ["fuel"] + ["speed"] * is_here
    source.lay("GET", "types/Car", 404)
    assert here.get("/types/Car").status_code == (200 if is_here else 404)


def test_personal_type_is_not_asked_about(here: TestClient[Any], source: Source, personal: None) -> None:
    register(here, source, entity={"type": "Meter"})
    assert here.get("/types/Meter").status_code == 404
    assert here.get("/entities?type=Meter").json() == []
    assert here.get(f"/temporal/entities?type=Meter&{SPAN}").json() == []
    assert source.asked == []


def test_attributes_of_others_are_listed(here: TestClient[Any], source: Source, personal: None) -> None:
    """§5.7.8, §5.7.9, §5.7.10"""
    here.post("/entities", json=WHOLE)
    register(here, source)
    source.lay("GET", "attributes", 200, {"id": "urn:x", "type": "AttributeList", "attributeList": ["fuel", "speed"]})
    assert here.get("/attributes?count=true").headers["ngsild-results-count"] == "2"
    described = [
        {"id": IRI + "fuel", "type": "Attribute", "attributeName": "fuel", "typeNames": ["Car", "Meter"]},
        {"id": IRI + "energy", "type": "Attribute", "attributeName": "energy", "typeNames": ["Meter"]},
    ]
    source.lay("GET", "attributes", 200, described)
    found = {each["attributeName"]: each["typeNames"] for each in here.get("/attributes?details=true").json()}
    assert found == {"fuel": ["Car"], "speed": ["Car"]}
    for name, each in zip(("fuel", "energy"), described, strict=True):
        source.lay("GET", f"attributes/{name}", 200, {**each, "attributeCount": 2, "attributeTypes": ["Property"]})
    found = here.get("/attributes/fuel").json()
    assert (found["attributeCount"], found["attributeTypes"], found["typeNames"]) == (2, ["Property"], ["Car"])
    assert here.get("/attributes/energy").status_code == 404
    source.lay("GET", "attributes", 200, b"no json")
    answer = here.get("/attributes")
    assert (answer.json()["attributeList"], answer.headers["ngsild-warning"][:3]) == (["speed"], "111")


@pytest.mark.parametrize(("mode", "values"), [("inclusive", [1, 2, 3]), ("auxiliary", [1, 2, 3])])
def test_history_is_put_together(here: TestClient[Any], source: Source, mode: str, values: list[int]) -> None:
    """§5.7.3.4: what is of the same time is here already."""
    here.post("/temporal/entities", json={"id": CAR, "type": "Car", "speed": [at(1, 1), at(3, 3)]})
    if mode == "auxiliary":
        register(here, source, mode="inclusive", **REMEMBERS)
    register(here, source, **REMEMBERS)
    there = {"id": CAR, "type": "Car", "speed": [at(2, 2), at(3, 9)]}
    source.lay("GET", f"temporal/entities/{CAR}", 200, there)
    source.lay("GET", "temporal/entities", 200, [there, {"id": "urn:x:2", "type": "Car", "speed": at(5, 5)}])
    found = here.get(f"/temporal/entities/{CAR}").json()
    assert [each["value"] for each in found["speed"]] == values
    assert here.get(f"/temporal/entities/{CAR}?lastN=1&{SPAN}").json()["speed"][0]["value"] == 3
    page = here.get(f"/temporal/entities?type=Car&{SPAN}&count=true")
    assert [each["id"] for each in page.json()] == [CAR, "urn:x:2"]
    assert page.headers["ngsild-results-count"] == "2"
    assert [each["value"] for each in page.json()[0]["speed"]] == values
    simple = here.get(f"/temporal/entities/{CAR}?options=temporalValues").json()
    assert [pair[0] for pair in simple["speed"]["values"]] == values
    assert "GET temporal/entities?timerel=after&timeAt=2026-01-01T00:00:00Z&type=Car" in source.lines or any(
        line.startswith("GET temporal/entities?") and "timerel=after" in line for line in source.lines
    )


def test_history_that_others_alone_remember_is_found(here: TestClient[Any], source: Source) -> None:
    register(here, source, **REMEMBERS)
    assert here.get(f"/temporal/entities/{CAR}").status_code == 404
    source.lay("GET", f"temporal/entities/{CAR}", 200, {"id": CAR, "type": "Car", "speed": at(1, 1)})
    assert here.get(f"/temporal/entities/{CAR}").json()["speed"][0]["value"] == 1
    assert here.get(f"/temporal/entities/{CAR}?local=true").status_code == 404


def test_query_of_histories_is_not_ordered(here: TestClient[Any], source: Source) -> None:
    """§5.7.4.4"""
    register(here, source, **REMEMBERS)
    assert here.get(f"/temporal/entities?type=Car&{SPAN}&orderBy=id").status_code == 400
    assert here.get(f"/temporal/entities?type=Car&{SPAN}&orderBy=id&local=true").status_code == 200


@pytest.mark.parametrize(("times", "asked"), [("2025-01-01T00:00:00Z", 1), ("2027-01-01T00:00:00Z", 0)])
def test_source_is_asked_about_its_own_times(here: TestClient[Any], source: Source, times: str, asked: int) -> None:
    """§5.2.9: its observationInterval meets the temporal query."""
    interval = {"startAt": "2025-01-01T00:00:00Z", "endAt": "2026-01-01T00:00:00Z"}
    register(here, source, observationInterval=interval, **REMEMBERS)
    here.get(f"/temporal/entities?type=Car&timerel=after&timeAt={times}")
    assert len(source.asked) == asked


def test_source_that_remembers_nothing_is_not_asked(here: TestClient[Any], source: Source) -> None:
    register(here, source)
    here.get(f"/temporal/entities/{CAR}")
    assert source.asked == []


def test_personal_history_does_not_come_in(here: TestClient[Any], source: Source, personal: None) -> None:
    register(here, source, **REMEMBERS)
    source.lay("GET", f"temporal/entities/{CAR}", 200, {"id": CAR, "type": "Meter", "energy": at(1, 1)})
    source.lay("GET", "temporal/entities", 200, [{"id": CAR, "type": ["Car", "Meter"], "energy": at(1, 1)}])
    assert here.get(f"/temporal/entities/{CAR}").status_code == 404
    assert here.get(f"/temporal/entities?type=Car&{SPAN}").json() == []

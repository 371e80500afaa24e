"""What an entity may hold and how it is shown (ETSI GS CIM 009 §4.2, §4.5, §4.6, §4.7, §4.8, §4.18, §5.2)."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.ground.clock import FixedClock

ID = "urn:ngsi-ld:Bench:1"
PATH = f"/entities/{ID}"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
NULL = "urn:ngsi-ld:null"
POINT = {"type": "Point", "coordinates": [139.7, 35.6]}
OTHER = {"type": "Point", "coordinates": [135.5, 34.7]}
GEO = {"accept": "application/geo+json"}


def prop(value: Any = 1, **members: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, **members}


def create(broker: TestClient[Any], **members: Any) -> Any:
    return broker.post("/entities", json={"id": ID, "type": "Bench", **members})


REFUSED: list[tuple[str, Any]] = [
    ("§4.2", {"a": {"type": "Property"}}),
    ("§4.2", {"a": {"type": "Relationship"}}),
    ("§4.2", {"a": prop(None)}),
    ("§4.5.1", {"datasetId": prop()}),
    ("§4.5.1", {"observedAt": prop("2026-01-01T00:00:00Z")}),
    ("§4.5.1", {"id": "urn:a:\u202eb"}),
    ("§4.5.1", {"id": "urn:a:\u200bb"}),
    ("§4.5.1", {"id": "urn:a:<b"}),
    ("§4.5.2", {"a": prop(object="urn:a:b")}),
    ("§4.5.2", {"a": prop(languageMap={"ja": "椅子"})}),
    ("§4.5.2", {"a": prop(previousValue=0)}),
    ("§4.5.2", {"a": prop(entityIdSealed=ID)}),
    ("§4.5.2", {"ngsildproof": prop("no proof")}),
    ("§4.5.3", {"a": {"type": "Relationship", "object": "urn:a:b", "unitCode": "MTR"}}),
    ("§4.5.3", {"a": {"type": "Relationship", "object": "urn:a:b", "value": 1}}),
    ("§4.5.3", {"a": {"type": "Relationship", "object": "urn:a:b", "previousObject": "urn:a:c"}}),
    ("§4.5.5", {"a": [prop(1), prop(2, datasetId="@none")]}),
    ("§4.5.5", {"a": [prop(1, datasetId="urn:a:d"), prop(2, datasetId="urn:a:d")]}),
    ("§4.5.18", {"a": {"type": "LanguageProperty"}}),
    ("§4.5.18", {"a": {"type": "LanguageProperty", "languageMap": {"ja": "椅子"}, "valueType": "string"}}),
    ("§4.5.21", {"a": {"type": "ListProperty", "valueList": [1], "value": 1}}),
    ("§4.5.22", {"a": {"type": "ListRelationship", "objectList": ["no uri"]}}),
    ("§4.5.24", {"a": {"type": "JsonProperty", "json": {"a": 1}, "unitCode": "MTR"}}),
    ("§4.5.24", {"a": {"type": "JsonProperty", "json": 5}}),
    ("§4.6.2", {"two words": prop()}),
    ("§4.6.2", {"type": "1Bench"}),
    ("§4.6.3", {"location": {"type": "GeoProperty", "value": {"type": "GeometryCollection", "geometries": [POINT]}}}),
    ("§4.6.3", {"a": prop(observedAt="2026-01-01T00:00:00+09:00")}),
    ("§4.6.5", {"a": {"type": "LanguageProperty", "languageMap": {"@none": NULL}}}),
    ("§4.6.5", {"a": {"type": "LanguageProperty", "languageMap": {"ja": ["椅子", 5]}}}),
    ("§4.6.5", {"a": {"type": "LanguageProperty", "languageMap": {"": "椅子"}}}),
    ("§4.7", {"location": prop(7)}),
    ("§4.7", {"location": {"type": "GeoProperty", "value": "nowhere"}}),
    ("§4.8", {"a": prop(observedAt=prop("2026-01-01T00:00:00Z"))}),
    ("§4.18", {"scope": "/a//b"}),
    ("§4.18", {"scope": ["/a", "1b"]}),
    ("§5.2.1", {"a": prop(1, b=prop(NULL))}),
    ("§5.5.4", {"scope": NULL}),
    ("§5.5.4", {"a": prop({"b": {"c": NULL}})}),
    ("§5.5.7", {"a": prop(**{"@context": {"a": "https://example.org/a"}})}),
]


@pytest.mark.parametrize(("clause", "members"), REFUSED, ids=lambda each: each if type(each) is str else "")
def test_entity_against_its_clause_is_refused(broker: TestClient[Any], clause: str, members: Any) -> None:
    """§4.2, §4.5.1, §4.5.2, §4.5.3, §4.5.5, §4.5.18, §4.5.21, §4.5.22, §4.5.24, §4.6.2, §4.6.3, §4.6.5, §4.7, §4.8, §4.18,
    §5.2, §5.5.4, §5.5.7"""
    answer = create(broker, **members)
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData"), clause
    assert broker.get(PATH).status_code == 404


SHOWN: list[tuple[Any, Any]] = [
    (prop(1, valueType="xsd:double"), prop(1, valueType="xsd:double")),  # §4.5.2
    (55, prop(55)),
    (POINT, {"type": "GeoProperty", "value": POINT}),
    ({"object": "urn:a:b"}, {"type": "Relationship", "object": "urn:a:b"}),  # §4.5.3
    ([prop(1, datasetId="@none"), prop(2, datasetId="urn:a:d")], [prop(1), prop(2, datasetId="urn:a:d")]),  # §4.5.5
    ({"json": {"type": "raw", "value": 3}}, {"type": "JsonProperty", "json": {"type": "raw", "value": 3}}),  # §4.5.24
    (
        {"objectList": ["urn:a:1", {"object": "urn:a:2"}]},  # §4.5.22
        {"type": "ListRelationship", "objectList": [{"object": "urn:a:1"}, {"object": "urn:a:2"}]},
    ),
    ({"valueList": [1, 2]}, {"type": "ListProperty", "valueList": [1, 2]}),  # §4.5.21
    ({"vocab": "wood"}, {"type": "VocabProperty", "vocab": "wood"}),  # §4.5.20
    (
        {"languageMap": {"ja": "椅子", "en": ["bench", "seat"], "@none": "x"}},  # §4.5.18, §4.6.5
        {"type": "LanguageProperty", "languageMap": {"ja": "椅子", "en": ["bench", "seat"], "@none": "x"}},
    ),
    ("三方 — 100 €", prop("三方 — 100 €")),  # §4.6.1
    ("<script>'\"=;()</script>", prop("<script>'\"=;()</script>")),  # §4.6.4
    (
        {"type": "GeoProperty", "value": '{"type": "Point", "coordinates": [139.7, 35.6]}'},  # §4.7.2
        {"type": "GeoProperty", "value": POINT},
    ),
]


@pytest.mark.parametrize(("given", "shown"), SHOWN)
def test_attribute_comes_back_normalized(broker: TestClient[Any], given: Any, shown: Any) -> None:
    """§4.5.2, §4.5.3, §4.5.5, §4.5.18, §4.5.20, §4.5.21, §4.5.22, §4.5.24, §4.6.1, §4.6.4, §4.6.5, §4.7"""
    assert create(broker, 高さ=given).status_code == 201  # §4.6.2: letters of any script
    assert broker.get(PATH).json()["高さ"] == shown


def test_attributes_are_shown_simplified_by_their_types(broker: TestClient[Any]) -> None:
    """§4.5.4, §4.5.17: what is no plain value keeps the name that says what it is."""
    values = {"name": {"languageMap": {"ja": "椅子"}}, "raw": {"json": {"a": 1}}, "material": {"vocab": "wood"}}
    lists = {"sizes": {"valueList": [1, 2]}, "near": {"objectList": ["urn:a:1"]}, "owner": {"object": "urn:a:2"}}
    create(broker, **values, **lists, seats=[prop(3), prop(4, datasetId="urn:a:d")])
    shown = broker.get(f"{PATH}?format=simplified").json()
    assert {name: shown[name] for name in values} == values
    assert (shown["sizes"], shown["near"], shown["owner"]) == ([1, 2], ["urn:a:1"], "urn:a:2")
    assert shown["seats"] == {"dataset": {"@none": 3, "urn:a:d": 4}}


def test_entity_is_a_feature_with_the_geometry_of_its_default_instance(broker: TestClient[Any]) -> None:
    """§4.5.16, §6.3.15: and none where the property holds no geometry."""
    places = [{"type": "GeoProperty", "value": OTHER, "datasetId": "urn:a:d"}, {"type": "GeoProperty", "value": POINT}]
    create(broker, location=places, seats=3)
    feature = broker.get(PATH, headers=GEO).json()
    assert (feature["type"], feature["id"], feature["geometry"]) == ("Feature", ID, POINT)
    assert feature["properties"].keys() == {"type", "location", "seats"}
    assert broker.get(f"{PATH}?geometryProperty=seats", headers=GEO).json()["geometry"] is None
    found = broker.get("/entities?type=Bench", headers=GEO).json()
    assert (found["type"], len(found["features"])) == ("FeatureCollection", 1)
    assert "@context" in found
    assert "@context" not in found["features"][0]


def test_simplified_feature_has_values_alone(broker: TestClient[Any]) -> None:
    """§4.5.17"""
    places = [{"type": "GeoProperty", "value": OTHER, "datasetId": "urn:a:d"}, {"type": "GeoProperty", "value": POINT}]
    create(broker, location=places, seats=3)
    feature = broker.get(f"{PATH}?options=keyValues", headers=GEO).json()
    assert feature["geometry"] == POINT
    expected = {"type": "Bench", "location": {"dataset": {"@none": POINT, "urn:a:d": OTHER}}, "seats": 3}
    assert feature["properties"] == expected


def test_scope_that_changes_has_a_history(broker: TestClient[Any], clock: FixedClock) -> None:
    """§4.5.6: observed when it was modified."""
    create(broker, scope="/Park")
    clock.advance(minutes=1)
    assert broker.patch(PATH, json={"scope": "/Street"}).status_code == 204
    told = broker.get(f"/temporal/entities/{ID}?options=sysAttrs").json()["scope"]
    assert [each["value"] for each in told] == ["/Park", "/Street"]
    assert told[1].keys() == {"type", "value", "instanceId", "observedAt", "createdAt", "modifiedAt"}
    assert told[1]["observedAt"] == told[1]["modifiedAt"] == "2026-04-01T00:01:00Z"


def test_history_is_shown_simplified_by_the_types_of_attributes(broker: TestClient[Any]) -> None:
    """§4.5.7, §4.5.8, §4.5.9, §6.3.12: pairs of a value and its time."""
    at = {"observedAt": "2026-01-01T00:00:00Z"}
    attributes = {
        "location": {"type": "GeoProperty", "value": POINT, **at},
        "sizes": {"type": "ListProperty", "valueList": [1, 2], **at},
        "near": {"type": "ListRelationship", "objectList": ["urn:a:1"], **at},
        "owner": {"type": "Relationship", "object": "urn:a:2", **at},
    }
    assert broker.post("/temporal/entities", json={"id": ID, "type": "Bench", **attributes}).status_code == 201
    shown = broker.get(f"/temporal/entities/{ID}?options=temporalValues").json()
    keys = {"location": "values", "sizes": "valueLists", "near": "objectLists", "owner": "objects"}
    told = {"location": POINT, "sizes": [1, 2], "near": ["urn:a:1"], "owner": "urn:a:2"}
    for name, key in keys.items():
        assert shown[name] == {"type": attributes[name]["type"], key: [[told[name], "2026-01-01T00:00:00Z"]]}


def test_last_of_the_same_entity_in_an_array_holds(broker: TestClient[Any]) -> None:
    """§4.6.6, §5.5.11: they come in the order of their times."""
    same = [{"id": ID, "type": "Bench", "seats": 3, "old": True}, {"id": ID, "type": "Bench", "seats": 4}]
    assert broker.post("/entityOperations/upsert", json=same).status_code == 201
    assert broker.get(f"{PATH}?options=keyValues").json() == {"id": ID, "type": "Bench", "seats": 4}


def test_system_times_are_shown_where_asked(broker: TestClient[Any]) -> None:
    """§4.22, §6.3.11: expiresAt is one of them."""
    ends = "2100-01-01T00:00:00Z"
    create(broker, expiresAt=ends, seats=prop(3, expiresAt=ends, observedAt="2026-01-01T00:00:00Z"))
    history = f"/temporal/entities/{ID}?timerel=after&timeAt=2020-01-01T00:00:00Z"
    assert "expiresAt" not in broker.get(PATH).text + broker.get(history).text
    shown = broker.get(f"{PATH}?options=sysAttrs").json()
    assert (shown["expiresAt"], shown["seats"]["expiresAt"]) == (ends, ends)
    assert shown["createdAt"] == shown["modifiedAt"] == "2026-04-01T00:00:00Z"
    assert ends in broker.get(f"{history}&options=sysAttrs").text

"""What is NGSI-LD and what is not: each rule of ETSI GS CIM 009 §4.5 to §4.8, §4.18, §5.5.4 on the creation of an entity."""

from typing import Any

import pytest
from litestar.testing import TestClient

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
POINT = {"type": "Point", "coordinates": [17.1, 48.7]}
NULL = "urn:ngsi-ld:null"

REFUSED: dict[str, Any] = {
    "property without value (4.2.2)": {"type": "Property"},
    "property with null (4.2.2)": {"type": "Property", "value": None},
    "relationship without object (4.2.2)": {"type": "Relationship"},
    "object that is no URI (4.5.3)": {"type": "Relationship", "object": "no uri"},
    "language property without map (4.2.2)": {"type": "LanguageProperty"},
    "unknown type of attribute": {"type": "Propertie", "value": 1},
    "property with object (4.5.2.2)": {"type": "Property", "value": 1, "object": "urn:a:b"},
    "property with map of languages (4.5.2.2)": {"type": "Property", "value": 1, "languageMap": {"en": "x"}},
    "property with list (4.5.2.2)": {"type": "Property", "value": 1, "valueList": [1]},
    "property with previous value (4.5.2.2)": {"type": "Property", "value": 1, "previousValue": 0},
    "sealed outside a proof (4.5.2.2)": {"type": "Property", "value": 1, "entityIdSealed": True},
    "relationship with unit (4.5.3.2)": {"type": "Relationship", "object": "urn:a:b", "unitCode": "MTR"},
    "relationship with value (4.5.3.2)": {"type": "Relationship", "object": "urn:a:b", "value": 1},
    "relationship with previous object (4.5.3.2)": {
        "type": "Relationship",
        "object": "urn:a:b",
        "previousObject": "urn:a:c",
    },
    "embedded context (4.5.1)": {"type": "Property", "value": 1, "@context": {"a": "https://a.example/a"}},
    "offset in a time (4.6.3)": {"type": "Property", "value": 1, "observedAt": "2026-08-10T12:00:00+02:00"},
    "no time (4.8)": {"type": "Property", "value": 1, "observedAt": "yesterday"},
    "month 13 (4.8)": {"type": "Property", "value": 1, "observedAt": "2026-13-01T00:00:00Z"},
    "reified time (4.8)": {"type": "Property", "value": 1, "observedAt": {"type": "Property", "value": "x"}},
    "geometry collection (4.6.3)": {
        "type": "GeoProperty",
        "value": {"type": "GeometryCollection", "geometries": [POINT]},
    },
    "no geometry (4.7.2)": {"type": "GeoProperty", "value": "not a geometry"},
    "open ring": {
        "type": "GeoProperty",
        "value": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
    },
    "latitude 91": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [0, 91]}},
    "text in a map of languages is a number (4.6.5)": {"type": "LanguageProperty", "languageMap": {"en": 5}},
    "mixed texts (4.6.5)": {"type": "LanguageProperty", "languageMap": {"en": ["a", 5]}},
    "empty language (4.6.5)": {"type": "LanguageProperty", "languageMap": {"": "x"}},
    "null language (4.6.5)": {"type": "LanguageProperty", "languageMap": {"@none": NULL}},
    "value type of a text (5.2.32)": {
        "type": "LanguageProperty",
        "languageMap": {"en": "x"},
        "valueType": "xsd:string",
    },
    "scalar json (4.5.24)": {"type": "JsonProperty", "json": 5},
    "json with unit (4.5.24)": {"type": "JsonProperty", "json": {}, "unitCode": "MTR"},
    "json with value (4.5.24)": {"type": "JsonProperty", "json": {}, "value": 1},
    "list with value (4.5.21)": {"type": "ListProperty", "valueList": [1], "value": 1},
    "list of no URIs (4.5.22)": {"type": "ListRelationship", "objectList": ["not a uri"]},
    "null value (5.2.1)": {"type": "Property", "value": NULL},
    "null object (5.2.1)": {"type": "Relationship", "object": NULL},
    "null in a sub-attribute (5.2.1)": {"type": "Property", "value": 1, "sub": {"type": "Property", "value": NULL}},
    "null inside a value (5.5.4)": {"type": "Property", "value": {"geo": {"country": NULL}}},
    "bare null (5.5.4)": NULL,
    "two default instances (4.5.5)": [
        {"type": "Property", "value": 1},
        {"type": "Property", "value": 2, "datasetId": "@none"},
    ],
    "one dataset twice (4.5.5)": [
        {"type": "Property", "value": 1, "datasetId": "urn:a:b"},
        {"type": "Property", "value": 2, "datasetId": "urn:a:b"},
    ],
}

MEMBERS: dict[str, Any] = {
    "no type": {"type": None},
    "type of a digit (4.6.2)": {"type": "9Vehicle"},
    "id that is no URI": {"id": "vehicle"},
    "id null": {"id": NULL},
    "name with a space (4.6.2)": {"my attr": 1},
    "core term as attribute (4.5.1)": {"datasetId": {"type": "Property", "value": 1}},
    "name of an instance as attribute (4.5.1)": {"instanceId": {"type": "Property", "value": 1}},
    "keyword as type (4.4)": {"type": "type"},
    "null expiry (5.5.4)": {"expiresAt": NULL},
    "proof that is a text (4.5.2.2)": {"ngsildproof": {"type": "Property", "value": "a text"}},
    "proof that is a relationship (4.5.2.2)": {"ngsildproof": {"type": "Relationship", "object": "urn:a:b"}},
    "sealed type that is no name (4.5.2.2)": {
        "ngsildproof": {"type": "Property", "value": {}, "entityTypeSealed": 42},
    },
    "time as attribute (4.5.1)": {"observedAt": {"type": "Property", "value": "2026-01-01T00:00:00Z"}},
    "location as plain property (4.7.1)": {"location": {"type": "Property", "value": 7}},
    "scope of a digit (4.18)": {"scope": "9bad"},
    "scope with an empty level (4.18)": {"scope": "/a//b"},
    "scope with a dash (4.18)": {"scope": "a-b"},
    "null scope (4.18)": {"scope": NULL},
    "one bad scope (4.18)": {"scope": ["/ok", "9bad"]},
}


def refused(http: TestClient[Any], entity: Any) -> None:
    answer = http.post("/entities", json=entity)
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData"), answer.text
    assert set(answer.json()) == {"type", "title", "status", "detail"}


@pytest.mark.parametrize("rule", REFUSED)
def test_attribute_is_refused(broker: TestClient[Any], rule: str) -> None:
    refused(broker, {"id": "urn:ngsi-ld:Vehicle:1", "type": "Vehicle", "probe": REFUSED[rule]})
    assert broker.get("/entities/urn:ngsi-ld:Vehicle:1").status_code == 404


@pytest.mark.parametrize("rule", MEMBERS)
def test_entity_is_refused(broker: TestClient[Any], rule: str) -> None:
    entity = {"id": "urn:ngsi-ld:Vehicle:1", "type": "Vehicle", **MEMBERS[rule]}
    refused(broker, {name: member for name, member in entity.items() if member is not None})


@pytest.mark.parametrize(
    "letter",
    "\u202e\u200b\ufeff\u2028\u00a0<\ufe0f\U000e0100\ufdd0\ufffe\u115f\u3164\uffa0\u2800",
    ids=lambda c: f"U+{ord(c):04X}",
)
def test_id_with_a_hidden_character_is_refused(broker: TestClient[Any], letter: str) -> None:
    refused(broker, {"id": f"urn:ngsi-ld:Vehicle:A{letter}B", "type": "Vehicle"})


KEPT: dict[str, tuple[Any, Any]] = {
    "bare value": (55, {"type": "Property", "value": 55}),
    "bare geometry": (POINT, {"type": "GeoProperty", "value": POINT}),
    "geometry as value": ({"value": POINT}, {"type": "GeoProperty", "value": POINT}),
    "geometry as text (4.7.2)": (
        {"type": "GeoProperty", "value": '{"type": "Point", "coordinates": [17.1, 48.7]}'},
        {"type": "GeoProperty", "value": POINT},
    ),
    "object alone": ({"object": "urn:a:b"}, {"type": "Relationship", "object": "urn:a:b"}),
    "IRI": ({"object": "urn:ngsi-ld:Ciudad:París"}, {"type": "Relationship", "object": "urn:ngsi-ld:Ciudad:París"}),
    "value with a time": (
        {"value": "Volvo", "observedAt": "2026-01-01T00:00:00Z"},
        {"type": "Property", "value": "Volvo", "observedAt": "2026-01-01T00:00:00Z"},
    ),
    "raw json (4.5.24)": (
        {"json": {"speed": 3, "type": "raw"}},
        {"type": "JsonProperty", "json": {"speed": 3, "type": "raw"}},
    ),
    "list of objects (4.5.22)": (
        {"type": "ListRelationship", "objectList": ["urn:a:1", {"object": "urn:a:2"}]},
        {"type": "ListRelationship", "objectList": [{"object": "urn:a:1"}, {"object": "urn:a:2"}]},
    ),
    "plain array": ([1, 2], {"type": "Property", "value": [1, 2]}),
    "plain object": ({"street": "x"}, {"type": "Property", "value": {"street": "x"}}),
    "languages (4.6.5)": (
        {"languageMap": {"sk": "škola", "en": ["school", "academy"], "@none": "default"}},
        {"type": "LanguageProperty", "languageMap": {"sk": "škola", "en": ["school", "academy"], "@none": "default"}},
    ),
    "letters that scripts are made of (4.6.4)": (
        {"type": "Property", "value": "<script>alert('x')</script> \"q\" = ; ( )"},
        {"type": "Property", "value": "<script>alert('x')</script> \"q\" = ; ( )"},
    ),
    "letters of many scripts (4.6.1)": (
        "žltý kôň — 100 € 駅",
        {"type": "Property", "value": "žltý kôň — 100 € 駅"},
    ),
    "vocabulary": ({"vocab": "non-commercial"}, {"type": "VocabProperty", "vocab": "non-commercial"}),
    "value type": (
        {"value": 1, "valueType": "xsd:double"},
        {"type": "Property", "value": 1, "valueType": "xsd:double"},
    ),
    "type of the object (4.5.23)": (
        {"object": "urn:a:b", "objectType": "Parking"},
        {"type": "Relationship", "object": "urn:a:b", "objectType": "Parking"},
    ),
    "sub-attribute": (
        {"value": 1, "accuracy": {"value": 2, "of": {"object": "urn:a:b"}}},
        {
            "type": "Property",
            "value": 1,
            "accuracy": {"type": "Property", "value": 2, "of": {"type": "Relationship", "object": "urn:a:b"}},
        },
    ),
    "default instance by name (4.5.5)": (
        [{"value": 11, "datasetId": "urn:a:gps"}, {"value": 55, "datasetId": "@none"}],
        [{"type": "Property", "value": 55}, {"type": "Property", "value": 11, "datasetId": "urn:a:gps"}],
    ),
}


@pytest.mark.parametrize("form", KEPT)
def test_attribute_becomes_normalized(broker: TestClient[Any], form: str) -> None:
    given, kept = KEPT[form]
    entity = {"@id": "urn:ngsi-ld:Vehicle:1", "@type": "Vehicle", "výška_1": given}
    assert broker.post("/entities", json=entity).status_code == 201
    found = broker.get("/entities/urn:ngsi-ld:Vehicle:1").json()
    assert found == {"id": entity["@id"], "type": "Vehicle", "výška_1": kept}


def test_nesting_without_end_is_refused(broker: TestClient[Any]) -> None:
    deep = b'{"id":"urn:a:b","type":"T","p":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}"
    subs = b'{"id":"urn:a:b","type":"T","p":' + b'{"value":1,"a":' * 500 + b"1" + b"}" * 500 + b"}"
    for body in (deep, subs):
        answer = broker.post("/entities", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400

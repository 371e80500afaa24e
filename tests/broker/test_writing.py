"""What an entity looks like in each representation (ETSI GS CIM 009 §4.5.2 to §4.5.4, §4.15, §4.5.16, §4.5.17)."""

from typing import Any

import pytest
from litestar.testing import TestClient

PATH = "/entities/urn:ngsi-ld:Vehicle:1"
ENTITY: dict[str, Any] = {
    "id": "urn:ngsi-ld:Vehicle:1",
    "type": "Vehicle",
    "speed": [
        {"type": "Property", "value": 55},
        {"type": "Property", "value": 11, "datasetId": "urn:ngsi-ld:Dataset:gps"},
    ],
    "brandName": {"type": "LanguageProperty", "languageMap": {"nl": "Merk", "en-US": "brand", "fr": "marque"}},
    "street": {"type": "JsonProperty", "json": {"a": 1}},
    "category": {"type": "VocabProperty", "vocab": "non-commercial"},
    "depths": {"type": "ListProperty", "valueList": [1.2, 3.4]},
    "isParked": {"type": "Relationship", "object": "urn:ngsi-ld:OffStreetParking:1"},
    "route": {"type": "ListRelationship", "objectList": [{"object": "urn:a:1"}, {"object": "urn:a:2"}]},
    "name": {"type": "Property", "value": "x", "observedAt": "2026-01-01T00:00:00Z"},
    "address": {"type": "Property", "value": {"type": "PostalAddress", "street": "x"}},
    "location": [
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3.0, 4.0]}},
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [9.0, 9.0]}, "datasetId": "urn:d:gps"},
    ],
}


@pytest.fixture
def filled(broker: TestClient[Any]) -> TestClient[Any]:
    assert broker.post("/entities", json=ENTITY).status_code == 201
    return broker


def test_normalized_form_is_what_was_written(filled: TestClient[Any]) -> None:
    assert filled.get(PATH).json() == ENTITY
    assert filled.get(f"{PATH}?format=normalized").json() == ENTITY


@pytest.mark.parametrize("asked", ["options=keyValues", "options=simplified", "format=simplified"])
def test_simplified_form_has_values_alone(filled: TestClient[Any], asked: str) -> None:
    assert filled.get(f"{PATH}?{asked}").json() == {
        "id": ENTITY["id"],
        "type": "Vehicle",
        "speed": {"dataset": {"@none": 55, "urn:ngsi-ld:Dataset:gps": 11}},
        "brandName": {"languageMap": ENTITY["brandName"]["languageMap"]},
        "street": {"json": {"a": 1}},
        "category": {"vocab": "non-commercial"},
        "depths": [1.2, 3.4],
        "isParked": "urn:ngsi-ld:OffStreetParking:1",
        "route": ["urn:a:1", "urn:a:2"],
        "name": "x",
        "address": ENTITY["address"]["value"],
        "location": {
            "dataset": {
                "@none": {"type": "Point", "coordinates": [3.0, 4.0]},
                "urn:d:gps": {"type": "Point", "coordinates": [9.0, 9.0]},
            }
        },
    }


def test_concise_form_can_be_written_again(filled: TestClient[Any]) -> None:
    found = filled.get(f"{PATH}?options=concise").json()
    assert found["name"] == {"value": "x", "observedAt": "2026-01-01T00:00:00Z"}
    assert found["speed"] == [55, {"value": 11, "datasetId": "urn:ngsi-ld:Dataset:gps"}]
    assert found["isParked"] == {"object": "urn:ngsi-ld:OffStreetParking:1"}
    again = {**found, "speed": [{"value": 55}, found["speed"][1]]}
    again["location"] = [{"value": found["location"][0]}, found["location"][1]]
    assert filled.put(PATH, json=again).status_code == 204
    assert filled.get(PATH).json() == ENTITY


@pytest.mark.parametrize(
    ("lang", "tag", "text"),
    [
        ("nl", "nl", "Merk"),
        ("fr;q=0.2,nl;q=0.9", "nl", "Merk"),
        ("FR", "fr", "marque"),
        ("nl-BE", "nl", "Merk"),
        ("en", "en-US", "brand"),
        ("pt,*;q=0.1", "nl", "Merk"),
        ("pt", "nl", "Merk"),
    ],
)
def test_language_filter_gives_one_text(filled: TestClient[Any], lang: str, tag: str, text: str) -> None:
    found = filled.get(f"{PATH}?lang={lang}").json()["brandName"]
    assert found["type"] == "Property"
    assert "languageMap" not in found
    assert (found["lang"], found["value"]) == (tag, text) or lang in ("pt", "pt,*;q=0.1")


def test_system_attributes_are_shown_when_asked_for(broker: TestClient[Any]) -> None:
    until = "2100-01-01T00:00:00Z"
    entity = {"id": ENTITY["id"], "type": "Vehicle", "expiresAt": until, "speed": {"value": 7, "expiresAt": until}}
    assert broker.post("/entities", json=entity).status_code == 201
    assert "At" not in broker.get(PATH).text
    found = broker.get(f"{PATH}?options=sysAttrs").json()
    assert found["expiresAt"] == found["speed"]["expiresAt"] == until
    assert found["createdAt"] == found["speed"]["modifiedAt"] == "2026-04-01T00:00:00Z"


@pytest.mark.parametrize(
    ("asked", "geometry"),
    [
        ("", {"type": "Point", "coordinates": [3.0, 4.0]}),
        ("?geometryProperty=speed", None),
        ("?geometryProperty=no", None),
    ],
)
def test_feature_has_the_default_geometry_and_no_second_id(filled: TestClient[Any], asked: str, geometry: Any) -> None:
    found = filled.get(f"{PATH}{asked}", headers={"accept": "application/geo+json"}).json()
    assert (found["type"], found["id"], found["geometry"]) == ("Feature", ENTITY["id"], geometry)
    assert found["properties"]["type"] == "Vehicle"
    assert found["properties"]["name"] == ENTITY["name"]
    assert "id" not in found["properties"]


def test_only_the_instances_asked_for_are_shown(filled: TestClient[Any]) -> None:
    found = filled.get(f"{PATH}?datasetId=urn:ngsi-ld:Dataset:gps").json()
    assert found == {"id": ENTITY["id"], "type": "Vehicle", "speed": ENTITY["speed"][1]}
    default = filled.get(f"{PATH}?datasetId=@none&pick=speed").json()
    assert default == {"speed": {"type": "Property", "value": 55}}


def test_reader_of_an_earlier_version_gets_properties(filled: TestClient[Any]) -> None:
    old = filled.get(PATH, headers={"prefer": "ngsi-ld=1.5"})
    assert (old.status_code, old.headers["preference-applied"]) == (203, "ngsi-ld=1.5")
    assert old.json()["category"] == {"type": "Property", "value": "non-commercial"}
    assert old.json()["brandName"]["type"] == "LanguageProperty"
    new = filled.get(PATH, headers={"prefer": "ngsi-ld=1.9"})
    assert (new.status_code, new.headers["preference-applied"]) == (200, "ngsi-ld=1.9")
    assert new.json() == ENTITY

"""What a consumer asks and how it is answered, by clause of ETSI GS CIM 009 (§4.5, §4.9 to §4.23, §5.7, §6.3)."""

from typing import Any
from urllib.parse import quote

import pytest
from litestar.testing import TestClient

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
GEO = {"Accept": "application/geo+json"}


def prop(value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, **more}


def place(*at: float) -> dict[str, Any]:
    return {"type": "GeoProperty", "value": {"type": "Point", "coordinates": list(at)}}


KIOSKS: list[dict[str, Any]] = [
    {
        "id": "urn:k:1",
        "type": "Kiosk",
        "scope": "/north/park",
        "name": prop("Ahorn"),
        "seats": prop(4),
        "address": prop({"city": "Berlin"}),
        "title": {"type": "LanguageProperty", "languageMap": {"en": "red", "fr": "rouge"}},
        "kind": {"type": "VocabProperty", "vocab": "bakery"},
        "menu": {"type": "JsonProperty", "json": {"a": 1}},
        "depths": {"type": "ListProperty", "valueList": [1.5, 2]},
        "route": {"type": "ListRelationship", "objectList": ["urn:r:1", "urn:r:2"]},
        "heldBy": {"type": "Relationship", "object": "urn:k:2"},
        "location": [place(1, 2), {**place(9, 9), "datasetId": "urn:d:gps"}],
        "rank": prop(5),
    },
    {
        "id": "urn:k:2",
        "type": "Kiosk",
        "scope": ["/north/park", "/firm/unit"],
        "name": prop("birke"),
        "seats": prop(6),
        "location": place(2, 2),
        "rank": prop("x"),
    },
    {"id": "urn:k:3", "type": "Kiosk", "name": prop("ánemone"), "location": place(5, 5)},
    {"id": "urn:b:1", "type": "Boat", "length": prop(7)},
]


@pytest.fixture
def kiosks(broker: TestClient[Any]) -> TestClient[Any]:
    assert broker.post("/entityOperations/create", json=KIOSKS).status_code == 201
    return broker


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["id"].removeprefix("urn:") for each in answer.json()]


# query, what it finds: clause
FOUND = [
    ("q=seats==4..5", ["k:1"]),  # 4.9, range
    ("q=seats!=4..5", ["k:2"]),
    ('q=name=="Ahorn","birke"', ["k:1", "k:2"]),  # list of values
    ('q=name!="Ahorn","x"', ["k:2", "k:3"]),
    ('q=name!~="^A"', ["k:2", "k:3"]),
    ('q=address[city]=="Berlin"', ["k:1"]),  # trailing path
    ('q=address[code]=="Berlin"', []),
    ("q=address[city]", ["k:1"]),
    ('q=title[en]=="red"', ["k:1"]),  # language filter
    ('q=title[en]=="rouge"', []),
    ('q=title[*]=="rouge"', ["k:1"]),
    ('q=title[*]!="red"', []),
    ('q=heldBy>"urn:a"', []),  # order of a relationship
    ('q=heldBy{name}=="birke"&join=inline&joinLevel=1', ["k:1"]),  # linked entities
    ('q=heldBy{Kiosk:name}=="birke"&join=inline&joinLevel=1', ["k:1"]),
    ('q=heldBy{Boat:name}=="birke"&join=inline&joinLevel=1', []),
    ("q=kind==bakery&expandValues=kind", ["k:1"]),
    ("q=kind==bakery", []),
    ("q=kind==bakery&expandValues=kind&jsonKeys=kind", []),
    ('q=address[city]=="Berlin"&jsonKeys=address', ["k:1"]),
    ("scopeQ=(/north/park;/firm/unit)", ["k:2"]),  # 4.19
    ("scopeQ=(/north/park;/firm/unit)|/north/park", ["k:1", "k:2"]),
    ("scopeQ=/firm/unit|/nowhere", ["k:2"]),
    ("scopeQ=(/north/park;/nowhere)", []),
    ("scopeQ=/north/%23", ["k:1", "k:2"]),
    ("orderBy=name", ["k:1", "k:2", "k:3"]),  # 4.23: by code point
    ("orderBy=name&collation=und", ["k:1", "k:3", "k:2"]),
    ("orderBy=rank", ["k:1", "k:2", "k:3"]),  # numbers, texts, nothing
    ("orderBy=location;dist-asc&orderFrom=[5,5]", ["k:3", "k:2", "k:1"]),
    ("orderBy=location;dist-desc&orderFrom=[5,5]", ["k:1", "k:2", "k:3"]),
    ("georel=near;maxDistance==2000&geometry=LineString&coordinates=[[1,1],[1,3]]", ["k:1"]),  # 4.10
    ("georel=within&geometry=Polygon&coordinates=[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[4,4],[6,4],[6,6],[4,6],[4,4]]]",
     ["k:1", "k:2"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), FOUND)
def test_query_finds_what_its_clause_says(kiosks: TestClient[Any], query: str, expected: list[str]) -> None:
    assert found(kiosks.get(f"/entities?type=Kiosk&{query}")) == expected


# what is wrong, and the type of the error
WRONG = [
    ("/entities?type=Kiosk&options=never", "InvalidRequest"),  # 6.3.7, 6.3.20
    ("/entities?type=Kiosk&options=keyValues,never", "InvalidRequest"),
    ("/entities?type=Kiosk&format=never", "InvalidRequest"),
    ("/entities?type=Kiosk&format=keyValues&options=never", "InvalidRequest"),
    ("/entities/urn:k:1?format=never", "InvalidRequest"),
    ("/temporal/entities?type=Kiosk&timerel=after&timeAt=2020-01-01T00:00:00Z&format=never", "InvalidRequest"),
    ("/temporal/entities?type=Kiosk&timerel=after&timeAt=2020-01-01T00:00:00Z&options=never", "InvalidRequest"),
    ("/entities?type=Kiosk&q=seats>4..5", "BadRequestData"),  # 4.9
    ("/entities?type=Kiosk&csf=))bad((", "BadRequestData"),  # 5.7.2.4
    ("/entities?type=Kiosk&jsonKeys=a;b", "BadRequestData"),
    ("/entities?type=Kiosk&georel=near;maxDistance==0&geometry=Point&coordinates=[1,2]", "BadRequestData"),  # 4.10
    ("/entities?type=Kiosk&georel=near;maxDistance==inf&geometry=Point&coordinates=[1,2]", "BadRequestData"),
    ("/entities?type=Kiosk&georel=near;maxDistance==1e400&geometry=Point&coordinates=[1,2]", "BadRequestData"),
    ("/entities?type=Kiosk&georel=touches&geometry=Point&coordinates=[1,2]", "BadRequestData"),
    ("/entities?type=Kiosk&orderBy=location;dist-asc", "BadRequestData"),  # 4.23
    ("/entities?type=Kiosk&orderBy=name&collation=!!nope", "BadRequestData"),
    ("/entities?type=*&local=false", "BadRequestData"),  # Table 6.4.3.2-1
    ("/entities/urn:k:1?geometryProperty=location", "BadRequestData"),  # 5.7.1.4
    ("/entities/urn:k:1?pick=heldBy{name}", "BadRequestData"),
    ("/entities/urn:k:1?pick=name||seats", "BadRequestData"),  # 4.21
    ("/entities?type=Kiosk&limit=1&limit=2", "BadRequestData"),
    ("/temporal/entities/urn:k:1?pick=heldBy{name}", "BadRequestData"),  # 5.7.3.4
    ("/temporal/entities?type=Kiosk&timerel=after&timeAt=2020-01-01T00:00:00Z&orderBy=name", "BadRequestData"),
    ("/temporal/entities?type=Kiosk&timerel=after&timeAt=2020-01-01T00:00:00Z&id=not%20one", "BadRequestData"),
    ("/attributes?limit=5", "InvalidRequest"),
    ("/attributes/seats?details=true", "InvalidRequest"),
    ("/types/Kiosk?details=true", "InvalidRequest"),
]


@pytest.mark.parametrize(("path", "problem"), WRONG)
def test_request_that_its_clause_forbids_is_refused(kiosks: TestClient[Any], path: str, problem: str) -> None:
    """Among them `FormatIsUnknown`."""
    answer = kiosks.get(path)
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + problem), answer.text
    assert answer.json()["title"] not in ("", answer.json()["detail"])


def test_option_that_comes_twice_is_a_list(kiosks: TestClient[Any]) -> None:
    """6.3.7: `options` is a list, however a client writes one."""
    answer = kiosks.get("/entities/urn:k:2?options=sysAttrs&options=keyValues").json()
    assert (answer["seats"], "createdAt" in answer) == (6, True)


def test_simplified_form_wraps_what_would_lose_its_type(kiosks: TestClient[Any]) -> None:
    """4.5.4"""
    answer = kiosks.get("/entities/urn:k:1?options=keyValues").json()
    assert {name: answer[name] for name in ("title", "menu", "kind", "depths", "route", "heldBy", "location")} == {
        "title": {"languageMap": {"en": "red", "fr": "rouge"}},
        "menu": {"json": {"a": 1}},
        "kind": {"vocab": "bakery"},
        "depths": [1.5, 2],
        "route": ["urn:r:1", "urn:r:2"],
        "heldBy": "urn:k:2",
        "location": {"dataset": {"@none": place(1, 2)["value"], "urn:d:gps": place(9, 9)["value"]}},
    }


# language filter, language and text answered: 4.15
LANGUAGES = [
    ("en;q=0.2,fr;q=0.9", "fr", "rouge"), ("FR", "fr", "rouge"), ("fr-BE", "fr", "rouge"), ("*", "en", "red"),
    ("pt", "en", "red"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "lang", "text"), LANGUAGES)
def test_best_language_is_answered_by_name(kiosks: TestClient[Any], asked: str, lang: str, text: str) -> None:
    title = kiosks.get(f"/entities/urn:k:1?lang={quote(asked)}").json()["title"]
    assert title == {"type": "Property", "value": text, "lang": lang}


@pytest.mark.parametrize("projection", ["pick=unknown", "omit=id,type,length"])
def test_entity_of_which_nothing_is_left_is_not_found(kiosks: TestClient[Any], projection: str) -> None:
    """4.21, 5.7.1.4, 5.7.3.4"""
    for path in ("/entities/urn:b:1", "/temporal/entities/urn:b:1"):
        answer = kiosks.get(f"{path}?{projection}")
        assert (answer.status_code, answer.json()["type"]) == (404, ERRORS + "ResourceNotFound")
    assert kiosks.get(f"/entities?type=Boat&{projection}").json() == []


def test_pick_finds_those_alone_that_have_what_is_picked(kiosks: TestClient[Any]) -> None:
    """4.21, 5.7.2.4"""
    answer = kiosks.get("/entities?type=Kiosk,Boat&pick=length&count=true")
    assert (answer.json(), answer.headers["ngsild-results-count"]) == ([{"length": prop(7)}], "1")
    window = "timerel=after&timeAt=1970-01-01T00:00:00Z&timeproperty=createdAt"
    assert [list(each) for each in kiosks.get(f"/temporal/entities?type=Kiosk,Boat&{window}&pick=length").json()] == [
        ["length"]
    ]


def test_feature_has_the_geometry_of_the_default_instance(kiosks: TestClient[Any]) -> None:
    """4.5.16, 4.5.17"""
    for form in ("", "?options=keyValues"):
        answer = kiosks.get(f"/entities/urn:k:1{form}", headers=GEO).json()
        assert (answer["type"], answer["id"], answer["geometry"]) == ("Feature", "urn:k:1", place(1, 2)["value"])
        assert (answer["properties"]["type"], "id" in answer["properties"]) == ("Kiosk", False)
    assert kiosks.get("/entities/urn:k:1?geometryProperty=seats", headers=GEO).json()["geometry"] is None
    assert kiosks.get("/entities/urn:b:1", headers=GEO).json()["geometry"] is None
    whole = kiosks.get("/entities?type=Kiosk", headers=GEO).json()
    assert (whole["type"], "@context" in whole["features"][0]) == ("FeatureCollection", False)


# selector, what it finds (None: refused): 5.2.33, 5.2.23, 5.2.43
POSTED: list[tuple[dict[str, Any], list[str] | None]] = [
    ({"entities": [{"type": "Kiosk", "id": ["urn:k:1", "urn:k:3"]}]}, ["k:1", "k:3"]),
    ({"entities": [{"type": "Kiosk", "id": "urn:k:1", "idPattern": "2$"}]}, ["k:1"]),
    ({"entities": [{"type": "Kiosk", "idPattern": "2$"}]}, ["k:2"]),
    ({"entities": [{"id": "urn:k:1"}]}, None),
    ({"entities": [{"type": "Kiosk", "id": "not one"}]}, None),
    ({"entities": [{"type": "Kiosk", "id": ["urn:k:1", 5]}]}, None),
    ({"entities": []}, None),
    ({"entities": [{"type": "Kiosk"}], "attrs": []}, None),
    ({"entities": [{"type": "Kiosk"}], "pick": []}, None),
    ({"entities": [{"type": "Kiosk"}], "q": 42}, None),
    ({"entities": [{"type": "Kiosk"}], "entityMap": "yes"}, None),
    ({"entities": [{"type": "Kiosk"}], "join": "inline", "joinLevel": 0}, None),
    ({"entities": [{"type": "Kiosk"}], "temporalQ": {"timerel": "after", "timeAt": "2020-01-01T00:00:00Z"}}, None),
    ({"entities": [{"type": "Kiosk"}], "q": "seats>5"}, ["k:2"]),
    ({"entities": [{"type": "Kiosk"}], "ordering": {"orderBy": ["location;dist-asc"], "coordinates": [5, 5]}},
     ["k:3", "k:2", "k:1"]),
    ({"entities": [{"type": "Kiosk"}], "ordering": {"orderBy": ["location;dist-asc"]}}, None),
    ({"entities": [{"type": "Kiosk"}], "ordering": {"orderBy": ["location;dist-asc"], "coordinates": "5,5"}}, None),
    ({"entities": [{"type": "Kiosk"}], "ordering": {"orderBy": ["id;asc"], "geometry": 5}}, None),
    ({"entities": [{"type": "Kiosk"}], "ordering": {"orderBy": ["id;asc"], "collation": "de-u-co-phonebk"}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), POSTED)
def test_posted_query_is_read_by_its_table(
    kiosks: TestClient[Any], query: dict[str, Any], expected: list[str] | None
) -> None:
    answer = kiosks.post("/entityOperations/query", json={"type": "Query", **query})
    if expected is None:
        assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData"), answer.text
    else:
        assert found(answer) == expected


def test_members_of_an_entity_are_no_attributes(kiosks: TestClient[Any]) -> None:
    """5.7.8, 5.7.10, 5.7.7"""
    listed = kiosks.get("/attributes").json()["attributeList"]
    for name in ("id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "nothing"):
        assert name not in listed
        assert kiosks.get(f"/attributes/{name}").status_code == 404
    assert kiosks.get("/types/Nothing").status_code == 404


@pytest.mark.parametrize(
    ("prefer", "status", "applied", "kind"),
    [
        ("ngsi-ld=1.5", 203, "ngsi-ld=1.5", "Property"),
        ("NGSI-LD=1.5", 203, "ngsi-ld=1.5", "Property"),
        ('respond-async, ngsi-ld="1.5"', 203, "ngsi-ld=1.5", "Property"),
        ("ngsi-ld=1.9;q=0.1", 200, "ngsi-ld=1.9", "VocabProperty"),
        ("respond-async", 200, None, "VocabProperty"),
    ],
)
def test_version_that_a_client_prefers_is_read_however_it_is_written(
    kiosks: TestClient[Any], prefer: str, status: int, applied: str | None, kind: str
) -> None:
    """4.3.6.8, 6.3.6, RFC 7240"""
    answer = kiosks.get("/entities/urn:k:1", headers={"Prefer": prefer})
    assert (answer.status_code, answer.headers.get("preference-applied")) == (status, applied)
    assert answer.json()["kind"]["type"] == kind

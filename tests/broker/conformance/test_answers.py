"""What may be asked and how it is answered, for all operations (ETSI GS CIM 009 §4.9 to §4.23, §5.5, §6.3)."""

from typing import Any

import pytest
from litestar.testing import TestClient

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
TYPE = "urn:ngsi-ld:Bench:"
BENCHES = [
    {
        "id": TYPE + "1",
        "type": "Bench",
        "scope": ["/Park/North", "/Owner/City"],
        "address": {"type": "Property", "value": {"city": "Kyoto"}},
        "name": {"type": "LanguageProperty", "languageMap": {"ja": "椅子", "en-US": "bench"}},
        "material": {"type": "VocabProperty", "vocab": "wood"},
        "beside": {"type": "Relationship", "object": TYPE + "2"},
        "rank": 5,
        "location": {"type": "Point", "coordinates": [8.01, 40.01]},
        "seen": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [100, 10]}},
    },
    {
        "id": TYPE + "2",
        "type": ["Bench", "Seat"],
        "scope": "/Park/North",
        "address": {"type": "Property", "value": {"city": "Nara"}},
        "rank": "high",
        "title": "á",
        "location": {"type": "Point", "coordinates": [9, 41]},
    },
    {
        "id": TYPE + "3",
        "type": "Bench",
        "address": {"type": "Property", "value": {"city": "Osaka"}},
        "title": "b",
        "location": {"type": "Point", "coordinates": [10, 45]},
    },
]
JOIN = {"join": "inline", "joinLevel": "1"}


@pytest.fixture
def filled(broker: TestClient[Any]) -> TestClient[Any]:
    assert broker.post("/entityOperations/create", json=BENCHES).status_code == 201
    return broker


def found(broker: TestClient[Any], **query: str) -> list[str]:
    answer = broker.get("/entities", params={"type": "Bench", **query})
    assert answer.status_code == 200, answer.text
    return [each["id"].removeprefix(TYPE) for each in answer.json()]


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(ERRORS)


@pytest.mark.parametrize(
    ("q", "more", "expected"),
    [
        ('address[city]=="Kyoto"', {}, "1"),
        ('address[street]=="Kyoto"', {}, ""),
        ("address[city]", {}, "123"),
        ('name[ja]=="椅子"', {}, "1"),
        ('name[ja]=="bench"', {}, ""),
        ('name[*]=="bench"', {}, "1"),
        ('name[*]!="bench"', {}, ""),
        ('beside{address[city]}=="Nara"', JOIN, "1"),
        ('beside{Seat:address[city]}=="Nara"', JOIN, "1"),
        ('beside{Tree:address[city]}=="Nara"', JOIN, ""),
        ('beside>"urn:a"', {}, ""),
        ("material==wood", {"expandValues": "material"}, "1"),
        ("material==wood", {}, ""),
    ],
)
def test_query_reaches_into_attributes(filled: TestClient[Any], q: str, more: Any, expected: str) -> None:
    """§4.9"""
    assert found(filled, q=q, **more) == list(expected)


@pytest.mark.parametrize(
    "query",
    [
        {"attrs": "createdAt", "type": ""},
        {"q": 'modifiedAt>"2020-01-01T00:00:00Z"', "type": ""},
        {"q": "beside{rank}==5"},
        {"q": "beside{beside{rank}}==5", **JOIN},
        {"pick": "beside{beside{rank}}", **JOIN},
        {"omit": "beside{rank}"},
        {"pick": "a{" * 11 + "b" + "}" * 11, "join": "inline", "joinLevel": "10"},
        {"csf": "))bad(("},
    ],
)
def test_query_that_is_too_wide_or_too_deep_is_refused(filled: TestClient[Any], query: dict[str, str]) -> None:
    """§5.7.2.4, §4.21, §4.5.23"""
    asked = {name: value for name, value in {"type": "Bench", **query}.items() if value}
    assert refusal(filled.get("/entities", params=asked)) == (400, "BadRequestData")


HOLED = "[[[5,35],[15,35],[15,46],[5,46],[5,35]],[[8,40],[9.5,40],[9.5,42],[8,42],[8,40]]]"


@pytest.mark.parametrize(
    ("georel", "geometry", "coordinates", "more", "expected"),
    [
        ("within", "Polygon", HOLED, {}, "3"),
        ("near;maxDistance==2000", "Point", "[8,40]", {}, "1"),
        ("near;maxDistance==2000", "Point", "[100,10]", {}, ""),
        ("near;maxDistance==2000", "Point", "[100,10]", {"geoproperty": "seen"}, "1"),
        ("near;maxDistance==2000", "LineString", "[[10,44],[10,46]]", {}, "3"),
        ("near;maxDistance==2000", "LineString", "[[11,44],[11,46]]", {}, ""),
    ],
)
def test_place_is_asked_for(
    filled: TestClient[Any], georel: str, geometry: str, coordinates: str, more: Any, expected: str
) -> None:
    """§4.10: within a polygon but its holes; near to the nearest point of what is named."""
    assert found(filled, georel=georel, geometry=geometry, coordinates=coordinates, **more) == list(expected)


@pytest.mark.parametrize(
    "georel",
    [
        "near",
        "touches",
        *(f"near;maxDistance=={distance}" for distance in ("0", "-1", "inf", "1e400", "5;minDistance==1")),
    ],
)
def test_place_outside_the_grammar_is_refused(filled: TestClient[Any], georel: str) -> None:
    """§4.10"""
    query = {"type": "Bench", "georel": georel, "geometry": "Point", "coordinates": "[8,40]"}
    assert refusal(filled.get("/entities", params=query)) == (400, "BadRequestData")


@pytest.mark.parametrize(
    ("timerel", "at", "end", "expected"),
    [
        ("after", "05:00Z", None, "57"),
        ("after", "05:00.000Z", None, "57"),
        ("before", "05:00Z", None, "3"),
        ("before", "05:00.000Z", None, "3"),
        ("between", "03:00Z", "05:00.000Z", "3"),
        ("during", "05:00Z", None, None),
        ("between", "05:00Z", None, None),
    ],
)
def test_time_has_its_bounds(
    broker: TestClient[Any], timerel: str, at: str, end: str | None, expected: str | None
) -> None:
    """§4.11: after with its moment, before without it."""
    told = [{"type": "Property", "value": each, "observedAt": f"2026-01-01T12:0{each}:00Z"} for each in (3, 5, 7)]
    broker.post("/temporal/entities", json={"id": TYPE + "1", "type": "Bench", "rank": told})
    query = {"timerel": timerel, "timeAt": f"2026-01-01T12:{at}"} | (
        {"endTimeAt": f"2026-01-01T12:{end}"} if end else {}
    )
    answer = broker.get("/temporal/entities", params={"type": "Bench", "options": "temporalValues", **query})
    if expected is None:
        assert refusal(answer) == (400, "BadRequestData")
    else:
        assert [value for value, _ in answer.json()[0]["rank"]["values"]] == [int(each) for each in expected]


def test_pages_are_counted_and_linked(filled: TestClient[Any]) -> None:
    """§4.12, §4.13, §5.5.9, §6.3.10, §6.3.13"""

    def page(limit: int, offset: int) -> tuple[int, str, list[str]]:
        answer = filled.get("/entities", params={"type": "Bench", "limit": limit, "offset": offset, "count": "true"})
        relations = [rel for rel in ("prev", "next") if f'rel="{rel}"' in answer.headers["link"]]
        return len(answer.json()), answer.headers["ngsild-results-count"], relations

    assert page(1, 0) == (1, "3", ["next"])
    assert page(1, 1) == (1, "3", ["prev", "next"])
    assert page(1, 2) == (1, "3", ["prev"])
    assert page(2, 0) == (2, "3", ["next"])
    assert page(0, 0) == (0, "3", [])


def test_tenants_know_nothing_of_each_other(broker: TestClient[Any]) -> None:
    """§4.14, §5.5.10, §5.7.11, §6.3.14: a tenant that nothing was written to is none."""
    path, here, there = f"/entities/{TYPE}1", {"NGSILD-Tenant": "here"}, {"NGSILD-Tenant": "there"}
    answer = broker.get("/entities?type=Bench", headers=here)
    assert refusal(answer) == (404, "NonexistentTenant")
    assert answer.headers["ngsild-tenant"] == "here"
    for tenant, kind in ((here, "Bench"), (there, "Seat")):
        made = broker.post("/entities", json={"id": TYPE + kind, "type": kind}, headers=tenant)
        assert (made.status_code, made.headers["ngsild-tenant"]) == (201, tenant["NGSILD-Tenant"])
        assert broker.get("/types", headers=tenant).json()["typeList"] == [kind]
    assert broker.get(f"/entities/{TYPE}Bench", headers=there).status_code == 404
    assert broker.get(f"/entities/{TYPE}Bench").status_code == 404
    assert broker.get("/types/Bench", headers=there).status_code == 404
    assert broker.get(path, headers=here).status_code == 404


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("en;q=0.2,ja;q=0.9", ("ja", "椅子")),
        ("JA", ("ja", "椅子")),
        ("ja-JP", ("ja", "椅子")),
        ("en", ("en-US", "bench")),
    ],
)
def test_best_language_is_shown(filled: TestClient[Any], asked: str, shown: tuple[str, str]) -> None:
    """§4.15"""
    name = filled.get(f"/entities/{TYPE}1", params={"lang": asked}).json()["name"]
    assert (name["type"], name["lang"], name["value"]) == ("Property", *shown)


def test_any_language_is_better_than_none(filled: TestClient[Any]) -> None:
    """§4.15"""
    assert filled.get(f"/entities/{TYPE}1?lang=pt").json()["name"]["lang"] in ("ja", "en-US")


def test_types_select(filled: TestClient[Any]) -> None:
    """§4.16, §4.17"""
    assert found(filled, type="Seat") == ["2"]
    assert found(filled, type="(Bench;Seat)") == ["2"]
    assert found(filled, type="Seat|Bench") == ["1", "2", "3"]
    path = f"/entities/{TYPE}1"
    assert refusal(filled.get(f"{path}?type=Seat")) == (404, "ResourceNotFound")
    assert filled.get(f"{path}?type=Bench").status_code == 200


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ("(/Park/North;/Owner/City)", "1"),
        ("(/Park/North;/Owner/City)|/Park/North", "12"),
        ("/Owner/City|/Nowhere", "1"),
        ("/Owner/City,/Nowhere", "1"),
        ("(/Park/North;/Nowhere)", ""),
        ("/Park/#", "12"),
        ("/Owner/+", "1"),
    ],
)
def test_scopes_select(filled: TestClient[Any], scopes: str, expected: str) -> None:
    """§4.18, §4.19"""
    assert found(filled, scopeQ=scopes) == list(expected)


def test_pipe_and_comma_pick_the_same(filled: TestClient[Any]) -> None:
    """§4.21"""
    path = f"/entities/{TYPE}1"
    assert filled.get(path, params={"pick": "rank|material"}).json().keys() == {"rank", "material"}
    assert filled.get(path, params={"pick": "rank,material"}).json().keys() == {"rank", "material"}
    assert refusal(filled.get(path, params={"pick": "rank||material"})) == (400, "BadRequestData")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"orderBy": "location;dist-asc", "orderFrom": "[8,40]"}, "123"),
        ({"orderBy": "location;dist-desc", "orderFrom": "[8,40]"}, "321"),
        ({"orderBy": "rank"}, "123"),  # numbers, texts, nothing
        ({"orderBy": "address[city];desc"}, "321"),
        ({"orderBy": "title"}, "321"),  # by code points
        ({"orderBy": "title", "collation": "und"}, "231"),
    ],
)
def test_entities_come_in_order(filled: TestClient[Any], order: Any, expected: str) -> None:
    """§4.23"""
    assert found(filled, **order) == list(expected)


@pytest.mark.parametrize(
    "order", [{"orderBy": "location;dist-asc"}, {"orderBy": "title", "collation": "!!no"}, {"orderBy": "title;up"}]
)
def test_order_that_cannot_be_is_refused(filled: TestClient[Any], order: dict[str, str]) -> None:
    """§4.23"""
    assert refusal(filled.get("/entities", params={"type": "Bench", **order})) == (400, "BadRequestData")


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_body_without_length_is_refused_before_anything_else(broker: TestClient[Any], method: str) -> None:
    """§6.3.2, §6.3.4"""
    path = "/entities" if method == "POST" else f"/entities/{TYPE}1"
    headers = {"content-type": "application/json", "NGSILD-Tenant": "none"}
    answer = broker.request(method, path, content=iter([b"{}"]), headers=headers)
    assert (answer.status_code, answer.content) == (411, b"")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/ld+json, application/json", "application/json"),
        ("application/geo+json, application/json", "application/json"),
        ("application/json;q=0.1, application/ld+json;q=0.9", "application/ld+json"),
        ("application/json;q=0, */*", "application/ld+json"),
        ("*/*;q=0.9, application/ld+json;q=0.8", "application/json"),
        ("application/ld+json;q=nothing", "application/ld+json"),
        ("*/*", "application/json"),
    ],
)
def test_media_type_is_the_first_of_the_best(filled: TestClient[Any], accept: str, expected: str) -> None:
    """§6.3.4"""
    answer = filled.get(f"/entities/{TYPE}1", headers={"accept": accept})
    assert answer.headers["content-type"].split(";")[0] == expected


def test_context_is_in_the_body_of_features_unless_the_header_is_preferred(filled: TestClient[Any]) -> None:
    """§6.3.6, §6.3.15"""
    accept = {"accept": "application/geo+json"}
    assert "@context" in filled.get("/entities?type=Bench", headers=accept).json()
    answer = filled.get("/entities?type=Bench", headers={**accept, "prefer": "body=json"})
    assert "@context" not in answer.json()
    assert "json-ld#context" in answer.headers["link"]


def test_answer_without_content_has_no_length(filled: TestClient[Any]) -> None:
    """§6.3.6"""
    answer = filled.delete(f"/entities/{TYPE}1")
    assert answer.status_code == 204
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    "prefer", ["ngsi-ld=1.5", "NGSI-LD=1.5", 'ngsi-ld="1.5"', "ngsi-ld=1.5;q=0.1", "other, ngsi-ld=1.5"]
)
def test_earlier_version_is_told_what_it_knows(filled: TestClient[Any], prefer: str) -> None:
    """§4.3.6.8, §6.3.6: 203 where something had to be told otherwise."""
    path = f"/entities/{TYPE}1"
    answer = filled.get(path, headers={"prefer": prefer})
    assert (answer.status_code, answer.headers["preference-applied"]) == (203, "ngsi-ld=1.5")
    assert answer.json()["material"]["type"] == "Property"
    now = filled.get(path, headers={"prefer": "ngsi-ld=1.9"})
    assert (now.status_code, now.json()["material"]["type"]) == (200, "VocabProperty")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/entities"),
        ("GET", "/entities"),
        ("DELETE", "/entities"),
        ("POST", "/temporal/entities"),
        ("GET", "/temporal/entities"),
        ("GET", "/types"),
        ("GET", "/types/Bench"),
        ("GET", "/attributes/rank"),
        ("POST", "/subscriptions"),
        ("GET", "/subscriptions"),
        ("GET", "/csourceRegistrations"),
    ],
)
def test_unknown_parameter_is_refused(broker: TestClient[Any], method: str, path: str) -> None:
    """§6.3.20"""
    body = {} if method == "POST" else None
    assert refusal(broker.request(method, path, params={"unknown": "1"}, json=body)) == (400, "InvalidRequest")


@pytest.mark.parametrize("name", ["id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "nothing"])
def test_member_that_is_no_attribute_is_not_discovered(filled: TestClient[Any], name: str) -> None:
    """§5.7.8, §5.7.10"""
    assert name not in filled.get("/attributes").json()["attributeList"]
    assert refusal(filled.get(f"/attributes/{name}")) == (404, "ResourceNotFound")


@pytest.mark.parametrize("operation", ["create", "upsert", "update", "merge", "delete"])
def test_array_with_null_or_nothing_is_refused_whole(broker: TestClient[Any], operation: str) -> None:
    """§5.6.7, §5.6.8, §5.6.9, §5.6.20, §5.6.10"""
    for body in ([{"id": TYPE + "1", "type": "Bench"}, None], []):
        assert refusal(broker.post(f"/entityOperations/{operation}", json=body)) == (400, "BadRequestData")
    assert broker.get(f"/entities/{TYPE}1").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", f"/entities/{TYPE}9", 404), ("GET", "/entities", 400), ("PUT", "/subscriptions", 405)],
)
def test_refusal_is_told_as_problem_details(broker: TestClient[Any], method: str, path: str, status: int) -> None:
    """§5.5.2, §5.5.3, §6.3.2"""
    answer = broker.request(method, path, json=None if method == "GET" else {})
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["type"].startswith(ERRORS)
    assert answer.json()["title"]
    assert answer.headers["content-type"].startswith("application/")


def test_fragment_needs_no_type_and_keeps_the_rest(filled: TestClient[Any]) -> None:
    """§5.4: a part of an entity."""
    path = f"/entities/{TYPE}1"
    assert filled.patch(path, json={"rank": 6}).status_code == 204
    assert filled.patch(f"{path}/attrs", json={"material": {"vocab": "stone"}}).status_code == 204
    shown = filled.get(path).json()
    assert (shown["type"], shown["rank"]["value"], shown["material"]["vocab"]) == ("Bench", 6, "stone")
    assert shown["address"]["value"] == {"city": "Kyoto"}

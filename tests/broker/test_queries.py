"""Query Entities over HTTP, by GET and POST: selection, paging, counting, forms (ETSI GS CIM 009 §5.7.2, §6.3.10)."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.store import collations
from sanpo.ground.city import City

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


@pytest.fixture
def filled(broker: TestClient[Any]) -> TestClient[Any]:
    """Five rooms of rising temperature, one of them also a kitchen, and a house."""
    rooms = [
        {
            "id": f"urn:a:{number}",
            "type": ["Room", "Kitchen"] if number == 3 else "Room",
            "scope": f"/house/floor{number % 2}",
            "temperature": {"type": "Property", "value": 10 * number, "unitCode": "CEL"},
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [8 + number / 100, 40]}},
        }
        for number in range(5)
    ]
    house = {"id": "urn:a:house", "type": "House", "name": "x"}
    assert broker.post("/entityOperations/create", json=[*rooms, house]).status_code == 201
    return broker


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["id"].removeprefix("urn:a:") for each in answer.json()]


SELECTED = {
    "type=Room": ["0", "1", "2", "3", "4"],
    "type=House,Kitchen": ["3", "house"],
    "type=(Room;Kitchen)": ["3"],
    "attrs=name": ["house"],
    "q=temperature>=30": ["3", "4"],
    "q=temperature==10..20": ["1", "2"],
    "type=Room&id=urn:a:1,urn:a:house": ["1"],
    "type=Room&idPattern=[24]$": ["2", "4"],
    "type=Room&scopeQ=/house/floor1": ["1", "3"],
    "type=Room&q=temperature>100": [],
    "georel=near;maxDistance==1200&geometry=Point&coordinates=[8,40]": ["0", "1"],
    "local=true": ["0", "1", "2", "3", "4", "house"],
}


@pytest.mark.parametrize("query", SELECTED)
def test_query_finds_what_fits(filled: TestClient[Any], query: str) -> None:
    assert ids(filled.get(f"/entities?{query}")) == SELECTED[query]
    counted = filled.get(f"/entities?{query}&count=true&limit=0")
    assert counted.headers["ngsild-results-count"] == str(len(SELECTED[query]))
    assert counted.json() == []


@pytest.mark.parametrize("query", ["", "attrs=createdAt", 'q=modifiedAt>"2020-01-01T00:00:00Z"', "scopeQ=/a"])
def test_query_without_narrowing_is_too_wide(filled: TestClient[Any], query: str) -> None:
    answer = filled.get(f"/entities?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("type=Room&limit=0", 400, "BadRequestData"),
        ("type=Room&limit=-1", 400, "BadRequestData"),
        ("type=Room&limit=x", 400, "BadRequestData"),
        ("type=Room&offset=-1", 400, "BadRequestData"),
        ("type=Room&limit=1001", 403, "TooManyResults"),
        ("type=Room&additional=1", 400, "InvalidRequest"),
        ("type=Room&options=never", 400, "InvalidRequest"),
        ("type=Room&q=((", 400, "BadRequestData"),
        ("type=Room&geometryProperty=location", 400, "BadRequestData"),
        ('type=Room&q=owner{name}=="x"', 400, "BadRequestData"),
    ],
)
def test_query_that_cannot_be_understood_is_refused(
    filled: TestClient[Any], query: str, status: int, kind: str
) -> None:
    answer = filled.get(f"/entities?{query}")
    assert (answer.status_code, answer.json()["type"]) == (status, ERRORS + kind), answer.text


def test_pages_lead_to_each_other(filled: TestClient[Any]) -> None:
    first = filled.get("/entities?type=Room&limit=2")
    assert ids(first) == ["0", "1"]
    assert set(first.links) >= {"next"}
    assert "prev" not in first.links
    middle = filled.get(first.links["next"]["url"].removeprefix("/ngsi-ld/v1"))
    assert ids(middle) == ["2", "3"]
    assert "prev" in middle.links
    last = filled.get(middle.links["next"]["url"].removeprefix("/ngsi-ld/v1"))
    assert ids(last) == ["4"]
    assert "next" not in last.links


def test_attrs_narrow_what_is_shown(filled: TestClient[Any]) -> None:
    found = filled.get("/entities?attrs=temperature&limit=1").json()[0]
    assert set(found) == {"id", "type", "temperature"} | ({"scope"} & set(found))
    shown = filled.get("/entities/urn:a:1?attrs=temperature").json()
    assert "location" not in shown
    assert filled.get("/entities/urn:a:1?attrs=nothing").status_code == 404


def test_query_by_post_is_the_same(filled: TestClient[Any]) -> None:
    body = {"type": "Query", "entities": [{"type": "Room"}, {"type": "House"}], "q": "temperature<20|name"}
    assert ids(filled.post("/entityOperations/query", json=body)) == ["0", "1", "house"]
    near = {
        "type": "Query",
        "entities": [{"type": "Room", "idPattern": ".*"}],
        "geoQ": {"georel": "near;maxDistance==1200", "geometry": "Point", "coordinates": [8, 40]},
    }
    assert ids(filled.post("/entityOperations/query", json=near)) == ["0", "1"]
    assert filled.post("/entityOperations/query", json={"type": "Query"}).status_code == 400
    assert filled.post("/entityOperations/query", json={"type": "Question"}).status_code == 400


def test_answer_as_geojson_is_a_collection(filled: TestClient[Any]) -> None:
    answer = filled.get("/entities?type=Room&limit=1", headers={"accept": "application/geo+json"})
    assert answer.headers["content-type"] == "application/geo+json"
    found = answer.json()
    assert (found["type"], len(found["features"])) == ("FeatureCollection", 1)
    feature = found["features"][0]
    assert feature["geometry"] == {"type": "Point", "coordinates": [8.0, 40]}
    assert (feature["id"], feature["properties"]["type"]) == ("urn:a:0", "Room")
    assert "@context" in found
    assert "@context" not in feature
    plain = filled.get("/entities?type=Room&limit=1", headers={"accept": "application/geo+json", "prefer": "body=json"})
    assert "@context" not in plain.json()
    assert "link" in plain.headers


def test_expired_entity_is_not_found(filled: TestClient[Any]) -> None:
    over = {"id": "urn:a:over", "type": "Room", "expiresAt": "2020-01-01T00:00:00Z", "temperature": 1}
    assert filled.post("/entities", json=over).status_code == 201
    assert filled.get("/entities/urn:a:over").status_code == 404
    assert "over" not in ids(filled.get("/entities?type=Room"))


def test_projection_picks_and_omits_members(filled: TestClient[Any]) -> None:
    assert filled.get("/entities/urn:a:1?pick=id,temperature").json().keys() == {"id", "temperature"}
    assert filled.get("/entities/urn:a:1?pick=id").json() == {"id": "urn:a:1"}
    assert filled.get("/entities/urn:a:1?omit=type,location,scope").json().keys() == {"id", "temperature"}
    assert filled.get("/entities/urn:a:1?pick=owner{name}").status_code == 400
    assert filled.get("/entities/urn:a:1?pick=id&attrs=temperature").status_code == 400
    assert filled.get("/entities/urn:a:1?pick=temperature&omit=temperature").status_code == 400


def test_entities_come_in_the_order_asked_for(filled: TestClient[Any]) -> None:
    assert ids(filled.get("/entities?type=Room&orderBy=temperature;desc&limit=2")) == ["4", "3"]
    assert ids(filled.get("/entities?type=Room&orderBy=temperature;desc&limit=2&offset=2")) == ["2", "1"]
    near = "/entities?type=Room&orderBy=location;dist-desc&orderFrom=[8,40]"
    assert ids(filled.get(near)) == ["4", "3", "2", "1", "0"]
    assert filled.get("/entities?type=Room&orderBy=temperature;up").status_code == 400


def test_purge_deletes_what_it_finds(filled: TestClient[Any]) -> None:
    assert filled.delete("/entities").status_code == 400
    assert filled.delete("/entities?type=Room&drop=temperature&q=temperature>20").status_code == 204
    assert ids(filled.get("/entities?attrs=temperature")) == ["0", "1", "2"]
    assert filled.delete("/entities?type=Room&q=temperature").status_code == 204
    assert ids(filled.get("/entities?type=*")) == ["3", "4", "house"]


def test_linked_entities_are_joined(broker: TestClient[Any]) -> None:
    house, city, country = (
        {"id": "urn:a:house", "type": "House", "in": {"object": "urn:a:city"}},
        {"id": "urn:a:city", "type": "City", "name": "Paris", "in": {"object": "urn:a:country"}},
        {"id": "urn:a:country", "type": "Country", "name": "France"},
    )
    broker.post("/entityOperations/create", json=[house, city])
    path = "/entities/urn:a:house"
    alone = broker.get(path).json()
    assert broker.get(f"{path}?join=flat&joinLevel=2&pick=id,type,in").json()[0] == alone
    broker.post("/entities", json=country)
    inline = broker.get(f"{path}?join=inline&joinLevel=2").json()
    assert inline["in"]["entity"]["in"]["entity"]["name"]["value"] == "France"
    assert "entity" not in broker.get(f"{path}?join=inline").json()["in"]["entity"]["in"]
    simple = broker.get(f"{path}?join=inline&joinLevel=2&options=keyValues").json()
    assert simple["in"]["in"] == {"id": "urn:a:country", "type": "Country", "name": "France"}
    flat = broker.get(f"{path}?join=flat&joinLevel=2").json()
    assert [each["id"] for each in flat] == ["urn:a:house", "urn:a:city", "urn:a:country"]
    picked = broker.get(f"{path}?join=inline&pick=id,in{{id,name}}").json()
    assert picked["in"]["entity"] == {"id": "urn:a:city", "name": {"type": "Property", "value": "Paris"}}
    found = broker.get("/entities?type=House&join=flat").json()
    assert [each["id"] for each in found] == ["urn:a:house", "urn:a:city"]
    assert broker.get(f"{path}?join=inline&containedBy=urn:a:city").json() == alone
    assert broker.get(f"{path}?join=sideways").status_code == 400


@pytest.mark.parametrize(
    "part",
    [
        {"entities": []},
        {"attrs": []},
        {"q": 42},
        {"joinLevel": 0, "join": "inline"},
        {"temporalQ": {"timerel": "after", "timeAt": "2020-01-01T00:00:00Z"}},
        {"entities": [{"id": "urn:a:1"}]},
        {"entities": [{"type": "Room", "id": "not a uri"}]},
        {"entities": [{"type": "Room", "id": ["urn:a:1", 5]}]},
        {"never": 1},
    ],
)
def test_query_by_post_that_is_none_is_refused(filled: TestClient[Any], part: dict[str, Any]) -> None:
    body = {"type": "Query", "entities": [{"type": "Room"}], **part}
    answer = filled.post("/entityOperations/query", json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData"), answer.text


def test_query_by_post_selects_by_ids_before_patterns(filled: TestClient[Any]) -> None:
    for selector in ({"id": ["urn:a:1", "urn:a:2"]}, {"id": ["urn:a:1", "urn:a:2"], "idPattern": "3"}):
        body = {"type": "Query", "entities": [{"type": "Room", **selector}]}
        assert ids(filled.post("/entityOperations/query", json=body)) == ["1", "2"]
    picked = {"type": "Query", "entities": [{"type": "Room"}], "pick": ["id", "temperature"]}
    assert all(
        each.keys() == {"id", "temperature"} for each in filled.post("/entityOperations/query", json=picked).json()
    )


def test_every_type_is_asked_for_here_alone(filled: TestClient[Any]) -> None:
    assert len(ids(filled.get("/entities?type=*"))) == 6
    assert filled.get("/entities?type=*&local=false").status_code == 400


def test_links_to_pages_are_sorted_and_readable(filled: TestClient[Any]) -> None:
    answer = filled.get("/entities?type=Room&limit=1&offset=1&idPattern=urn:a:.*&count=true")
    there = "</ngsi-ld/v1/entities?count=true&idPattern=urn:a:.*&limit=1&offset={}&type=Room>"
    links = answer.headers["link"]
    assert there.format(0) + '; rel="prev";type="application/json"' in links
    assert there.format(2) + '; rel="next";type="application/json"' in links


def test_texts_are_ordered_by_a_language_where_the_database_knows_it(broker: TestClient[Any], city: City) -> None:
    entities = [{"id": f"urn:a:{at}", "type": "T", "name": name} for at, name in enumerate("Abá")]
    broker.post("/entityOperations/create", json=entities)
    assert ids(broker.get("/entities?type=T&orderBy=name")) == ["0", "1", "2"]
    german = broker.get("/entities?type=T&orderBy=name&collation=de")
    if "de-x-icu" in collations(city):
        assert ids(german) == ["0", "2", "1"]
    else:  # never another order in silence
        assert german.status_code == 400
    assert broker.get("/entities?type=T&orderBy=name&collation=!!nope").status_code == 400


def test_query_by_post_orders(filled: TestClient[Any]) -> None:
    def asked(ordering: Any) -> Any:
        body = {"type": "Query", "entities": [{"type": "Room"}], "ordering": ordering}
        return filled.post("/entityOperations/query", json=body)

    order = {"orderBy": ["location;dist-desc"], "coordinates": [8, 40], "geometry": "Point"}
    assert ids(asked(order)) == ["4", "3", "2", "1", "0"]
    for wrong in (
        {"orderBy": ["location;dist-asc"]},
        {**order, "coordinates": "8,40"},
        {"orderBy": ["id;asc"], "geometry": 5},
        {"orderBy": ["id;asc"], "collation": "de-u-co-phonebk"},
        {"orderBy": []},
    ):
        assert asked(wrong).status_code == 400


def test_purge_of_all_or_of_attributes_of_one(filled: TestClient[Any]) -> None:
    for too_wide in ("id=urn:a:1", "idPattern=.*", "idPattern=.*&keep=temperature"):
        assert filled.delete(f"/entities?{too_wide}").status_code == 400
    assert filled.delete("/entities?id=urn:a:1&keep=temperature").status_code == 204
    assert filled.get("/entities/urn:a:1").json().keys() == {"id", "type", "scope", "temperature"}
    assert filled.delete("/entities?type=Room&keep=a&drop=b").status_code == 400
    assert filled.delete("/entities?local=true").status_code == 204
    assert filled.get("/entities?type=*").json() == []

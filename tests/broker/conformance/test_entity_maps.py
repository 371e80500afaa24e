"""Entity maps over HTTP (ETSI GS CIM 009 §5.14, §5.5.9.3, §5.5.14, §5.7.1.4 to §5.7.4.4, §6.32 to §6.35)."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from litestar.testing import TestClient

from sanpo.broker import querying
from sanpo.ground.city import City

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
WINDOW = "timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=createdAt"


@pytest.fixture
def trams(broker: TestClient[Any]) -> TestClient[Any]:
    """Five trams, each faster than the one before."""
    for number in range(5):
        tram = {"id": f"urn:t:{number}", "type": "Tram", "speed": {"type": "Property", "value": 10 * number}}
        assert broker.post("/entities", json=tram).status_code == 201
    return broker


def location(answer: Any) -> str:
    found: str = answer.headers["ngsild-entitymap"]
    return found


def id_in(answer: Any) -> str:
    return quote(location(answer).rsplit("/", 1)[-1], safe="")


def ids(answer: Any) -> list[str]:
    return [each["id"] for each in answer.json()]


def test_query_creates_a_map_of_what_it_finds(trams: TestClient[Any], city: City) -> None:
    """5.14.4, 5.2.39, 6.34.3.1"""
    made = trams.get("/entityMaps?type=Tram&q=speed>15")
    assert made.status_code == 201
    body = made.json()
    assert (body["type"], body["entityMap"]) == ("EntityMap", {f"urn:t:{number}": ["@none"] for number in (2, 3, 4)})
    assert datetime.fromisoformat(body["expiresAt"]) > city.now()
    found = trams.get(f"/entityMaps/{id_in(made)}")
    assert (found.status_code, found.json()) == (200, body)


def test_posted_query_creates_the_same_map(trams: TestClient[Any]) -> None:
    """6.34.3.2, 6.35.3.2"""
    query = {"type": "Query", "entities": [{"type": "Tram"}], "q": "speed>15"}
    made = trams.post("/entityMaps", json=query)
    assert (made.status_code, list(made.json()["entityMap"])) == (201, ["urn:t:2", "urn:t:3", "urn:t:4"])
    time = {"timerel": "before", "timeAt": "2999-01-01T00:00:00Z", "timeproperty": "createdAt"}
    made = trams.post("/temporal/entityMaps", json={**query, "temporalQ": time})
    assert (made.status_code, list(made.json()["entityMap"])) == (201, ["urn:t:2", "urn:t:3", "urn:t:4"])


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/entityMaps?id=urn:t:1", "BadRequestData"),  # 5.14.4.4: too wide
        ("/entityMaps?type=Tram&entityMapLifetime=1hour", "BadRequestData"),
        ("/temporal/entityMaps?type=Tram", "BadRequestData"),  # 5.14.5.4: no temporal query
        ("/entityMaps/not%20a%20uri", "BadRequestData"),  # 5.14.1.4
        ("/entityMaps?type=Tram&nothing=1", "InvalidRequest"),
    ],
)
def test_map_that_cannot_be_is_bad_request(trams: TestClient[Any], path: str, problem: str) -> None:
    answer = trams.get(path)
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + problem)


def test_map_has_an_end_to_what_it_holds(trams: TestClient[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """6.3.2: TooManyResults, the broker's `QueryFindsTooMuch`."""
    monkeypatch.setattr(querying, "MOST_MAPPED", 4)
    answer = trams.get("/entityMaps?type=Tram")
    assert (answer.status_code, answer.json()["type"]) == (403, ERRORS + "TooManyResults")
    assert trams.get("/entityMaps?type=Tram&q=speed>5").status_code == 201


def test_unknown_map_is_not_found(trams: TestClient[Any]) -> None:
    """5.14.1.4, 5.14.2.4, 5.14.3.4: `EntityMapNotFound`"""
    unknown = "/entityMaps/urn:ngsi-ld:entitymap:none"
    for answer in (trams.get(unknown), trams.delete(unknown), trams.patch(unknown, json={})):
        assert (answer.status_code, answer.json()["type"]) == (404, ERRORS + "ResourceNotFound")
    assert trams.delete("/entityMaps/not%20a%20uri").status_code == 400


def test_update_moves_the_end_and_nothing_else(trams: TestClient[Any], city: City) -> None:
    """5.14.2.4, Table 6.4.3.2-1"""
    where = f"/entityMaps/{id_in(trams.get('/entityMaps?type=Tram'))}"
    given = {"expiresAt": "2199-01-01T00:00:00Z", "entityMap": {"urn:t:9": ["@none"]}}
    assert trams.patch(where, json=given).status_code == 204
    found = trams.get(where).json()
    assert "urn:t:9" not in found["entityMap"]
    end = datetime.fromisoformat(found["expiresAt"])
    assert end < city.now() + timedelta(days=2)
    assert trams.patch(where, json={"expiresAt": "tomorrow"}).status_code == 400
    assert trams.patch(where, json={"expiresAt": "2001-01-01T00:00:00Z"}).status_code == 204
    assert trams.get(where).status_code == 404


def test_asked_lifetime_is_bounded(trams: TestClient[Any], city: City) -> None:
    """Table 6.4.3.2-1: the broker may override the duration."""
    made = trams.get("/entityMaps?type=Tram&entityMapLifetime=P3650D").json()
    assert datetime.fromisoformat(made["expiresAt"]) < city.now() + timedelta(days=2)


def test_deleted_map_is_gone(trams: TestClient[Any]) -> None:
    """5.14.3.4"""
    where = f"/entityMaps/{id_in(trams.get('/entityMaps?type=Tram'))}"
    gone = trams.delete(where)
    assert (gone.status_code, gone.content) == (204, b"")
    assert trams.get(where).status_code == trams.delete(where).status_code == 404


def test_map_of_one_tenant_is_unknown_to_another(trams: TestClient[Any]) -> None:
    """4.14"""
    where = f"/entityMaps/{id_in(trams.get('/entityMaps?type=Tram'))}"
    other = {"NGSILD-Tenant": "harbour"}
    assert trams.get(where, headers=other).status_code == trams.delete(where, headers=other).status_code == 404
    assert trams.get(where).status_code == 200


def test_query_with_a_map_stays_with_what_it_first_found(trams: TestClient[Any]) -> None:
    """5.7.2.4, 5.5.14"""
    first = trams.get("/entities?type=Tram&q=speed>15&entityMap=true")
    assert (first.status_code, ids(first)) == (201, ["urn:t:2", "urn:t:3", "urn:t:4"])
    named = {"NGSILD-EntityMap": location(first)}
    again = trams.get("/entities?type=Tram", headers=named)
    assert (again.status_code, ids(again), location(again)) == (200, ids(first), location(first))


def test_pages_of_a_map_are_full_and_lose_what_no_longer_fits(trams: TestClient[Any]) -> None:
    """5.5.9.3"""
    first = trams.get("/entities?type=Tram&entityMap=true")
    named = {"NGSILD-EntityMap": location(first)}
    page = trams.get("/entities?type=Tram&limit=2", headers=named)
    assert (ids(page), 'rel="next"' in page.headers["link"], "offset=2" in page.headers["link"]) == (
        ["urn:t:0", "urn:t:1"], True, True,
    )  # fmt: skip
    last = trams.get("/entities?type=Tram&limit=2&offset=4", headers=named)
    assert (len(last.json()), 'rel="next"' in last.headers["link"]) == (1, False)
    assert trams.delete("/entities/urn:t:1").status_code == 204
    page = trams.get("/entities?type=Tram&limit=3&count=true", headers=named)
    assert ids(page) == ["urn:t:0", "urn:t:2", "urn:t:3"]
    assert page.headers["ngsild-results-count"] == "4"
    assert "urn:t:1" not in trams.get(f"/entityMaps/{id_in(first)}").json()["entityMap"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/entities/urn:t:1", 200), ("/entities?type=Tram", 201), (f"/temporal/entities?type=Tram&{WINDOW}", 201)],
)
def test_reference_to_no_map_makes_a_new_one(trams: TestClient[Any], path: str, status: int) -> None:
    """5.7.1.4, 5.7.2.4, 5.7.4.4"""
    answer = trams.get(path, headers={"NGSILD-EntityMap": "urn:ngsi-ld:entitymap:dead"})
    assert answer.status_code == status
    assert "dead" not in location(answer)


@pytest.mark.parametrize("path", ["/entities/urn:t:1", f"/temporal/entities/urn:t:1?{WINDOW}"])
def test_retrieval_with_a_map_names_it(trams: TestClient[Any], path: str) -> None:
    """5.7.1.4, 5.7.3.4"""
    mark = "&" if "?" in path else "?"
    first = trams.get(f"{path}{mark}entityMap=true")
    assert (first.status_code, first.json()["id"], "entityMap" in first.json()) == (200, "urn:t:1", False)
    assert trams.get(f"/entityMaps/{id_in(first)}").json()["entityMap"] == {"urn:t:1": ["@none"]}
    again = trams.get(path, headers={"NGSILD-EntityMap": location(first)})
    assert (again.status_code, location(again)) == (200, location(first))


def test_temporal_query_stays_within_its_map(trams: TestClient[Any]) -> None:
    """5.7.4.4, 5.14.5"""
    first = trams.get(f"/temporal/entities?type=Tram&id=urn:t:3&{WINDOW}&entityMap=true")
    assert first.status_code == 201
    again = trams.get(f"/temporal/entities?type=Tram&{WINDOW}", headers={"NGSILD-EntityMap": location(first)})
    assert (again.status_code, ids(again), location(again)) == (200, ["urn:t:3"], location(first))
    early = "timerel=before&timeAt=2000-01-01T00:00:00Z&timeproperty=createdAt"
    assert trams.get(f"/temporal/entityMaps?type=Tram&{early}").json()["entityMap"] == {}

"""Context sources: registered, found, changed and refused (§5.9, §5.10)."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.contexts.context import CORE
from sanpo.broker.entities import Place
from sanpo.broker.registrations import actions
from sanpo.broker.registrations.errors import (
    RegistrationConflicts,
    RegistrationExists,
    RegistrationIsInvalid,
    RegistrationNotFound,
)
from sanpo.ground.city import City
from tests.broker.consented import OPERATOR
from tests.broker.registrations.conftest import Source, register

PLACE = {"type": "Point", "coordinates": [139.93, 37.49]}
FULL = {
    "id": "urn:ngsi-ld:ContextSourceRegistration:1",
    "type": "ContextSourceRegistration",
    "registrationName": "cars of the next town",
    "information": [
        {
            "entities": [{"type": "Car", "idPattern": "urn:next:.*"}],
            "propertyNames": ["speed"],
            "relationshipNames": ["parkedAt"],
        }
    ],
    "endpoint": "https://next.example",
    "mode": "redirect",
    "operations": ["retrieveOps", "createEntity"],
    "contextSourceInfo": [{"key": "X-Purpose", "value": "traffic"}],
    "management": {"timeout": 500},
    "location": PLACE,
    "scope": ["/next/cars"],
    "sourceType": "sensor",
}


def test_registration_is_kept_as_it_was_given(here: TestClient[Any]) -> None:
    assert here.post("/csourceRegistrations", json=FULL).status_code == 201
    found = here.get(f"/csourceRegistrations/{FULL['id']}").json()
    assert found == {**FULL, "status": "ok"}
    times = here.get(f"/csourceRegistrations/{FULL['id']}?options=sysAttrs").json()
    assert times["createdAt"] == times["modifiedAt"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"type": "Subscription"}, "type"),
        ({"endpoint": "mqtt://next.example"}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"information": []}, "information"),
        ({"information": [{"entities": [{"id": "urn:a:1"}]}]}, "type"),
        ({"mode": "sometimes"}, "mode"),
        ({"operations": ["fly"]}, "operations"),
        ({"contextSourceInfo": [{"key": "X", "value": 1}]}, "contextSourceInfo"),
        ({"contextSourceInfo": [{"key": "X\r\nY", "value": "1"}]}, "contextSourceInfo"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"management": {"timeout": 0}}, "timeout"),
        ({"management": {"cooldown": 0}}, "cooldown"),
        ({"management": {"cacheDuration": "bogus"}}, "cacheDuration"),
        ({"management": {"cacheDuration": 5}}, "cacheDuration"),
        ({"management": {"localOnly": "yes"}}, "localOnly"),
        ({"mode": "auxiliary", "operations": ["retrieveOps", "updateEntity"]}, "operations"),
        ({"location": {"type": "Point", "coordinates": [1]}}, "location"),
        ({"mode": "exclusive"}, "exclusive"),
        ({"id": "no uri"}, "id"),
    ],
)
def test_what_is_no_registration_is_refused(here: TestClient[Any], changes: Any, where: str) -> None:
    answer = here.post("/csourceRegistrations", json={**FULL, **changes})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, "BadRequestData")
    assert where in answer.json()["detail"]
    assert here.get("/csourceRegistrations?type=Car").json() == []


def test_auxiliary_source_may_be_asked(here: TestClient[Any]) -> None:
    """§5.9.2.4; the management has all of its members (§5.2.34)."""
    management = {"cacheDuration": "PT5M", "cooldown": 500, "timeout": 3000, "localOnly": True}
    data = {**FULL, "mode": "auxiliary", "operations": ["retrieveOps", "queryEntity"], "management": management}
    assert here.post("/csourceRegistrations", json=data).status_code == 201


def test_same_id_again_is_a_conflict(here: TestClient[Any]) -> None:
    here.post("/csourceRegistrations", json=FULL)
    assert here.post("/csourceRegistrations", json=FULL).status_code == 409


@pytest.mark.parametrize("mode", ["exclusive", "redirect"])
def test_what_one_holds_for_itself_no_other_can_claim(here: TestClient[Any], source: Source, mode: str) -> None:
    """§4.3.6.3"""
    claim: Any = {"entity": {"id": "urn:next:1"}, "information": {"propertyNames": ["speed"]}}
    register(here, source, mode="exclusive", **claim)
    data = {
        **FULL,
        "mode": mode,
        "information": [{"entities": [{"type": "Car", "id": "urn:next:1"}], "propertyNames": ["speed"]}],
    }
    assert here.post("/csourceRegistrations", json=data).status_code == 409
    data["information"][0]["propertyNames"] = ["fuel"]
    assert here.post("/csourceRegistrations", json=data).status_code == 201


def test_update_merges_and_null_takes_away(here: TestClient[Any]) -> None:
    here.post("/csourceRegistrations", json=FULL)
    change = {"registrationName": "cars", "sourceType": None, "scope": None}
    assert here.patch(f"/csourceRegistrations/{FULL['id']}", json=change).status_code == 204
    found = here.get(f"/csourceRegistrations/{FULL['id']}").json()
    assert (found["registrationName"], "sourceType" in found, "scope" in found) == ("cars", False, False)
    assert here.patch(f"/csourceRegistrations/{FULL['id']}", json={"mode": "no"}).status_code == 400
    assert here.patch("/csourceRegistrations/urn:a:none", json=change).status_code == 404


def test_deleted_registration_is_gone(here: TestClient[Any]) -> None:
    here.post("/csourceRegistrations", json=FULL)
    assert here.delete(f"/csourceRegistrations/{FULL['id']}").status_code == 204
    for method in (here.get, here.delete):
        answer = method(f"/csourceRegistrations/{FULL['id']}")
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("type=Car", True),
        ("type=Bus", False),
        ("type=Car&attrs=speed", True),
        ("type=Car&attrs=fuel", False),
        ("id=urn:next:7", True),
        ("id=urn:other:7", False),
        ("type=Car&csf=sourceType==%22sensor%22", True),
        ("type=Car&csf=sourceType==%22archive%22", False),
        ("type=Car&csf=endpoint==%22https://next.example%22", True),
        ("type=Car&csf=endpoint==%22https://other.example%22", False),
        ("type=Car&scopeQ=/next/%23", True),
        ("type=Car&scopeQ=/other", False),
        ("type=Car&georel=near;maxDistance==1000&geometry=Point&coordinates=[139.93,37.49]", True),
        ("type=Car&georel=near;maxDistance==1000&geometry=Point&coordinates=[0,0]", False),
    ],
)
def test_query_finds_what_matches(here: TestClient[Any], query: str, is_found: bool) -> None:
    """§5.12, §5.10.2"""
    here.post("/csourceRegistrations", json=FULL)
    found = here.get(f"/csourceRegistrations?{query}")
    assert (found.status_code, [each["id"] for each in found.json()]) == (200, [FULL["id"]] * is_found)


TIMES = {"startAt": "2020-08-01T13:07:00Z", "endAt": "2021-08-01T21:07:00Z"}


@pytest.mark.parametrize(
    ("times", "query", "is_found"),
    [
        ({"observationInterval": TIMES}, "", False),
        ({"managementInterval": TIMES}, "", False),
        ({}, "&timerel=after&timeAt=2020-01-01T00:00:00Z", False),
        ({"observationInterval": TIMES}, "&timerel=after&timeAt=2021-08-01T21:07:00Z", True),
        ({"observationInterval": TIMES}, "&timerel=after&timeAt=2021-08-01T21:07:01Z", False),
        ({"observationInterval": TIMES}, "&timerel=before&timeAt=2020-08-01T13:07:01Z", True),
        ({"observationInterval": TIMES}, "&timerel=before&timeAt=2020-08-01T13:07:00Z", False),
        (
            {"observationInterval": TIMES},
            "&timerel=between&timeAt=2020-09-01T00:00:00Z&endTimeAt=2020-10-01T00:00:00Z&timeproperty=observedAt",
            True,
        ),
        (
            {"observationInterval": {"startAt": TIMES["startAt"]}},
            "&timerel=between&timeAt=2030-01-01T00:00:00Z&endTimeAt=2031-01-01T00:00:00Z",
            True,
        ),
        ({"observationInterval": TIMES}, "&timerel=after&timeAt=2021-01-01T00:00:00Z&timeproperty=modifiedAt", False),
        ({"managementInterval": TIMES}, "&timerel=after&timeAt=2021-01-01T00:00:00Z&timeproperty=modifiedAt", True),
        ({"managementInterval": TIMES}, "&timerel=after&timeAt=2021-01-01T00:00:00Z&timeproperty=createdAt", True),
    ],
)
def test_query_finds_sources_of_the_times_asked_for(
    here: TestClient[Any], times: Any, query: str, is_found: bool
) -> None:
    """§5.10.2.4: without a temporal query, sources of the latest information alone."""
    assert here.post("/csourceRegistrations", json={**FULL, **times}).status_code == 201
    found = here.get(f"/csourceRegistrations?type=Car{query}")
    assert (found.status_code, [each["id"] for each in found.json()]) == (200, [FULL["id"]] * is_found)


def test_query_of_times_that_says_no_time_is_refused(here: TestClient[Any]) -> None:
    assert here.get("/csourceRegistrations?type=Car&timerel=after").status_code == 400
    assert here.get("/csourceRegistrations?type=Car&timeAt=2021-01-01T00:00:00Z").status_code == 400


def test_query_looks_at_the_place_that_it_names(here: TestClient[Any]) -> None:
    here.post("/csourceRegistrations", json={**FULL, "observationSpace": {"type": "Point", "coordinates": [0, 0]}})
    near = "/csourceRegistrations?type=Car&georel=near;maxDistance==1000&geometry=Point&coordinates=[0,0]"
    assert [len(here.get(near + more).json()) for more in ("", "&geoproperty=observationSpace")] == [0, 1]


def test_query_shows_the_information_that_matches(here: TestClient[Any], source: Source) -> None:
    both = [{"entities": [{"type": "Car"}]}, {"entities": [{"type": "Bus"}]}]
    here.post("/csourceRegistrations", json={**FULL, "information": both})
    assert here.get("/csourceRegistrations?type=Bus").json()[0]["information"] == both[1:]


def test_query_pages_and_counts(here: TestClient[Any], source: Source) -> None:
    ids = [register(here, source) for _ in range(3)]
    page = here.get("/csourceRegistrations?type=Car&limit=2&count=true")
    assert ([each["id"] for each in page.json()], page.headers["ngsild-results-count"]) == (ids[:2], "3")
    assert 'rel="next"' in page.headers["link"]
    assert here.get("/csourceRegistrations").status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"information": [{"entities": [{"type": "Bus"}]}]}, RegistrationExists),
        ({"id": "urn:a:2", "mode": "exclusive"}, RegistrationIsInvalid),
        ({"id": "urn:a:2"}, RegistrationConflicts),
    ],
)
def test_refusal_names_its_reason(city: City, changes: Any, error: type[Exception]) -> None:
    place = Place(city, OPERATOR)
    claim = [{"entities": [{"type": "Car", "id": "urn:next:1"}], "propertyNames": ["speed"]}]
    actions.register(place, {**FULL, "information": claim, "mode": "exclusive"}, CORE)
    given = {**FULL, "information": claim, "mode": "redirect", **changes}
    if error is RegistrationIsInvalid:
        given["information"] = [{"entities": [{"type": "Car"}]}]
    with pytest.raises(error):
        actions.register(place, given, CORE)
    with pytest.raises(RegistrationNotFound):
        actions.retrieve(place, "urn:a:2", CORE)

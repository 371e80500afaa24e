"""Subscriptions to context source registrations by clause of ETSI GS CIM 009 (§5.2.12, §5.3.2, §5.11, §6.12, §6.13)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.subscriptions.sending import notify_all
from sanpo.ground.city import City
from tests.broker.subscriptions.conftest import Receiver
from tests.broker.subscriptions.test_sending import pass_time

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
ROOT = "/ngsi-ld/v1"
CAR, LAMP, BUS = ([{"entities": [{"type": name}]}] for name in ("Car", "Lamp", "Bus"))
Told = Callable[[], list[tuple[str, list[str]]]]


@pytest.fixture
def told(receiver: Receiver, open_city: City) -> Told:
    """What has arrived since it was asked last: reasons, and ids of registrations."""
    seen = [0]

    def look() -> list[tuple[str, list[str]]]:
        notify_all(open_city)
        new, seen[0] = receiver.got[seen[0] :], len(receiver.got)
        return [(each["triggerReason"], [one["id"] for one in each["data"]]) for each in new]

    return look


def subscribe(broker: TestClient[Any], receiver: Receiver, notification: Any = None, **members: Any) -> str:
    """Returns the path of the new subscription."""
    answer = broker.post("/csourceSubscriptions", json=subscription(receiver, notification, **members))
    assert answer.status_code == 201, answer.text
    assert answer.content == b""
    return str(answer.headers["location"]).removeprefix(ROOT)


def subscription(receiver: Receiver, notification: Any = None, **members: Any) -> dict[str, Any]:
    given = dict(notification or {})
    endpoint = {"uri": receiver.url, **given.pop("endpoint", {})}
    whole = {"type": "Subscription", "entities": [{"type": "Car"}], "notification": {**given, "endpoint": endpoint}}
    return {name: each for name, each in {**whole, **members}.items() if each is not None}


def register(broker: TestClient[Any], number: int, information: Any = CAR, **members: Any) -> str:
    body = {
        "id": f"urn:csr:{number}",
        "type": "ContextSourceRegistration",
        "endpoint": "http://source.example:1026",
        "information": information,
        **members,
    }
    answer = broker.post("/csourceRegistrations", json=body)
    assert answer.status_code == 201, answer.text
    return f"/csourceRegistrations/urn:csr:{number}"


def at(city: City, seconds: float) -> str:
    moment: datetime = city.now() + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# 5.11.2 to 5.11.6


def test_subscription_is_kept_as_it_was_made(broker: TestClient[Any], receiver: Receiver) -> None:
    """5.11.2, 5.11.4: with an id of its own or without, active, and not among those to entities"""
    times = {"timerel": "between", "timeAt": "2026-01-01T00:00:00Z", "endTimeAt": "2026-02-01T00:00:00Z"}
    body = subscription(
        receiver,
        {"format": "keyValues"},
        id="urn:s:1",
        watchedAttributes=["speed"],
        csf='registrationName=="a"',
        temporalQ=times,
    )
    made = broker.post("/csourceSubscriptions", json=body)
    assert (made.status_code, made.headers["location"]) == (201, f"{ROOT}/csourceSubscriptions/urn:s:1")
    assert broker.get("/csourceSubscriptions/urn:s:1").json() == {**body, "status": "active"}
    assert broker.get("/subscriptions/urn:s:1").status_code == 404
    assert broker.get("/subscriptions").json() == []
    assert broker.post("/subscriptions", json=body).status_code == 201  # another resource (6.11, 6.13)
    other = subscribe(broker, receiver)
    assert broker.get(other).json()["id"] == other.rpartition("/")[2]


def test_second_subscription_of_one_id_is_a_conflict(broker: TestClient[Any], receiver: Receiver) -> None:
    """5.11.2.4"""
    body = subscription(receiver, id="urn:s:1")
    assert broker.post("/csourceSubscriptions", json=body).status_code == 201
    answer = broker.post("/csourceSubscriptions", json=body)
    assert (answer.status_code, answer.json()["type"]) == (409, ERRORS + "AlreadyExists")


REFUSED: list[dict[str, Any]] = [
    {"type": "RandomType"},
    {"q": "speed>"},
    {"csf": "(("},
    {"watchedAttributes": []},
    {"entities": None},
    {"expiresAt": "2018-08-01T22:07:00Z"},
    {"id": "invalid"},
    {"geoQ": {"georel": "near"}},
    {"temporalQ": "after"},
    {"temporalQ": {"timeAt": "2026-01-01T00:00:00Z"}},
    {"temporalQ": {"timerel": "after", "timeAt": "yesterday"}},
    {"temporalQ": {"timerel": "after", "timeAt": "2026-01-01T00:00:00Z", "lastN": 3}},
    {"temporalQ": {"timerel": "after", "timeAt": 5}},
    {"timeInterval": 5, "throttling": 5},
]


def test_subscription_without_a_notification_is_refused(broker: TestClient[Any]) -> None:
    """5.2.12"""
    answer = broker.post("/csourceSubscriptions", json={"type": "Subscription", "entities": [{"type": "Car"}]})
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")


@pytest.mark.parametrize("members", REFUSED)
def test_subscription_that_its_table_forbids_is_refused(
    broker: TestClient[Any], receiver: Receiver, members: dict[str, Any]
) -> None:
    """5.11.2.4, 5.2.12"""
    answer = broker.post("/csourceSubscriptions", json=subscription(receiver, **members))
    found = answer.json()
    assert (answer.status_code, found["type"]) == (400, ERRORS + "BadRequestData"), answer.text
    assert found["title"]
    assert found["detail"] not in ("", found["title"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_subscription_that_is_not_there_is_not_found(broker: TestClient[Any], method: str) -> None:
    """5.11.3.4, 5.11.4.4, 5.11.6.4"""
    for name, status, error in (("invalidUri", 400, "BadRequestData"), ("urn:s:none", 404, "ResourceNotFound")):
        body = {"isActive": True} if method == "PATCH" else None
        answer = broker.request(method, f"/csourceSubscriptions/{name}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (status, ERRORS + error)


NO_ENDPOINT = {"notification": {"format": "keyValues"}}


def test_update_merges_and_refuses_what_does_not_fit(broker: TestClient[Any], receiver: Receiver) -> None:
    """5.11.3"""
    made = subscribe(broker, receiver)
    endpoint = {"uri": "http://receiver.example/other", "accept": "application/ld+json"}
    assert broker.patch(made, json={"notification": {"endpoint": endpoint}}).status_code == 204
    found = broker.get(made).json()
    assert (found["notification"]["endpoint"], found["entities"]) == (endpoint, [{"type": "Car"}])
    for wrong in ({"type": "Other"}, NO_ENDPOINT, {"notification": {"endpoint": {"uri": "no uri"}}}, {"q": "<"}):
        answer = broker.patch(made, json=wrong)
        assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData"), wrong
    answer = broker.patch(made, content=b'{"q": ', headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "InvalidRequest")
    assert broker.get(made).json() == found


def test_subscriptions_are_listed_by_pages(broker: TestClient[Any], receiver: Receiver) -> None:
    """5.11.5, 6.3.10, 6.3.13"""
    made = [subscribe(broker, receiver).rpartition("/")[2] for _ in range(3)]
    assert [each["id"] for each in broker.get("/csourceSubscriptions").json()] == made
    page = broker.get("/csourceSubscriptions?limit=1&offset=1&count=true")
    assert ([each["id"] for each in page.json()], page.headers["ngsild-results-count"]) == ([made[1]], "3")
    links = page.headers["link"]
    assert f'<{ROOT}/csourceSubscriptions?limit=1&offset=0&count=true>; rel="prev"' in links
    assert f'<{ROOT}/csourceSubscriptions?limit=1&offset=2&count=true>; rel="next"' in links
    for wrong in ("limit=-5&offset=2", "limit=2&offset=-3", "limit=0&offset=-1"):
        answer = broker.get(f"/csourceSubscriptions?{wrong}")
        assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")
    assert broker.delete(f"/csourceSubscriptions/{made[0]}").status_code == 204
    assert broker.delete(f"/csourceSubscriptions/{made[0]}").status_code == 404
    assert len(broker.get("/csourceSubscriptions").json()) == 2


# 5.11.7


def test_notification_has_the_members_of_its_table(
    broker: TestClient[Any], receiver: Receiver, open_city: City, told: Told
) -> None:
    """5.3.2, 6.3.5: narrowed to the information that matches, in the context of the subscription"""
    both = [{"entities": [{"type": "Car"}], "propertyNames": ["speed"]}, {"entities": [{"type": "Bus"}]}]
    made = subscribe(broker, receiver, {"sysAttrs": True})
    register(broker, 1, both, registrationName="Nord")
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    (found,) = receiver.got
    assert found.keys() == {"id", "type", "subscriptionId", "notifiedAt", "triggerReason", "data"}
    assert found["type"] == "ContextSourceNotification"
    assert found["subscriptionId"] == made.rpartition("/")[2]
    (data,) = found["data"]
    assert {name: data[name] for name in ("type", "registrationName", "endpoint", "information")} == {
        "type": "ContextSourceRegistration",
        "registrationName": "Nord",
        "endpoint": "http://source.example:1026",
        "information": both[:1],
    }
    assert {"createdAt", "modifiedAt"} <= data.keys()
    assert "json-ld#context" in receiver.headers[0]["link"]
    params = broker.get(made).json()["notification"]
    assert (params["status"], params["timesSent"], "timesFailed" in params) == ("ok", 1, False)
    assert {"lastNotification", "lastSuccess"} <= params.keys()


def test_json_ld_notification_has_its_context_in_the_body(
    broker: TestClient[Any], receiver: Receiver, told: Told
) -> None:
    """6.3.5"""
    subscribe(broker, receiver, {"endpoint": {"accept": "application/ld+json"}})
    register(broker, 1)
    told()
    assert receiver.got[0]["data"][0]["@context"] == receiver.got[0]["@context"]
    assert receiver.headers[0]["content-type"] == "application/ld+json"
    assert "link" not in receiver.headers[0]


def test_receiver_that_does_not_answer_is_noted(
    broker: TestClient[Any], receiver: Receiver, open_city: City, told: Told
) -> None:
    """5.11.7: timesSent, lastFailure, status; a notification that is tried again is counted once"""
    made = subscribe(broker, receiver)
    receiver.status = 503
    register(broker, 1)
    for seconds in (0, 1, 2):
        pass_time(open_city, seconds)
        assert told() == []
    params = broker.get(made).json()["notification"]
    assert (params["status"], params["timesSent"], params["timesFailed"]) == ("failed", 1, 1)
    assert {"lastNotification", "lastFailure"} <= params.keys()
    (delivery,) = broker.get(f"{made}/deliveries").json()
    assert (delivery["state"], delivery["attempts"], delivery["error"]) == ("failing", 3, "HTTP 503")
    receiver.status = 200
    pass_time(open_city, 4)
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    params = broker.get(made).json()["notification"]
    assert (params["status"], params["timesSent"], params["timesFailed"]) == ("ok", 1, 1)


def test_what_matches_is_told_at_first_and_then_each_change(
    broker: TestClient[Any], receiver: Receiver, told: Told
) -> None:
    """5.11.7: newly matching, updated, no longer matching by an update or a deletion"""
    first, _ = register(broker, 1), register(broker, 2, BUS)
    subscribe(broker, receiver)
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    second = register(broker, 3, [{"entities": [{"type": "Car"}]}])
    assert told() == [("newlyMatching", ["urn:csr:3"])]
    assert broker.patch(first, json={"endpoint": "http://new.example"}).status_code == 204
    assert told() == [("updated", ["urn:csr:1"])]
    assert receiver.got[-1]["data"][0]["endpoint"] == "http://new.example"
    assert broker.patch(first, json={"information": LAMP}).status_code == 204
    assert told() == [("noLongerMatching", ["urn:csr:1"])]
    assert receiver.got[-1]["data"][0]["information"] == CAR
    broker.patch(first, json={"registrationName": "still of lamps"})
    assert told() == []
    broker.patch(first, json={"information": CAR})
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    assert broker.delete(second).status_code == 204
    assert told() == [("noLongerMatching", ["urn:csr:3"])]


def test_refused_change_of_a_registration_tells_nothing(
    broker: TestClient[Any], receiver: Receiver, told: Told
) -> None:
    """The change and its notification commit together, or neither does."""
    first = register(broker, 1)
    subscribe(broker, receiver)
    told()
    assert broker.patch(first, json={"endpoint": None}).status_code == 400
    assert broker.post("/csourceRegistrations", json={**broker.get(first).json(), "status": None}).status_code == 409
    assert told() == []


def test_update_of_the_subscription_tells_all_that_matches_now(
    broker: TestClient[Any], receiver: Receiver, told: Told
) -> None:
    """5.11.7"""
    register(broker, 1, LAMP)
    register(broker, 2, BUS)
    made = subscribe(broker, receiver)
    assert told() == []
    for types, expected in (
        (["Lamp"], ["urn:csr:1"]),
        (["Bus"], ["urn:csr:2"]),
        (["Lamp", "Bus"], ["urn:csr:1", "urn:csr:2"]),
    ):
        broker.patch(made, json={"entities": [{"type": each} for each in types]})
        assert told() == [("newlyMatching", expected)]


def test_only_an_active_subscription_is_told(
    broker: TestClient[Any], receiver: Receiver, open_city: City, told: Told
) -> None:
    """5.11.7, 5.2.12: paused, and expired"""
    paused = subscribe(broker, receiver, isActive=False)
    ending = subscribe(broker, receiver, expiresAt=at(open_city, 10))
    assert [broker.get(each).json()["status"] for each in (paused, ending)] == ["paused", "active"]
    pass_time(open_city, 15)
    assert broker.get(ending).json()["status"] == "expired"
    register(broker, 1)
    assert told() == []
    broker.patch(paused, json={"isActive": True})
    assert told() == [("newlyMatching", ["urn:csr:1"])]


def test_end_of_a_registration_is_told_once(
    broker: TestClient[Any], receiver: Receiver, open_city: City, told: Told
) -> None:
    """5.2.9: after expiresAt it is no more"""
    made = register(broker, 1, expiresAt=at(open_city, 10))
    subscribe(broker, receiver)
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    pass_time(open_city, 11)
    assert told() == [("noLongerMatching", ["urn:csr:1"])]
    assert told() == []
    broker.patch(made, json={"expiresAt": at(open_city, 10)})
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    broker.patch(made, json={"expiresAt": at(open_city, 20)})
    assert told() == [("updated", ["urn:csr:1"])]
    pass_time(open_city, 21)
    assert told() == [("noLongerMatching", ["urn:csr:1"])]
    broker.delete(made)
    assert told() == []
    subscribe(broker, receiver)
    assert told() == []


INTERVAL = {"startAt": "2020-08-01T22:07:00Z", "endAt": "2021-08-01T21:07:00Z"}
NEAR = {"georel": "near;maxDistance==2000", "geometry": "Point", "coordinates": [-8.52, 41.2]}
DETAILED = [{"entities": [{"type": "Car", "id": "urn:car:1"}], "propertyNames": ["speed"], "relationshipNames": ["in"]}]


def after(timeproperty: str, time: str = "2020-06-01T22:07:00Z") -> dict[str, str]:
    return {"timerel": "after", "timeAt": time, "timeproperty": timeproperty}


# members of the subscription, members of the registration, whether it is told
MATCHING: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"watchedAttributes": ["speed"]}, {"information": DETAILED}, True),
    ({"watchedAttributes": ["in"]}, {"information": DETAILED}, True),
    ({"watchedAttributes": ["height"]}, {"information": DETAILED}, False),
    ({"watchedAttributes": ["height"]}, {}, True),  # a source of all attributes
    ({"watchedAttributes": ["speed"], "entities": None}, {"information": DETAILED}, True),
    ({"entities": [{"type": "Car", "id": "urn:car:1"}]}, {"information": DETAILED}, True),
    ({"entities": [{"type": "Car", "id": "urn:car:2"}]}, {"information": DETAILED}, False),
    ({"entities": [{"type": "Car", "idPattern": ":1$"}]}, {"information": DETAILED}, True),
    ({"entities": [{"type": "Car", "idPattern": ":2$"}]}, {"information": DETAILED}, False),
    ({"entities": [{"type": "Bus"}, {"type": "Car"}]}, {}, True),
    ({"entities": [{"type": "Bus,Car"}]}, {}, True),
    ({}, {"information": [{"propertyNames": ["speed"]}]}, True),  # of any entity
    ({}, {"observationInterval": INTERVAL}, False),  # no temporalQ asks for the latest information
    ({"temporalQ": after("observedAt")}, {"observationInterval": INTERVAL}, True),
    ({"temporalQ": after("observedAt", "2022-01-01T00:00:00Z")}, {"observationInterval": INTERVAL}, False),
    ({"temporalQ": after("observedAt")}, {"managementInterval": INTERVAL}, False),
    ({"temporalQ": after("createdAt")}, {"managementInterval": INTERVAL}, True),
    ({"temporalQ": after("modifiedAt")}, {"managementInterval": INTERVAL}, True),
    ({"temporalQ": after("observedAt")}, {}, False),
    ({"geoQ": NEAR}, {"location": {"type": "Point", "coordinates": [-8.521, 41.2]}}, True),
    ({"geoQ": {**NEAR, "geoproperty": "location"}}, {"location": {"type": "Point", "coordinates": [-8.5, 41.2]}}, True),
    ({"geoQ": NEAR}, {"location": {"type": "Point", "coordinates": [8.5, 41.2]}}, False),
    ({"geoQ": {**NEAR, "geoproperty": "operationSpace"}}, {"location": {"type": "Point", "coordinates": [-8.5, 41]}}, False),
    ({"scopeQ": "/north/#"}, {"scope": ["/north/east"]}, True),
    ({"scopeQ": "/north/#"}, {"scope": ["/south"]}, False),
    ({"csf": 'kind=="gate"'}, {"kind": "gate"}, True),
    ({"csf": 'kind=="gate"'}, {"kind": "door"}, False),
    ({"q": "speed>50"}, {}, True),  # a condition on values says nothing about who has them
]  # fmt: skip


@pytest.mark.parametrize(("members", "registration", "is_told"), MATCHING)
def test_registration_matches_by_its_information_times_place_scope_and_properties(
    broker: TestClient[Any],
    receiver: Receiver,
    told: Told,
    members: dict[str, Any],
    registration: dict[str, Any],
    is_told: bool,
) -> None:
    """5.11.7, 5.12: at first, and as a change"""
    subscribe(broker, receiver, **members)
    register(broker, 1, **registration)
    assert told() == ([("newlyMatching", ["urn:csr:1"])] if is_told else [])
    subscribe(broker, receiver, **members)
    assert told() == ([("newlyMatching", ["urn:csr:1"])] if is_told else [])


def test_interval_tells_at_first_and_again_whatever_matches(
    broker: TestClient[Any], receiver: Receiver, open_city: City, told: Told
) -> None:
    """5.11.7: timeInterval"""
    first = register(broker, 1)
    subscribe(broker, receiver, timeInterval=10)
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    register(broker, 2)
    assert told() == []
    pass_time(open_city, 10)
    assert told() == [("newlyMatching", ["urn:csr:2"]), ("updated", ["urn:csr:1"])]
    pass_time(open_city, 10)
    assert told() == [("updated", ["urn:csr:1", "urn:csr:2"])]
    broker.delete(first)
    pass_time(open_city, 10)
    assert told() == [("noLongerMatching", ["urn:csr:1"]), ("updated", ["urn:csr:2"])]


def test_interval_does_not_pile_up_before_a_dead_receiver(
    broker: TestClient[Any], receiver: Receiver, open_city: City, told: Told
) -> None:
    register(broker, 1)
    made = subscribe(broker, receiver, timeInterval=10)
    told()
    receiver.status = 503
    for _ in range(4):
        pass_time(open_city, 10)
        told()
    assert len(broker.get(f"{made}/deliveries").json()) == 1


def test_throttling_tells_the_latest_not_sooner(
    broker: TestClient[Any], receiver: Receiver, open_city: City, told: Told
) -> None:
    """5.2.12: throttling; one notification in each period, and nothing that is over before it"""
    made = subscribe(broker, receiver, throttling=10)
    first = register(broker, 1)
    pass_time(open_city, 10)
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    second, third = register(broker, 2), register(broker, 3)
    for name in ("a", "b"):
        broker.patch(first, json={"registrationName": name})
    broker.delete(third)
    assert told() == []
    pass_time(open_city, 10)
    assert told() == [("newlyMatching", ["urn:csr:2"])]
    pass_time(open_city, 9)
    assert told() == []
    pass_time(open_city, 1)
    assert told() == [("updated", ["urn:csr:1"])]
    assert receiver.got[-1]["data"][0]["registrationName"] == "b"
    broker.delete(second)
    pass_time(open_city, 10)
    assert told() == [("noLongerMatching", ["urn:csr:2"])]
    assert broker.get(made).json()["notification"]["timesSent"] == 4


def test_tenants_do_not_hear_of_each_other(broker: TestClient[Any], receiver: Receiver, told: Told) -> None:
    """4.14"""
    broker.post("/csourceSubscriptions", json=subscription(receiver), headers={"NGSILD-Tenant": "north"})
    register(broker, 1)
    assert told() == []
    body = broker.get("/csourceRegistrations/urn:csr:1").json()
    assert broker.post("/csourceRegistrations", json=body, headers={"NGSILD-Tenant": "north"}).status_code == 201
    assert told() == [("newlyMatching", ["urn:csr:1"])]
    assert receiver.headers[0].get("ngsild-tenant") == "north"

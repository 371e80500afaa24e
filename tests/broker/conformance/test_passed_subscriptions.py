"""Subscriptions over several sources (ETSI GS CIM 009 §5.8.1.4, §5.8.2.4, §5.8.5.4, §5.8.6)."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.subscriptions.sending import notify_all
from tests.broker.registrations.conftest import Source, register
from tests.broker.subscriptions.conftest import Receiver

CAR = "urn:ngsi-ld:Car:1"
IRI = "https://uri.etsi.org/ngsi-ld/default-context/"
SPEED = {"type": "Property", "value": 80}


@pytest.fixture
def taken(source: Source) -> Source:
    """A source that takes subscriptions."""
    source.lay("POST", "subscriptions", 201)
    source.location = "/ngsi-ld/v1/subscriptions/urn:there:1"
    return source


def subscribe(here: TestClient[Any], receiver: Receiver, **members: Any) -> str:
    notification = {"endpoint": {"uri": receiver.url, "receiverInfo": [{"key": "X-Key", "value": "secret"}]}}
    data = {"type": "Subscription", "entities": [{"type": "Car"}], "notification": notification, **members}
    answer = here.post("/subscriptions", json=data)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].rpartition("/")[2]


def address_in(source: Source) -> str:
    """Where the source was told to notify, below the API's root."""
    body = source.asked[-1][2]
    return "/" + str(body["notification"]["endpoint"]["uri"]).partition("/ngsi-ld/v1/")[2]


def notify(here: TestClient[Any], address: str, *entities: Any) -> int:
    data = {"id": "urn:n:1", "type": "Notification", "subscriptionId": "urn:there:1", "data": list(entities)}
    return here.post(address, json=data).status_code


def test_subscription_is_passed_on(here: TestClient[Any], taken: Source, receiver: Receiver) -> None:
    """What is subscribed to and an address here; nothing about who subscribes."""
    register(here, taken)
    subscribe(here, receiver, q="speed>20", watchedAttributes=["speed"])
    method, path, body, _ = taken.asked[0]
    assert (method, path) == ("POST", "/ngsi-ld/v1/subscriptions")
    assert (body["entities"], body["q"], body["watchedAttributes"]) == ([{"type": "Car"}], "speed>20", ["speed"])
    assert body["notification"].keys() == {"endpoint"}
    assert body["notification"]["endpoint"].keys() == {"uri", "accept"}
    assert receiver.url not in str(body)
    assert "secret" not in str(body).lower().replace("sourcenotifications", "")


def test_what_a_source_notifies_reaches_the_subscriber(
    here: TestClient[Any], taken: Source, receiver: Receiver, web: Any
) -> None:
    """§5.8.6: under the id of the subscription here, and of that for which the source is registered alone."""
    register(here, taken)
    found = subscribe(here, receiver)
    address = address_in(taken)
    bus = {"id": "urn:x:bus", "type": "Bus", "speed": SPEED}
    assert notify(here, address, {"id": CAR, "type": "Car", "speed": SPEED}, bus, {"id": "urn:x:2"}) == 204
    notify_all(web.state.city)
    told = receiver.got[-1]
    assert told["subscriptionId"] == found
    assert told["data"] == [{"id": CAR, "type": "Car", "speed": SPEED}]
    assert notify(here, address, {"id": CAR, "type": "Car", "deletedAt": "2026-02-01T00:00:00Z"}) == 204
    notify_all(web.state.city)
    assert receiver.got[-1]["data"][0].keys() == {"id", "type", "deletedAt"}


def test_unknown_source_is_not_believed(here: TestClient[Any]) -> None:
    assert notify(here, "/sourceNotifications/nobody", {"id": CAR, "type": "Car"}) == 404


def test_deletion_is_passed_on(here: TestClient[Any], taken: Source, receiver: Receiver) -> None:
    """§5.8.5.4"""
    register(here, taken)
    found = subscribe(here, receiver)
    address = address_in(taken)
    taken.lay("DELETE", "subscriptions/urn:there:1", 204)
    assert here.delete(f"/subscriptions/{found}").status_code == 204
    assert taken.lines[-1] == "DELETE subscriptions/urn:there:1"
    assert notify(here, address, {"id": CAR, "type": "Car"}) == 404


def test_update_is_passed_on_as_a_new_one(here: TestClient[Any], taken: Source, receiver: Receiver) -> None:
    """§5.8.2.4: one that is paused is nowhere else."""
    register(here, taken)
    found = subscribe(here, receiver)
    old = address_in(taken)
    assert here.patch(f"/subscriptions/{found}", json={"type": "Subscription", "q": "speed>30"}).status_code == 204
    assert [line.split()[0] for line in taken.lines] == ["POST", "DELETE", "POST"]
    assert (taken.asked[-1][2]["q"], address_in(taken) != old) == ("speed>30", True)
    here.patch(f"/subscriptions/{found}", json={"type": "Subscription", "isActive": False})
    assert taken.lines[-1].startswith("DELETE")


@pytest.mark.parametrize(
    ("members", "subscription"),
    [
        ({"operations": ["retrieveOps"]}, {}),
        ({"entity": {"type": "Bus"}}, {}),
        ({"information": {"propertyNames": ["fuel"]}}, {"watchedAttributes": ["speed"]}),
        ({}, {"isActive": False}),
    ],
)
def test_subscription_goes_to_those_alone_that_it_is_about(
    here: TestClient[Any], taken: Source, receiver: Receiver, members: Any, subscription: Any
) -> None:
    register(here, taken, **members)
    subscribe(here, receiver, **subscription)
    assert taken.asked == []


def test_source_that_comes_later_is_subscribed_to(here: TestClient[Any], taken: Source, receiver: Receiver) -> None:
    """§5.8.1.4: also one that is registered for something else; none where it is deleted."""
    subscribe(here, receiver)
    subscribe(here, receiver, entities=[{"type": "Tram"}])
    found = register(here, taken)
    assert [(line, body["entities"]) for line, (_, _, body, _) in zip(taken.lines, taken.asked, strict=True)] == [
        ("POST subscriptions", [{"type": "Car"}])
    ]
    first = address_in(taken)
    tram = {"information": [{"entities": [{"type": "Tram"}]}]}
    assert here.patch(f"/csourceRegistrations/{found}", json=tram).status_code == 204
    assert [line.split()[0] for line in taken.lines] == ["POST", "DELETE", "POST"]
    assert taken.asked[-1][2]["entities"] == [{"type": "Tram"}]
    assert notify(here, first, {"id": CAR, "type": "Car"}) == 404
    assert here.delete(f"/csourceRegistrations/{found}").status_code == 204
    assert [line.split()[0] for line in taken.lines] == ["POST", "DELETE", "POST", "DELETE"]


def test_source_that_refuses_is_counted(here: TestClient[Any], source: Source, receiver: Receiver) -> None:
    found = register(here, source)
    source.lay("POST", "subscriptions", 400)
    subscribe(here, receiver)
    assert here.get(f"/csourceRegistrations/{found}").json()["timesFailed"] == 1


def test_personal_types_are_neither_subscribed_to_elsewhere_nor_taken_over(
    here: TestClient[Any], taken: Source, receiver: Receiver, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/decisions/0015"""
    for module in ("gathering", "subscribing"):
        monkeypatch.setattr(f"sanpo.broker.ngsi_ld.{module}.personal_types", lambda city: {IRI + "Meter": None})
    register(here, taken, entity={"type": "Meter"})
    subscribe(here, receiver, entities=[{"type": "Meter"}])
    assert taken.asked == []
    register(here, taken)
    subscribe(here, receiver, entities=[{"type": "Meter"}, {"type": "Car"}])
    assert taken.asked[0][2]["entities"] == [{"type": "Car"}]
    notify(here, address_in(taken), {"id": CAR, "type": ["Car", "Meter"], "speed": SPEED})
    notify_all(web.state.city)
    assert receiver.got == []

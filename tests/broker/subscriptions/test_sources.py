"""Subscriptions to registrations: durable, whose they are, over other ways than HTTP, and what the operator sees."""

import threading
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import Result

from sanpo.broker.contexts.context import CORE
from sanpo.broker.entities import Place
from sanpo.broker.registrations import actions as registrations
from sanpo.broker.ringing import CHANGES
from sanpo.broker.sight import OPEN
from sanpo.broker.subscriptions import actions, sending
from sanpo.broker.subscriptions.endpoints import EVENTS
from sanpo.broker.subscriptions.errors import SubscriptionNotFound
from sanpo.broker.subscriptions.events import open_stream, read_events
from sanpo.broker.subscriptions.following import follow
from sanpo.broker.subscriptions.sending import notify, notify_all, sender_of
from sanpo.ground.actors import Client, System
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.ground.jobs import Watch, start_duties
from tests.broker.conformance.test_source_subscriptions import CAR, LAMP, at, register, subscribe, subscription
from tests.broker.subscriptions.conftest import Receiver
from tests.broker.subscriptions.test_sending import KILLS, pass_time, restart, states, until

DUTY = System("broker")


def ids(receiver: Receiver) -> list[str]:
    return [each["id"] for each in receiver.data]


def test_registration_is_not_stored_where_it_cannot_be_told(
    broker: TestClient[Any], receiver: Receiver, open_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both commit, or neither: whatever kills the transaction between them."""
    subscribe(broker, receiver)
    with monkeypatch.context() as patch:
        patch.setattr(registrations, "tell", lambda *given: 1 / 0)
        answer = broker.post("/csourceRegistrations", json={"id": "urn:csr:1", **body(CAR)})
        assert answer.status_code == 500
    assert broker.get("/csourceRegistrations?type=Car").json() == []
    register(broker, 1)
    assert states(open_city) == ["waiting"]


def test_subscription_is_not_stored_where_it_cannot_be_told(
    broker: TestClient[Any], receiver: Receiver, open_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(broker, 1)
    monkeypatch.setattr(actions, "tell_all", lambda *given: 1 / 0)
    assert broker.post("/csourceSubscriptions", json=subscription(receiver)).status_code == 500
    assert broker.get("/csourceSubscriptions").json() == []
    assert states(open_city) == []


def test_killed_sender_loses_nothing_and_keeps_the_order(
    broker: TestClient[Any], receiver: Receiver, open_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(broker, receiver)
    for number, (kill, cut) in enumerate(KILLS):
        register(broker, number)
        with monkeypatch.context() as patch:
            patch.setattr(sending, kill, cut)
            follow(open_city)
            wait(sender_of(open_city).start(open_city))
        restart(open_city)
        broker.delete(f"/csourceRegistrations/urn:csr:{number}")
        notify_all(open_city)
        pass_time(open_city, sending.CLAIM / timedelta(seconds=1))
        notify_all(open_city)
    told = {each["id"]: (each["triggerReason"], each["data"][0]["id"]) for each in receiver.got}
    reasons = ("newlyMatching", "noLongerMatching")
    assert list(told.values()) == [(reason, f"urn:csr:{number}") for number in range(2) for reason in reasons]
    assert len(receiver.got) == 5  # the one whose answer was not noted came twice, under one id
    assert states(open_city) == []


def test_subscription_made_among_registrations_is_told_each_once(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    """A registration is either there when it is made, or a change after it."""
    place = Place(open_city, OPEN)
    threads = [
        threading.Thread(target=registrations.register, args=(place, {"id": f"urn:csr:{number}", **body(CAR)}, CORE))
        for number in range(12)
    ]
    for each in threads[:6]:
        each.start()
    actions.create_subscription(place, subscription(receiver), CORE, None, kind="sources")
    for each in threads[6:]:
        each.start()
    for each in threads:
        each.join()
    notify_all(open_city)
    assert sorted(ids(receiver)) == sorted(f"urn:csr:{number}" for number in range(12))
    assert {each["triggerReason"] for each in receiver.got} == {"newlyMatching"}


def body(information: Any) -> dict[str, Any]:
    return {"type": "ContextSourceRegistration", "endpoint": "http://source.example", "information": information}


def test_duty_is_woken_by_a_change_and_comes_back_when_a_registration_ends(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    stop = threading.Event()
    threads = start_duties(open_city, [Watch("broker.notify", 60, notify, CHANGES)], stop)
    try:
        subscribe(broker, receiver)
        register(broker, 1, expiresAt=at(open_city, 10))
        until(lambda: ids(receiver) == ["urn:csr:1"])
    finally:
        stop.set()
        for each in threads:
            each.join()
    due = notify(open_city)
    assert 8 < due <= 10
    pass_time(open_city, due)
    notify_all(open_city)
    assert [each["triggerReason"] for each in receiver.got] == ["newlyMatching", "noLongerMatching"]


@pytest.mark.long
def test_changes_and_deliveries_do_not_block_each_other(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    """A registration and a ride of deliveries both change many subscriptions: in one order, or PostgreSQL ends one."""
    place, failed = Place(open_city, OPEN), []
    for _ in range(24):
        subscribe(broker, receiver, throttling=0.001)

    def work(base: int) -> None:
        try:
            for number in range(40):
                registrations.register(place, {"id": f"urn:csr:{base}:{number}", **body(CAR)}, CORE)
                pass_time(open_city, 0.01)
        except DomainError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(base,)) for base in range(3)]
    for each in threads:
        each.start()
    while any(each.is_alive() for each in threads):
        notify_all(open_city)
    assert failed == []


def test_many_registrations_come_in_several_notifications(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    place = Place(open_city, OPEN)
    for number in range(101):
        registrations.register(place, {"id": f"urn:csr:{number}", **body(CAR)}, CORE)
    subscribe(broker, receiver)
    notify_all(open_city)
    assert ids(receiver) == [f"urn:csr:{number}" for number in range(101)]
    assert [len(each["data"]) for each in receiver.got] == [100, 1]


def test_subscription_is_its_owners_alone(city: City, receiver: Receiver) -> None:
    """Also where another knows its id. Who has no right to write may be told of registrations, as who may ask for them."""
    city = replace(city, settings=replace(city.settings, broker_allow_hosts="127.0.0.1"))
    mine, other = (Client(f"cli_{name}", "org_1", 1) for name in "ab")
    made = actions.create_subscription(Place(city, mine), subscription(receiver), CORE, None, kind="sources")
    registrations.register(Place(city, DUTY), body(CAR), CORE)
    for call in (actions.retrieve_subscription, actions.update_subscription):
        given: Any = (CORE,) if call is actions.retrieve_subscription else ({}, CORE, None)
        with pytest.raises(SubscriptionNotFound):
            call(Place(city, other), made, *given, kind="sources")  # type: ignore[operator]
    with pytest.raises(SubscriptionNotFound):
        actions.delete_subscription(Place(city, other), made, actions.owner_of(other, "sources"))
    with pytest.raises(SubscriptionNotFound):
        actions.delete_subscription(Place(city, mine), made)  # not among those to entities
    notify_all(city)
    assert [each["triggerReason"] for each in receiver.got] == ["newlyMatching"]


def test_notifications_are_fetched_as_events(broker: TestClient[Any], open_city: City) -> None:
    place = Place(open_city, OPEN)
    wanted = {"type": "Subscription", "entities": [{"type": "Car"}], "notification": {"endpoint": {"uri": EVENTS}}}
    made = actions.create_subscription(place, wanted, CORE, None, kind="sources")
    stream = open_stream(place, made, None, kind="sources")
    register(broker, 1)
    register(broker, 2, LAMP)
    (event,) = read_events(stream) or []
    assert b'"triggerReason":"newlyMatching"' in event.body
    assert b"urn:csr:1" in event.body
    with pytest.raises(SubscriptionNotFound):
        open_stream(place, made, None)


def test_entities_and_registrations_do_not_mix(broker: TestClient[Any], receiver: Receiver, open_city: City) -> None:
    """Neither kind of subscription is told of the other's changes, and only one to entities has the outbox written."""
    made = subscribe(broker, receiver)
    broker.post("/entities", json={"id": "urn:car:1", "type": "Car"})
    with open_city.transaction(DUTY) as tx:
        assert tx.get("select count(*) as n from broker.changes").n == 0
    entities = subscription(receiver, id="urn:s:entities")
    broker.post("/subscriptions", json=entities)
    broker.post("/entities", json={"id": "urn:car:2", "type": "Car", "speed": {"type": "Property", "value": 1}})
    register(broker, 1)
    notify_all(open_city)
    told = [(each["type"], each["subscriptionId"]) for each in receiver.got]
    assert sorted(told) == [("ContextSourceNotification", made.rpartition("/")[2]), ("Notification", "urn:s:entities")]
    assert broker.delete(made).status_code == 204
    broker.patch("/entities/urn:car:2/attrs", json={"speed": {"type": "Property", "value": 2}})
    notify_all(open_city)
    assert len(receiver.got) == 3


def test_operator_sees_dead_ones_and_sends_them_again(
    broker: TestClient[Any], receiver: Receiver, open_city: City, command: Callable[..., Result]
) -> None:
    made = subscribe(broker, receiver).rpartition("/")[2]
    receiver.status = 503
    register(broker, 1)
    for _ in range(sending.MOST_ATTEMPTS):
        notify_all(open_city)
        pass_time(open_city, sending.MOST_WAIT_S)
    assert made in command(open_city, "deliveries", "--dead", "--json").output
    receiver.status = 200
    assert command(open_city, "replay", "--subscription", made).output.strip() == "1"
    notify_all(open_city)
    assert ids(receiver) == ["urn:csr:1"]

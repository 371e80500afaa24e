"""Deliveries: order, restarts, dead receivers, and what the operator sees and repairs."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.entities import Place
from sanpo.broker.ringing import CHANGES
from sanpo.broker.sight import OPEN
from sanpo.broker.subscriptions import deliveries, sending
from sanpo.broker.subscriptions.burying import bury
from sanpo.broker.subscriptions.errors import SubscriptionNotFound
from sanpo.broker.subscriptions.following import Index, follow
from sanpo.broker.subscriptions.sending import notify, notify_all, sender_of
from sanpo.ground.actors import Client, System
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted
from sanpo.ground.jobs import Watch, start_duties
from tests.broker.subscriptions.conftest import Receiver, Receivers
from tests.broker.subscriptions.test_notifications import subscribe

OPERATOR = System("operator")


def write(broker: TestClient[Any], number: int, level: int) -> None:
    body = [{"id": f"urn:ngsi-ld:Building:{number}", "type": "Building", "level": {"type": "Property", "value": level}}]
    assert broker.post("/entityOperations/upsert", json=body).status_code in (201, 204)


def levels(receiver: Receiver, number: int) -> list[int]:
    return [each["level"]["value"] for each in receiver.data if each["id"].endswith(f":{number}")]


def states(city: City) -> list[str]:
    return [each.state for each in deliveries.list_deliveries(city, OPERATOR)]


def pass_time(city: City, seconds: float) -> None:
    city.clock.advance(seconds=seconds)  # type: ignore[attr-defined]  # tests own the clock


def test_changes_of_each_entity_arrive_in_order_and_once(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    subscribe(broker, receiver)
    for level in range(6):
        for number in range(3):
            write(broker, number, level)
        if level % 2:
            notify_all(open_city)
    for number in range(3):
        assert levels(receiver, number) == list(range(6))
    assert len({each["id"] for each in receiver.got}) == len(receiver.got)
    assert states(open_city) == []


def test_order_is_kept_over_failures_under_the_same_id(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    subscription = subscribe(broker, receiver)
    receiver.status = 503
    for level in range(3):
        write(broker, 1, level)
        notify_all(open_city)
    (first, *_) = deliveries.list_deliveries(open_city, OPERATOR)
    assert (first.state, first.attempts, first.error) == ("failing", 1, "HTTP 503")
    shown = broker.get(f"/subscriptions/{subscription}/deliveries").json()
    assert [each["state"] for each in shown] == ["failing", "waiting", "waiting"]
    params = broker.get(f"/subscriptions/{subscription}").json()["notification"]
    assert (params["status"], params["timesFailed"], "lastFailure" in params) == ("failed", 1, True)
    receiver.status = 200
    notify_all(open_city)
    assert receiver.got == []  # it is not time yet
    pass_time(open_city, 2)
    notify_all(open_city)
    assert levels(receiver, 1) == [0, 1, 2]
    assert receiver.got[0]["id"] == first.notification_id


def test_killed_sender_loses_nothing_and_repeats_nothing_acknowledged(
    broker: TestClient[Any], receiver: Receiver, open_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the send, and after it but before the answer was noted; changes that were not matched yet wait too."""
    subscribe(broker, receiver)
    write(broker, 1, 0)
    notify_all(open_city)
    for kill, cut in KILLS:
        write(broker, 1, len(receiver.got))
        with monkeypatch.context() as patch:
            patch.setattr(sending, kill, cut)
            follow(open_city)
            wait(sender_of(open_city).start(open_city))
        restart(open_city)
        notify_all(open_city)
        pass_time(open_city, sending.CLAIM / timedelta(seconds=1))
        notify_all(open_city)
    write(broker, 1, 9)
    restart(open_city)
    notify_all(open_city)
    by_id = {each["id"]: each["data"][0]["level"]["value"] for each in receiver.got}
    assert list(by_id.values()) == [0, 1, 2, 9]
    assert len(receiver.got) == 5  # the one whose answer was not noted came twice, under one id


def _without_answer(city: City, turn: sending._Turn) -> Any:
    return _TAKE_TURN(city, turn) if turn.delivered is None else 1 / 0


_TAKE_TURN = sending._take_turn
KILLS: list[tuple[str, Any]] = [("make", lambda *given, **named: 1 / 0), ("_take_turn", _without_answer)]
"""What to put in place of which function: a sender that is killed before it sends, and before it notes the answer."""


def restart(city: City) -> None:
    """Forgets everything that a process remembers."""
    for name in ("_broker_sender", "_broker_subscriptions"):
        city.__dict__.pop(name, None)


def test_dead_receiver_delays_no_other(broker: TestClient[Any], receivers: Receivers, open_city: City) -> None:
    """Nine of ten answer at once, one hangs: nine have everything before it has answered the first."""
    found = [receivers.start() for _ in range(10)]
    found[0].wait_s = 3.0
    for each in found:
        subscribe(broker, each)
    started = time.monotonic()
    for level in range(5):
        write(broker, 1, level)
        follow(open_city)
    working = sender_of(open_city).start(open_city)
    wait(working[1:])
    assert time.monotonic() - started < 3.0
    for each in found[1:]:
        assert levels(each, 1) == list(range(5))
    assert found[0].got == []
    wait(working)
    assert levels(found[0], 1) == list(range(5))


def test_notification_dies_with_the_error_and_is_replayed(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    receiver.status = 500
    subscription = subscribe(broker, receiver)
    write(broker, 1, 7)
    for _ in range(sending.MOST_ATTEMPTS):
        notify_all(open_city)
        pass_time(open_city, sending.MOST_WAIT_S)
    (dead,) = deliveries.list_deliveries(open_city, OPERATOR, dead_only=True)
    assert (dead.state, dead.attempts, dead.error) == ("dead", sending.MOST_ATTEMPTS, "HTTP 500")
    receiver.status = 200
    write(broker, 1, 8)
    notify_all(open_city)
    assert levels(receiver, 1) == [8]
    assert deliveries.replay(open_city, OPERATOR, subscription_id="urn:other") == 0
    assert deliveries.replay(open_city, OPERATOR, subscription_id=subscription) == 1
    notify_all(open_city)
    assert levels(receiver, 1) == [8, 7]
    assert states(open_city) == []


def test_dead_notification_ends_in_time_and_is_counted(
    broker: TestClient[Any], receiver: Receiver, open_city: City, command: Callable[..., Any]
) -> None:
    receiver.status = 500
    subscription = subscribe(broker, receiver)
    write(broker, 1, 7)
    for _ in range(sending.MOST_ATTEMPTS):
        notify_all(open_city)
        pass_time(open_city, sending.MOST_WAIT_S)
    hours = open_city.settings.broker_dead_hours
    pass_time(open_city, (hours - 1) * 3600)
    assert (bury(open_city), states(open_city)) == (0, ["dead"])
    pass_time(open_city, 3600)
    write(broker, 1, 8)
    follow(open_city)
    assert (bury(open_city), states(open_city)) == (1, ["waiting"])
    (ended,) = deliveries.list_ended(open_city, OPERATOR)
    assert (ended.subscription_id, ended.ended) == (subscription, 1)
    shown = json.loads(command(open_city, "deliveries", "--json").stdout)
    assert [each["state"] for each in shown["deliveries"]] == ["waiting"]
    assert [each["ended"] for each in shown["ended"]] == [1]


def test_sender_is_woken_by_a_change(
    broker: TestClient[Any], receiver: Receiver, open_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the bell can be in time here: by itself the duty would look after a minute."""
    monkeypatch.setattr(sending, "FALLBACK_S", 60.0)
    subscribe(broker, receiver)
    stop = threading.Event()
    threads = start_duties(open_city, [Watch("broker.notify", 60, notify, CHANGES)], stop)
    try:
        for level in range(3):
            write(broker, 1, level)
            until(lambda expected=level: levels(receiver, 1) == list(range(expected + 1)))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def until(is_so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_private_receiver_is_not_called_unless_allowed(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    receiver_elsewhere = Receiver(port=receiver.port)
    subscribe(broker, receiver_elsewhere, {"endpoint": {"uri": f"https://127.0.0.2:{receiver.port}/"}})
    write(broker, 1, 1)
    notify_all(open_city)
    (found,) = deliveries.list_deliveries(open_city, OPERATOR)
    assert found.error == "the address is private"


def test_only_the_operator_sees_and_replays_all(open_city: City, broker: TestClient[Any]) -> None:
    client = Client("cli_1", "org_1", 1)
    with pytest.raises(NotPermitted):
        deliveries.list_deliveries(open_city, client)
    with pytest.raises(NotPermitted):
        deliveries.replay(open_city, client)
    with pytest.raises(SubscriptionNotFound):
        deliveries.list_own_deliveries(Place(open_city, OPEN), "urn:none")


def test_index_finds_few_of_many(broker: TestClient[Any], receiver: Receiver, open_city: City) -> None:
    """A change is compared with the subscriptions of its type only, and the index follows what is made and deleted."""
    for number in range(20):
        subscribe(broker, receiver, entities=[{"type": f"Type{number}"}])
    kept = subscribe(broker, receiver)
    write(broker, 1, 1)
    notify_all(open_city)
    index: Index = open_city.__dict__["_broker_subscriptions"]
    assert len(index.subscriptions) == 21
    assert max(len(each) for each in index.by_type.values()) == 1
    assert len(receiver.got) == 1
    broker.delete(f"/subscriptions/{kept}")
    write(broker, 1, 2)
    notify_all(open_city)
    assert len(receiver.got) == 1
    assert len(index.subscriptions) == 20


def test_nothing_is_noted_where_nobody_listens(broker: TestClient[Any], receiver: Receiver, open_city: City) -> None:
    subscription = subscribe(broker, receiver)
    write(broker, 1, 1)
    assert follow(open_city) == 1
    broker.delete(f"/subscriptions/{subscription}")
    write(broker, 1, 2)
    assert follow(open_city) == 0

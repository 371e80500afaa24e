"""Notifications as server-sent events: durable, resumed, bounded, and under consent as all others."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.api import server
from sanpo.broker.contexts import CORE
from sanpo.broker.ngsi_ld import streaming
from sanpo.broker.subscriptions import burying, deliveries, sending
from sanpo.broker.subscriptions.actions import create_subscription
from sanpo.broker.subscriptions.burying import bury
from sanpo.broker.subscriptions.endpoints import EVENTS
from sanpo.broker.subscriptions.errors import SubscriptionIsNotStreamed, TooManyStreams
from sanpo.broker.subscriptions.following import follow
from sanpo.broker.subscriptions.streams import MOST_OF_OWNER, Streams, streams_of
from sanpo.ground.city import City
from sanpo.people import SecretProof, actor_of, create_client, issue_token
from sanpo.people.organisations import revoke_client
from tests.broker.consented import Town, build
from tests.broker.subscriptions.conftest import Receiver
from tests.broker.subscriptions.test_consented import measure
from tests.broker.subscriptions.test_notifications import subscribe as subscribe_receiver
from tests.broker.subscriptions.test_sending import OPERATOR, pass_time, write


@dataclass
class Open:
    """One client that reads events from the application itself."""

    city: City
    subscription: str
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    text: str = ""

    async def __aenter__(self) -> "Open":
        self.left, self.more = asyncio.Event(), asyncio.Event()
        path = f"/ngsi-ld/v1/subscriptions/{self.subscription}/events"
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(key.encode(), value.encode()) for key, value in self.headers.items()],
        }
        state = SimpleNamespace(city=self.city, session_cookie="session")
        self.task = asyncio.ensure_future(server.serve(state, scope, self.receive, self.send))
        return self

    async def __aexit__(self, *error: object) -> None:
        self.left.set()
        await asyncio.wait_for(self.task, 20)

    is_read = False

    async def receive(self) -> Any:
        if not self.is_read:
            self.is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.answered = dict(message["headers"])
        else:
            self.text += message["body"].decode()
        self.more.set()

    @property
    def events(self) -> list[dict[str, str]]:
        blocks = [block for block in self.text.split("\n\n") if block.startswith("id: ")]
        return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]

    @property
    def entities(self) -> list[Any]:
        return [entity for each in self.events for entity in json.loads(each["data"])["data"]]

    @property
    def levels(self) -> list[int]:
        return [each["level"]["value"] for each in self.entities]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                self.more.clear()
                await self.more.wait()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def subscribe(broker: TestClient[Any], **members: Any) -> str:
    body = {"type": "Subscription", "entities": [{"type": "Building"}], "notification": {"endpoint": {"uri": EVENTS}}}
    made = broker.post("/subscriptions", json={**body, **members})
    assert made.status_code == 201, made.text
    return str(made.headers["location"].rsplit("/", 1)[-1])


def change(broker: TestClient[Any], city: City, *levels: int) -> None:
    for level in levels:
        write(broker, 1, level)
        follow(city)


def test_stream_tells_what_waited_and_what_comes(broker: TestClient[Any], open_city: City) -> None:
    subscription = subscribe(broker)
    change(broker, open_city, 1, 2)

    async def work() -> None:
        async with Open(open_city, subscription) as client:
            await client.until(lambda: client.levels == [1, 2])
            await asyncio.to_thread(
                change, broker, open_city, 3
            )  # it is rung for; by itself it would look after a minute
            await client.until(lambda: client.levels == [1, 2, 3])
        assert client.status == 200
        assert client.answered[b"content-type"] == b"text/event-stream"
        assert b"ngsi-ld-core-context" in client.answered[b"link"]
        assert {each["event"] for each in client.events} == {"notification"}
        assert [json.loads(each["data"])["id"] for each in client.events] == [each["id"] for each in client.events]

    run(work())
    shown = broker.get(f"/subscriptions/{subscription}").json()["notification"]
    assert (shown["status"], shown["endpoint"]["uri"]) == ("ok", EVENTS)


def test_stream_goes_on_after_the_last_event_that_the_client_has(broker: TestClient[Any], open_city: City) -> None:
    subscription = subscribe(broker)
    change(broker, open_city, 1, 2, 3)

    async def work() -> None:
        async with Open(open_city, subscription) as first:
            await first.until(lambda: len(first.events) == 3)
            await asyncio.to_thread(change, broker, open_city, 4)
            await first.until(lambda: len(first.events) == 4)
        last = {"last-event-id": first.events[1]["id"]}
        async with Open(open_city, subscription, last) as again:
            await again.until(lambda: again.levels == [3, 4])
        assert again.events == first.events[2:]
        async with Open(open_city, subscription, {"last-event-id": "urn:ngsi-ld:Notification:gone"}) as oldest:
            await oldest.until(lambda: oldest.levels == [1, 2, 3, 4])

    run(work())


def test_new_stream_begins_with_what_nobody_was_sent(broker: TestClient[Any], open_city: City) -> None:
    subscription = subscribe(broker)
    change(broker, open_city, 1)

    async def work() -> None:
        async with Open(open_city, subscription) as first:
            await first.until(lambda: first.levels == [1])
            await asyncio.to_thread(change, broker, open_city, 2)
            await first.until(lambda: first.levels == [1, 2])
            await asyncio.to_thread(change, broker, open_city, 3)
            await first.until(lambda: first.levels == [1, 2, 3])
        await asyncio.to_thread(change, broker, open_city, 4)
        async with Open(open_city, subscription) as second:
            await second.until(lambda: second.levels[-1:] == [4])
        assert second.levels in ([3, 4], [4])  # whether the last one before arrived was not known

    run(work())


def test_streams_of_one_owner_are_bounded(broker: TestClient[Any], open_city: City) -> None:
    subscription = subscribe(broker)

    async def work() -> None:
        clients = [Open(open_city, subscription) for _ in range(MOST_OF_OWNER)]
        for each in clients:
            await each.__aenter__()
            await each.until(lambda each=each: each.status == 200)
        async with Open(open_city, subscription) as refused:
            await refused.until(lambda: refused.text != "")
        assert (refused.status, json.loads(refused.text)["status"]) == (429, 429)
        await clients[0].__aexit__()
        async with Open(open_city, subscription) as again:
            await again.until(lambda: again.status == 200)
        for each in clients[1:]:
            await each.__aexit__()

    run(work())
    streams = Streams("")
    streams._owners["x"] = MOST_OF_OWNER
    with pytest.raises(TooManyStreams):
        streams.enter("x")
    assert not streams_of(open_city)._owners


def test_stream_ends_with_its_subscription(
    broker: TestClient[Any], open_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "HEART_BEAT_S", 0.05)
    subscription = subscribe(broker)

    async def work() -> None:
        async with Open(open_city, subscription) as client:
            await client.until(lambda: client.text.count(": \n\n") >= 2)
            await asyncio.to_thread(broker.delete, f"/subscriptions/{subscription}")
            await asyncio.wait_for(asyncio.shield(client.task), 20)

    run(work())


def test_subscription_of_another_kind_or_another_has_no_stream(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    sent = broker.get(f"/subscriptions/{subscribe_receiver(broker, receiver)}/events")
    assert sent.status_code == 400
    assert EVENTS in sent.text
    assert SubscriptionIsNotStreamed.kind.value == "invalid"
    assert broker.get("/subscriptions/urn:none/events").status_code == 404
    wrong = broker.get(f"/subscriptions/{subscribe(broker)}/events", headers={"accept": "application/json"})
    assert wrong.status_code == 406


def test_events_are_kept_for_a_time_and_so_many(
    broker: TestClient[Any], open_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(burying, "MOST_EVENTS", 2)
    subscription = subscribe(broker)
    change(broker, open_city, 1, 2, 3)
    assert [each.state for each in deliveries.list_deliveries(open_city, OPERATOR)] == ["waiting"] * 3
    assert bury(open_city) == 1
    (ended,) = deliveries.list_ended(open_city, OPERATOR)
    assert ended.ended == 1

    async def work() -> None:
        async with Open(open_city, subscription) as client:
            await client.until(lambda: client.levels == [2, 3])
            await asyncio.to_thread(change, broker, open_city, 4)
            await client.until(lambda: client.levels == [2, 3, 4])

    run(work())
    pass_time(open_city, 60 * open_city.settings.broker_event_minutes + 1)
    assert bury(open_city) == 3
    assert deliveries.list_ended(open_city, OPERATOR)[0].ended <= 2  # whether the last one arrived was not known


def test_sender_leaves_events_alone_until_the_endpoint_is_another(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    subscription = subscribe(broker)
    change(broker, open_city, 1)
    sending.notify_all(open_city)
    assert receiver.got == []
    body = {"notification": {"endpoint": {"uri": receiver.url}}}
    assert broker.patch(f"/subscriptions/{subscription}", json=body).status_code == 204
    sending.notify_all(open_city)
    assert [each["level"]["value"] for each in receiver.data] == [1]


@pytest.fixture
def town(city: City) -> Town:
    found = build(city, 2)
    for number in range(2):
        found.add_meter(number, found.residents[number : number + 1], number)
    return found


def test_only_what_is_granted_is_told_and_to_go_on_is_the_same_use(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HEART_BEAT_S", 0.05)
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents[:1])
    officer = town.world.officer
    made = create_client(town.city, officer, town.world.university.organisation_id, name="event reader")
    scope = f"agreement:{agreement.agreement_id}"
    token = issue_token(town.city, SecretProof(made.client_id, made.secret), scope=scope).token
    actor = actor_of(town.city, cookie=None, bearer=token)
    body = {"type": "Subscription", "entities": [{"type": "Meter"}], "notification": {"endpoint": {"uri": EVENTS}}}
    subscription = create_subscription(town.place(actor), body, CORE, None)
    headers = {"authorization": f"Bearer {token}"}
    for number in range(2):
        measure(town, number, 100 + number)
    follow(town.city)
    pass_time(town.city, 1)

    async def work() -> None:
        async with Open(town.city, subscription, headers) as first:
            await first.until(lambda: len(first.events) == 1)
        assert [each["energy"]["value"] for each in first.entities] == [100]
        assert first.entities[0]["id"].startswith("urn:sanpo:entity:")
        assert len(town.uses()) == 1
        async with Open(town.city, subscription, {**headers, "last-event-id": "urn:none"}) as again:
            await again.until(lambda: len(again.events) == 1)
        assert len(town.uses()) == 1
        async with Open(town.city, subscription, headers) as revoked:
            await revoked.until(lambda: ": \n\n" in revoked.text)
            await asyncio.to_thread(revoke_client, town.city, officer, made.client_id)
            await asyncio.wait_for(asyncio.shield(revoked.task), 20)

    run(work())
    assert town.uses_of_each() == [1, 0]

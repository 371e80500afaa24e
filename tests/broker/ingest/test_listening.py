"""MQTT as a door: stored before it is acknowledged, and no message stops the stream."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.ingest import listening
from sanpo.broker.ingest.errors import MappingHasNoTopic
from sanpo.broker.ingest.folder import listen_all
from sanpo.broker.ingest.listening import Listener
from sanpo.broker.ingest.mapping import read_mapping
from sanpo.broker.ingest.refusals import Refused, forget_refused, list_refused
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.db import DatabaseIsUnavailable
from tests.broker.ingest.conftest import METERS, ROOMS
from tests.broker.mqtt_server import MqttServer

OPERATOR = System("operator")
TOPIC = "city/hall/2/rooms/{}/now"
AT = 1_772_323_200  # 2026-03-01T00:00:00Z


@pytest.fixture(params=["mqtt5.0", "mqtt3.1.1"])
def listener(request: Any, open_city: City, folder: Path, mqtt_server: MqttServer) -> Listener:
    return make(open_city, folder, mqtt_server, request.param)


def make(city: City, folder: Path, server: MqttServer, version: str = "mqtt5.0") -> Listener:
    (folder / "rooms.toml").write_text(ROOMS.format(port=server.port, version=version))
    return Listener(city, read_mapping(folder / "rooms.toml")[0])


@contextmanager
def running(listener: Listener, server: MqttServer) -> Iterator[None]:
    thread = threading.Thread(target=listener.run)
    thread.start()
    until(lambda: any(each.filters and each.connection for each in server.sessions.values()))
    try:
        yield
    finally:
        listener.stop.set()
        thread.join()


def until(is_so: Callable[[], Any]) -> None:
    give_up = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def readings(*values: Any, **more: Any) -> bytes:
    found = [{"at": AT + at, "values": {"t": value}, **more} for at, value in enumerate(values)]
    return json.dumps({"readings": found}).encode()


def refused(city: City) -> list[tuple[str, str, int]]:
    return sorted((each.source, each.reason, each.count) for each in list_refused(city, OPERATOR))


def test_messages_become_entities_and_observations(
    listener: Listener, mqtt_server: MqttServer, broker: TestClient[Any], history: Any
) -> None:
    with running(listener, mqtt_server):
        mqtt_server.publish(TOPIC.format(1), readings(20, 21.5, open=True))
        mqtt_server.publish("city/hall/2/rooms/2", readings(19))
        mqtt_server.publish("elsewhere", readings(1))
        until(lambda: listener.counts["messages"] == 2)
        until(lambda: mqtt_server.waiting == 0)
    room = broker.get("/entities/urn:ngsi-ld:Room:hall:1", params={"options": "keyValues"}).json()
    assert room == {
        "id": "urn:ngsi-ld:Room:hall:1",
        "type": "Room",
        "temperature": 21.5,
        "isOpen": True,
        "isPartOf": "urn:ngsi-ld:Building:hall",
    }
    assert history("urn:ngsi-ld:Room:hall:1", "temperature") == [
        (20, "2026-03-01T00:00:00Z"),
        (21.5, "2026-03-01T00:00:01Z"),
    ]
    assert history("urn:ngsi-ld:Room:hall:2", "temperature") == [(19, "2026-03-01T00:00:00Z")]
    assert listener.counts == {"messages": 2, "rows": 3, "observations": 3, "refused": 0}


BAD = [
    (b"\xff\xfe", "it is no JSON"),
    (b"[" * 100_000, "it is no JSON"),
    (b"{}", "there is no record in it"),
    (b'{"readings": [{"at": "x", "values": {"t": 1}}]}', "the time cannot be read"),
    (b'{"readings": [{"at": 1e300, "values": {"t": 1}}]}', "the time cannot be read"),
    (b'{"readings": [{"values": {"t": 1}}]}', "the time is missing"),
    (b'{"readings": [{"at": 1, "values": {"t": true}}]}', "temperature is no number"),
    (b'{"readings": [{"at": 1, "values": [1]}]}', "temperature is missing"),
    (b'{"readings": [{"at": 1, "values": {"t": 1}, "open": "perhaps"}]}', "isOpen is neither true nor false"),
]


def test_bad_messages_are_kept_with_reason_and_count_and_stop_nothing(
    listener: Listener, mqtt_server: MqttServer, history: Any, command: Any
) -> None:
    with running(listener, mqtt_server):
        for _ in range(2):
            for body, _ in BAD:
                mqtt_server.publish(TOPIC.format(1), body)
        mqtt_server.publish("city/ha ll/2/rooms/1", readings(1))
        mqtt_server.publish(TOPIC.format(1), readings(20))
        until(lambda: listener.counts["messages"] == 2 * len(BAD) + 2)
        until(lambda: mqtt_server.waiting == 0)
    assert [value for value, _ in history("urn:ngsi-ld:Room:hall:1", "temperature")] == [20]
    counted: dict[str, int] = {}
    for _, reason in BAD:
        counted[reason] = counted.get(reason, 0) + 2
    expected = [(TOPIC.format(1), reason, count) for reason, count in counted.items()]
    expected.append(("city/ha ll/2/rooms/1", "the entity's id is no URI", 1))
    assert refused(listener.city) == sorted(expected)
    shown = json.loads(command(listener.city, "refused", "--json").stdout)
    assert {each["reason"] for each in shown} == {*counted, "the entity's id is no URI"}
    assert shown[0].keys() == Refused.__dataclass_fields__.keys()
    listener.city.clock.advance(hours=listener.city.settings.broker_dead_hours + 1)  # type: ignore[attr-defined]  # tests own it
    assert forget_refused(listener.city) == len(expected)


def test_topics_of_strangers_do_not_fill_the_table(
    open_city: City, folder: Path, mqtt_server: MqttServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sanpo.broker.ingest.store.MOST_SOURCES", 3)
    listener = make(open_city, folder, mqtt_server)
    with running(listener, mqtt_server):
        for number in range(10):
            mqtt_server.publish(TOPIC.format(number), b"x")
        until(lambda: listener.counts["messages"] == 10)
    assert [count for _, _, count in refused(open_city)] == [1, 1, 1, 7]
    assert refused(open_city)[-1][0] == "…"


def test_row_that_the_broker_refuses_does_not_take_others_with_it(
    open_city: City, folder: Path, mqtt_server: MqttServer, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with a batch: each row of it is tried by itself."""
    real = listening.write

    def write(place: Any, converter: Any, rows: Any, **more: Any) -> Any:
        if any(row.entity_id.endswith(":2") for row in rows):
            raise ValueError
        return real(place, converter, rows, **more)

    monkeypatch.setattr(listening, "write", write)
    listener = make(open_city, folder, mqtt_server)
    with running(listener, mqtt_server):
        with mqtt_server.lock:
            for number in (1, 2, 3):
                mqtt_server.publish(TOPIC.format(number), readings(number))
        until(lambda: listener.counts["messages"] == 3)
    assert refused(open_city) == [(TOPIC.format(2), "ValueError", 1)]
    for number in (1, 3):
        assert [each[0] for each in history(f"urn:ngsi-ld:Room:hall:{number}", "temperature")] == [number]


def test_nothing_is_lost_while_nobody_listens_or_the_database_is_away(
    listener: Listener, mqtt_server: MqttServer, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "AGAIN_S", 0.02)
    away = threading.Event()
    real = listening.write

    def write(*given: Any, **more: Any) -> Any:
        if away.is_set():
            raise DatabaseIsUnavailable(problem="test")
        return real(*given, **more)

    monkeypatch.setattr(listening, "write", write)
    with running(listener, mqtt_server):
        away.set()
        mqtt_server.publish(TOPIC.format(1), readings(1))
        time.sleep(0.3)
        assert mqtt_server.waiting == 1  # as it was not stored
    mqtt_server.publish(TOPIC.format(1), json.dumps({"readings": [{"at": AT + 5, "values": {"t": 2}}]}).encode())
    away.clear()
    again = Listener(listener.city, listener.mapping)
    with running(again, mqtt_server):
        until(lambda: mqtt_server.waiting == 0)
    assert [value for value, _ in history("urn:ngsi-ld:Room:hall:1", "temperature")] == [1, 2]


def test_listener_comes_back_after_the_server_was_away(
    open_city: City, folder: Path, mqtt_server: MqttServer, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "AGAIN_S", 0.05)
    listener = make(open_city, folder, mqtt_server)
    with running(listener, mqtt_server):
        mqtt_server.stop()
        time.sleep(0.2)
        another = MqttServer(port=mqtt_server.port, sessions=mqtt_server.sessions).start()
        another.publish(TOPIC.format(1), readings(7))
        until(lambda: listener.counts["messages"] == 1)
        another.stop()
    assert [value for value, _ in history("urn:ngsi-ld:Room:hall:1", "temperature")] == [7]


def test_password_comes_from_the_environment(
    open_city: City, folder: Path, mqtt_server: MqttServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERS_PASSWORD", "secret")
    mqtt_server.password = "secret"
    text = ROOMS.format(port=mqtt_server.port, version="mqtt5.0")
    (folder / "rooms.toml").write_text(text.replace("[mqtt]", '[mqtt]\npasswordVariable = "METERS_PASSWORD"'))
    with running(Listener(open_city, read_mapping(folder / "rooms.toml")[0]), mqtt_server):
        assert mqtt_server.connects == 1


def test_duty_listens_for_the_mappings_of_the_folder(
    open_city: City, folder: Path, mqtt_server: MqttServer, history: Any
) -> None:
    (folder / "rooms.toml").write_text(ROOMS.format(port=mqtt_server.port, version="mqtt5.0"))
    (folder / "meters.toml").write_text(METERS)
    (folder / "broken.toml").write_text("name = ")
    listen_all(open_city)
    listen_all(open_city)
    until(lambda: any(each.filters and each.connection for each in mqtt_server.sessions.values()))
    mqtt_server.publish(TOPIC.format(1), readings(7))
    until(lambda: mqtt_server.waiting == 0)
    assert mqtt_server.connects == 1
    (folder / "rooms.toml").unlink()
    listen_all(open_city)
    until(lambda: not any(each.connection for each in mqtt_server.sessions.values()))
    assert [value for value, _ in history("urn:ngsi-ld:Room:hall:1", "temperature")] == [7]


def test_duty_begins_again_where_a_listener_has_died(
    open_city: City, folder: Path, mqtt_server: MqttServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(open_city, folder, mqtt_server)
    with monkeypatch.context() as patch:
        patch.setattr(Listener, "run", lambda listener: None)
        listen_all(open_city)
        (thread, _) = next(iter(open_city.__dict__["_broker_listeners"].values()))
        thread.join()
    assert mqtt_server.connects == 0
    listen_all(open_city)
    until(lambda: mqtt_server.connects == 1)
    (folder / "rooms.toml").unlink()
    listen_all(open_city)
    until(lambda: not any(each.connection for each in mqtt_server.sessions.values()))


def test_mapping_without_a_topic_is_nothing_to_listen_to(open_city: City, folder: Path) -> None:
    (folder / "meters.toml").write_text(METERS)
    with pytest.raises(MappingHasNoTopic):
        Listener(open_city, read_mapping(folder / "meters.toml")[0])

"""MQTT topics as a door: messages are stored in batches, and acknowledged when they are.

The session outlives the connection, so that with QoS 1 nothing is lost while nobody listens: not at a kill, not while the
database is away. What a message holds that cannot be used is kept as refused; the stream goes on.
"""

import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sanpo.broker.entities import Place
from sanpo.broker.ingest.converting import Converter, Row
from sanpo.broker.ingest.errors import MappingHasNoTopic, RecordIsBad
from sanpo.broker.ingest.mapping import Mapping, Mqtt, Topic
from sanpo.broker.ingest.payloads import records_of
from sanpo.broker.ingest.store import note_refused
from sanpo.broker.ingest.writing import write
from sanpo.broker.sight import DUTY
from sanpo.ground.city import City
from sanpo.ground.db import DatabaseIsUnavailable
from sanpo.ground.errors import DomainError
from sanpo.ground.mqtt import Client, read_address
from sanpo.ground.outbound import CallFailed

log = structlog.get_logger()
MOST_MESSAGES = 1_000
MOST_ROWS = 10_000
MOST_BYTES = 4 * 1024 * 1024
"""Of one message; with MQTT 3.1.1 the server decides."""
SESSION_S = 7 * 86_400
AGAIN_S = 1.0
MOST_AGAIN_S = 30.0
TIMEOUT_S = 10.0


@dataclass
class Listener:
    """One mapping's topic, listened to until `stop` is set. `counts` are messages, rows, observations and refused ones."""

    city: City
    mapping: Mapping
    stop: threading.Event = field(default_factory=threading.Event)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        if self.mapping.mqtt is None:
            raise MappingHasNoTopic(name=self.mapping.name)
        self.mqtt: Mqtt = self.mapping.mqtt
        self.topic = Topic(self.mqtt.topic)
        self.place = Place(self.city, DUTY, self.mapping.tenant)
        self.converter = Converter(self.city, self.mapping)
        self.arrived: SimpleQueue[MQTTMessage] = SimpleQueue()

    def run(self) -> None:
        """Connects again, with growing pauses, whenever the connection is lost."""
        client = self._client()
        wait_s = AGAIN_S
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                self._connect(client)
                client.loop_start()
                self._work(client)
            except (OSError, CallFailed) as error:
                log.warning("mqtt_lost", mapping=self.mapping.name, problem=type(error).__name__)
            finally:
                client.disconnect()
                client.loop_stop()
            wait_s = AGAIN_S if time.monotonic() - began > MOST_AGAIN_S else min(2 * wait_s, MOST_AGAIN_S)
            self.stop.wait(wait_s)

    def _client(self) -> Client:
        address = read_address(self.mqtt.server)
        origin = hashlib.sha256(self.city.settings.origin.encode()).hexdigest()[:8]
        name = self.mqtt.client_id or f"sanpo-{self.mapping.name}-{origin}"
        kept: dict[str, Any] = {} if self.mqtt.version == "mqtt5.0" else {"clean_session": False}
        client = Client(
            address,
            self.mqtt.version,
            allow_private=True,  # the operator's own file names it
            timeout_s=TIMEOUT_S,
            client_id=name,
            manual_ack=True,
            reconnect_on_failure=False,
            **kept,
        )
        if self.mqtt.password_variable is not None:
            client.username_pw_set(address.username or "", os.environ.get(self.mqtt.password_variable, ""))
        client.on_message = lambda client, data, message: self.arrived.put(message)
        client.on_connect = self._subscribe
        return client

    def _connect(self, client: Client) -> None:
        self.arrived = SimpleQueue()
        self.lost = threading.Event()
        lost = self.lost
        client.on_disconnect = lambda *given: lost.set()
        address = read_address(self.mqtt.server)
        if self.mqtt.version == "mqtt5.0":
            asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # the library's
            asked.SessionExpiryInterval = SESSION_S
            asked.ReceiveMaximum = MOST_MESSAGES
            asked.MaximumPacketSize = MOST_BYTES
            client.connect(address.host, address.port, keepalive=30, clean_start=False, properties=asked)
        else:
            client.connect(address.host, address.port, keepalive=30)

    def _subscribe(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            log.warning("mqtt_refused", mapping=self.mapping.name, reason=str(reason))
            self.lost.set()
        else:
            client.subscribe(self.topic.filter, qos=self.mqtt.qos)
            log.info("mqtt_listening", mapping=self.mapping.name, topic=self.topic.filter)

    def _work(self, client: Client) -> None:
        """Stores what arrives until the connection is lost or all is to stop."""
        while not self.stop.is_set() and not self.lost.is_set():
            messages = self._take()
            if not messages:
                continue
            while not self._store(messages):
                if self.stop.wait(AGAIN_S):
                    return  # not acknowledged: they come again
            for message in messages:
                client.ack(message.mid, message.qos)
            self.counts["messages"] += len(messages)

    def _take(self) -> list[MQTTMessage]:
        found: list[MQTTMessage] = []
        try:
            found.append(self.arrived.get(timeout=0.2))
            while len(found) < MOST_MESSAGES:
                found.append(self.arrived.get_nowait())
        except Empty:
            pass
        return found

    def _store(self, messages: Sequence[MQTTMessage]) -> bool:
        """False where the database is away, and all of it is to be tried again."""
        rows: list[tuple[MQTTMessage, Row]] = []
        refused: list[tuple[MQTTMessage, str]] = []
        for message in messages:
            try:
                rows += [(message, row) for row in self._rows(message)]
            except RecordIsBad as error:
                refused.append((message, error.reason))
        try:
            for at in range(0, len(rows), MOST_ROWS):
                refused += self._write(rows[at : at + MOST_ROWS])
            if refused:
                with self.city.transaction(DUTY) as tx:
                    for message, reason in refused:
                        sample = message.payload[:2_000].decode("utf-8", "replace")
                        note_refused(tx, self.mapping.name, message.topic, reason, sample)
        except DatabaseIsUnavailable:
            log.warning("ingest_waits", mapping=self.mapping.name)
            return False
        self.counts["refused"] += len(refused)
        return True

    def _rows(self, message: MQTTMessage) -> list[Row]:
        named = self.topic.parts(message.topic)
        arrived = self.place.now()
        records = records_of(self.mapping.payload, bytes(message.payload), named)
        return [self.converter.row(each, arrived) for each in records]

    def _write(self, rows: list[tuple[MQTTMessage, Row]]) -> list[tuple[MQTTMessage, str]]:
        """Returns what could not be written. Where a batch fails as a whole, each row of it is tried by itself."""
        try:
            written = write(self.place, self.converter, [row for _, row in rows])
        except DatabaseIsUnavailable:
            raise
        except Exception as error:
            if len(rows) > 1:
                return [refused for each in rows for refused in self._write([each])]
            text = f"error.{error.code}" if isinstance(error, DomainError) else type(error).__name__
            log.warning("ingest_refused", mapping=self.mapping.name, problem=text)
            return [(rows[0][0], text)]
        self.counts["rows"] += len(rows) - len(written.refused)
        self.counts["observations"] += written.observations
        return [(rows[at][0], reason) for at, reason in written.refused.items()]

"""A small MQTT server for tests (3.1.1 and 5): it keeps what is published and hands it to whoever has subscribed.

Sessions outlive a connection: what a subscriber has not acknowledged comes again when it is back.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt.client import topic_matches_sub


@dataclass(frozen=True)
class Published:
    topic: str
    payload: bytes
    qos: int
    version: int
    username: str | None


@dataclass
class Session:
    filters: dict[str, int] = field(default_factory=dict)
    unacknowledged: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    last_mid: int = 0
    connection: "Connection | None" = None


@dataclass
class MqttServer:
    """`password` is what clients must give, if set; `is_silent` never answers; without `acknowledges` PUBLISH has no answer.

    `tls` makes it a server of mqtts.
    """

    password: str | None = None
    is_silent: bool = False
    acknowledges: bool = True
    refusal: int = 0
    tls: ssl.SSLContext | None = None
    got: list[Published] = field(default_factory=list)
    connects: int = 0
    port: int = 0
    sessions: dict[str, Session] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def start(self) -> "MqttServer":
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._connections: list[Connection] = []
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._connections:
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                found, _ = listener.accept()
            except OSError:
                return
            connection = Connection(self, found)
            self._connections.append(connection)
            threading.Thread(target=connection.serve, daemon=True).start()

    def publish(self, topic: str, payload: bytes) -> None:
        """To everybody who has subscribed, now or when they are back."""
        with self.lock:
            for session in self.sessions.values():
                if any(topic_matches_sub(each, topic) for each in session.filters):
                    session.last_mid += 1
                    session.unacknowledged[session.last_mid] = (topic, payload)
                    if session.connection is not None:
                        session.connection.deliver(session.last_mid, topic, payload)

    @property
    def waiting(self) -> int:
        """Messages that no subscriber has acknowledged yet."""
        with self.lock:
            return sum(len(each.unacknowledged) for each in self.sessions.values())


class Connection:
    def __init__(self, server: MqttServer, connected: socket.socket) -> None:
        self.server, self.socket = server, connected
        self.session = Session()
        self.version, self.username = 4, None

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def serve(self) -> None:
        with suppress(OSError):
            if self.server.tls is not None:
                self.socket = self.server.tls.wrap_socket(self.socket, server_side=True)
            with self.socket, self.socket.makefile("rb") as stream:
                for kind, flags, body in packets(stream):
                    if self.server.is_silent:
                        continue
                    if kind == 14 or not self.handle(kind, flags, Reader(body)):
                        break
        with self.server.lock:
            if self.session.connection is self:
                self.session.connection = None

    def handle(self, kind: int, flags: int, body: "Reader") -> bool:
        if kind == 1:
            return self.connected(body)
        if kind == 3:
            self.published(flags, body)
        elif kind == 4:
            with self.server.lock:
                self.session.unacknowledged.pop(body.number(2), None)
        elif kind == 6:
            self.send(7, 0, body.number(2).to_bytes(2, "big"))
        elif kind == 8:
            self.subscribed(body)
        elif kind == 12:
            self.send(13, 0, b"")
        return True

    def connected(self, body: "Reader") -> bool:
        assert body.text() == "MQTT"
        self.version, flags = body.number(1), body.number(1)
        body.number(2)
        body.skip_properties(self.version)
        client_id = body.text()
        self.username = body.text() if flags & 128 else None
        password = body.text() if flags & 64 else None
        self.server.connects += 1
        wrong = self.server.password is not None and password != self.server.password
        code = 0 if not wrong else (0x86 if self.version == 5 else 4)
        with self.server.lock:
            known = self.server.sessions.get(client_id)
            kept = known is not None and not flags & 2
            self.session = known if known is not None and kept else Session()
            self.server.sessions[client_id] = self.session
            self.send(2, 0, bytes([int(kept and not code), code]) + (b"\0" if self.version == 5 else b""))
            if not code:
                self.session.connection = self
                for mid, (topic, payload) in self.session.unacknowledged.items():
                    self.deliver(mid, topic, payload, again=True)
        return not code

    def published(self, flags: int, body: "Reader") -> None:
        topic, qos = body.text(), flags >> 1 & 3
        mid = body.number(2).to_bytes(2, "big") if qos else b""
        body.skip_properties(self.version)
        payload = body.rest()
        self.server.got.append(Published(topic, payload, qos, self.version, self.username))
        if qos and self.server.acknowledges:
            reason = bytes([self.server.refusal, 0]) if self.version == 5 else b""
            self.send({1: 4, 2: 5}[qos], 0, mid + reason)
        self.server.publish(topic, payload)

    def subscribed(self, body: "Reader") -> None:
        mid = body.number(2).to_bytes(2, "big")
        body.skip_properties(self.version)
        codes = b""
        with self.server.lock:
            while body.is_more:
                topic, qos = body.text(), body.number(1) & 3
                self.session.filters[topic] = qos
                codes += bytes([qos])
        self.send(9, 0, mid + (b"\0" if self.version == 5 else b"") + codes)

    def deliver(self, mid: int, topic: str, payload: bytes, *, again: bool = False) -> None:
        name = topic.encode()
        properties = b"\0" if self.version == 5 else b""
        body = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + properties + payload
        self.send(3, 2 | (8 if again else 0), body)

    def send(self, kind: int, flags: int, body: bytes) -> None:
        size, left = b"", len(body)
        while True:
            left, digit = left >> 7, left & 127
            size += bytes([digit | (128 if left else 0)])
            if not left:
                break
        with suppress(OSError):
            self.socket.sendall(bytes([kind << 4 | flags]) + size + body)


def packets(stream: Any) -> Iterator[tuple[int, int, bytes]]:
    while first := stream.read(1):
        size = shift = 0
        while True:
            digit = stream.read(1)[0]
            size |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                break
        yield first[0] >> 4, first[0] & 15, stream.read(size)


@dataclass
class Reader:
    body: bytes
    at: int = 0

    @property
    def is_more(self) -> bool:
        return self.at < len(self.body)

    def take(self, size: int) -> bytes:
        self.at += size
        return self.body[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        return self.take(self.number(2)).decode()

    def rest(self) -> bytes:
        return self.take(len(self.body) - self.at)

    def skip_properties(self, version: int) -> None:
        if version == 5:
            self.take(self.number(1))

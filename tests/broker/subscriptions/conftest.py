"""Receivers on loopback, and an open broker that may reach them."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sanpo.ground.city import City


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets. It answers with `status`, after `wait_s`."""

    got: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    wait_s: float = 0.0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notify"

    @property
    def data(self) -> list[Any]:
        """The entities of all notifications."""
        return [each for notification in self.got for each in notification["data"]]


@dataclass
class Receivers:
    servers: list[ThreadingHTTPServer] = field(default_factory=list)

    def start(self) -> Receiver:
        receiver = Receiver()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(receiver.wait_s)
                if receiver.status < 300:
                    receiver.got.append(json.loads(body))
                    receiver.headers.append({key.lower(): value for key, value in self.headers.items()})
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.servers.append(server)
        receiver.port = server.server_address[1]
        return receiver


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    found = Receivers()
    yield found
    for server in found.servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def receiver(receivers: Receivers) -> Receiver:
    return receivers.start()


@pytest.fixture
def open_city(city: City) -> City:
    """The city with a broker that needs no token, whose notifications may go to this machine."""
    return replace(city, settings=replace(city.settings, broker_open=True, broker_allow_hosts="127.0.0.1"))

"""Another broker, as a server on loopback that answers what a test lays out, and a broker here that may ask it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.ground.city import City
from tests.broker.conftest import ROOT


@dataclass
class Source:
    """Answers by method and path (without query) while its gate is open; keeps what it was asked."""

    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    location: str = ""
    gate: threading.Event = field(default_factory=threading.Event)

    def lay(self, method: str, path: str, status: int, body: Any = None) -> None:
        self.answers[method, f"/ngsi-ld/v1/{path}"] = (status, body)

    @property
    def lines(self) -> list[str]:
        return [f"{method} {path.removeprefix('/ngsi-ld/v1/')}" for method, path, _, _ in self.asked]


@pytest.fixture
def source() -> Iterator[Source]:
    with _serving() as found:
        yield found


@pytest.fixture
def another() -> Iterator[Source]:
    with _serving() as found:
        yield found


@contextmanager
def _serving() -> Iterator[Source]:
    found = Source()
    found.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {key.lower(): value for key, value in self.headers.items()}
            found.asked.append((self.command, self.path, json.loads(body) if body else None, headers))
            found.gate.wait(20)
            status, told = found.answers.get((self.command, self.path.partition("?")[0]), (404, None))
            data = told if isinstance(told, bytes) else b"" if told is None else json.dumps(told).encode()
            with suppress(OSError):  # whoever asked may be gone
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                if status == 201 and found.location:
                    self.send_header("location", found.location)
                self.end_headers()
                self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield found
    found.gate.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def here(web: Any, client: Callable[[], TestClient[Any]], city: City) -> TestClient[Any]:
    """An open broker that may ask servers on loopback."""
    http = client()
    web.state.city = replace(city, settings=replace(city.settings, broker_open=True, broker_allow_hosts="127.0.0.1"))
    http.base_url = http.base_url.join(ROOT)
    return http


def register(here: TestClient[Any], source: Source, **members: Any) -> str:
    """Registers the source for cars; returns the registration's id."""
    entities = [{"type": "Car", **members.pop("entity", {})}]
    information = {"entities": entities, **members.pop("information", {})}
    data = {"type": "ContextSourceRegistration", "endpoint": source.url, "information": [information], **members}
    answer = here.post("/csourceRegistrations", json=data)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].rpartition("/")[2]

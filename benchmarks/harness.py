"""What the benchmarks share: a fresh durable city, its HTTP server as real processes, a lean HTTP client, one JSON line."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sanpo import app
from sanpo.ground.city import City
from sanpo.ground.config import Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the benchmarks build their cities with the tests' world


@contextmanager
def fresh_city(**overrides: Any) -> Iterator[City]:
    """A migrated, empty city in a temporary folder, on an embedded PostgreSQL with durable commits."""
    with tempfile.TemporaryDirectory(prefix="sanpo-bench-") as folder:
        port = free_port()
        settings, _ = load_settings(
            {
                "mode": "demo",
                "home": folder,
                "port": port,
                "origin": f"http://127.0.0.1:{port}",
                "webhook_private_hosts": True,
                **overrides,
            }
        )
        settings, embedded = app.with_database(settings)
        app.prepare(settings)
        city = app.open_city(settings)
        try:
            yield city
        finally:
            city.db.close()
            if embedded is not None:
                embedded.stop()


@contextmanager
def served(settings: Settings, *, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`sanpo serve` for these settings, up when the block begins, ended when it ends."""
    names = Settings.__dataclass_fields__
    given = {f"SANPO_{n.upper()}": str(getattr(settings, n)) for n in names if getattr(settings, n) != ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "sanpo", "serve"], env={**os.environ, **given, **(env or {})}, cwd=ROOT
    )
    try:
        wait_until_up(settings.port)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_until_up(port: int, *, seconds: float = 30) -> None:
    """Returns when /health answers 200; raises `TimeoutError`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Wire(port).call("GET", "/health", {}, b"")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server did not come up")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Wire:
    """One keep-alive HTTP/1.1 connection: the client shares the two cores, so it does as little as it can."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Sends one request and returns status and body."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._socket.sendall(
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body
        )
        received = b""
        while b"\r\n\r\n" not in received:
            part = self._socket.recv(65536)
            if not part:
                raise ConnectionError("the server closed the connection")
            received += part
        head_bytes, _, rest = received.partition(b"\r\n\r\n")
        lowered = head_bytes.lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        while len(rest) < length:
            rest += self._socket.recv(65536)
        return int(head_bytes[9:12]), rest


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(question: str, setting: dict[str, Any], figures: dict[str, float]) -> None:
    """The one JSON line."""
    rounded = {name: round(value, 4) for name, value in figures.items()}
    sys.stdout.write(json.dumps({"question": question, "setting": setting, "figures": rounded}) + "\n")
    sys.stdout.flush()


__all__ = ["ROOT", "Wire", "free_port", "fresh_city", "percentile", "replace", "report", "served", "wait_until_up"]

"""A server on loopback that needs no token, and the Python that has the clients."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def client_python() -> str:
    """The interpreter of the environment that `make test-clients` makes."""
    found = os.environ.get("SANPO_CLIENTS", "")
    if not found:
        pytest.skip("needs the clients' own environment: make test-clients")
    return found


@pytest.fixture(scope="session")
def server(client_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `sanpo serve` with an open broker, on a database of its own."""
    port = free_port()
    given = {
        "SANPO_MODE": "test",
        "SANPO_HOME": str(tmp_path_factory.mktemp("home")),
        "SANPO_PORT": str(port),
        "SANPO_ORIGIN": f"http://127.0.0.1:{port}",
        "SANPO_BROKER_OPEN": "true",
        "SANPO_BROKER_ALLOW_HOSTS": "127.0.0.1",
        "SANPO_LOG_LEVEL": "warning",
        "SANPO_HTTP_WORKERS": "1",
    }
    process = subprocess.Popen([sys.executable, "-m", "sanpo", "serve"], env={**os.environ, **given}, cwd=ROOT)
    try:
        _wait_until_up(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.fixture
def walk(client_python: str, server: str) -> Callable[[str], str]:
    """Runs one of the programs beside this file against the server; returns what it says."""

    def run(name: str) -> str:
        done = subprocess.run(
            [client_python, str(HERE / name), server], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    return run


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            line.request("GET", "/health")
            if line.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
    raise TimeoutError("the server did not come up")

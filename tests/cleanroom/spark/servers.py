"""Spark Connect servers as processes of their own on loopback, for the tests of `spark_engine` and for the benchmark.

They are installed by `make test-spark` into environments beside this one: `.venv-sail` and, where Java is, `.venv-spark`.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from sanpo.cleanroom.engines import spark_client
from sanpo.cleanroom.errors import EngineIsNotInstalled
from sanpo.ground.config import Settings
from tests.cleanroom.worlds import Lake, settings_for

ENVIRONMENT = Path(sys.prefix)
CLUSTER = {
    "SAIL_MODE": "local-cluster",
    "SAIL_CLUSTER__WORKER_INITIAL_COUNT": "2",
    "SAIL_CLUSTER__WORKER_MAX_COUNT": "2",
    "SAIL_EXECUTION__DEFAULT_PARALLELISM": "2",
}
SAIL = {"sail": {"SAIL_MODE": "local"}, "sail with two workers": CLUSTER}
SPARK = "apache spark"
NAMES = (*SAIL, SPARK)


def skip_without_client() -> None:
    """Skips the module that calls it, unless `make test-spark` runs it."""
    if os.environ.get("SANPO_SPARK") != "1":
        pytest.skip("needs Spark Connect servers: `make test-spark` sets them up", allow_module_level=True)
    try:
        spark_client.check_installed()
    except EngineIsNotInstalled as missing:
        pytest.skip(f"needs the client of Spark Connect: {missing.fields['install']}", allow_module_level=True)


class ServerIsMissing(Exception):
    """The server cannot be started here. Says why, and what to do."""


@dataclass(frozen=True)
class Server:
    """One server that listens. `url` is what the setting `engine` takes, `folder` is where it runs."""

    name: str
    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """CPU seconds that it has spent so far, with its children."""
        parent = psutil.Process(self.process.pid)
        spent = (each.cpu_times() for each in (parent, *parent.children(recursive=True)))
        return sum(times.user + times.system for times in spent)


def chosen_for(lake: Lake, server: Server, **changes: Any) -> Settings:
    """The settings with which questions on this lake go to this server."""
    return settings_for(lake.folder, engine=server.url, **changes)


@contextmanager
def running(name: str, folder: Path, *, port: int | None = None, **more: str) -> Iterator[Server]:
    """The server of this name while the block lasts; `folder` takes what it writes, `more` is added to its environment.

    Raises `ServerIsMissing`, or `TimeoutError` with the end of its log.
    """
    chosen = port or free_port()
    command, env = _sail(name, chosen) if name in SAIL else _spark(chosen)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, env={**os.environ, **env, **more}, cwd=folder, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_up(process, chosen, log)
        yield Server(name, f"sc://127.0.0.1:{chosen}", folder, process)
    finally:
        _end(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sail(name: str, port: int) -> tuple[list[str], dict[str, str]]:
    python = Path(f"{ENVIRONMENT}-sail") / "bin" / "python"
    if not python.exists():
        raise ServerIsMissing("Sail is not installed: `make test-spark` sets it up")
    return [str(python), "-m", "pysail", "spark", "server", "--ip", "127.0.0.1", "--port", str(port)], SAIL[name]


def _spark(port: int) -> tuple[list[str], dict[str, str]]:
    """Apache Spark in one process; two partitions, because the tests' data are small."""
    if shutil.which("java") is None:
        raise ServerIsMissing("Apache Spark needs Java 17 or newer, which is not there")
    homes = list(Path(f"{ENVIRONMENT}-spark").glob("lib/python3*/site-packages/pyspark"))
    if not homes:
        raise ServerIsMissing("Apache Spark is not installed: `make test-spark` sets it up")
    chosen = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    conf = [part for name, value in chosen.items() for part in ("--conf", f"{name}={value}")]
    service = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    command = [str(homes[0] / "bin" / "spark-submit"), *service, "--master", "local[2]", *conf, "spark-internal"]
    return command, {"SPARK_HOME": str(homes[0]), "SPARK_LOCAL_IP": "127.0.0.1"}


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path, *, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(log.read_text(encoding="utf-8", errors="replace")[-2000:])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

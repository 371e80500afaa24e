"""Running a city on this machine: database, HTTP workers, the jobs' worker; all end together on Ctrl-C."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console

from sanpo import app as house
from sanpo.ground.config import Settings
from sanpo.ground.keys import open_keys
from sanpo.ground.log import start_log

if TYPE_CHECKING:
    from sanpo.simulator.demo import DemoPlan

err = Console(stderr=True)
_SERVER = "SANPO_SERVER_PID"


def create_worker_app() -> Any:
    """The application of one HTTP worker process; its settings come from the environment set by `serve_city`."""
    from sanpo.ground.config import load_settings

    settings, _ = load_settings()
    start_log(settings.log_level)
    end_with_server()
    app = house.create_app(house.open_city(settings, pool=settings.http_threads + 2))
    # What is there now stays; and a batch of entities is many objects that all go at once, which the collector of garbage
    # would look through again and again while they are made.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    return house.with_shortcuts(app)


def end_with_server() -> None:
    """In a child of the server: ends this process when the server is gone, however it went.

    Without this a server that was killed leaves workers of old code and settings on its port, beside the next one's.
    """
    server = os.getppid()
    if os.environ.get(_SERVER) != str(server):
        return

    def watch() -> None:
        while os.getppid() == server:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        os._exit(1)

    threading.Thread(target=watch, name="end_with_server", daemon=True).start()


def serve_city(settings: Settings) -> None:
    """Migrates, then serves until a signal comes."""
    start_log(settings.log_level)
    open_keys(settings.home, settings.master_secret, demo=settings.demo)  # refuses here, not in every worker
    settings, embedded = house.with_database(settings)
    house.prepare(settings)
    try:
        house.check_city(settings)
        _serve(settings)
    finally:
        if embedded is not None:
            embedded.stop()


def serve_demo(settings: Settings, plan: "DemoPlan", *, only_build: bool = False) -> None:
    """Builds the demo's city where it is not there yet, prints the way in, serves."""
    from sanpo.simulator.demo import build_demo, print_way_in

    start_log("warning")
    began = time.monotonic()
    with err.status("PostgreSQL …"):
        settings, embedded = house.with_database(settings)
        house.prepare(settings)
    try:
        city = house.open_city(settings)
        build_demo(city, plan)
        (settings.home / "demo").write_text(settings.origin, encoding="utf-8")
        if not only_build:
            print_way_in(city, seconds=time.monotonic() - began)
        city.db.close()
        if not only_build:
            _serve(settings)
    finally:
        if embedded is not None:
            embedded.stop()


def _serve(settings: Settings) -> None:
    from granian.constants import Interfaces
    from granian.server import Server

    os.environ.update(_environment(settings), **{_SERVER: str(os.getpid())})
    # The lake's reader keeps threads, which do not survive a fork of the process that built the demo.
    multiprocessing.set_start_method("spawn", force=True)
    with _jobs_worker():
        Server(
            "sanpo.serving:create_worker_app",
            factory=True,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            workers=settings.http_workers,
            websockets=False,
            log_access=False,
            log_level="warning",  # type: ignore[arg-type]
            workers_kill_timeout=5,
            respawn_failed_workers=True,
        ).serve()


def _environment(settings: Settings) -> dict[str, str]:
    """What the worker processes need to open the same city."""
    names = Settings.__dataclass_fields__
    return {f"SANPO_{name.upper()}": str(getattr(settings, name)) for name in names if getattr(settings, name) != ""}


@contextmanager
def _jobs_worker() -> Iterator[None]:
    """The worker of jobs as a child process. Signals of the terminal reach it through us alone."""
    child = subprocess.Popen([sys.executable, "-m", "sanpo", "worker"], start_new_session=True)
    try:
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=8)
        except subprocess.TimeoutExpired:
            child.kill()

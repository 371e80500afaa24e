"""A demo's city as its visitors get it: one real `sanpo demo` process, built on the spot, and a way to act in it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from sanpo import app
from sanpo.consent import Decision, decide, list_agreements
from sanpo.ground.actors import Anonymous, Resident
from sanpo.ground.city import City
from sanpo.ground.config import Settings
from sanpo.ground.db import APP_ROLE
from sanpo.ground.embedded import Embedded
from sanpo.people import make_sign_in_link
from tests.world import OPERATOR

# Its hundred metered homes stand in two seconds; fewer would make the comparison of similar homes too few.
OPTIONS = ("--residents", "400")
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20


@dataclass(frozen=True)
class RunningCity:
    """The city behind the server, the way in that the demo printed, and the residents whose homes have a meter."""

    city: City
    printed: str
    residents: list[Resident]
    analyst_id: str
    officer_id: str
    clerk_id: str

    def url(self, path: str) -> str:
        return self.city.settings.origin + path

    def printed_links(self) -> list[str]:
        """The way in as the demo printed it: for a resident, an analyst, an officer, a shop's till."""
        return re.findall(r"http://\S+/people/link/\S+", self.printed)

    def link_for(self, holder_id: str) -> str:
        """A fresh one-time link, as the operator makes it."""
        return make_sign_in_link(self.city, OPERATOR, holder_id).url

    def agree(self, agreement_id: str, residents: list[Resident]) -> None:
        for resident in residents:
            decide(self.city, resident, agreement_id, Decision.GIVE)

    def newest_agreement(self) -> str:
        """The identifier of what was approved last."""
        return max(one.agreement_id for one in list_agreements(self.city, Anonymous(), state="approved"))


@dataclass(frozen=True)
class Demo:
    """A demo's process that may still be building its city."""

    process: subprocess.Popen[bytes]
    port: int
    home: Path
    database_url: str
    database_owner_url: str

    @property
    def log(self) -> Path:
        return self.home / "demo.log"

    @contextmanager
    def city(self) -> Iterator[RunningCity]:
        """The city, once the demo answers. Raises `AssertionError` with what it said where it does not."""
        _wait_until_it_answers(self.process, self.port, self.log)
        folder = next(self.home.glob("demo*/demo.json")).parent
        settings = replace(
            Settings(),
            mode="demo",
            home=folder,
            port=self.port,
            origin=f"http://127.0.0.1:{self.port}",
            database_url=self.database_url,
            database_owner_url=self.database_owner_url,
        )
        city = app.open_city(settings, pool=4)
        yield _running(city, self.log, folder)
        city.db.close()


@contextmanager
def run_demo(embedded: Embedded, database: str, home: Path) -> Iterator[Demo]:
    """Starts the demo on a free port, and ends it with Ctrl-C's signal."""
    port, url, owner_url = _free_port(), embedded.url(APP_ROLE, database), embedded.url("postgres", database)
    environment = {
        "SANPO_DATABASE_URL": url,
        "SANPO_DATABASE_OWNER_URL": owner_url,
        "SANPO_HOME": str(home),
        "SANPO_HTTP_WORKERS": "1",
        "COLUMNS": "400",
    }
    with (home / "demo.log").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "sanpo", "demo", *OPTIONS, "--port", str(port)],
            env={**os.environ, **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Demo(process, port, home, url, owner_url)
    finally:
        _end(process)


def _running(city: City, log: Path, folder: Path) -> RunningCity:
    built = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    with psycopg.connect(city.settings.database_owner_url) as conn:
        rows: list[Any] = conn.execute(
            "select resident_id, subject_no from people.residents join energy.meters using (subject_no) order by 2"
        ).fetchall()
    residents = [Resident(resident_id, subject_no, resident_id) for resident_id, subject_no in rows]
    return RunningCity(city, log.read_text(), residents, built["analyst_id"], built["officer_id"], built["clerk_id"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the demo did not come up:\n{log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError("the demo did not end on Ctrl-C") from None

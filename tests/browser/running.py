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

    def url(self, path: str) -> str:
        return self.city.settings.origin + path

    def printed_links(self) -> list[str]:
        """The way in as the demo printed it: for a resident, for a company's analyst, for a city officer."""
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


@contextmanager
def run_demo(embedded: Embedded, database: str, home: Path) -> Iterator[RunningCity]:
    """Starts the demo on a free port, waits until it answers, and ends it with Ctrl-C's signal."""
    port = _free_port()
    urls = {"database_url": embedded.url(APP_ROLE, database), "database_owner_url": embedded.url("postgres", database)}
    environment = {f"SANPO_{name.upper()}": value for name, value in urls.items()}
    log = home / "demo.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "sanpo", "demo", *OPTIONS, "--port", str(port)],
            env={**os.environ, **environment, "SANPO_HOME": str(home), "SANPO_HTTP_WORKERS": "1", "COLUMNS": "400"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_answers(process, port, log)
        folder = next(home.glob("demo*/demo.json")).parent
        settings = replace(Settings(), mode="demo", home=folder, port=port, origin=f"http://127.0.0.1:{port}", **urls)
        city = app.open_city(settings, pool=4)
        yield _running(city, log, embedded.url("postgres", database), folder)
        city.db.close()
    finally:
        _end(process)


def _running(city: City, log: Path, database_url: str, folder: Path) -> RunningCity:
    built = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    with psycopg.connect(database_url) as conn:
        rows: list[Any] = conn.execute(
            "select resident_id, subject_no from people.residents join energy.meters using (subject_no) order by 2"
        ).fetchall()
    residents = [Resident(resident_id, subject_no, resident_id) for resident_id, subject_no in rows]
    return RunningCity(city, log.read_text(), residents, built["analyst_id"], built["officer_id"])


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

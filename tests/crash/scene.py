"""A city on a durable database of its own, the processes that work in it, and the end of them without a warning."""

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psutil
import psycopg

from sanpo import app
from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.ground.config import Settings
from sanpo.ground.embedded import start_embedded
from tests.crash.worker import Acknowledgement, Loop, Target
from tests.journeys.town import fill_lake
from tests.world import World

STEADY, WAVERING = 14, 120
LONG_TERM = {"first_day": "2020-01-01", "last_day": "2090-01-01", "grant_days": 365}
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crash.worker"])


class Worker:
    """A child process and what it has acknowledged so far."""

    def __init__(self, target: Target, *args: Any) -> None:
        ours, theirs = _processes.Pipe(duplex=False)
        self.said: list[Acknowledgement] = []
        self.first = threading.Event()
        self.process = _processes.Process(target=target, args=(args[0], theirs, *args[1:]), daemon=True)
        self.process.start()
        theirs.close()
        self._listening = threading.Thread(target=self._listen, args=(ours,), daemon=True)
        self._listening.start()

    def _listen(self, ours: Any) -> None:
        try:
            while True:
                self.said.append(msgspec.json.decode(ours.recv_bytes(), type=Acknowledgement))
                self.first.set()
        except (EOFError, OSError):
            self.first.set()

    def kill(self) -> None:
        """Ends it with SIGKILL and hears what it had still said."""
        if self.process.pid is not None and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Waits for its end; returns its exit code, negative where a signal ended it."""
        self.process.join(60)
        self._listening.join(60)
        assert self.process.exitcode is not None, "the worker hangs"
        return self.process.exitcode


class Scene:
    """Fourteen residents who have agreed for good, many who waver, one agreement, one asker."""

    def __init__(self, home: Path) -> None:
        base = replace(Settings(), mode="test", home=home, origin="http://127.0.0.1:1", webhook_private_hosts=True)
        settings, embedded = app.with_database(base)
        assert embedded is not None
        self.settings, self._embedded = settings, embedded
        app.prepare(settings)
        with self.city() as city:
            world = World(city)
            agreement = world.agreement(term=LONG_TERM)
            steady = world.residents(STEADY)
            self.wavering: list[Resident] = world.residents(WAVERING)
            fill_lake(city, [each.subject_no for each in (*steady, *self.wavering)])
            world.give(agreement, steady)
            self.loop = Loop(settings, agreement.agreement_id, world.client(world.university, agreement), ())
        self.agreement = agreement

    def more_residents(self, count: int) -> list[Resident]:
        """Further metered residents who have agreed."""
        with self.city() as city:
            world = World(city)
            residents = world.residents(count)
            fill_lake(city, [each.subject_no for each in residents])
            world.give(self.agreement, residents)
        return residents

    def of(self, *residents: Resident) -> Loop:
        """The loop of these residents."""
        return replace(self.loop, residents=residents)

    @contextmanager
    def city(self) -> Iterator[City]:
        """The city as a fresh process would open it."""
        opened = app.open_city(self.settings, pool=4)
        try:
            yield opened
        finally:
            opened.db.close()

    @contextmanager
    def owner(self) -> Iterator[psycopg.Connection[Any]]:
        """The database as its superuser sees it, past row-level security."""
        with psycopg.connect(self.settings.database_owner_url, autocommit=True) as conn:
            yield conn

    def kill_database(self) -> None:
        """SIGKILL for the postmaster and all its processes; then the next start, which recovers."""
        postmaster = self._postmaster()
        for process in (postmaster, *postmaster.children(recursive=True)):
            kill(process)
        psutil.wait_procs([postmaster], timeout=30)
        self.start()

    def kill_backend(self, chance: random.Random) -> None:
        """SIGKILL for one process that serves a client; the postmaster then ends all and recovers by itself."""
        clients = [each for each in self._postmaster().children() if "sanpo_app" in " ".join(each.cmdline())]
        if clients:
            kill(chance.choice(clients))
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Returns when the database takes connections again; raises `psycopg.OperationalError` after half a minute."""
        end = time.monotonic() + 30
        while True:
            time.sleep(0.05)
            try:
                with self.owner():
                    return
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise

    def start(self) -> None:
        """Starts the database as a fresh process would: the wheel remembers, in this one, that it already did."""
        self._embedded.server._instances.pop(self._embedded.server.pgdata, None)
        self._embedded = start_embedded(self.settings.home)
        self.wait_until_ready()

    def stop(self) -> None:
        self._embedded.stop()

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(int((self.settings.home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))


def kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return

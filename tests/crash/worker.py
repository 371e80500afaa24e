"""The process that is killed: it runs the loop at library level and says each acknowledgement aloud after its commit."""

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import psycopg

from sanpo import app
from sanpo.cleanroom import ask
from sanpo.consent import Decision, decide
from sanpo.ground import statements
from sanpo.ground.actors import Client, Resident
from sanpo.ground.city import City
from sanpo.ground.config import Settings
from sanpo.ground.errors import DomainError, Kind
from sanpo.journal.sequencer import sequence_all

PEOPLE = "select count(distinct subject_no) from energy.readings"
SUMS = "select count(*), sum(energy_wh) from energy.readings"
"""Answered, or refused by the guard where it would tell of the few who came or went since it was answered before."""
FAIR = ("cleanroom.consent_moved_during_question", "cleanroom.answers_are_too_close")


@dataclass(frozen=True)
class Loop:
    """What a worker needs to run the loop; `residents` are those who may change their mind."""

    settings: Settings
    agreement_id: str
    asker: Client
    residents: Sequence[Resident]


class Said(msgspec.Struct, tag=True):
    """One acknowledgement. Times are of CLOCK_MONOTONIC, which all processes share, ns."""


class Decided(Said):
    event_id: str
    entry_id: str
    subject_no: int
    state: str


class Answered(Said):
    entry_id: str
    started_ns: int
    ended_ns: int


class Sequenced(Said):
    size: int


class Paid(Said):
    """A batch of transfers: whose (a thread of a seed), which, and the outcomes in order."""

    seed: int
    thread: int
    number: int
    outcomes: list[str]


Acknowledgement = Decided | Answered | Sequenced | Paid


class Points:
    """Kills this process at the chosen one of its moments: before each statement, and after each commit."""

    def __init__(self, at: int) -> None:
        self.left = at
        self._wrap(psycopg.Cursor, "execute")
        self._wrap(psycopg.Cursor, "executemany")
        self._wrap(psycopg.Connection, "commit")
        self._wrap(statements.Connection, "run")
        self._wrap(statements.Connection, "command")

    def _wrap(self, of: Any, name: str) -> None:
        original = getattr(of, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._pass()
            result = original(*args, **kwargs)
            if name == "commit" or result == b"COMMIT":
                self._pass()
            return result

        setattr(of, name, counted)

    def _pass(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def run_script(loop: Loop, say: Connection, kill_at: int) -> None:
    """Gives, asks, sequences, withdraws, asks: once, up to the moment of death."""
    city = _open(loop)
    Points(kill_at)
    (resident,) = loop.residents
    _decide(loop, city, say, resident, Decision.GIVE)
    _ask(loop, city, say)
    _sequence(city, say)
    _decide(loop, city, say, resident, Decision.WITHDRAW)
    _ask(loop, city, say)
    os._exit(0)


def run_by_chance(loop: Loop, say: Connection, seed: int) -> None:
    """Decides, asks and sequences by chance, for ever, or until the database is gone."""
    city, chance = _open(loop), random.Random(seed)
    try:
        for _ in count():
            step = chance.choices(("decide", "ask", "sequence"), (6, 3, 1))[0]
            if step == "decide":
                decision = chance.choice((Decision.GIVE, Decision.WITHDRAW))
                _decide(loop, city, say, chance.choice(loop.residents), decision)
            elif step == "ask":
                _ask(loop, city, say, chance.choice((PEOPLE, SUMS)))
            else:
                _sequence(city, say)
    except (DomainError, psycopg.Error):
        os._exit(3)


def run_questions(loop: Loop, say: Connection) -> None:
    """Asks, again and again."""
    city = _open(loop)
    while True:
        _ask(loop, city, say)


def _open(loop: Loop) -> City:
    return app.open_city(loop.settings, pool=4)


def _decide(loop: Loop, city: City, say: Connection, resident: Resident, decision: Decision) -> None:
    try:
        outcome = decide(city, resident, loop.agreement_id, decision)
    except DomainError as refusal:
        if refusal.kind is not Kind.CONFLICT:
            raise
        return  # nothing to withdraw, or the other worker was first
    if outcome.event_id is not None and outcome.entry_id is not None:
        _tell(say, Decided(outcome.event_id, outcome.entry_id, resident.subject_no, outcome.state.value))


def _ask(loop: Loop, city: City, say: Connection, sql: str = PEOPLE) -> None:
    started_ns = time.monotonic_ns()
    try:
        answer = ask(city, loop.asker, None, sql)
    except DomainError as refusal:
        if refusal.code not in FAIR:
            raise
        return
    _tell(say, Answered(answer.entry_id, started_ns, time.monotonic_ns()))


def _sequence(city: City, say: Connection) -> None:
    checkpoint = sequence_all(city)
    if checkpoint is not None:
        _tell(say, Sequenced(checkpoint.size))


def _tell(say: Connection, said: Acknowledgement) -> None:
    say.send_bytes(msgspec.json.encode(said))


Target = Callable[..., None]

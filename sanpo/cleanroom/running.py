"""Questions under way: a few at once in each process, the rest wait shortly or are asked to come back; any can be ended.

A scan must not take the threads that residents' decisions need, so there is a place for few; whoever finds none and no
room to wait gets `TooManyQuestions` with a time after which it makes sense to try again.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from sanpo.cleanroom.errors import QuestionIdIsTaken, TooManyQuestions
from sanpo.cleanroom.store import SQL
from sanpo.ground.actors import Actor, Client, Staff, System
from sanpo.ground.city import City
from sanpo.ground.config import Settings
from sanpo.ground.errors import NotFound, NotSignedIn

_LOOK_EVERY_S = 0.25


@dataclass
class Places:
    """The places of one process. `typical_s` is a moving mean of how long a question takes."""

    slots: int
    queue: int
    _free: threading.Condition = field(default_factory=threading.Condition)
    _running: int = 0
    _waiting: int = 0
    typical_s: float = 1.0

    @contextmanager
    def one(self, wait_s: float) -> Iterator[None]:
        """A place until the block ends. Raises `TooManyQuestions`."""
        self._enter(wait_s)
        began = time.monotonic()
        try:
            yield
        finally:
            with self._free:
                self._running -= 1
                self.typical_s += (time.monotonic() - began - self.typical_s) / 8
                self._free.notify()

    def _enter(self, wait_s: float) -> None:
        with self._free:
            if self._running >= self.slots and self._waiting >= self.queue:
                raise self._full()
            self._waiting += 1
            try:
                if not self._free.wait_for(lambda: self._running < self.slots, timeout=wait_s):
                    raise self._full()
                self._running += 1
            finally:
                self._waiting -= 1

    def _full(self) -> TooManyQuestions:
        ahead = (self._running + self._waiting) / self.slots
        return TooManyQuestions(at_once=self.slots, retry_after_s=max(1, round(self.typical_s * ahead)))


def places_of(settings: Settings) -> Places:
    """The places of this process for the city with these settings."""
    return _places(settings.question_slots, settings.question_queue)


@lru_cache(maxsize=4)
def _places(slots: int, queue: int) -> Places:
    return Places(slots, queue)


@dataclass
class Stop:
    """Tells an engine whether its question was ended by whoever asked; looks at most four times a second."""

    city: City
    actor: Actor
    question_id: str | None
    _looked_at: float = 0.0
    _ended: bool = False

    def __call__(self) -> bool:
        now = time.monotonic()
        if self.question_id is not None and not self._ended and now - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = now
            with self.city.transaction(self.actor) as tx:
                row = tx.one(SQL.running_question, question_id=self.question_id)
            self._ended = row is not None and row.ended_at is not None
        return self._ended


@contextmanager
def under_way(city: City, actor: Actor, question_id: str | None) -> Iterator[Stop]:
    """A place for a question; with an identifier, chosen by whoever asks, it can be ended from another request.

    Raises `TooManyQuestions` or `QuestionIdIsTaken`.
    """
    wait_s = city.settings.question_wait_ms / 1000
    with places_of(city.settings).one(wait_s):
        if question_id is None:
            yield Stop(city, actor, None)
            return
        with city.transaction(actor) as tx:
            begun = tx.execute(SQL.begin_question, question_id=question_id, organisation_no=_whose(actor), at=tx.now)
        if not begun:
            raise QuestionIdIsTaken(question_id=question_id)
        try:
            yield Stop(city, actor, question_id)
        finally:
            with city.transaction(actor) as tx:
                tx.execute(SQL.forget_question, question_id=question_id)


def end_question(city: City, actor: Actor, question_id: str) -> None:
    """Ends a question of one's own organisation that is under way. Raises `NotFound` where there is none."""
    _whose(actor)
    with city.transaction(actor) as tx:
        if not tx.execute(SQL.end_question, question_id=question_id, at=tx.now):
            raise NotFound(what="question")


def _whose(actor: Actor) -> int | None:
    match actor:
        case Client() | Staff():
            return actor.organisation_no
        case System():
            return None
        case _:
            raise NotSignedIn

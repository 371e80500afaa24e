"""What one process remembers of contexts: compiled ones, documents as they were read, failures. All of it bounded.

It holds for as long as `broker.context_revision` stays the same, which is looked at once a second at the most: a context
that was deleted or read anew acts everywhere a second later, and at once in the process that did it.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from sanpo.broker.contexts.compiling import Document
from sanpo.broker.contexts.context import Context
from sanpo.broker.contexts.errors import ContextIsNotAvailable
from sanpo.broker.contexts.store import SQL
from sanpo.broker.contexts.usage import Usage
from sanpo.broker.errors import BrokerError
from sanpo.ground.city import City

LOOK_EVERY_S = 1.0
CONTEXT_BYTES = 64 * 1024 * 1024
DOCUMENT_BYTES = 8 * 1024 * 1024
"""Of documents as text; parsed they take about ten times that."""
MOST_FAILURES = 1_000
READ_AT_ONCE = 4
WAIT_S = 1.0
_V = TypeVar("_V")


class Kept(Generic[_V]):
    """The values used last, up to a weight."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._lock = threading.Lock()
        self._values: OrderedDict[Any, tuple[_V, int]] = OrderedDict()

    def get(self, key: Any) -> _V | None:
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Any, value: _V, weight: int) -> None:
        with self._lock:
            self._drop(key)
            if weight > self._most:
                return
            self._values[key] = (value, weight)
            self._held += weight
            while self._held > self._most:
                self._drop(next(iter(self._values)))

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._held = 0

    def _drop(self, key: Any) -> None:
        gone = self._values.pop(key, None)
        if gone is not None:
            self._held -= gone[1]


class Shelf:
    """The memory of one process for one city."""

    def __init__(self) -> None:
        self.contexts: Kept[tuple[Context, tuple[str, ...]]] = Kept(CONTEXT_BYTES)
        """Compiled contexts with the identifiers of the stored ones in them."""
        self.documents: Kept[Document] = Kept(DOCUMENT_BYTES)
        self.usage = Usage()
        self.generation = 0
        self._revision: int | None = None
        self._look_at = 0.0
        self._failures: dict[str, tuple[float, BrokerError]] = {}
        self._reading = threading.BoundedSemaphore(READ_AT_ONCE)
        self._urls_lock = threading.Lock()
        self._urls: dict[str, tuple[threading.Lock, int]] = {}

    def look(self, city: City) -> None:
        """Forgets everything where another process has deleted or replaced a context."""
        moment = time.monotonic()
        if moment < self._look_at:
            return
        self._look_at = moment + LOOK_EVERY_S
        row = city.db.read(SQL.context_revision)
        revision = 0 if row is None else int(row.revision)
        if self._revision is not None and revision != self._revision:
            self.clear()
        self._revision = revision

    def clear(self) -> None:
        """What is compiled at this moment is not kept either."""
        self.generation += 1
        self.contexts.clear()
        self.documents.clear()
        self._failures.clear()

    def fail_again(self, url: str) -> None:
        """Raises the failure that is remembered for this URL, if there is one."""
        until, error = self._failures.get(url, (0.0, None))
        if error is not None and time.monotonic() < until:
            raise type(error)(**error.fields)

    def remember_failure(self, url: str, error: BrokerError, took_s: float) -> None:
        """For twenty times as long as it took: a quick refusal costs nobody anything, a long wait is not repeated soon."""
        if len(self._failures) >= MOST_FAILURES:
            self._failures.clear()
        self._failures[url] = (time.monotonic() + min(60.0, 20 * took_s), error)

    @contextmanager
    def reading(self, url: str, timeout_s: float) -> Iterator[None]:
        """One thread at a time reads a URL, and few at once read any or wait for it: slow servers of others must not take
        all threads of a worker. Raises `ContextIsNotAvailable`."""
        if not self._reading.acquire(timeout=min(WAIT_S, timeout_s)):
            raise ContextIsNotAvailable(url=url, problem="others are being read")
        try:
            with self._alone(url, timeout_s):
                yield
        finally:
            self._reading.release()

    @contextmanager
    def _alone(self, url: str, timeout_s: float) -> Iterator[None]:
        with self._urls_lock:
            lock, users = self._urls.get(url, (threading.Lock(), 0))
            self._urls[url] = (lock, users + 1)
        try:
            if not lock.acquire(timeout=timeout_s):
                raise ContextIsNotAvailable(url=url, problem="it is being read")
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._urls_lock:
                lock, users = self._urls[url]
                if users == 1:
                    del self._urls[url]
                else:
                    self._urls[url] = (lock, users - 1)


def shelf_of(city: City) -> Shelf:
    """The shelf of this city in this process."""
    found: Shelf = city.__dict__.get("_broker_contexts") or city.__dict__.setdefault("_broker_contexts", Shelf())
    return found

"""The open streams of one process: how many one owner may have, and who is woken when something is there for it."""

import asyncio
import threading
from collections import Counter, defaultdict
from contextlib import suppress

from sanpo.broker.subscriptions.errors import TooManyStreams
from sanpo.ground.bell import listen
from sanpo.ground.city import City

MOST_OF_OWNER = 8
CHANNEL = "broker_events"


class Streams:
    """Listens while a stream is open."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._owners: Counter[str] = Counter()
        self._woken: dict[int, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)
        self._stop: threading.Event | None = None

    def enter(self, owner: str) -> None:
        """Raises `TooManyStreams`."""
        with self._lock:
            if self._owners[owner] >= MOST_OF_OWNER:
                raise TooManyStreams(limit=MOST_OF_OWNER)
            self._owners[owner] += 1
            if self._stop is None:
                self._stop = threading.Event()
                given = (self._url, {CHANNEL: self._wake}, self._stop)
                threading.Thread(target=listen, args=given, name="events", daemon=True).start()

    def leave(self, owner: str) -> None:
        with self._lock:
            self._owners[owner] -= 1
            self._owners += Counter()  # without those that have none
            if not self._owners and self._stop is not None:
                self._stop.set()
                self._stop = None

    def watch(self, subscription_no: int) -> asyncio.Event:
        """An event of the running loop, set whenever something is there for the subscription; given back by `unwatch`."""
        found = asyncio.Event()
        with self._lock:
            self._woken[subscription_no].add((asyncio.get_running_loop(), found))
        return found

    def unwatch(self, subscription_no: int, woken: asyncio.Event) -> None:
        with self._lock:
            left = self._woken[subscription_no]
            left.discard((asyncio.get_running_loop(), woken))
            if not left:
                del self._woken[subscription_no]

    def _wake(self, said: str) -> None:
        with self._lock:
            numbers = [int(said)] if said else list(self._woken)
            waiting = [each for number in numbers for each in self._woken.get(number, ())]
        for loop, woken in waiting:
            with suppress(RuntimeError):  # a loop that has ended
                loop.call_soon_threadsafe(woken.set)


def streams_of(city: City) -> Streams:
    """This process's streams of one city."""
    found: Streams = city.__dict__.setdefault("_broker_streams", Streams(city.db.url))
    return found

"""Bells: who waits in another process for what is committed in this one is woken at once, by PostgreSQL's NOTIFY.

A NOTIFY in the transaction of a write would take a lock of the whole database at its commit. So a bell is rung after the
commit, once for all that was committed meanwhile. A ring that is lost with its process is made good by whoever waits: it
looks by itself from time to time.
"""

import threading
from collections.abc import Callable, Mapping

import psycopg
import structlog
from psycopg import sql

log = structlog.get_logger()
PAUSE_S = 0.02
LINGER_S = 1.0
AGAIN_S = 1.0


class Bell:
    """`pull` has `ring` called soon, on a thread that ends when nobody pulls any more; many pulls are one ring."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._lock = threading.Condition()
        self._is_pulled = False
        self._is_running = False

    def pull(self) -> None:
        with self._lock:
            self._is_pulled = True
            if self._is_running:
                self._lock.notify()
            else:
                self._is_running = True
                threading.Thread(target=self._work, name="bell", daemon=True).start()

    def _work(self) -> None:
        pause = threading.Event()
        while self._waited():
            try:
                self._ring()
            except Exception as error:  # who waits looks by itself; the next ring is a new attempt
                log.warning("bell_not_rung", problem=type(error).__name__)
            pause.wait(PAUSE_S)

    def _waited(self) -> bool:
        with self._lock:
            if not self._lock.wait_for(lambda: self._is_pulled, LINGER_S):
                self._is_running = False
            self._is_pulled = False
            return self._is_running


def listen(url: str, calls: Mapping[str, Callable[[str], object]], stop: threading.Event) -> None:
    """Calls what belongs to a channel with what was said whenever it is rung, until `stop`; and all of them with nothing
    when it begins to listen and when it ends."""
    while not stop.is_set():
        try:
            with psycopg.connect(url, autocommit=True) as conn:
                for channel in calls:
                    conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
                for call in calls.values():
                    call("")
                while not stop.is_set():
                    for ring in conn.notifies(timeout=1.0):
                        calls[ring.channel](ring.payload)
        except psycopg.OperationalError as error:
            log.warning("listener_lost", problem=type(error).__name__)
            stop.wait(AGAIN_S)
    for call in calls.values():
        call("")

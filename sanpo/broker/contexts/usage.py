"""How often each stored context was used (ETSI GS CIM 009 §5.13.3.5, numberOfHits and lastUsage).

Counting must not cost what it counts: a process writes at once as long as that is rare, else it collects; what is collected
goes with the next write. So the numbers are exact where somebody looks on, and a little behind under load.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

import psycopg

from sanpo.broker.contexts.store import SQL
from sanpo.ground.city import City

WRITES_PER_S = 10.0


class Usage:
    """The counts of one process that are not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._collected: Counter[str] = Counter()
        self._allowed = WRITES_PER_S
        self._refilled_at = time.monotonic()

    def note(self, city: City, ids: Iterable[str]) -> None:
        """One use of each of these stored contexts."""
        with self._lock:
            self._collected.update(ids)
            moment = time.monotonic()
            self._allowed = min(WRITES_PER_S, self._allowed + (moment - self._refilled_at) * WRITES_PER_S)
            self._refilled_at = moment
            if self._allowed < 1:
                return
            self._allowed -= 1
            due, self._collected = self._collected, Counter()
        self._write(city, due)

    def write(self, city: City) -> None:
        """Writes what is collected."""
        with self._lock:
            due, self._collected = self._collected, Counter()
        self._write(city, due)

    def _write(self, city: City, due: Counter[str]) -> None:
        if not due:
            return
        ids = sorted(due)
        # Two processes that update several rows may wait for each other; then one of them counts less.
        with suppress(psycopg.errors.DeadlockDetected), city.db.connection() as conn:
            conn.run(SQL.count_hits, {"ids": ids, "hits": [due[each] for each in ids], "now": city.now()})

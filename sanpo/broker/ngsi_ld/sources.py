"""What this process has under way to each source, so that a slow or dead one delays nobody else (§5.2.34).

A few requests may be under way to one source, and one alone while it does not answer; whoever comes beside them is told so
at once. After a failure a source rests for its `cooldown`. For its `cacheDuration` it is not asked the same again.
"""

from collections import OrderedDict
from threading import Lock
from time import monotonic

from sanpo.broker.registrations.model import Registration
from sanpo.ground.city import City
from sanpo.ground.outbound import Reply

MOST_SOURCES = 1_000
MOST_KEPT, MOST_KEPT_BYTES = 200, 256 * 1024
_UNWELL = 429, 500, 502, 503, 504
_LOCK = Lock()


class Source:
    """One endpoint."""

    def __init__(self, most: int) -> None:
        self._lock = Lock()
        self._most = most
        self._under_way = 0
        self._is_silent = False
        self._rests_until = 0.0
        self._answers: OrderedDict[bytes, tuple[float, Reply]] = OrderedDict()

    @property
    def is_idle(self) -> bool:
        return not self._under_way

    def begin(self) -> str:
        """Takes a place for a request; says why there is none."""
        with self._lock:
            if monotonic() < self._rests_until:
                return "it rests after a failure"
            if self._under_way >= (1 if self._is_silent else self._most):
                return "it has not answered those before"
            self._under_way += 1
            return ""

    def end(self, answer: Reply | None, *, answered: bool, cooldown_s: float) -> None:
        """Gives the place back. `answered` also where the answer was of no use."""
        with self._lock:
            self._under_way -= 1
            self._is_silent = not answered
            if not answered or (answer is not None and answer.status in _UNWELL):
                self._rests_until = monotonic() + cooldown_s

    def kept(self, key: bytes) -> Reply | None:
        """The answer to the same question, where it is young enough still."""
        with self._lock:
            until, answer = self._answers.get(key, (0.0, None))
            return answer if monotonic() < until else None

    def keep(self, key: bytes, answer: Reply, seconds: float) -> None:
        if len(answer.body) <= MOST_KEPT_BYTES:
            with self._lock:
                self._answers[key] = (monotonic() + seconds, answer)
                while len(self._answers) > MOST_KEPT:
                    self._answers.popitem(last=False)

    def forget(self) -> None:
        """After a write to it from here."""
        with self._lock:
            self._answers.clear()


def source_of(city: City, registration: Registration) -> Source:
    """What is known of a registration's endpoint; several registrations may have the same."""
    known: dict[str, Source] = city.__dict__.setdefault("_sources", {})
    found = known.get(registration.endpoint)
    if found is None:
        with _LOCK:
            if len(known) >= MOST_SOURCES:
                for each in [name for name, source in known.items() if source.is_idle]:
                    del known[each]
            found = known.setdefault(registration.endpoint, Source(max(2, city.settings.http_threads // 2)))
    return found

"""Calls of many threads that want the like share one doing: whoever comes first does it for all who wait by then.

As a database commits for groups: where one transaction takes longer than a call needs to arrive, calls ride together, and
the more there are, the less each costs. A call that comes alone goes alone, at once.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import sleep
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_ARRIVAL_S = 0.0005
Work = Callable[[Sequence[Item]], Sequence[Answer]]


@dataclass
class _Call(Generic[Item, Answer]):
    """One caller. `woken` is held until it is answered, or is to lead the next round."""

    item: Item
    answers: list[Answer] = field(default_factory=list)
    error: BaseException | None = None
    woken: Lock = field(default_factory=Lock)

    @property
    def is_done(self) -> bool:
        return bool(self.answers) or self.error is not None


class Rounds(Generic[Item, Answer]):
    """The calls under one key go in rounds, one after another, of at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last_size = 1
        self._guard = Lock()
        self._lines: dict[Hashable, list[_Call[Item, Answer]]] = {}

    def ask(self, key: Hashable, item: Item, work: "Work[Item, Answer]") -> Answer:
        """The answer to `item`, from a round that began after this call did. `work` answers each item in its place.

        Raises what `work` raised for the round.
        """
        call: _Call[Item, Answer] = _Call(item)
        call.woken.acquire()
        with self._guard:
            line = self._lines.get(key)
            if line is None:
                self._lines[key] = [call]
            else:
                line.append(call)
        if line is not None:
            call.woken.acquire()
        if not call.is_done:
            self._lead(key, work)
        if call.error is not None:
            raise call.error
        return call.answers[0]

    def _lead(self, key: Hashable, work: "Work[Item, Answer]") -> None:
        """One round for those who wait, the leader first; then whoever came meanwhile leads the next."""
        if self._last_size > 1:
            sleep(_ARRIVAL_S)  # those of the last round are on their way again; else the first of them would go alone
        with self._guard:
            calls = self._lines[key][: self._most]
            self._last_size = len(calls)
            del self._lines[key][: self._most]
        try:
            for call, answer in zip(calls, work([call.item for call in calls]), strict=True):
                call.answers.append(answer)
        except BaseException as error:  # whoever waits is told, whatever it is
            for call in calls:
                call.error = error
        finally:
            with self._guard:
                following = self._lines[key][:1]
                if not following:
                    del self._lines[key]
            for call in (*following, *calls):
                call.woken.release()

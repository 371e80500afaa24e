"""Calls of many threads that want the like share one doing: whoever comes first does it for all who wait by then.

As a database commits for groups: where one transaction takes longer than a call needs to arrive, calls ride together, and
the more there are, the less each costs. A call that comes alone goes alone, at once.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from time import sleep
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Work = Callable[[Sequence[Item]], Sequence[Answer]]


def _one(item: object) -> int:
    return 1


@dataclass(eq=False)
class _Call(Generic[Item, Answer]):
    """One caller. It is woken when it is answered, or is to lead the next round."""

    item: Item
    answers: list[Answer] = field(default_factory=list)
    error: BaseException | None = None
    woken: Event = field(default_factory=Event)

    @property
    def is_done(self) -> bool:
        return bool(self.answers) or self.error is not None


class Rounds(Generic[Item, Answer]):
    """The calls under one key go in rounds, one after another, in which their sizes come to no more than `most`.

    `arrival_s` is for how long a round waits after one in which several went: they are on their way again, and without a
    wait the first of them would go alone.
    """

    def __init__(self, most: int, *, size: Callable[[Item], int] = _one, arrival_s: float = 0) -> None:
        self._most, self._size, self._arrival_s = most, size, arrival_s
        self._last_count = 1
        self._guard = Lock()
        self._lines: dict[Hashable, list[_Call[Item, Answer]]] = {}

    def ask(self, key: Hashable, item: Item, work: "Work[Item, Answer]") -> Answer:
        """The answer to `item`, from a round that began after this call did. `work` answers each item in its place.

        Raises what `work` raised for the round; an item that is none at all fails alone.
        """
        call: _Call[Item, Answer] = _Call(item)
        with self._guard:
            leads = key not in self._lines
            self._lines.setdefault(key, []).append(call)
        if not leads:
            self._wait(key, call)
        if not call.is_done:
            self._lead(key, work)
        if call.error is not None:
            raise call.error
        return call.answers[0]

    def _wait(self, key: Hashable, call: _Call[Item, Answer]) -> None:
        """Until it is done, or its turn to lead. Who is interrupted leaves no place behind that nobody fills."""
        try:
            call.woken.wait()
        except BaseException:
            with self._guard:
                if call in self._lines.get(key, ()):
                    self._lines[key].remove(call)
                    if call.woken.is_set():
                        self._pass_on(key)
            raise

    def _lead(self, key: Hashable, work: "Work[Item, Answer]") -> None:
        """One round for those who wait, the leader first; then whoever came meanwhile leads the next."""
        if self._arrival_s and self._last_count > 1:
            sleep(self._arrival_s)
        calls = self._take(key)
        try:
            self._do(calls, work)
        finally:
            with self._guard:
                self._pass_on(key)
            for call in calls:
                call.woken.set()

    def _take(self, key: Hashable) -> list[_Call[Item, Answer]]:
        with self._guard:
            line, total, count = self._lines[key], 0, 0
            for call in line:
                total += self._size(call.item)
                if count and total > self._most:
                    break
                count += 1
            calls, self._lines[key] = line[:count], line[count:]
            self._last_count = count
            return calls

    def _pass_on(self, key: Hashable) -> None:
        """To the first who waits; the line is there as long as somebody leads."""
        if self._lines[key]:
            self._lines[key][0].woken.set()
        else:
            del self._lines[key]

    def _do(self, calls: Sequence[_Call[Item, Answer]], work: "Work[Item, Answer]") -> None:
        try:
            for call, answer in zip(calls, work([each.item for each in calls]), strict=True):
                call.answers.append(answer)
        except (TypeError, AttributeError) as error:
            if len(calls) > 1:
                for call in calls:  # one of them is no item at all: it must not fail the others
                    self._do([call], work)
            else:
                calls[0].error = error
        except BaseException as error:  # whoever waits is told, whatever it is
            for call in calls:
                call.error = error

"""How long each stage of a question took, for `Server-Timing` (W3C) and for the asker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stages:
    """Milliseconds by stage, in the order in which they were first entered; a stage entered again adds up."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, *, without: str = "") -> Iterator[None]:
        """Times the block. What the stage `without` takes inside the block is counted there, not here."""
        begun, before = time.perf_counter(), self._spent.get(without, 0.0)
        try:
            yield
        finally:
            spent = (time.perf_counter() - begun) * 1000 - (self._spent.get(without, 0.0) - before)
            self._spent[name] = self._spent.get(name, 0.0) + spent

    def as_dict(self) -> dict[str, float]:
        return {name: round(spent, 2) for name, spent in self._spent.items()}


def server_timing(timings_ms: dict[str, float]) -> str:
    """The header's value: `gate;dur=1.2, engine;dur=40.1`."""
    return ", ".join(f"{name};dur={spent}" for name, spent in timings_ms.items())

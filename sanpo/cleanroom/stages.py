"""How long each stage of a question took, for `Server-Timing` (W3C) and for the asker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stages:
    """Milliseconds by stage, in the order in which they were first entered; a stage entered again adds up."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._spent[name] = self._spent.get(name, 0.0) + (time.perf_counter() - begun) * 1000

    def as_dict(self) -> dict[str, float]:
        return {name: round(spent, 2) for name, spent in self._spent.items()}


def server_timing(timings_ms: dict[str, float]) -> str:
    """The header's value: `gate;dur=1.2, engine;dur=40.1`."""
    return ", ".join(f"{name};dur={spent}" for name, spent in timings_ms.items())

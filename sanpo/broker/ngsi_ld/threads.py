"""Threads for the door's requests: a queue and a call back to the loop, no more.

The standard executor makes two futures, a lock and a chain of callbacks for each call, which here cost as much as the work.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any


class Threads:
    """As many threads as are asked for, begun with the first call. They end with the process."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[], Any]]] = (
            SimpleQueue()
        )
        self._count = 0

    def run(self, loop: asyncio.AbstractEventLoop, call: Callable[[], Any], *, threads: int) -> "asyncio.Future[Any]":
        """Runs `call` on a thread; the future is the loop's."""
        while self._count < threads:
            self._count += 1
            threading.Thread(target=self._work, name=f"door-{self._count}", daemon=True).start()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.put((loop, future, call))
        return future

    def _work(self) -> None:
        while True:
            loop, future, call = self._waiting.get()
            try:
                done, result = future.set_result, call()
            except BaseException as error:  # whoever awaits it is told, whatever it is
                done, result = future.set_exception, error
            try:
                loop.call_soon_threadsafe(_settle, future, done, result)
            except RuntimeError:  # the loop has ended, and nobody waits any more
                continue


def _settle(future: "asyncio.Future[Any]", done: Callable[[Any], None], result: Any) -> None:
    if not future.done():
        done(result)

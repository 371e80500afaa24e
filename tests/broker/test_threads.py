"""The door's threads: results and errors come back to the loop, as many at once as there are threads."""

import asyncio
import threading

import pytest

from sanpo.broker.ngsi_ld.threads import Threads


def test_results_and_errors_come_back() -> None:
    async def ask() -> None:
        loop, threads = asyncio.get_running_loop(), Threads()
        assert await threads.run(loop, lambda: 7, threads=2) == 7
        with pytest.raises(ZeroDivisionError):
            await threads.run(loop, lambda: 1 // 0, threads=2)
        assert await asyncio.gather(*(threads.run(loop, lambda n=n: n, threads=2) for n in range(50))) == list(
            range(50)
        )

    asyncio.run(ask())


def test_as_many_run_at_once_as_there_are_threads() -> None:
    meeting = threading.Barrier(3, timeout=10)

    async def ask() -> None:
        loop, threads = asyncio.get_running_loop(), Threads()
        await asyncio.gather(*(threads.run(loop, meeting.wait, threads=3) for _ in range(3)))

    asyncio.run(ask())


def test_call_whose_loop_has_ended_harms_nobody() -> None:
    threads, go = Threads(), threading.Event()

    async def leave() -> None:
        threads.run(asyncio.get_running_loop(), go.wait, threads=1)

    asyncio.run(leave())
    go.set()

    async def ask() -> int:
        return int(await threads.run(asyncio.get_running_loop(), lambda: 3, threads=1))

    assert asyncio.run(ask()) == 3

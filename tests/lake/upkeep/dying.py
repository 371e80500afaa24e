"""Processes that are killed in the middle of taking rows out, as a power cut would end them."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from sanpo import app
from sanpo.ground.actors import System
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.lake.upkeep import erase_subject, retain
from sanpo.lake.upkeep.deletion import leading
from tests.conftest import START
from tests.lake.datasets import described

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.lake.upkeep.dying"])


def killed_at(settings: Settings, place: str, work: Callable[..., None], *given: Any) -> bool:
    """Runs `work` in a process that ends with SIGKILL before or after a function, e.g. `before deletion.land`, or with the
    whole name of another module.

    Returns whether it came so far.
    """
    child = _processes.Process(target=_run, args=(settings, place, work, given))
    child.start()
    child.join(60)
    _wait_for_lock(settings)
    return child.exitcode == -signal.SIGKILL


def _wait_for_lock(settings: Settings) -> None:
    """Returns when the database has noticed the death and let go of the lock; the duty would find that at its next turn."""
    city, end = _city(settings), time.monotonic() + 30
    try:
        while time.monotonic() < end:
            with leading(city) as leads:
                if leads is not None:
                    return
            time.sleep(0.05)
    finally:
        city.db.close()
    raise TimeoutError("the lock of a dead process is still held")


def erase_at_once(settings: Settings, subject_no: int) -> None:
    erase_subject(_city(settings), System("operator"), subject_no, now=True)


def end_retention(settings: Settings, manifest: dict[str, Any]) -> None:
    retain(described(_city(settings), manifest), System("operator"), manifest["name"])


def _run(settings: Settings, place: str, work: Callable[..., None], given: tuple[Any, ...]) -> None:
    when, _, where = place.partition(" ")
    module_name, _, name = where.rpartition(".")
    module = import_module(module_name if module_name.startswith("sanpo.") else f"sanpo.lake.upkeep.{module_name}")
    real = getattr(module, name)

    def deadly(*args: Any, **more: Any) -> None:
        if when == "after":
            real(*args, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, deadly)
    work(settings, *given)


def _city(settings: Settings) -> Any:
    return app.open_city(settings, clock=FixedClock(START), pool=4)

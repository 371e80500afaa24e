"""The worker: runs queued jobs with their retries, and the recurring duties (sequencer, expiry) beside them."""

import asyncio
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import procrastinate
import structlog

from sanpo.ground.bell import listen
from sanpo.ground.db import APP_ROLE
from sanpo.ground.errors import DomainError

if TYPE_CHECKING:
    from sanpo.ground.city import City

log = structlog.get_logger()
REST_S = 0.02
"""Between two turns of a duty that is woken: what comes meanwhile is one turn's work, which costs less than many."""


@dataclass(frozen=True)
class Task:
    name: str
    run: Callable[["City", dict[str, Any]], None]
    attempts: int
    wait_s: int


@dataclass(frozen=True)
class Duty:
    name: str
    every_s: float
    run: Callable[["City"], Any]


@dataclass(frozen=True)
class Watch(Duty):
    """A duty that is woken by `channel`, and looks by itself at the latest after `every_s`, or after the seconds that its
    last run has returned."""

    channel: str
    run: Callable[["City"], float]


@dataclass
class Registry:
    """What the districts' `jobs.py` register."""

    tasks: list[Task] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)

    def task(
        self, name: str, run: Callable[["City", dict[str, Any]], None], *, attempts: int = 8, wait_s: int = 2
    ) -> None:
        """A queued job: retried after `wait_s`, then twice that, and so on, `attempts` times in all."""
        self.tasks.append(Task(name, run, attempts, wait_s))

    def every(self, seconds: float, name: str, run: Callable[["City"], Any]) -> None:
        """A recurring duty. It must be safe to run twice at once; where it is not, it takes an advisory lock itself."""
        self.duties.append(Duty(name, seconds, run))

    def when(self, channel: str, name: str, run: Callable[["City"], float], *, every_s: float) -> None:
        """A duty for when `channel` is rung (see `bell`). `run` returns in how many seconds something is due without that."""
        self.duties.append(Watch(name, every_s, run, channel))


def run_worker(city: "City", registry: Registry, *, once: bool = False) -> None:
    """Works until SIGTERM or SIGINT; with `once` until the queue is empty, each duty once."""
    if once:
        for duty in registry.duties:
            duty.run(city)
    stop = threading.Event()
    threads = [] if once else start_duties(city, registry.duties, stop)
    try:
        asyncio.run(_work(city, registry, wait=not once))
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=5)


def start_duties(city: "City", duties: list[Duty], stop: threading.Event) -> list[threading.Thread]:
    """A thread for each duty, until `stop`; and one that listens for those that are woken."""
    woken = {duty.name: threading.Event() for duty in duties if isinstance(duty, Watch)}
    threads = [
        threading.Thread(target=_repeat, args=(city, duty, woken.get(duty.name), stop), name=duty.name, daemon=True)
        for duty in duties
    ]
    if woken:
        calls = {duty.channel: partial(_wake, woken[duty.name]) for duty in duties if isinstance(duty, Watch)}
        threads.append(threading.Thread(target=listen, args=(city.db.url, calls, stop), name="listen", daemon=True))
    for thread in threads:
        thread.start()
    return threads


def _wake(woken: threading.Event, said: str) -> None:
    woken.set()


def _repeat(city: "City", duty: Duty, woken: threading.Event | None, stop: threading.Event) -> None:
    wait_s = duty.every_s
    while not stop.is_set():
        if (woken or stop).wait(wait_s) and woken is not None:
            woken.clear()
        if stop.is_set():
            return
        wait_s = duty.every_s
        try:
            found = duty.run(city)
            if woken is not None:
                wait_s = max(0.0, min(wait_s, found))
                stop.wait(REST_S)
        except DomainError as error:
            log.warning("duty_failed", duty=duty.name, code=error.code)
        except Exception as error:
            # A duty must outlive any one failure; its next turn is the retry.
            log.exception("duty_crashed", duty=duty.name, problem=type(error).__name__)


async def _work(city: "City", registry: Registry, *, wait: bool) -> None:
    connector = procrastinate.PsycopgConnector(
        conninfo=city.db.url, kwargs={"options": f"-c search_path=ground,public -c role={APP_ROLE}"}, max_size=4
    )
    app = procrastinate.App(connector=connector)
    for task in registry.tasks:
        _add(app, city, task)
    async with app.open_async():
        working = asyncio.ensure_future(
            app.run_worker_async(
                wait=wait,
                concurrency=4,
                fetch_job_polling_interval=1.0,
                shutdown_graceful_timeout=5,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, working.cancel)
        try:
            await working
        except asyncio.CancelledError:
            log.info("worker_stopped")


def _add(app: procrastinate.App, city: "City", task: Task) -> None:
    retry = procrastinate.RetryStrategy(max_attempts=task.attempts, exponential_wait=task.wait_s)

    @app.task(name=task.name, retry=retry)
    def run(**payload: Any) -> None:
        task.run(city, payload)

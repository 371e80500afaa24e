"""One question at a Spark Connect server: opening a session, bounding the time, turning its errors into ours.

The only module that knows the client's package, which is an optional extra (`pip install sanpo[spark]`). Each process
keeps one session for each server, because a cluster may start its workers with the session; questions are told apart
by a tag, under which they can be interrupted. Whatever an answer depends on is set anew for each question, so that a
server which was restarted, or let the session go, does not answer with settings of its own.
"""

import os
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from sanpo.cleanroom.errors import EngineIsNotInstalled, EngineIsUnavailable, QuestionRunsTooLong, QuestionWasEnded
from sanpo.cleanroom.plan import Plan
from sanpo.ground.config import Settings
from sanpo.lake import check_readable

Found = TypeVar("Found")
Stopped = Callable[[], bool]


class _Lazy:
    """A module of the extra, imported when it is first used: it takes a second and brings pandas."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(_imported(self._name), attribute)


F: Any = _Lazy("pyspark.sql.connect.functions")
T: Any = _Lazy("pyspark.sql.types")
W: Any = _Lazy("pyspark.sql.connect.window")
_PACKAGES = ("pyspark", "pandas", "grpc", "grpc_status", "google", "zstandard")
INSTALL = "pip install 'sanpo[spark]'"
_LARGEST_MESSAGE = 1 << 30
"""Bytes. A full answer (10,000 cells with everybody in each) is about 230 MB in a city of 120,000."""
_CHANNEL = [
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ("grpc.max_send_message_length", _LARGEST_MESSAGE),
    ("grpc.keepalive_time_ms", 20_000),  # a host that has gone shows in half a minute, not when TCP gives up
    ("grpc.keepalive_timeout_ms", 10_000),
]
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, never a wrong number
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.session.localRelationCacheThreshold": str(256 << 20),  # the admitted set stays in the question's plan
}
_LOOK_EVERY_S = 0.1
_INTERRUPT_TRIES = 20


def check_installed() -> None:
    """Raises `EngineIsNotInstalled`."""
    if any(find_spec(name) is None for name in _PACKAGES):
        raise EngineIsNotInstalled(engine="sc://", install=INSTALL)


def _imported(name: str) -> Any:
    """Under `python -c`, as in a test's worker, the client takes itself for its own doctests, looks for a whole Spark and
    ends the process where there is none; with any `SPARK_HOME` it does not look."""
    if name in sys.modules:
        return import_module(name)  # waits where another thread is still at it
    found = os.environ.get("SPARK_HOME")
    os.environ["SPARK_HOME"] = found or ""
    try:
        return import_module(name)
    finally:
        if found is None:
            del os.environ["SPARK_HOME"]


def ask(plan: Plan, settings: Settings, stopped: Stopped | None, work: Callable[[Any], Found]) -> Found:
    """What `work` makes of a session, within the time limit, or until `stopped` says so.

    It runs on a thread of its own: a client that waits for a server which has gone cannot be woken. Raises
    `QuestionRunsTooLong`, `QuestionWasEnded`, `EngineIsUnavailable`; where a file of the lake is broken, the lake's
    `FileIsBroken` names it.
    """
    running = _Running(settings.engine, work)
    running.start()
    deadline = time.monotonic() + settings.question_timeout_ms / 1000
    while not running.done.wait(min(_LOOK_EVERY_S, max(0.0, deadline - time.monotonic()))):
        was_ended = stopped is not None and stopped()
        if was_ended or time.monotonic() >= deadline:
            running.interrupt()
            raise QuestionWasEnded if was_ended else QuestionRunsTooLong(limit_ms=settings.question_timeout_ms)
    if running.problem is None:
        return running.found  # type: ignore[no-any-return]
    if isinstance(running.problem, _errors().PySparkException | _grpc().RpcError | OSError):
        raise _told(plan, settings, running.problem) from running.problem
    raise running.problem


class _Running(threading.Thread):
    """One question on its way. `done` is set when `found` or `problem` is there."""

    def __init__(self, url: str, work: Callable[[Any], Any]) -> None:
        super().__init__(name="spark_question", daemon=True)
        self._url, self._work = url, work
        self._tag = f"question-{uuid.uuid4().hex}"
        self._session: Any = None
        self.done = threading.Event()
        self.found: Any = None
        self.problem: BaseException | None = None

    def run(self) -> None:
        try:
            self._session = ready_session(self._url)
            self._session.addTag(self._tag)  # of this thread only
            self.found = self._work(self._session)
        except BaseException as problem:
            self.problem = problem
        finally:
            self.done.set()

    def interrupt(self) -> None:
        """Ends it at the server, in the background; again, should it have stood between two statements."""
        threading.Thread(target=self._interrupt, name="spark_interrupt", daemon=True).start()

    def _interrupt(self) -> None:
        for _ in range(_INTERRUPT_TRIES):
            if self._session is not None:
                try:
                    self._session.interruptTag(self._tag)
                except (_errors().PySparkException, _grpc().RpcError, OSError):
                    return
            if self.done.wait(1):
                return


def ready_session(url: str) -> Any:
    """The process's session at this server with its settings; a new one where the server has let go of the old."""
    try:
        return _set(_session(url))
    except (_errors().PySparkException, _grpc().RpcError):
        _session.cache_clear()
        return _set(_session(url))


def _set(session: Any) -> Any:
    for name, value in _SETTINGS.items():
        session.conf.set(name, value)
    return session


@lru_cache(maxsize=4)
def _session(url: str) -> Any:
    client = _imported("pyspark.sql.connect.client")
    retries = _imported("pyspark.sql.connect.client.retries")
    session = _imported("pyspark.sql.connect.session").SparkSession(
        client.DefaultChannelBuilder(url, channelOptions=_CHANNEL), userId="sanpo"
    )
    # The client's own policy goes on for ten minutes; whoever asks hears within two seconds that there is no server.
    session.client.set_retry_policies([retries.DefaultPolicy(max_retries=3, max_backoff=500)])
    return session


def _told(plan: Plan, settings: Settings, error: BaseException) -> EngineIsUnavailable:
    """The error as ours. Raises `FileIsBroken` where that is why."""
    text = str(error)
    if "UNAVAILABLE" not in text:
        for snapshot in plan.snapshots:
            check_readable(snapshot, text)
    details = re.search(r'details = "([^"]+)"', text)
    first = details[1] if details else (text.splitlines() or [""])[0]
    problem = f"{type(error).__name__}: {first}".replace(settings.lake, "lake")[:200]
    return EngineIsUnavailable(dataset=plan.question.dataset, problem=problem)


def _errors() -> Any:
    return _imported("pyspark.errors")


def _grpc() -> Any:
    return import_module("grpc")

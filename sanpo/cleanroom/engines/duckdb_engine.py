"""DuckDB in this process: one locked-down database, one cursor for each question, bounded time and memory.

The database can read the lake's folder and nothing else, can load no extension, and its configuration cannot be
changed again; the only statements it gets are those of `duckdb_sql`. What does not fit in memory goes to a folder of its
own on disk, within a limit.
"""

import atexit
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa

from sanpo.cleanroom.domains import Key
from sanpo.cleanroom.engines.bounded import bounded_cells, declared_table
from sanpo.cleanroom.engines.duckdb_sql import Statement, to_bounded_statement, to_holdings, to_shares, to_statement
from sanpo.cleanroom.errors import (
    AnswerIsTooLarge,
    EngineIsUnavailable,
    QuestionNeedsTooMuchMemory,
    QuestionRunsTooLong,
    QuestionWasEnded,
)
from sanpo.cleanroom.model import SUBJECT, Measure
from sanpo.cleanroom.plan import MOST_CELLS, Cell, Plan, filled_of, measured_columns
from sanpo.cleanroom.private import BoundedCells, Bounding
from sanpo.ground.config import Settings
from sanpo.lake import check_readable, open_snapshot

Shares = dict[str, dict[tuple[Any, ...], float]]
"""By column and key: the share of its sum that the largest subjects hold."""


Stopped = Callable[[], bool]
_LOOK_EVERY_S = 0.1


def run(plan: Plan, settings: Settings, stopped: Stopped | None = None) -> list[Cell]:
    """The cells of the plan, in no particular order. `stopped` is asked now and then whether to go on.

    Raises `AnswerIsTooLarge`, `QuestionRunsTooLong`, `QuestionWasEnded`, `QuestionNeedsTooMuchMemory`,
    `EngineIsUnavailable`.
    """
    if plan.is_empty:
        return []
    statement = to_statement(plan)
    with _bounded(plan, settings, stopped) as cursor:
        cursor.register("admitted", pa.table({SUBJECT: pa.array(plan.subjects)}))
        rows = _fetched(cursor, statement)
        shares = _shares(cursor, plan) if len(rows) <= MOST_CELLS else {}
    if len(rows) > MOST_CELLS:
        raise AnswerIsTooLarge(most=MOST_CELLS)
    # Without dimensions SQL gives one row even of nothing; a cell that nobody is in is no cell.
    return [_cell(plan, row, shares) for row in rows if row[-1] is not None]


def holdings(plan: Plan, settings: Settings, stopped: Stopped | None = None) -> dict[tuple[Any, ...], dict[int, int]]:
    """By cell's key and subject, how many rows: what the guard compares. Raises as `run` does."""
    found: dict[tuple[Any, ...], dict[int, int]] = {}
    if plan.is_empty:
        return found
    statement = to_holdings(plan)
    with _bounded(plan, settings, stopped) as cursor:
        cursor.register("admitted", pa.table({SUBJECT: pa.array(plan.subjects)}))
        for *key, subject, rows in _fetched(cursor, statement):
            found.setdefault(tuple(key), {})[subject] = rows
    return found


def run_bounded(
    plan: Plan, keys: Sequence[Key], bounding: Bounding, settings: Settings, stopped: Stopped | None = None
) -> BoundedCells:
    """The declared cells of a private answer, each subject's part in them bounded. Raises as `run` does."""
    if plan.is_empty:
        return bounded_cells((), keys, bounding)
    statement = to_bounded_statement(plan, keys, bounding)
    with _bounded(plan, settings, stopped) as cursor:
        cursor.register("admitted", pa.table({SUBJECT: pa.array(plan.subjects)}))
        cursor.register("declared", declared_table(keys))
        found = _fetched(cursor, statement)
    return bounded_cells(found, keys, bounding)


def _fetched(cursor: duckdb.DuckDBPyConnection, statement: Statement) -> list[Any]:
    for name, snapshot in statement.far.items():
        cursor.register(name, open_snapshot(snapshot))
    return cursor.execute(statement.sql, statement.params).fetchall()


def _shares(cursor: duckdb.DuckDBPyConnection, plan: Plan) -> Shares:
    """Nothing where the rule does not ask."""
    if not plan.limits.largest:
        return {}
    found: Shares = {}
    for name in dict.fromkeys(m.column for m in plan.question.measures if m.column is not None):
        statement = to_shares(plan, name)
        rows = _fetched(cursor, statement)
        found[name] = {row[:-1]: row[-1] for row in rows}
    return found


def _cell(plan: Plan, row: tuple[Any, ...], shares: Shares) -> Cell:
    question = plan.question
    keys, measures = len(question.dimensions), len(question.measures)
    *counts, rows, subjects = row[keys + measures :]
    filled = dict(zip(measured_columns(question), counts, strict=True))
    key = row[:keys]
    values = row[keys : keys + measures]
    return Cell(
        key=key,
        values=tuple(None if isinstance(value, float) and math.isnan(value) else value for value in values),
        filled=tuple(filled_of(measure, rows, filled) for measure in question.measures),
        rows=rows,
        subjects=subjects,
        largest=tuple(_share(measure, key, shares) for measure in question.measures) if plan.limits.largest else (),
    )


def _share(measure: Measure, key: tuple[Any, ...], shares: Shares) -> float | None:
    return shares.get(measure.column or "", {}).get(key)


@contextmanager
def _bounded(plan: Plan, settings: Settings, stopped: Stopped | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor that is stopped at the time limit, or when it is told to; DuckDB's errors become ours.

    Where a file of the lake is broken, the lake's `FileIsBroken` names it.
    """
    cursor = database_for(settings).cursor()
    watch = _Watch(cursor, settings.question_timeout_ms, stopped)
    watch.start()
    try:
        yield cursor
    except duckdb.InterruptException:
        if watch.was_ended:
            raise QuestionWasEnded from None
        raise QuestionRunsTooLong(limit_ms=settings.question_timeout_ms) from None
    except duckdb.OutOfMemoryException:
        raise QuestionNeedsTooMuchMemory(limit_mb=settings.question_memory_mb) from None
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        for snapshot in plan.snapshots:
            check_readable(snapshot, str(error))
        problem = f"{type(error).__name__}: {error}".splitlines()[0][:200].replace(settings.lake, "lake")
        raise EngineIsUnavailable(dataset=plan.question.dataset, problem=problem) from error
    finally:
        watch.done.set()
        cursor.close()


class _Watch(threading.Thread):
    """Interrupts a cursor at the time limit or as soon as `stopped` says so."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, timeout_ms: int, stopped: Stopped | None) -> None:
        super().__init__(name="question_watch", daemon=True)
        self._cursor, self._stopped = cursor, stopped
        self._deadline = time.monotonic() + timeout_ms / 1000
        self.done = threading.Event()
        self.was_ended = False

    def run(self) -> None:
        while not self.done.wait(min(_LOOK_EVERY_S, max(0.0, self._deadline - time.monotonic()))):
            self.was_ended = self._stopped is not None and self._stopped()
            if self.was_ended or time.monotonic() >= self._deadline:
                self._cursor.interrupt()
                return


def database_for(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The process's database over the settings' lake, within their bounds of memory, disk and threads."""
    spill = str(settings.home / "spill") if settings.question_spill_mb else ""
    return _database(
        settings.lake, settings.question_threads, settings.question_memory_mb, spill, settings.question_spill_mb
    )


@lru_cache(maxsize=8)
def _database(lake: str, threads: int, memory_mb: int, spill: str, spill_mb: int) -> duckdb.DuckDBPyConnection:
    if spill:
        spill = _own_folder(Path(spill))
    database = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "threads": threads,
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": spill,
            "max_temp_directory_size": f"{spill_mb}MB",
        }
    )
    database.execute("set parquet_metadata_cache = true")  # a file of the lake never changes
    database.execute("set timezone = 'UTC'")
    # Statements join in the right order, the admitted first; DuckDB's own guess took up to six times as long.
    database.execute("set disabled_optimizers = 'join_order'")
    database.execute("set allowed_directories = [$1]", [lake.rstrip("/") + "/"])
    database.execute("set enable_external_access = false")
    database.execute("set lock_configuration = true")
    return database


def _own_folder(spill: Path) -> str:
    """A folder of this process's own for what does not fit in memory, closed to others; it goes when the process ends.

    What a process that was killed left there goes when the next one starts.
    """
    spill.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in spill.iterdir():
        pid = left.name.partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    own = tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=spill)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own

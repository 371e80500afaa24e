"""A connection with a short way for short statements: prepared once, then one blocking call of libpq each.

psycopg's own way is built to be interrupted and to wait for many things at once; on the paths of a grant or a journal
entry that costs more than PostgreSQL does. Its adapters, pools and errors stay in use here, and so does the rest of the
connection. A call cannot be interrupted: what may take long belongs elsewhere, or under a `statement_timeout`.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

_PLACE = re.compile(r"%(?:\((\w+)\)s|(%)|)")
_INT2, _INT4 = 21, 23
_MAX_PREPARED = 400


class Connection(psycopg.Connection[Any]):
    """psycopg's connection with `run` and `command`. For one thread at a time, as a pool lends it."""

    def run(self, sql: str, params: Mapping[str, Any], *, binary: bool = False, prepared: bool = True) -> "Result":
        """Runs one statement with `%(name)s` parameters; raises psycopg's errors.

        `binary` asks for rows in binary form, which is cheaper for long `bytea`. What is not `prepared` is planned anew each
        time, for the very values: where the right plan depends on them, that is worth more than it costs.
        """
        text, names = _positional(sql)
        values = [params[name] for name in names]
        adapt: Any = Transformer(self)
        dumped = adapt.dump_sequence(
            values, [PyFormat.BINARY if isinstance(value, bytes) else PyFormat.TEXT for value in values]
        )
        # Small integers come as int2 or int4, by size: one prepared statement for both.
        types = tuple(_INT4 if oid == _INT2 else oid for oid in adapt.types or ())
        form = pq.Format.BINARY if binary else pq.Format.TEXT
        if prepared:
            found = self.pgconn.exec_prepared(self._name_of(text, types), dumped, adapt.formats, form)
        else:
            found = self.pgconn.exec_params(text.encode(), dumped, types, adapt.formats, form)
        return Result(self._checked(found), adapt)

    def command(self, sql: bytes) -> bytes:
        """Runs statements without parameters in one call; returns the last one's command tag, such as `COMMIT`."""
        return self._checked(self.pgconn.exec_(sql)).command_status or b""

    def _name_of(self, text: str, types: tuple[int, ...]) -> bytes:
        prepared: dict[tuple[str, tuple[int, ...]], bytes] = self.__dict__.setdefault("_short_way", {})
        name = prepared.get((text, types))
        if name is None:
            if len(prepared) >= _MAX_PREPARED:
                self.command(b";".join(b"deallocate " + old for old in prepared.values()))
                prepared.clear()
            name = b"short_%d" % len(prepared)
            self._checked(self.pgconn.prepare(name, text.encode(), types))
            prepared[text, types] = name
        return name

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            return result
        if self.pgconn.status == pq.ConnStatus.BAD:
            raise psycopg.OperationalError("the connection to the database is lost")
        raise psycopg.errors.error_from_result(result)


class Result:
    """What one statement gave: rows as named tuples, and how many rows it touched."""

    def __init__(self, result: pq.abc.PGresult, adapt: Any) -> None:
        self._result = result
        self._adapt = adapt

    @property
    def touched(self) -> int:
        return self._result.command_tuples or 0

    def all(self) -> list[Any]:
        return self._load(self._result.ntuples)

    def first(self) -> Any | None:
        """The first row, or None."""
        rows = self._load(min(1, self._result.ntuples))
        return rows[0] if rows else None

    def _load(self, count: int) -> list[Any]:
        if not count:
            return []
        self._adapt.set_pgresult(self._result)
        names = tuple(self._result.fname(at) or b"" for at in range(self._result.nfields))
        rows: list[Any] = self._adapt.load_rows(0, count, _row_maker(names))
        return rows


@lru_cache(maxsize=1024)
def _positional(sql: str) -> tuple[str, tuple[str, ...]]:
    """`%(name)s` as `$1`, `$2` … in the order in which names first come, `%%` as `%`. Raises `ValueError` for other `%`."""
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        name, percent = found.groups()
        if percent:
            return "%"
        if name is None:
            raise ValueError(f"a single % at {found.start()} of the statement: write %(name)s or %%")
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PLACE.sub(place, sql), tuple(names)


@lru_cache(maxsize=1024)
def _row_maker(names: tuple[bytes, ...]) -> Callable[..., Any]:
    # A name that no attribute can have, such as ?column?, is reached by its place.
    row: Any = namedtuple("Row", [name.decode() for name in names], rename=True)  # type: ignore[misc]
    made: Callable[..., Any] = row._make
    return made

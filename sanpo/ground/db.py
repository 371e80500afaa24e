"""PostgreSQL: a pool of connections as the application's role, and transactions that carry their actor.

The second wall: at the start of each transaction the actor is written into transaction-local settings, from which
the row-level-security policies decide. A transaction without an actor sees no row of a personal table.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.rows import namedtuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

from sanpo.ground.actors import Actor, Client, Resident, Staff, System
from sanpo.ground.errors import DomainError, Kind

if TYPE_CHECKING:
    from sanpo.ground.city import City

APP_ROLE = "sanpo_app"
_BEGIN_AS_ACTOR = (
    "begin; select set_config('sanpo.subject_no', %s, true) as a, set_config('sanpo.organisation_no', %s, true) as b,"
    " set_config('sanpo.duty', %s, true) as c, set_config('sanpo.agreement_no', '', true) as d"
)


class DatabaseIsUnavailable(DomainError):
    """PostgreSQL does not answer, or a connection was lost; nothing was changed by this call."""

    code = "ground.database_is_unavailable"
    kind = Kind.UNAVAILABLE


@dataclass
class Transaction:
    """One transaction of one actor. Rows are named tuples."""

    conn: psycopg.Connection[Any]
    city: "City"
    actor: Actor
    now: datetime
    _after: list[Callable[[], None]] = field(default_factory=list)

    def execute(self, sql: str, **params: Any) -> int:
        """Runs a statement; returns the number of rows that it touched."""
        return self.conn.execute(sql, params).rowcount

    def execute_many(self, sql: str, rows: list[dict[str, Any]]) -> None:
        with self.conn.cursor() as cursor:
            cursor.executemany(sql, rows)

    def one(self, sql: str, **params: Any) -> Any | None:
        """The first row, or None."""
        return self.conn.execute(sql, params).fetchone()

    def get(self, sql: str, **params: Any) -> Any:
        """The first row; raises `LookupError` where there is none."""
        row = self.one(sql, **params)
        if row is None:
            raise LookupError("the statement returned no row")
        return row

    def all(self, sql: str, **params: Any) -> list[Any]:
        return self.conn.execute(sql, params).fetchall()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Statements inside are sent without waiting for each other; the first that asks for a row waits for all.

        An error of an earlier one then shows itself there, or at the end of the block.
        """
        with self.conn.pipeline():
            yield

    def start(self, sql: str, **params: Any) -> psycopg.Cursor[Any]:
        """Runs a statement whose rows are asked for later, after the block of `together`."""
        return self.conn.execute(sql, params)

    def on_commit(self, call: Callable[[], None]) -> None:
        """`call` runs after the commit, never after a rollback."""
        self._after.append(call)

    def admit(self, *, agreement_no: int) -> None:
        """Opens the rows of an agreement's granted subjects to the rest of this transaction. Only the gate calls this."""
        self.conn.execute("select set_config('sanpo.agreement_no', %s, true)", (str(agreement_no),))


class Database:
    """The pool. `url` logs in as the application's role or as one that may become it."""

    def __init__(self, url: str, *, max_size: int = 10) -> None:
        self.url = url
        self._pool: ConnectionPool[psycopg.Connection[NamedTuple]] = ConnectionPool(
            url,
            min_size=1,
            max_size=max_size,
            open=False,
            configure=_become_app,
            check=ConnectionPool.check_connection if max_size > 64 else None,
            kwargs={"autocommit": True, "row_factory": namedtuple_row, "options": "-c search_path=ground,public"},
            timeout=20,
        )

    def open(self) -> None:
        self._pool.open()

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection outside any transaction (each statement commits). Raises `DatabaseIsUnavailable`."""
        try:
            with self._pool.connection() as conn:
                yield conn
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise DatabaseIsUnavailable(problem=type(error).__name__) from error

    @contextmanager
    def transaction(self, city: "City", actor: Actor, now: datetime) -> Iterator[Transaction]:
        """Commits when the block ends, rolls back when it raises."""
        with self.connection() as conn:
            # One simple query for both: half the client's time of two prepared ones.
            psycopg.ClientCursor(conn).execute(_BEGIN_AS_ACTOR, _settings_of(actor))
            tx = Transaction(conn, city, actor, now)
            try:
                yield tx
            except BaseException:
                conn.rollback()
                raise
            conn.commit()
            for call in tx._after:
                call()


def _become_app(conn: psycopg.Connection[Any]) -> None:
    if conn.info.user != APP_ROLE:
        conn.execute(f"set role {APP_ROLE}")


def _settings_of(actor: Actor) -> tuple[str, str, str]:
    subject = str(actor.subject_no) if isinstance(actor, Resident) else ""
    organisation = str(actor.organisation_no) if isinstance(actor, Staff | Client) else ""
    duty = actor.duty if isinstance(actor, System) else actor.role if isinstance(actor, Staff) else ""
    return subject, organisation, duty

"""PostgreSQL: a pool of connections as the application's role, and transactions that carry their actor.

The second wall: at the start of each transaction the actor is written into transaction-local settings, from which
the row-level-security policies decide. A transaction without an actor sees no row of a personal table.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.pq import Escaping
from psycopg.rows import namedtuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

from sanpo.ground.actors import Actor, Client, Resident, Staff, System
from sanpo.ground.errors import DomainError, Kind
from sanpo.ground.statements import Connection

if TYPE_CHECKING:
    from sanpo.ground.city import City

APP_ROLE = "sanpo_app"
_T = TypeVar("_T")
# One simple query: the transaction and its actor in one round trip.
_BEGIN_AS_ACTOR = (
    b"begin; select set_config('sanpo.subject_no', '%b', true), set_config('sanpo.organisation_no', '%b', true),"
    b" set_config('sanpo.duty', %b, true), set_config('sanpo.agreement_no', '', true)"
)


class DatabaseIsUnavailable(DomainError):
    """PostgreSQL does not answer, or a connection was lost; nothing was changed by this call."""

    code = "ground.database_is_unavailable"
    kind = Kind.UNAVAILABLE


@dataclass
class Transaction:
    """One transaction of one actor. Rows are named tuples."""

    conn: Connection
    city: "City"
    actor: Actor
    now: datetime
    _after: list[Callable[[], None]] = field(default_factory=list)

    def execute(self, sql: str, **params: Any) -> int:
        """Runs a statement; returns the number of rows that it touched."""
        return self.conn.run(sql, params).touched

    def execute_many(self, sql: str, rows: list[dict[str, Any]]) -> None:
        with self.conn.cursor() as cursor:
            cursor.executemany(sql, rows)

    def one(self, sql: str, **params: Any) -> Any | None:
        """The first row, or None."""
        return self.conn.run(sql, params).first()

    def get(self, sql: str, **params: Any) -> Any:
        """The first row; raises `LookupError` where there is none."""
        row = self.one(sql, **params)
        if row is None:
            raise LookupError("the statement returned no row")
        return row

    def all(self, sql: str, **params: Any) -> list[Any]:
        return self.conn.run(sql, params).all()

    def all_planned(self, sql: str, **params: Any) -> list[Any]:
        """As `all`, by a plan for these very values."""
        return self.conn.run(sql, params, prepared=False).all()

    def all_binary(self, sql: str, **params: Any) -> list[Any]:
        """As `all`, with rows sent in binary form: long `bytea` would come as two hex digits for each byte."""
        return self.conn.run(sql, params, binary=True).all()

    def on_commit(self, call: Callable[[], None]) -> None:
        """`call` runs after the commit, never after a rollback."""
        self._after.append(call)

    def admit(self, *, agreement_no: int) -> None:
        """Opens the rows of an agreement's granted subjects to the rest of this transaction. Only the gate calls this."""
        self.execute("select set_config('sanpo.agreement_no', %(no)s, true)", no=str(agreement_no))


class Database:
    """The pool. `url` logs in as the application's role or as one that may become it."""

    def __init__(self, url: str, *, max_size: int = 10) -> None:
        self.url = url
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            connection_class=Connection,
            min_size=1,
            max_size=max_size,
            open=False,
            configure=_become_app,
            kwargs={
                "autocommit": True,
                "row_factory": namedtuple_row,
                "options": "-c search_path=ground,public",
                # What psycopg prepares it also deallocates, and `deallocate all` would take ours with it.
                "prepare_threshold": None,
            },
            timeout=20,
        )

    def open(self) -> None:
        self._pool.open()

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection outside any transaction (each statement commits). Raises `DatabaseIsUnavailable`."""
        # A first statement, so that one that was lost while it lay idle is noticed and replaced.
        with self._begun(lambda conn: conn.command(b"select")) as (conn, _):
            yield conn

    def read(self, sql: str, **params: Any) -> Any | None:
        """The first row of a statement that changes nothing, outside any transaction and without an actor."""
        with self._begun(lambda conn: conn.run(sql, params)) as (_, result):
            return result.first()

    def read_all(self, sql: str, **params: Any) -> list[Any]:
        """As `read`, all rows, by a plan for these very values."""
        with self._begun(lambda conn: conn.run(sql, params, prepared=False)) as (_, result):
            return result.all()

    @contextmanager
    def transaction(self, city: "City", actor: Actor, now: datetime) -> Iterator[Transaction]:
        """Commits when the block ends, rolls back when it raises."""
        with self._begun(lambda conn: conn.command(_beginning(conn, actor))) as (conn, _):
            tx = Transaction(conn, city, actor, now)
            try:
                yield tx
            except BaseException:
                with suppress(psycopg.OperationalError):  # where the connection is lost, so is the transaction
                    conn.command(b"rollback")
                raise
            if conn.command(b"commit") != b"COMMIT":
                raise psycopg.errors.InFailedSqlTransaction("a statement had failed, so nothing was committed")
            for call in tx._after:
                call()

    @contextmanager
    def _begun(self, begin: Callable[[Connection], _T]) -> Iterator[tuple[Connection, _T]]:
        """A connection and what its first call gave. One that was lost while it lay idle is replaced by another."""
        try:
            for _ in range(self._pool.max_size):
                with self._pool.connection() as conn:
                    try:
                        first = begin(conn)
                    except psycopg.OperationalError:
                        if conn.closed:
                            continue
                        raise
                    yield conn, first
                    return
            with self._pool.connection() as conn:
                yield conn, begin(conn)
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise DatabaseIsUnavailable(problem=type(error).__name__) from error


def _become_app(conn: Connection) -> None:
    if conn.info.user != APP_ROLE:
        conn.execute(f"set role {APP_ROLE}")


def _beginning(conn: Connection, actor: Actor) -> bytes:
    subject = b"%d" % actor.subject_no if isinstance(actor, Resident) else b""
    organisation = b"%d" % actor.organisation_no if isinstance(actor, Staff | Client) else b""
    duty = actor.duty if isinstance(actor, System) else actor.role if isinstance(actor, Staff) else ""
    return _BEGIN_AS_ACTOR % (subject, organisation, Escaping(conn.pgconn).escape_literal(duty.encode()))

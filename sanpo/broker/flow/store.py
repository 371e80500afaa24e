"""The vault's door for moves between PostgreSQL and the lake."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sanpo.broker.store import encode
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)


@dataclass(frozen=True)
class Flow:
    """A move that is planned: the numbers of its observations."""

    flow_no: int
    observation_nos: Sequence[int]


@dataclass(frozen=True)
class Shore:
    """Where rows of some entities lie in a dataset: between which months, about which residents (None: about nobody)."""

    dataset: str
    since: date
    until: date
    subjects: Sequence[int] | None


def state(city: City) -> tuple[int | None, int | None]:
    """Names the state of both stores: another one, and rows may have moved or gone."""
    row = city.db.read(SQL.state)
    return (None, None) if row is None else (row.flow_no, row.strike_no)


def lock(tx: Transaction) -> None:
    """Moves are made one at a time, and not while a correction of the past is."""
    tx.one(SQL.lock_flow)


def share(tx: Transaction) -> None:
    """Keeps rows from moving until the transaction ends."""
    tx.one(SQL.share_flow)


def open_flow(tx: Transaction) -> Flow | None:
    row = tx.one(SQL.open_flow)
    return None if row is None else Flow(row.flow_no, row.observation_nos)


def plan(tx: Transaction, horizon: datetime, kept: Iterable[int], limit: int) -> bool:
    """Plans to move observations from before the horizon, but for those of the attributes `kept`; False for none."""
    return tx.one(SQL.plan_flow, horizon=horizon, kept=list(kept), limit=limit, now=tx.now) is not None


def planned_rows(tx: Transaction, flow: Flow) -> list[Any]:
    """The rows of a move that are still here, locked, each with its entity."""
    nos = list(flow.observation_nos)
    return tx.all(SQL.planned_rows, nos=nos, low=min(nos), high=max(nos))


def finish(tx: Transaction, flow: Flow, taken: Collection[int], flowed: Sequence[dict[str, Any]]) -> None:
    """Deletes here what is in the lake; notes where it lies, by entity_no, dataset, at and subjects."""
    if taken:
        tx.execute(SQL.take, nos=list(taken), low=min(taken), high=max(taken))
    tx.execute(SQL.note_flowed, rows=encode(flowed).decode())
    tx.execute(SQL.finish_flow, flow_no=flow.flow_no, now=tx.now)


def reaches(read: Callable[..., list[Any]], since: date | None, until: date | None) -> bool:
    """Whether anything of these months is in the lake that the reader may know of."""
    return bool(read(SQL.reaches, since=since, until=until)[0].reaches)


def shores(tx: Transaction, entity_nos: Iterable[int]) -> list[Shore]:
    rows = tx.all(SQL.flowed_of, nos=list(entity_nos))
    return [Shore(row.dataset, row.since, row.until, row.subjects) for row in rows]


@dataclass(frozen=True)
class Present:
    """Which rows of some entities in the lake count as there."""

    first: int
    last: int
    open: int | None
    struck: Collection[tuple[int, int]]


def present(tx: Transaction, entity_nos: Iterable[int]) -> Present:
    """Rows of this city's moves that are done, and that were not struck since."""
    row = tx.get(SQL.bounds)
    gone = {(each.flow_no, each.observation_no) for each in tx.all(SQL.struck_of, nos=list(entity_nos))}
    return Present(row.first or 0, row.last or 0, row.open, gone)


def strike(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Makes rows of the lake count as gone, each named by dataset, entity_no, flow_no and observation_no."""
    if rows:
        tx.execute(SQL.strike, rows=encode(rows).decode())


def forget_flowed(tx: Transaction, entity_nos: Iterable[int]) -> None:
    tx.execute(SQL.forget_flowed, nos=list(entity_nos))


def struck(tx: Transaction, limit: int) -> list[Any]:
    return tx.all(SQL.struck, limit=limit)


def unstrike(tx: Transaction, strike_nos: Collection[int]) -> None:
    """Forgets what was struck, because it is out of the lake."""
    tx.execute(SQL.unstrike, nos=list(strike_nos))
    tx.execute(SQL.mark_change, now=tx.now)

"""The registry of open datasets, as every process of the city sees it at once.

Its rows are kept in each process and read anew when the newest revision is another: one index look-up for each call, and
nothing that could be stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from psycopg.types.json import Jsonb

from sanpo.ground.actors import Anonymous, Staff, System
from sanpo.ground.city import City
from sanpo.ground.db import Database, Transaction
from sanpo.ground.queries import load_queries
from sanpo.lake.model import Dataset
from sanpo.lake.opendata import Descriptor, descriptor_from

_SQL = load_queries("sanpo.lake")


@dataclass(frozen=True)
class Registered:
    """One open dataset of the registry. `content_sha256` names what was imported: descriptor, files, way of import."""

    dataset: Dataset
    document: Mapping[str, Any]
    content_sha256: str
    rows: int
    skipped: int
    imported_at: datetime


@dataclass(frozen=True)
class _Seen:
    revision: int | None
    datasets: Mapping[str, Registered]


_seen: WeakKeyDictionary[Database, _Seen] = WeakKeyDictionary()


def open_datasets(city: City) -> Mapping[str, Registered]:
    """All open datasets by name."""
    seen = _seen.get(city.db)
    newest = city.db.read(_SQL.newest_revision)
    revision = None if newest is None else newest.revision
    if seen is not None and seen.revision == revision:
        return seen.datasets
    with city.transaction(Anonymous()) as tx:
        found = _read(tx)
    _seen[city.db] = found
    return found.datasets


def lock_registry(tx: Transaction) -> Mapping[str, Registered]:
    """Waits for other imports, and gives what is registered now; until the transaction ends nobody else changes it."""
    tx.execute(_SQL.lock_open_datasets)
    return _read(tx).datasets


def put_open_dataset(
    tx: Transaction, actor: Staff | System, descriptor: Descriptor, *, sha256: str, rows: int, skipped: int
) -> None:
    """Writes the dataset, in the place of an earlier one of its name."""
    tx.get(
        _SQL.put_open_dataset,
        name=descriptor.dataset.name,
        descriptor=Jsonb(descriptor.document),
        sha256=sha256,
        rows=rows,
        skipped=skipped,
        actor=actor.staff_id if isinstance(actor, Staff) else actor.duty,
        now=tx.now,
    )


def _read(tx: Transaction) -> _Seen:
    rows = tx.all(_SQL.open_datasets)
    found = {row.name: _registered(row) for row in rows}
    return _Seen(max((row.revision for row in rows), default=None), found)


def _registered(row: Any) -> Registered:
    dataset = descriptor_from(row.descriptor, row.name).dataset
    return Registered(dataset, row.descriptor, row.content_sha256, row.rows, row.skipped, row.imported_at)

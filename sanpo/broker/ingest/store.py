"""The vault's door for what the doors of ingest keep."""

from collections.abc import Sequence
from typing import Any

from sanpo.broker.entities import Place
from sanpo.broker.sight import DUTY
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
MOST_SOURCES = 1_000
MOST_SAMPLE = 1_000
MOST_NAME = 500


def existing_ids(place: Place, ids: Sequence[str]) -> set[str]:
    """Those of these entities that are there."""
    with place.transaction(DUTY) as tx:
        rows = tx.all(SQL.existing, tenant_no=place.find_tenant_no(), ids=list(ids))
    return {row.entity_id for row in rows}


def note_refused(tx: Transaction, mapping: str, source: str, reason: str, sample: str) -> None:
    tx.execute(
        SQL.note_refused,
        mapping=mapping,
        source=_kept(source, MOST_NAME),
        reason=_kept(reason, MOST_NAME),
        sample=_kept(sample, MOST_SAMPLE),
        most=MOST_SOURCES,
        now=tx.now,
    )


def _kept(text: str, most: int) -> str:
    """Without what PostgreSQL has no place for."""
    return text[:most].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def list_refused(tx: Transaction, limit: int) -> list[Any]:
    return tx.all(SQL.refused, limit=limit)

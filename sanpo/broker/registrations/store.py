"""The vault's door for registrations, and what a process remembers of them."""

from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import Any

from sanpo.broker.registrations.model import Registration, registration_of
from sanpo.broker.store import decode, encode
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
_MOST_KEPT = 1_000
_FRESH_S = 0.02
LABEL = "broker sources"


def forget_revision(city: City) -> None:
    """After a change made here: the next look asks the database."""
    city.__dict__.pop("_federation_revision", None)


def raise_revision(tx: Transaction) -> None:
    """Tells every process that registrations have changed; who does comes after whoever else does."""
    tx.execute(SQL.raise_revision)
    tx.on_commit(lambda: forget_revision(tx.city))


def _revision(city: City) -> int:
    kept: tuple[float, int] | None = city.__dict__.get("_federation_revision")
    now = monotonic()
    if kept is None or now - kept[0] > _FRESH_S:
        row = city.db.read(SQL.revision)
        kept = city.__dict__["_federation_revision"] = (now, 0 if row is None else int(row.revision))
    return kept[1]


def text(city: City, doc: Mapping[str, Any]) -> str:
    """The document as it is stored: what is said to the source beside the request may be a password (§5.2.9)."""
    info = doc.get("contextSourceInfo", "")
    given = doc if isinstance(info, str) else {**doc, "contextSourceInfo": city.keys.seal(LABEL, encode(info))}
    return encode(given).decode()


def doc_of(city: City, row: Any) -> dict[str, Any]:
    """The document as it was given; without what another secret of the city has sealed."""
    doc: dict[str, Any] = decode(row.text)
    info = doc.get("contextSourceInfo")
    if isinstance(info, str):
        found = city.keys.unseal(LABEL, info)
        doc["contextSourceInfo"] = [] if found is None else decode(found)
    return doc


def rows_of(city: City, tenant_no: int) -> list[Any]:
    return city.db.read_all(SQL.registrations, tenant_no=tenant_no)


def known(city: City, tenant_no: int) -> list[tuple[Registration, datetime | None]]:
    """The registrations of a tenant, each with when it expires: read again only where some were changed.

    What another process has registered is seen here within `_FRESH_S`.
    """
    revision = _revision(city)
    kept: dict[int, tuple[int, list[tuple[Registration, datetime | None]]]]
    kept = city.__dict__.setdefault("_registrations", {})
    found = kept.get(tenant_no)
    if found is None or found[0] != revision:
        if len(kept) > _MOST_KEPT:
            kept.clear()
        rows = rows_of(city, tenant_no) if revision else []
        found = kept[tenant_no] = (revision, [(registration_of(doc_of(city, row)), row.expires_at) for row in rows])
    return found[1]

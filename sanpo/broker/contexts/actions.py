"""Add, list, serve, delete and reload stored contexts (ETSI GS CIM 009 §5.13), and give an address to one that has none.

What is hosted is its tenant's alone. What the broker had to create itself is read by receivers of notifications, who know
no tenant: whoever has its address, which cannot be guessed, may read it.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from sanpo.broker.contexts.addresses import PATH, new_local_id, path_of
from sanpo.broker.contexts.compiling import check_context
from sanpo.broker.contexts.core_context import CORE_CONTEXT_URL, is_core
from sanpo.broker.contexts.errors import (
    ContextCannotBeReloaded,
    ContextIsInvalid,
    ContextIsMissing,
    ContextIsNotAvailable,
    ContextIsNotServed,
    ContextNotFound,
    CoreContextCannotBeDeleted,
)
from sanpo.broker.contexts.resolving import MOST_BYTES, reload_cached, resolve
from sanpo.broker.contexts.shelf import shelf_of
from sanpo.broker.contexts.store import SQL
from sanpo.broker.model import written
from sanpo.ground.city import City
from sanpo.ground.db import Transaction

Kind = Literal["Cached", "Hosted", "ImplicitlyCreated"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_LISTED = 10_000
# The core is built in, so it was there before anything else.
_CORE_SINCE = "2025-01-01T00:00:00.000000Z"


@dataclass(frozen=True)
class Stored:
    """What is known of one stored context (§5.13.3.5)."""

    url: str
    local_id: str
    kind: Kind
    created_at: str
    expires_at: str | None = None
    last_usage: str | None = None
    hits: int | None = None

    def as_public(self) -> dict[str, Any]:
        """With the standard's names; what is not known is left out."""
        found = {
            "URL": self.url,
            "localId": self.local_id,
            "kind": self.kind,
            "createdAt": self.created_at,
            "expiresAt": self.expires_at,
            "lastUsage": self.last_usage,
            "numberOfHits": self.hits,
        }
        return {name: value for name, value in found.items() if value is not None}


def add_context(city: City, tenant: str, body: Any) -> str:
    """§5.13.2: stores `{"@context": …}` as Hosted; what else is in it is discarded. Returns its local identifier."""
    if not isinstance(body, dict) or "@context" not in body:
        raise ContextIsMissing
    value = body["@context"]
    check_context(value)
    _cache_parts(city, value)
    local_id = new_local_id()
    row = {"local_id": local_id, "kind": "Hosted", "tenant": tenant, "document": _text(value), "sha256": None}
    with city.db.connection() as conn:
        conn.run(SQL.insert_context, {**row, "now": city.now()})
    return local_id


def list_contexts(city: City, tenant: str, kind: Kind | None = None) -> list[Stored]:
    """§5.13.3: the tenant's own and all that are cached, oldest first; the core is the first of the cached ones."""
    shelf_of(city).usage.write(city)
    with city.db.connection() as conn:
        rows = conn.run(SQL.stored_contexts, {"tenant": tenant, "kind": kind, "most": MOST_LISTED}).all()
    core = [_core(CORE_CONTEXT_URL)] if kind in (None, "Cached") else []
    return core + [_stored(city, row) for row in rows]


def describe_context(city: City, tenant: str, context_id: str) -> Stored:
    """§5.13.4 with details. To be looked at counts as a use, after what is told."""
    if is_core(context_id):
        return _core(context_id)
    shelf = shelf_of(city)
    shelf.usage.write(city)
    row = city.db.read(SQL.stored_context, context_id=context_id, tenant=tenant)
    if row is None:
        raise ContextNotFound(context_id=context_id[:200])
    shelf.usage.note(city, [row.url or row.local_id])
    return _stored(city, row)


def serve_context(city: City, tenant: str, context_id: str) -> bytes:
    """§5.13.4 without details: the document `{"@context": …}` as JSON."""
    if is_core(context_id):
        raise ContextIsNotServed(url=context_id)
    row = city.db.read(SQL.served_context, context_id=context_id, tenant=tenant)
    if row is None:
        raise ContextNotFound(context_id=context_id[:200])
    if row.kind == "Cached":
        raise ContextIsNotServed(url=row.url)
    shelf_of(city).usage.note(city, [row.local_id])
    return bytes(row.document.encode())


def delete_context(city: City, tenant: str, context_id: str) -> None:
    """§5.13.5 without reload. What is in a list of contexts stays."""
    if is_core(context_id):
        raise CoreContextCannotBeDeleted(url=context_id)
    with city.db.connection() as conn:
        gone = conn.run(SQL.delete_context, {"context_id": context_id, "tenant": tenant}).touched
    if not gone:
        raise ContextNotFound(context_id=context_id[:200])
    _forget(city)


def reload_context(city: City, tenant: str, context_id: str) -> None:
    """§5.13.5 with reload: reads a cached context anew; one that is not there is as little cached as a hosted one."""
    if is_core(context_id):
        return
    row = city.db.read(SQL.stored_context, context_id=context_id, tenant=tenant)
    if row is None or row.kind != "Cached":
        raise ContextCannotBeReloaded(context_id=context_id[:200])
    reload_cached(city, row.url)
    _forget(city)


def address_of(tx: Transaction, value: Any, tenant: str = "") -> str:
    """The one URL for what a request named as its @context, as a Link header or a `jsonldContext` needs it (§5.13.1).

    Where it has none, a context is created, for equal ones the same. `value` must have been resolved before, so that it is
    valid.
    """
    single = single_url(value)
    if single is not None:
        return single
    document = _text(value)
    sha256 = hashlib.sha256(msgspec.json.encode(value, order="deterministic")).digest()
    row = {"local_id": new_local_id(), "tenant": tenant, "document": document, "sha256": sha256, "now": tx.now}
    return tx.city.settings.origin + path_of(tx.get(SQL.insert_implicit, **row).local_id)


def single_url(value: Any) -> str | None:
    """The URL of a context that has one: itself, or the core's where nothing else is named."""
    parts: list[Any] = []
    for part in value if isinstance(value, list) else [value]:
        if part is None:
            parts = []  # null forgets what came before it
        elif not (isinstance(part, str) and is_core(part)):
            parts.append(part)
    if not parts:
        return CORE_CONTEXT_URL
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None


def _cache_parts(city: City, value: Any) -> None:
    """Reads what the new context names, as it will be needed. What cannot be had now may be there later."""
    with suppress(ContextIsNotAvailable):
        resolve(city, value, counted=False)


def _forget(city: City) -> None:
    with city.db.connection() as conn:
        conn.run(SQL.raise_context_revision, {})
    shelf_of(city).clear()


def _text(value: Any) -> str:
    document = msgspec.json.encode({"@context": value})
    if len(document) > MOST_BYTES:
        raise ContextIsInvalid(where="@context", problem=f"more than {MOST_BYTES} bytes")
    return document.decode()


def _core(url: str) -> Stored:
    return Stored(url, url, "Cached", _CORE_SINCE)


def _stored(city: City, row: Any) -> Stored:
    url = row.url or city.settings.origin + path_of(row.local_id)
    moments: list[datetime | None] = [row.expires_at, row.last_usage]
    expires_at, last_usage = (None if moment is None else written(moment) for moment in moments)
    return Stored(url, row.local_id, row.kind, written(row.created_at), expires_at, last_usage, row.hits)


__all__ = [
    "KINDS",
    "PATH",
    "Kind",
    "Stored",
    "add_context",
    "address_of",
    "delete_context",
    "describe_context",
    "list_contexts",
    "reload_context",
    "serve_context",
    "single_url",
]

"""The vault's door: entities as rows, and the numbers by which tables know tenants and attributes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sanpo.broker.changing import Change
from sanpo.broker.model import LOCATION, Attributes, default_instance
from sanpo.broker.representation.geometry import box_of
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
_MOST_KEPT = 50_000
_NO_BOX = (None, None, None, None)


@dataclass(frozen=True)
class Stored:
    """An entity as it was read, under its number."""

    entity_no: int
    doc: Any
    subjects: tuple[int, ...] | None


def stored(row: Any) -> Stored:
    return Stored(row.entity_no, decode(row.doc), None if row.subjects is None else tuple(row.subjects))


def find_tenant_no(city: City, name: str) -> int | None:
    """A tenant's number. It is never taken back, so a process may remember it."""
    known = _kept(city, "tenants")
    found = known.get(name)
    if found is None:
        row = city.db.read(SQL.tenant, name=name)
        if row is None:
            return None
        found = known[name] = row.tenant_no
    return int(found)


def make_tenant_no(city: City, name: str) -> int:
    """A tenant's number; made at its first use (§5.5.10)."""
    found = find_tenant_no(city, name)
    if found is None:
        with city.db.connection() as conn:
            conn.run(SQL.make_tenant, {"name": name, "at": city.now()})
        found = find_tenant_no(city, name)
    if found is None:
        raise LookupError("a tenant that was just made is not there")
    return found


def register_attributes(city: City, iris: Iterable[str]) -> None:
    """Gives every attribute a number for the history, in a transaction of its own. A number is never taken back."""
    known = _kept(city, "attributes")
    new = sorted({iri for iri in iris if iri not in known})
    if not new:
        return
    with city.db.connection() as conn:
        conn.run(SQL.make_attributes, {"iris": new})
    if len(known) + len(new) > _MOST_KEPT:
        known.clear()
    known.update(dict.fromkeys(new, True))


def _kept(city: City, name: str) -> dict[str, Any]:
    """What this process remembers of one city's database."""
    kept: dict[str, Any] = city.__dict__.setdefault("_broker_kept", {}).setdefault(name, {})
    return kept


def find_public(city: City, tenant_no: int, entity_id: str) -> Any | None:
    """A public entity outside any transaction: row-level security shows nobody else's here."""
    row = city.db.read(SQL.entity, tenant_no=tenant_no, entity_id=entity_id)
    return None if row is None else decode(row.doc)


def find(tx: Transaction, tenant_no: int, entity_id: str) -> Stored | None:
    row = tx.one(SQL.entity, tenant_no=tenant_no, entity_id=entity_id)
    return None if row is None else stored(row)


def find_by_ids(tx: Transaction, tenant_no: int, ids: Sequence[str]) -> dict[str, Stored]:
    rows = tx.all(SQL.entities_by_id, tenant_no=tenant_no, ids=list(ids))
    found = [stored(row) for row in rows]
    return {each.doc["id"]: each for each in found}


def lock(tx: Transaction, tenant_no: int, entity_id: str) -> Stored | None:
    row = tx.one(SQL.lock, tenant_no=tenant_no, entity_id=entity_id)
    return None if row is None else stored(row)


def lock_all(tx: Transaction, tenant_no: int, ids: Sequence[str]) -> dict[str, Stored]:
    rows = tx.all(SQL.lock_all, tenant_no=tenant_no, ids=sorted(set(ids)))
    return {row.entity_id: stored(row) for row in rows}


def create(tx: Transaction, tenant_no: int, doc: Any, subjects: Sequence[int] | None) -> bool:
    """Stores a new entity with its change and history; False where the id is taken."""
    row = tx.one(
        SQL.create,
        tenant_no=tenant_no,
        entity_id=doc["id"],
        subjects=None if subjects is None else list(subjects),
        now=doc["modifiedAt"],
        **_columns(doc),
    )
    return row is not None


def save(tx: Transaction, entity_no: int, doc: Any, change: Change, subjects: Sequence[int] | None) -> None:
    """Stores a changed entity that this transaction has locked, with its change and history."""
    whose = None if subjects is None else list(subjects)
    tx.execute(
        SQL.save,
        entity_no=entity_no,
        added=change.added,
        updated=change.updated,
        removed=change.removed,
        before=_text(change.before),
        written=_text(change.written),
        subjects=whose,
        now=change.now,
        **_columns(doc),
    )
    if change.gone:
        tx.execute(SQL.note_gone, entity_no=entity_no, gone=_text(change.gone), subjects=whose, now=change.now)


def delete(tx: Transaction, tenant_no: int, ids: Sequence[str], now: str) -> set[str]:
    """Deletes these entities; returns the ids that were there."""
    return {row.entity_id for row in tx.all(SQL.delete, tenant_no=tenant_no, ids=list(ids), now=now)}


def _columns(doc: Any) -> dict[str, Any]:
    box = _box(doc["attrs"])
    return {
        "types": doc["type"],
        "scopes": doc.get("scope"),
        "doc": _text(doc),
        "min_x": box[0],
        "max_x": box[1],
        "min_y": box[2],
        "max_y": box[3],
    }


def _box(attrs: Attributes) -> Any:
    places = attrs.get(LOCATION)
    place = default_instance(places) or places[0] if places else None
    return box_of(place["value"]) if place is not None and place["type"] == "GeoProperty" else _NO_BOX


def _text(value: Any) -> str:
    return encode(value).decode()

"""The vault's door: entities as rows, and the numbers by which tables know tenants and attributes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sanpo.broker.changing import SCOPE, Change
from sanpo.broker.language.condition import Condition
from sanpo.broker.model import LOCATION, Attributes
from sanpo.broker.profiles import profile_numbers
from sanpo.broker.representation.geometry import box_of
from sanpo.broker.ringing import tell_of_change
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode
_MOST_KEPT = 50_000
_CHUNK = 1_000  # entities in one statement: what it keeps then stays in memory
_MOST_FLOAT = 1e300
_PLAIN_KEYS = frozenset({"type", "value", "createdAt", "modifiedAt", "observedAt", "unitCode", "datasetId"})
_NO_BOX = (None, None, None, None)


Whose = Callable[[Any], Sequence[int] | None]
"""Whom an entity is about: subject numbers, None for a public one."""


def _nobodys(doc: Any) -> None:
    return None


@dataclass(frozen=True)
class Stored:
    """An entity as it was read, under its number."""

    entity_no: int
    doc: Any
    subjects: tuple[int, ...] | None
    watched: bool = True


def stored(row: Any, watched: bool = True) -> Stored:
    return Stored(row.entity_no, decode(row.doc), None if row.subjects is None else tuple(row.subjects), watched)


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
    """Gives every attribute a number for the history, the scope too. A transaction of its own; no number is taken back."""
    known = _kept(city, "attributes")
    new = sorted({iri for iri in (*iris, SCOPE) if iri not in known})
    if not new:
        return
    with city.db.connection() as conn:
        conn.run(SQL.make_attributes, {"iris": new})
        rows = conn.run(SQL.attributes, {"iris": new}).all()
    if len(known) + len(new) > _MOST_KEPT:
        known.clear()
    known.update((row.iri, row.attr_no) for row in rows)


def _kept(city: City, name: str) -> dict[str, Any]:
    """What this process remembers of one city's database."""
    kept: dict[str, Any] = city.__dict__.setdefault("_broker_kept", {}).setdefault(name, {})
    return kept


def find_public(city: City, tenant_no: int, entity_id: str) -> Any | None:
    """A public entity outside any transaction: row-level security shows nobody else's here."""
    row = city.db.read(SQL.public_entity, tenant_no=tenant_no, entity_id=entity_id)
    return None if row is None else decode(row.doc)


def find(tx: Transaction, tenant_no: int, entity_id: str) -> Stored | None:
    row = tx.one(SQL.entity, tenant_no=tenant_no, entity_id=entity_id)
    return None if row is None else stored(row)


def find_by_nos(tx: Transaction, tenant_no: int, entity_nos: Sequence[int]) -> list[Stored]:
    return [stored(row) for row in tx.all(SQL.entities_by_no, tenant_no=tenant_no, entity_nos=list(entity_nos))]


def find_named(tx: Transaction, tenant_no: int, entity_nos: Sequence[int]) -> list[Stored]:
    """Entities by their numbers, without attributes: those that are there, and those of which only the history is."""
    rows = tx.all(SQL.named, tenant_no=tenant_no, entity_nos=list(entity_nos))
    return [
        Stored(
            row.entity_no,
            {"id": row.entity_id, "type": list(row.types), "attrs": {}},
            None if row.subjects is None else tuple(row.subjects),
        )
        for row in rows
    ]


def find_by_ids(tx: Transaction, tenant_no: int, ids: Sequence[str]) -> dict[str, Stored]:
    rows = tx.all(SQL.entities_by_id, tenant_no=tenant_no, ids=list(ids))
    found = [stored(row) for row in rows]
    return {each.doc["id"]: each for each in found}


def personal_ids(tx: Transaction, tenant_no: int, ids: Sequence[str]) -> set[str]:
    return {row.entity_id for row in tx.all(SQL.personal_ids, tenant_no=tenant_no, ids=list(ids))}


def lock(tx: Transaction, tenant_no: int, entity_id: str) -> Stored | None:
    row = tx.one(SQL.lock, tenant_no=tenant_no, entity_id=entity_id)
    return None if row is None else stored(row, row.watched)


def lock_all(tx: Transaction, tenant_no: int, ids: Sequence[str]) -> dict[str, Stored]:
    rows = tx.all(SQL.lock_all, tenant_no=tenant_no, ids=sorted(set(ids)))
    return {row.entity_id: stored(row, row.watched) for row in rows}


def delete(tx: Transaction, tenant_no: int, ids: Sequence[str], now: str) -> set[str]:
    """Deletes these entities; returns the ids that were there."""
    tell_of_change(tx)
    return {row.entity_id for row in tx.all(SQL.delete, tenant_no=tenant_no, ids=list(ids), now=now)}


def _box(attrs: Attributes) -> Any:
    """The box around all instances of `location`, as the columns hold it."""
    places = [box_of(each["value"]) for each in attrs.get(LOCATION, ()) if each["type"] == "GeoProperty"]
    if len(places) < 2:
        return places[0] if places else _NO_BOX
    least_x, most_x, least_y, most_y = zip(*places, strict=True)
    return min(least_x), max(most_x), min(least_y), max(most_y)


def _text(value: Any) -> str:
    return encode(value).decode()


def is_watched(tx: Transaction, tenant_no: int) -> bool:
    """Whether somebody follows the outbox of this tenant."""
    row = tx.one(SQL.is_watched, tenant_no=tenant_no)
    return row is not None and bool(row.watched)


def create_many(tx: Transaction, tenant_no: int, docs: Sequence[Any], whose: Whose = _nobodys) -> set[str]:
    """Stores new entities; returns the ids that were free. Each id comes once."""
    free: set[str] = set()
    tell_of_change(tx)
    for rows in _rows(tx.city, docs, whose):
        found = tx.all(SQL.create_many, tenant_no=tenant_no, rows=rows)
        free.update(row.entity_id for row in found)
    return free


def put_many(tx: Transaction, tenant_no: int, docs: Sequence[Any], now: str) -> dict[str, bool]:
    """Stores public entities whether their ids are taken or not; returns which of them are new. Each id comes once."""
    is_new: dict[str, bool] = {}
    for rows in _rows(tx.city, docs, _nobodys):
        for row in tx.all(SQL.put_many, tenant_no=tenant_no, rows=rows, now=now):
            is_new[row.entity_id] = row.is_new
    return is_new


def save_many(tx: Transaction, saved: Sequence[tuple[Stored, Change]], whose: Whose = _nobodys) -> None:
    """Stores changed entities that this transaction has locked, with their changes and history."""
    small: list[tuple[Stored, Change]] = []
    others: list[tuple[Stored, Change]] = []
    for found, change in saved:
        is_small = not found.watched and change.is_small and _same(whose(found.doc), found.subjects)
        (small if is_small else others).append((found, change))
    if small:
        tx.execute(SQL.touch_many, rows=_text([_touch(tx.city, found, change) for found, change in small]))
    if others:
        numbers = profile_numbers(tx.city, [found.doc for found, _ in others])
        rows = [
            _save(found, change, number, whose(found.doc))
            for (found, change), number in zip(others, numbers, strict=True)
        ]
        tx.execute(SQL.save_many, rows=_text(rows))
        tell_of_change(tx)


def _same(whose: Sequence[int] | None, before: Sequence[int] | None) -> bool:
    return (None if whose is None else tuple(whose)) == before


def _touch(city: City, found: Stored, change: Change) -> dict[str, Any]:
    iri, (instance,) = next(iter(change.written.items()))
    value, observed = instance.get("value"), instance.get("observedAt")
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) and _fits(value) else None
    return {
        "no": found.entity_no,
        "doc": found.doc,
        "now": change.now,
        "attr": _kept(city, "attributes")[iri],
        "at": observed or change.now,
        "observed": observed is not None,
        "number": number,
        "unit": instance.get("unitCode"),
        "dataset": instance.get("datasetId"),
        "instance": None if number is not None and instance.keys() <= _PLAIN_KEYS else instance,
        "subjects": found.subjects,
    }


def _fits(number: int | float) -> bool:
    """Whether a double can hold it: JSON knows whole numbers without end."""
    return abs(number) < _MOST_FLOAT


def _save(found: Stored, change: Change, profile: int, whose: Sequence[int] | None) -> dict[str, Any]:
    return {
        "no": found.entity_no,
        "now": change.now,
        "doc": found.doc,
        "box": _box(found.doc["attrs"]),
        "profile": profile,
        **_owned(whose),
        "added": change.added,
        "updated": change.updated,
        "removed": change.removed,
        "before": change.before,
        "written": change.written,
        "gone": change.gone,
    }


def _owned(subjects: Sequence[int] | None) -> dict[str, Any]:
    return {} if subjects is None else {"subjects": list(subjects)}


def _rows(city: City, docs: Sequence[Any], whose: Whose) -> Iterator[str]:
    """In one order, so that two batches never wait for each other."""
    ordered = sorted(docs, key=lambda doc: doc["id"])
    rows = [
        {"doc": doc, "box": _box(doc["attrs"]), "profile": number, **_owned(whose(doc))}
        for doc, number in zip(ordered, profile_numbers(city, ordered), strict=True)
    ]
    for at in range(0, len(rows), _CHUNK):
        yield _text(rows[at : at + _CHUNK])


def spread(tx: Transaction, limit: int = 5_000) -> int:
    """Turns the oldest noted writes into observations; returns how many."""
    return int(tx.get(SQL.spread, limit=limit).n)


def spread_entities(tx: Transaction, entity_nos: Sequence[int]) -> None:
    """Brings the history of these entities up to date, before it is read."""
    tx.execute(SQL.spread_entities, entity_nos=list(entity_nos))


@dataclass(frozen=True)
class Rows:
    """The entities of one tenant under a condition, as one actor's connection or transaction reads them."""

    read: Callable[..., list[Any]]
    tenant_no: int
    condition: Condition
    values: Mapping[str, object]
    public: bool = False

    def find(self, *, limit: int, offset: int = 0, after: int = 0, order: str = "") -> list[Stored]:
        """Those with an entity_no greater than `after`, in the order of `order` (made by the language), then of that."""
        sql = self._placed(SQL.find_public if self.public else SQL.find).replace(
            "/* order */", f"{order}, " if order else ""
        )
        rows = self.read(sql, tenant_no=self.tenant_no, limit=limit, offset=offset, after=after, **self.values)
        return [stored(row) for row in rows]

    def count(self) -> int:
        return int(
            self.read(
                self._placed(SQL.count_public if self.public else SQL.count), tenant_no=self.tenant_no, **self.values
            )[0].n
        )

    def _placed(self, sql: str) -> str:
        # The condition is fixed text with places for values (language/condition.py).
        return sql.replace("/* condition */", self.condition.sql)


def allow_writer(tx: Transaction, organisation_no: int, *, personal: bool) -> None:
    tx.execute(SQL.allow_writer, organisation_no=organisation_no, personal=personal, at=tx.now)


def list_tenants(tx: Transaction) -> list[Any]:
    return tx.all(SQL.tenants)


def collations(city: City) -> frozenset[str]:
    """The orders of texts that this database knows, by their ICU names."""
    known = _kept(city, "collations")
    if not known:
        known.update((row.collname, True) for row in city.db.read_all(SQL.collations))
    return frozenset(known)

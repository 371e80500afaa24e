"""Many entities in one call (§5.6.7 to §5.6.10, §5.6.20): one transaction, and a result for each entity.

An id may come several times; later ones are newer (§4.6.6). So a batch is cut into rounds in which each id comes once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import psycopg

from sanpo.broker import changing, store
from sanpo.broker.changing import Change
from sanpo.broker.entities import Place
from sanpo.broker.errors import EntityExists, EntityNotFound
from sanpo.broker.representation.reading import Fragment
from sanpo.broker.sight import check_writer
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError

Apply = Callable[[Any, Any, str], Change]


@dataclass
class Results:
    """What became of each entity of a batch, in the order of its ids."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    errors: list[tuple[str | None, DomainError]] = field(default_factory=list)

    @property
    def successes(self) -> list[str]:
        return [*self.created, *self.updated]


def create_entities(place: Place, docs: Sequence[Any]) -> Results:
    """5.6.7: an id that is taken is an error of its own."""
    results = Results()
    tenant_no, now = _prepare(place, docs, make=True)
    first: dict[str, Any] = {}
    for doc in docs:
        if doc["id"] in first:
            results.errors.append((doc["id"], EntityExists(entity_id=doc["id"])))
        else:
            first[doc["id"]] = doc
    with place.transaction() as tx:
        free = store.create_many(tx, tenant_no, list(first.values()), now)
    for entity_id in first:
        if entity_id in free:
            results.created.append(entity_id)
        else:
            results.errors.append((entity_id, EntityExists(entity_id=entity_id)))
    return results


def upsert_entities(place: Place, docs: Sequence[Any], *, update: bool = False) -> Results:
    """5.6.8: what is there is replaced, or with `update` widened."""
    results = Results()
    tenant_no, now = _prepare(place, docs, make=True)
    apply: Apply = changing.append if update else changing.replace_entity
    try:
        with place.transaction() as tx:
            fast = not update and not store.is_watched(tx, tenant_no)
            for batch in _rounds(docs):
                if fast:
                    _note_put(results, batch, store.put_many(tx, tenant_no, batch, now))
                else:
                    _upsert(tx, tenant_no, batch, now, apply, results)
    except psycopg.errors.InsufficientPrivilege:
        # An id of the batch is that of an entity which is not in sight: then one by one.
        results = Results()
        with place.transaction() as tx:
            for batch in _rounds(docs):
                _upsert(tx, tenant_no, batch, now, apply, results)
    return results


def update_entities(place: Place, fragments: Sequence[Any], *, overwrite: bool = True) -> Results:
    """5.6.9: as Append Attributes, for each entity."""

    def apply(doc: Any, fragment: Fragment, now: str) -> Change:
        return changing.append(doc, fragment, now, overwrite=overwrite)

    return _change_all(place, fragments, apply)


def merge_entities(place: Place, fragments: Sequence[Any]) -> Results:
    """5.6.20: as Merge Entity, for each entity."""
    return _change_all(place, fragments, changing.merge)


def delete_entities(place: Place, ids: Sequence[str]) -> Results:
    """5.6.10."""
    results = Results()
    check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction() as tx:
        gone = store.delete(tx, tenant_no, sorted(set(ids)), place.now())
    for entity_id in ids:
        if entity_id in gone:
            gone.discard(entity_id)
            results.updated.append(entity_id)
        else:
            results.errors.append((entity_id, EntityNotFound(entity_id=entity_id)))
    return results


def _prepare(place: Place, docs: Sequence[Any], *, make: bool) -> tuple[int, str]:
    check_writer(place.city, place.actor)
    tenant_no = store.make_tenant_no(place.city, place.tenant) if make else place.find_tenant_no()
    store.register_attributes(place.city, set(chain.from_iterable(doc["attrs"] for doc in docs)))
    return tenant_no, place.now()


def _rounds(docs: Iterable[Any]) -> list[list[Any]]:
    rounds: list[dict[str, Any]] = []
    times: dict[str, int] = {}
    for doc in docs:
        at = times.get(doc["id"], 0)
        times[doc["id"]] = at + 1
        if at == len(rounds):
            rounds.append({})
        rounds[at][doc["id"]] = doc
    return [list(batch.values()) for batch in rounds]


def _note_put(results: Results, batch: Sequence[Any], is_new: dict[str, bool]) -> None:
    known = set(results.created) if results.created else ()
    for doc in batch:
        if is_new[doc["id"]] and doc["id"] not in known:
            results.created.append(doc["id"])
        elif doc["id"] not in known:
            results.updated.append(doc["id"])


def _upsert(tx: Transaction, tenant_no: int, batch: Sequence[Any], now: str, apply: Apply, results: Results) -> None:
    """One round by reading what is there: for a tenant that is watched, or to widen."""
    there = store.lock_all(tx, tenant_no, [doc["id"] for doc in batch])
    free = store.create_many(tx, tenant_no, [doc for doc in batch if doc["id"] not in there], now)
    saved = []
    for doc in batch:
        found = there.get(doc["id"])
        if found is not None:
            change = apply(found.doc, doc, now)
            if not change.is_empty:
                saved.append((found, change))
            if doc["id"] not in results.created:
                results.updated.append(doc["id"])
        elif doc["id"] in free:
            results.created.append(doc["id"])
        else:
            results.errors.append((doc["id"], EntityExists(entity_id=doc["id"])))
    store.save_many(tx, saved, now)


def _change_all(place: Place, fragments: Sequence[Any], apply: Apply) -> Results:
    results = Results()
    tenant_no, now = _prepare(place, fragments, make=False)
    with place.transaction() as tx:
        for batch in _rounds(fragments):
            there = store.lock_all(tx, tenant_no, [fragment["id"] for fragment in batch])
            saved = []
            for fragment in batch:
                found = there.get(fragment["id"])
                if found is None:
                    results.errors.append((fragment["id"], EntityNotFound(entity_id=fragment["id"])))
                    continue
                try:
                    change = apply(found.doc, fragment, now)
                except DomainError as error:
                    results.errors.append((fragment["id"], error))
                    continue
                if not change.is_empty:
                    saved.append((found, change))
                results.updated.append(fragment["id"])
            store.save_many(tx, saved, now)
    return results

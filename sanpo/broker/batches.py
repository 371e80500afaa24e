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
from sanpo.broker.entities import Place, Wanted, check_personal, still_of
from sanpo.broker.errors import AttributesExist, EntityExists, EntityNotFound
from sanpo.broker.personal import personal_types, settle
from sanpo.broker.representation.reading import Fragment
from sanpo.broker.sight import check_writer
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
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
    work, docs = _prepare(place, docs, results, make=True)
    first: dict[str, Any] = {}
    for doc in docs:
        if doc["id"] in first:
            results.errors.append((doc["id"], EntityExists(entity_id=doc["id"])))
        else:
            first[doc["id"]] = doc
    with place.transaction(work.writer) as tx:
        free = store.create_many(tx, work.tenant_no, list(first.values()), work.whose)
    for entity_id in first:
        if entity_id in free:
            results.created.append(entity_id)
        else:
            results.errors.append((entity_id, EntityExists(entity_id=entity_id)))
    return results


def upsert_entities(place: Place, docs: Sequence[Any], *, update: bool = False) -> Results:
    """5.6.8: what is there is replaced, or with `update` widened."""
    results = Results()
    work, docs = _prepare(place, docs, results, make=True)
    apply: Apply = changing.append if update else changing.replace_entity
    is_public = all(work.whose(doc) is None for doc in docs)
    try:
        with place.transaction(work.writer) as tx:
            if is_public and not update and not store.is_watched(tx, work.tenant_no):
                for batch in _rounds(docs):
                    _note_put(results, batch, store.put_many(tx, work.tenant_no, batch, work.now))
                return results
            _upsert_all(tx, work, docs, apply, results)
    except psycopg.errors.InsufficientPrivilege:
        # An id of the batch is that of an entity which is not in sight: then by reading what is there.
        results = Results(errors=results.errors)
        with place.transaction(work.writer) as tx:
            _upsert_all(tx, work, docs, apply, results)
    return results


def update_entities(place: Place, fragments: Sequence[Any], *, overwrite: bool = True) -> Results:
    """5.6.9: as Append Attributes, for each entity."""

    def apply(doc: Any, fragment: Fragment, now: str) -> Change:
        return changing.append(doc, fragment, now, overwrite=overwrite)

    return change_entities(place, fragments, apply)


def merge_entities(place: Place, fragments: Sequence[Any]) -> Results:
    """5.6.20: as Merge Entity, for each entity."""
    return change_entities(place, fragments, changing.merge)


def put_entities(place: Place, docs: Sequence[Any], apply: Apply) -> Results:
    """As 5.6.8, but `apply` says what becomes of an entity that is there."""
    results = Results()
    work, docs = _prepare(place, docs, results, make=True)
    with place.transaction(work.writer) as tx:
        _upsert_all(tx, work, docs, apply, results)
    return results


def delete_entities(place: Place, ids: Sequence[str], wanted: Wanted | None = None) -> Results:
    """5.6.10."""
    results = Results()
    writer = check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction(writer) as tx:
        chosen = sorted(set(ids))
        if wanted is not None:
            chosen = [uri for uri, found in sorted(store.lock_all(tx, tenant_no, ids).items()) if wanted(found.doc)]
        gone = store.delete(tx, tenant_no, chosen, place.now())
    for entity_id in ids:
        if entity_id in gone:
            gone.discard(entity_id)
            results.updated.append(entity_id)
        else:
            results.errors.append((entity_id, EntityNotFound(entity_id=entity_id)))
    return results


@dataclass(frozen=True)
class _Work:
    """What one batch is done with. `whose` tells whom each of its entities is about, by id."""

    city: City
    writer: Actor
    tenant_no: int
    now: str
    subjects: dict[str, list[int]]

    def whose(self, doc: Any) -> list[int] | None:
        return self.subjects.get(doc["id"])

    def settle_again(self, found: store.Stored, change: Change) -> None:
        subjects = still_of(self.city, self.writer, found, change)
        if subjects is not None:
            self.subjects[found.doc["id"]] = subjects


def _prepare(place: Place, docs: Sequence[Any], results: Results, *, make: bool) -> tuple[_Work, list[Any]]:
    """The batch's work, and those of its entities that may be written; the others are errors of their own."""
    writer = check_writer(place.city, place.actor)
    tenant_no = store.make_tenant_no(place.city, place.tenant) if make else place.find_tenant_no()
    store.register_attributes(place.city, set(chain.from_iterable(doc["attrs"] for doc in docs)))
    work = _Work(place.city, writer, tenant_no, place.now(), {})
    if not make or not personal_types(place.city):
        return work, list(docs)
    kept = []
    for doc in docs:
        try:
            subjects = settle(place.city, doc)
            check_personal(writer, subjects)
        except DomainError as error:
            results.errors.append((doc["id"], error))
            continue
        if subjects is not None:
            work.subjects[doc["id"]] = subjects
        kept.append(doc)
    return work, kept


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


def _upsert_all(tx: Transaction, work: _Work, docs: Sequence[Any], apply: Apply, results: Results) -> None:
    """By reading what is there: for a tenant that is watched, for personal entities, or to widen."""
    for batch in _rounds(docs):
        there = store.lock_all(tx, work.tenant_no, [doc["id"] for doc in batch])
        fresh = [doc for doc in batch if doc["id"] not in there]
        free = store.create_many(tx, work.tenant_no, fresh, work.whose)
        changed = _change(tx, work, [doc for doc in batch if doc["id"] in there], there, apply, results)
        for doc in batch:
            if doc["id"] in free:
                results.created.append(doc["id"])
            elif doc["id"] not in there:
                results.errors.append((doc["id"], EntityExists(entity_id=doc["id"])))
            elif doc["id"] in changed and doc["id"] not in results.created:
                results.updated.append(doc["id"])


def _change(
    tx: Transaction, work: _Work, batch: Sequence[Any], there: dict[str, store.Stored], apply: Apply, results: Results
) -> set[str]:
    """Changes entities that are there and locked; returns the ids of those that could be."""
    saved: list[tuple[store.Stored, Change]] = []
    done: set[str] = set()
    for given in batch:
        found = there[given["id"]]
        try:
            change = apply(found.doc, given, work.now)
            work.settle_again(found, change)
        except DomainError as error:
            results.errors.append((given["id"], error))
            continue
        if change.refused:
            results.errors.append((given["id"], AttributesExist(attributes=", ".join(change.refused))))
        else:
            done.add(given["id"])
        if not change.is_empty:
            saved.append((found, change))
    store.save_many(tx, saved, work.whose)
    return done


def change_entities(place: Place, fragments: Sequence[Any], apply: Apply) -> Results:
    """What `apply` makes of the entities of these ids, if they are there."""
    results = Results()
    work, _ = _prepare(place, fragments, results, make=False)
    with place.transaction(work.writer) as tx:
        for batch in _rounds(fragments):
            there = store.lock_all(tx, work.tenant_no, [fragment["id"] for fragment in batch])
            missing = [fragment["id"] for fragment in batch if fragment["id"] not in there]
            results.errors.extend((entity_id, EntityNotFound(entity_id=entity_id)) for entity_id in missing)
            known = [fragment for fragment in batch if fragment["id"] in there]
            done = _change(tx, work, known, there, apply, results)
            results.updated.extend(fragment["id"] for fragment in known if fragment["id"] in done)
    return results

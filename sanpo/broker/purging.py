"""Purge (§5.6.21): all entities that a query finds, or some attributes of theirs."""

from typing import Any

from sanpo.broker import store
from sanpo.broker.changing import Change
from sanpo.broker.entities import Place, still_of
from sanpo.broker.language.condition import Parameters
from sanpo.broker.selection import Part, together
from sanpo.broker.sight import check_writer
from sanpo.ground.actors import Actor
from sanpo.ground.db import Transaction

ROUND = 1_000


def purge_entities(
    place: Place, parts: list[Part], *, drop: frozenset[str] | None = None, keep: frozenset[str] | None = None
) -> int:
    """Deletes what fits all parts; with `drop` or `keep` only attributes of it. Returns how many entities it was."""
    writer = check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    wanted = together(parts)
    parameters = Parameters()
    condition = wanted.compile(parameters)
    total = after = 0
    with place.transaction(writer) as tx:
        rows = store.Rows(tx.all_planned, tenant_no, condition, parameters.values)
        while True:
            batch = rows.find(limit=ROUND, after=after)
            ids = [each.doc["id"] for each in batch if wanted.matches(each.doc)]
            total += len(ids)
            if drop is None and keep is None:
                store.delete(tx, tenant_no, sorted(ids), place.now())
            else:
                _strip_all(tx, place, writer, store.lock_all(tx, tenant_no, ids), drop, keep)
            if len(batch) < ROUND:
                return total
            after = batch[-1].entity_no


def _strip_all(
    tx: Transaction,
    place: Place,
    writer: Actor,
    there: dict[str, store.Stored],
    drop: frozenset[str] | None,
    keep: frozenset[str] | None,
) -> None:
    now = place.now()
    whose: dict[str, list[int] | None] = {}
    saved = []
    for entity_id, found in there.items():
        change = _strip(found.doc, drop, keep, now)
        if not change.is_empty:
            whose[entity_id] = still_of(place.city, writer, found, change)
            saved.append((found, change))
    store.save_many(tx, saved, lambda doc: whose[doc["id"]])


def _strip(doc: Any, drop: frozenset[str] | None, keep: frozenset[str] | None, now: str) -> Change:
    change = Change(now)
    for iri in list(doc["attrs"]):
        if (drop is not None and iri in drop) or (keep is not None and iri not in keep):
            change.note(iri, doc["attrs"].pop(iri), [])
    if not change.is_empty:
        doc["modifiedAt"] = now
    return change

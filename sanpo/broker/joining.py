"""Linked Entity retrieval (§4.5.23, §5.7.1.4): the entities that relationships lead to, as far as they are in sight."""

from collections.abc import Iterable, Iterator
from typing import Any

from sanpo.broker import store
from sanpo.broker.entities import Place
from sanpo.broker.model import objects_of
from sanpo.broker.sight import Sight, check_reader, sees_public_only
from sanpo.ground.db import Transaction

MOST_LINKED = 10_000


def find_linked(place: Place, docs: Iterable[Any], level: int, without: Iterable[str] = ()) -> dict[str, Any]:
    """Everything that `docs` lead to within `level` steps, by id, but for the ids in `without`."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    known = set(without)
    found: dict[str, Any] = {}
    todo = list(docs)
    for _ in range(level):
        ids = sorted(set(_targets(todo)) - found.keys() - known)[: MOST_LINKED - len(found)]
        if not ids:
            break
        shown = _read(place, tenant_no, ids)
        found.update(shown)
        todo = list(shown.values())
    return found


def _targets(docs: Iterable[Any]) -> Iterator[str]:
    for doc in docs:
        for instances in doc["attrs"].values():
            for instance in instances:
                yield from objects_of(instance)


def _read(place: Place, tenant_no: int, ids: list[str]) -> dict[str, Any]:
    if sees_public_only(place.actor):
        with place.transaction() as tx:
            found = store.find_by_ids(tx, tenant_no, ids)
        return {entity_id: each.doc for entity_id, each in found.items()}
    return place.looking("join", lambda tx, sight: _look(tx, sight, tenant_no, ids), few=True)


def _look(tx: Transaction, sight: Sight, tenant_no: int, ids: list[str]) -> dict[str, Any]:
    """Under the id by which the actor knows each: one that a relationship names otherwise is not followed."""
    found = store.find_by_ids(tx, tenant_no, ids)
    shown = zip(found.items(), sight.show_all(list(found.values())), strict=True)
    seen = {key: (each, doc) for (key, each), doc in shown if doc is not None and doc["id"] == key}
    sight.note(each for each, _ in seen.values())
    return {key: doc for key, (_, doc) in seen.items()}

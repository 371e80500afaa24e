"""Linked Entity retrieval (§4.5.23, §5.7.1.4): the entities that relationships lead to, as far as they are in sight."""

from collections.abc import Iterable, Iterator
from typing import Any

from sanpo.broker import store
from sanpo.broker.entities import Place
from sanpo.broker.model import Instance
from sanpo.broker.sight import PUBLIC, check_reader, sees_public_only, sight_of

MOST_LINKED = 10_000


def objects_of(instance: Instance) -> list[str]:
    """The ids that a relationship names."""
    if instance["type"] == "Relationship":
        found = instance["object"]
        return found if isinstance(found, list) else [found]
    return list(instance["objectList"]) if instance["type"] == "ListRelationship" else []


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
    with place.transaction() as tx:
        sight = PUBLIC if sees_public_only(place.actor) else sight_of(tx, place.actor)
        shown = {entity_id: sight.show(found) for entity_id, found in store.find_by_ids(tx, tenant_no, ids).items()}
    return {entity_id: doc for entity_id, doc in shown.items() if doc is not None}

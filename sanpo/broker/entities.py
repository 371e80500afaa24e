"""Whole entities: create, retrieve, replace, merge, delete (ETSI GS CIM 009 §5.6.1, §5.6.6, §5.6.17, §5.6.18, §5.7.1)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sanpo.broker import changing, store
from sanpo.broker.changing import Change
from sanpo.broker.errors import EntityExists, EntityNotFound, TenantNotFound
from sanpo.broker.model import Entity, written
from sanpo.broker.representation.reading import Fragment
from sanpo.broker.sight import check_reader, check_writer, sees_public_only, sight_of
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.db import Transaction

Wanted = Callable[[list[str]], bool]
"""Whether an entity's types are those asked for (§4.17)."""


@dataclass(frozen=True)
class Place:
    """Where an operation works, and who asks: one tenant of a city."""

    city: City
    actor: Actor
    tenant: str = ""

    def find_tenant_no(self) -> int:
        """The tenant's number. The default tenant is always there; raises `TenantNotFound` for another that is not."""
        found = store.find_tenant_no(self.city, self.tenant)
        if found is None:
            if self.tenant:
                raise TenantNotFound(tenant=self.tenant)
            found = store.make_tenant_no(self.city, self.tenant)
        return found

    def now(self) -> str:
        return written(self.city.now())

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self.city.transaction(self.actor) as tx:
            yield tx


def create_entity(place: Place, entity: Entity) -> None:
    """Stores a new entity. Raises `EntityExists`."""
    check_writer(place.city, place.actor)
    tenant_no = store.make_tenant_no(place.city, place.tenant)
    store.register_attributes(place.city, entity["attrs"])
    with place.transaction() as tx:
        if not store.create(tx, tenant_no, entity, None):
            raise EntityExists(entity_id=entity["id"])


def retrieve_entity(place: Place, entity_id: str, wanted: Wanted | None = None) -> Any:
    """The entity as the actor may see it. Raises `EntityNotFound`, also for what is not in sight."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    if sees_public_only(place.actor):
        doc = store.find_public(place.city, tenant_no, entity_id)
    else:
        with place.transaction() as tx:
            sight = sight_of(tx, place.actor)
            found = store.find(tx, tenant_no, entity_id)
            doc = None if found is None else sight.show(found)
    if doc is None or (wanted is not None and not wanted(doc["type"])) or is_over(doc, place.now()):
        raise EntityNotFound(entity_id=entity_id)
    return doc


def replace_entity(place: Place, entity_id: str, new: Entity, wanted: Wanted | None = None) -> None:
    """Replaces everything but id and createdAt."""
    change_entity(place, entity_id, lambda doc, now: changing.replace_entity(doc, new, now), new["attrs"], wanted)


def merge_entity(
    place: Place,
    entity_id: str,
    fragment: Fragment,
    *,
    wanted: Wanted | None = None,
    observed_at: str | None = None,
    lang: str | None = None,
) -> None:
    """Merges the fragment into the entity, down to the members of values."""

    def merge(doc: Any, now: str) -> Change:
        return changing.merge(doc, fragment, now, observed_at=observed_at, lang=lang)

    change_entity(place, entity_id, merge, fragment["attrs"], wanted)


def delete_entity(place: Place, entity_id: str, wanted: Wanted | None = None) -> None:
    """Deletes the entity; its history keeps its name. Raises `EntityNotFound`."""
    check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction() as tx:
        if wanted is not None:
            found = store.lock(tx, tenant_no, entity_id)
            if found is None or not wanted(found.doc["type"]):
                raise EntityNotFound(entity_id=entity_id)
        if not store.delete(tx, tenant_no, [entity_id], place.now()):
            raise EntityNotFound(entity_id=entity_id)


def change_entity(
    place: Place,
    entity_id: str,
    make: Callable[[Any, str], Change],
    names: Any,
    wanted: Wanted | None = None,
) -> Change:
    """Reads the entity under a lock, lets `make` change it, stores it with change and history.

    Raises `EntityNotFound`, and what `make` raises: then nothing is changed.
    """
    check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    store.register_attributes(place.city, names)
    with place.transaction() as tx:
        found = store.lock(tx, tenant_no, entity_id)
        if found is None or (wanted is not None and not wanted(found.doc["type"])):
            raise EntityNotFound(entity_id=entity_id)
        change = make(found.doc, place.now())
        if not change.is_empty:
            store.save(tx, found.entity_no, found.doc, change, found.subjects)
    return change


def is_over(doc: Any, now: str) -> bool:
    """Whether the time of a transient entity is over (§4.22)."""
    until = doc.get("expiresAt")
    return until is not None and until < now

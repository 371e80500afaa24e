"""Whole entities: create, retrieve, replace, merge, delete (ETSI GS CIM 009 §5.6.1, §5.6.6, §5.6.17, §5.6.18, §5.7.1)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sanpo.broker import changing, riding, store
from sanpo.broker.changing import Change
from sanpo.broker.errors import EntityExists, EntityIsInvalid, EntityNotFound, SightIsContended, TenantNotFound
from sanpo.broker.model import Entity, written
from sanpo.broker.personal import is_veiled, personal_types, settle, unveiled
from sanpo.broker.representation.reading import Fragment
from sanpo.broker.sight import DUTY, Sight, check_reader, check_writer, sees_public_only, sight_of
from sanpo.ground.actors import Actor, Client, Resident, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotPermitted
from sanpo.ground.rounds import Rounds
from sanpo.people import get_organisation

MOST_LOOKS = 5
T = TypeVar("T")
Wanted = Callable[[Any], bool]
"""Whether an entity is one of those asked for: by its types (§4.17), or by NGSIv2's service path."""


@dataclass(frozen=True)
class Place:
    """Where an operation works, and who asks: one tenant of a city.

    `recorded` are the entities whose use stands in the journal already, where the same is told again.
    """

    city: City
    actor: Actor
    tenant: str = ""
    recorded: set[int] | None = None

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
    def transaction(self, actor: Actor | None = None) -> Iterator[Transaction]:
        with self.city.transaction(actor or self.actor) as tx:
            yield tx

    def looking(self, operation: str, look: Callable[[Transaction, Sight], T], *, few: bool = False) -> T:
        """Lets `look` see what the actor may, and its answer go when the use is recorded for the journal.

        `few` where it reads some entities by their ids and no more.
        A withdrawal meanwhile makes it look again. Raises `SightIsContended`.
        """
        for _ in range(MOST_LOOKS):
            with self.transaction() as tx:
                sight = sight_of(tx, self.actor, few=few)
                found = look(tx, sight)
                if sight.close(tx, operation, self.recorded):
                    return found
        raise SightIsContended


def create_entity(place: Place, entity: Entity) -> None:
    """Stores a new entity. Raises `EntityExists`."""
    writer = check_writer(place.city, place.actor)
    subjects = settle(place.city, entity)
    check_personal(writer, subjects)
    tenant_no = store.make_tenant_no(place.city, place.tenant)
    store.register_attributes(place.city, entity["attrs"])
    if not riding.create(riding.Writer(place.city, writer, tenant_no), entity, subjects):
        raise EntityExists(entity_id=entity["id"])


def retrieve_entity(place: Place, entity_id: str, wanted: Wanted | None = None) -> Any:
    """The entity as the actor may see it. Raises `EntityNotFound`, also for what is not in sight."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    actor = place.actor
    # A client knows personal entities by its own ids alone, a resident by those that they have.
    number = unveiled(place.city, actor.organisation_no, entity_id) if isinstance(actor, Client) else None
    if number is not None and not sees_public_only(actor):
        rounds: Rounds[int, Any] = place.city.__dict__.setdefault("_retrieving", Rounds(64, arrival_s=0.0005))
        doc = rounds.ask((actor, tenant_no), number, lambda numbers: _look(place, tenant_no, numbers))
    else:
        doc = store.find_public(place.city, tenant_no, entity_id)
    if doc is None and isinstance(actor, Resident):
        doc = place.looking("retrieve", lambda tx, sight: _look_at_own(tx, sight, tenant_no, entity_id))
    if doc is None or (wanted is not None and not wanted(doc)) or is_over(doc, place.now()):
        raise EntityNotFound(entity_id=entity_id)
    return doc


def _look(place: Place, tenant_no: int, numbers: Sequence[int]) -> list[Any | None]:
    """Personal entities by their numbers, for one client, in one transaction."""

    def look(tx: Transaction, sight: Sight) -> list[Any | None]:
        found = [each for each in store.find_by_nos(tx, tenant_no, numbers) if each.subjects is not None]
        docs = {each.entity_no: doc for each, doc in zip(found, sight.show_all(found), strict=True)}
        sight.note(each for each in found if docs[each.entity_no] is not None)
        return [docs.get(number) for number in numbers]

    return place.looking("retrieve", look, few=True)


def _look_at_own(tx: Transaction, sight: Sight, tenant_no: int, entity_id: str) -> Any | None:
    found = store.find(tx, tenant_no, entity_id)
    return None if found is None else sight.show(found)


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
    writer = check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction(writer) as tx:
        if wanted is not None:
            found = store.lock(tx, tenant_no, entity_id)
            if found is None or not wanted(found.doc):
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
    writer = check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    store.register_attributes(place.city, names)

    def fulfil(found: store.Stored) -> tuple[Change, list[int] | None]:
        if wanted is not None and not wanted(found.doc):
            raise EntityNotFound(entity_id=entity_id)
        change = make(found.doc, place.now())
        if change.is_empty:
            return change, None
        return change, still_of(place.city, writer, found, change)

    done = riding.change(riding.Writer(place.city, writer, tenant_no), entity_id, fulfil)
    if done is None:
        raise EntityNotFound(entity_id=entity_id)
    return done


def still_of(city: City, writer: Actor, found: store.Stored, change: Change) -> list[int] | None:
    """Whom a changed entity is about. One that was personal stays so. Raises `EntityIsInvalid`, `NotPermitted`."""
    subjects = settle(city, found.doc)
    if subjects is not None:  # the history knows residents by number as well
        change.written = {iri: found.doc["attrs"].get(iri, each) for iri, each in change.written.items()}
    if subjects is None and found.subjects is not None:
        raise EntityIsInvalid(where="type", problem="cannot make a personal entity public")
    check_personal(writer, subjects)
    return subjects


def check_personal(writer: Actor, subjects: Sequence[int] | None) -> None:
    """Raises `NotPermitted` where a personal entity is written by who may write public ones only."""
    if subjects is not None and writer != DUTY:
        raise NotPermitted(needed="writer of personal entities")


def personal_ids(place: Place, ids: Sequence[str]) -> set[str]:
    """Which of these are ids of personal entities, or were, or are what a recipient knows one by, whoever asks: so that
    nothing about them goes elsewhere."""
    tenant_no = store.find_tenant_no(place.city, place.tenant)
    if tenant_no is None or not personal_types(place.city):
        return set()
    with place.transaction(DUTY) as tx:
        return store.personal_ids(tx, tenant_no, ids) | {each for each in ids if is_veiled(each)}


def is_over(doc: Any, now: str) -> bool:
    """Whether the time of a transient entity is over (§4.22)."""
    until = doc.get("expiresAt")
    return until is not None and until < now


def allow_writing(city: City, actor: Actor, organisation_id: str, *, personal: bool = False) -> None:
    """Lets an organisation's programs write entities; `personal` also those of personal types. For an officer."""
    officer = require_officer(actor)
    with city.transaction(officer) as tx:
        organisation = get_organisation(tx, organisation_id)
        store.allow_writer(tx, organisation.organisation_no, personal=personal)


@dataclass(frozen=True)
class Tenant:
    """A tenant and how many entities it has."""

    name: str
    entities: int


def list_tenants(city: City, actor: Actor) -> list[Tenant]:
    """All tenants by name. For an officer."""
    require_officer(actor)
    with city.transaction(DUTY) as tx:
        return [Tenant(row.name, row.n) for row in store.list_tenants(tx)]

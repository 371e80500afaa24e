"""What an actor sees, and who may write. Every way out of the broker asks here, and nowhere else.

A public entity is seen by whoever has signed in. A personal one is seen by its residents, and by a client under an
agreement while all of its residents grant it: then with the agreed attributes only, and under ids of its own. What a
client saw is in the journal before it leaves: `Sight.close` is the last thing that a transaction does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sanpo.broker.errors import NotAWriter
from sanpo.broker.model import VALUE_KEYS, Instance, objects_of
from sanpo.broker.personal import RESIDENT, SUBJECT, number_in, personal_types, veiled_id
from sanpo.broker.store import SQL, Stored
from sanpo.consent import Reading, begin_reading
from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, NotPermitted, NotSignedIn
from sanpo.journal import gather
from sanpo.people import pseudonym

OPEN = System("broker_open")
"""Whoever asks a broker without sign-in (`broker_open`). No policy knows this duty: it sees public rows."""


@dataclass(frozen=True)
class Sight:
    """What one actor sees in one transaction."""

    def show(self, stored: Stored) -> Any | None:
        """The entity as this actor may see it, or None."""
        return stored.doc if stored.subjects is None else None

    def show_all(self, stored: Sequence[Stored]) -> list[Any | None]:
        """As `show` for each, with one look at who grants."""
        return [self.show(each) for each in stored]

    @property
    def attributes(self) -> frozenset[str] | None:
        """What of personal entities is in sight: None for everything. A condition on anything else tells nothing."""
        return None

    def note(self, stored: Iterable[Stored]) -> None:
        """Notes what will leave."""

    def close(self, tx: Transaction, operation: str, recorded: set[int] | None = None) -> bool:
        """Writes what was noted into the journal; False where somebody has withdrawn meanwhile.

        Entities in `recorded` are there already; the others are added to it.
        """
        return True


@dataclass(frozen=True)
class OwnSight(Sight):
    """A resident, who sees all of their own."""

    resident: Resident

    subject_attributes: frozenset[str]

    def show(self, stored: Stored) -> Any | None:
        if stored.subjects is None:
            return stored.doc
        if self.resident.subject_no not in stored.subjects:
            return None
        own = f"{RESIDENT}{self.resident.resident_id}"
        attrs = {
            iri: [{**each, "object": own} for each in found] if iri in self.subject_attributes else found
            for iri, found in stored.doc["attrs"].items()
        }
        return {**stored.doc, "attrs": attrs}


@dataclass(frozen=True)
class AgreedSight(Sight):
    """A client under an agreement. `covered` maps each personal type in it to the attributes that it covers."""

    tx: Transaction
    organisation_no: int
    reading: Reading
    covered: Mapping[str, frozenset[str]]
    subject_attributes: frozenset[str]
    hidden_types: frozenset[str]
    noted: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def show(self, stored: Stored) -> Any | None:
        if stored.subjects is None:
            return stored.doc
        types = stored.doc["type"]
        if not self.hidden_types.isdisjoint(types) or not self.reading.includes(stored.subjects):
            return None
        agreed = frozenset().union(*(self.covered[iri] for iri in types if iri in self.covered))
        veils = self._veils(stored, agreed)
        attrs = {iri: self._shown(iri, found, veils) for iri, found in stored.doc["attrs"].items() if iri in agreed}
        return {**stored.doc, "id": veiled_id(self.tx.city, self.organisation_no, stored.entity_no), "attrs": attrs}

    def show_all(self, stored: Sequence[Stored]) -> list[Any | None]:
        self.reading.includes([number for each in stored for number in each.subjects or ()])
        return super().show_all(stored)

    def _veils(self, stored: Stored, agreed: frozenset[str]) -> Mapping[str, str]:
        """This recipient's own ids for the personal entities that the agreed relationships lead to."""
        ids = {
            uri
            for iri, instances in stored.doc["attrs"].items()
            if iri in agreed and iri not in self.subject_attributes
            for instance in instances
            for uri in objects_of(instance)
        }
        if not ids:
            return {}
        rows = self.tx.all(SQL.personal_numbers, entity_no=stored.entity_no, ids=sorted(ids))
        return {row.entity_id: veiled_id(self.tx.city, self.organisation_no, row.entity_no) for row in rows}

    def _shown(self, iri: str, instances: list[Instance], veils: Mapping[str, str]) -> list[Instance]:
        if iri in self.subject_attributes:
            return [self._of_subject(each) for each in instances]
        return [_veiled(each, veils) for each in instances] if veils else instances

    def _of_subject(self, instance: Instance) -> Instance:
        """Residents under the pseudonyms of this recipient."""
        numbers = [number for number in map(number_in, objects_of(instance)) if number is not None]
        names = [SUBJECT + pseudonym(self.tx.city, self.organisation_no, number) for number in numbers]
        return {**instance, "object": names[0] if len(names) == 1 else names}

    @property
    def attributes(self) -> frozenset[str] | None:
        """Those that every covered type shows: a condition on them means the same before and after the veil."""
        shown = list(self.covered.values())
        return frozenset.intersection(*shown) - self.subject_attributes if shown else frozenset()

    def note(self, stored: Iterable[Stored]) -> None:
        for each in stored:
            if each.subjects is not None:
                self.noted[each.entity_no] = each.subjects

    def close(self, tx: Transaction, operation: str, recorded: set[int] | None = None) -> bool:
        if not self.noted:
            return True
        agreement = self.reading.agreement
        subjects = {number for each in self.noted.values() for number in each}
        if not self.reading.confirm(subjects):
            return False
        fresh = {no: each for no, each in self.noted.items() if recorded is None or no not in recorded}
        if not fresh:
            return True
        if recorded is not None:
            tx.on_commit(lambda: recorded.update(fresh))
        gather(
            tx,
            body={
                "agreement_id": agreement.agreement_id,
                "agreement_sha256": agreement.sha256,
                "organisation_id": agreement.organisation_id,
                "asked_by": self.reading.asked_by,
                "purpose": list(agreement.purpose_codes),
                "operation": operation,
            },
            counts={"entities": len(fresh)},
            agreement_no=agreement.agreement_no,
            organisation_no=agreement.organisation_no,
            subjects={number for each in fresh.values() for number in each},
            universe=self.reading.universe,
        )
        return True


PUBLIC = Sight()
DUTY = System("broker")


def sees_public_only(actor: Actor) -> bool:
    """Whether no personal entity can be in sight, so that no transaction is needed to know."""
    return not isinstance(actor, Resident) and not (isinstance(actor, Client) and actor.agreement_id is not None)


def sight_of(tx: Transaction, actor: Actor, *, few: bool = False) -> Sight:
    """What the actor sees from here on. An agreement that is not in force, or covers no type of entity, shows nothing.

    `few` is for a transaction that reads a few entities by their ids and then ends: withdrawals wait for it.
    """
    if isinstance(actor, Resident):
        return OwnSight(actor, frozenset(each.subject for each in personal_types(tx.city).values()))
    if not isinstance(actor, Client) or actor.agreement_id is None:
        return PUBLIC
    types = personal_types(tx.city).values()
    try:
        reading = begin_reading(tx, actor, actor.agreement_id, held=few)
    except DomainError:
        return PUBLIC
    agreement = reading.agreement
    covered = {
        each.iri: frozenset(iri for iri, name in each.columns.items() if name in agreement.columns_of(each.name))
        for each in types
        if agreement.columns_of(each.name)
    }
    if not covered:
        return PUBLIC
    return AgreedSight(
        tx,
        actor.organisation_no,
        reading,
        covered,
        frozenset(each.subject for each in types),
        frozenset(each.iri for each in types if each.iri not in covered),
    )


def _veiled(instance: Instance, veils: Mapping[str, str]) -> Instance:
    key = VALUE_KEYS[instance["type"]]
    given = instance[key]
    if not objects_of(instance):
        return instance
    if isinstance(given, str):
        return {**instance, key: veils.get(given, given)}
    return {**instance, key: [veils.get(uri, uri) for uri in given]}


def check_reader(actor: Actor) -> None:
    """Raises `NotSignedIn` for nobody."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn


def may_write(city: City, actor: Actor) -> bool:
    """Whether the actor may write entities and registrations."""
    try:
        check_writer(city, actor)
    except DomainError:
        return False
    return True


def check_writer(city: City, actor: Actor) -> Actor:
    """As whom the writing transaction acts: at the broker's own duty where personal entities may be written too.

    Raises `NotSignedIn`, `NotPermitted` or `NotAWriter`.
    """
    match actor:
        case Anonymous():
            raise NotSignedIn
        case System():
            return actor if actor is OPEN else DUTY
        case Staff(role="officer"):
            return DUTY
        case Client():
            row = city.db.read(SQL.is_writer, organisation_no=actor.organisation_no)
            if row is None:
                raise NotAWriter(organisation_id=actor.organisation_id)
            return DUTY if row.personal else actor
        case _:
            raise NotPermitted(needed="officer or writing organisation")

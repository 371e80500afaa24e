"""What is told about the past: histories created, added to, corrected and deleted (§5.6.11 to §5.6.16).

The present values of an entity stay as they are: these operations are about the history alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sanpo.broker import changing, history
from sanpo.broker.entities import Place, check_personal
from sanpo.broker.errors import AttributeNotFound, EntityIsInvalid, EntityNotFound
from sanpo.broker.flow.correcting import Corrected
from sanpo.broker.model import Attributes, Instance
from sanpo.broker.personal import personal_types, settle
from sanpo.broker.representation.reading import Fragment
from sanpo.broker.sight import check_writer
from sanpo.broker.store import make_tenant_no, register_attributes
from sanpo.broker.temporal import store
from sanpo.broker.temporal.errors import InstanceNotFound
from sanpo.broker.temporal.model import Chronicle, instance_of, number_of
from sanpo.broker.temporal.store import Groups, Histories
from sanpo.ground.actors import Actor
from sanpo.ground.db import Transaction


@dataclass(frozen=True)
class Held:
    """A history that this transaction alone writes."""

    tx: Transaction
    writer: Actor
    chronicle: Chronicle
    groups: Groups


def put_evolution(place: Place, entity_id: str, fragment: Fragment) -> bool:
    """Creates a history, or adds instances and types to one that is there; returns whether it is new (§5.6.11).

    A new one must name its types. Those of an entity that is there now stay as they are. Raises `EntityIsInvalid`.
    """
    writer = check_writer(place.city, place.actor)
    tenant_no = make_tenant_no(place.city, place.tenant)
    register_attributes(place.city, fragment["attrs"])
    with place.transaction(writer) as tx:
        store.hold(tx, tenant_no, entity_id)
        chronicle = Histories(place.city, tx.all, tenant_no).find_by_id(entity_id)
        if chronicle is not None:
            _record(place, Held(tx, writer, chronicle, {}), fragment)
            _widen(place, tx, chronicle, fragment)
            return False
        if "type" not in fragment:
            raise EntityIsInvalid(where="type", problem="is missing")
        doc: Any = {**fragment, "id": entity_id}
        subjects = settle(place.city, doc)
        check_personal(writer, subjects)
        entity_no = store.make_chronicle(tx, tenant_no, doc, subjects, place.now())
        store.record(tx, entity_no, doc["attrs"], subjects, place.now())
    return True


def append_to_evolution(place: Place, entity_id: str, fragment: Fragment) -> None:
    """Adds instances of attributes (§5.6.12). Raises `EntityNotFound`."""
    register_attributes(place.city, fragment["attrs"])
    with _holding(place, entity_id) as held:
        _record(place, held, fragment)


def delete_attribute_history(
    place: Place, entity_id: str, iri: str, *, dataset_id: str | None = None, every: bool = False
) -> None:
    """Deletes all instances of one dataset of an attribute, or of all (§5.6.13). Raises `AttributeNotFound`."""
    with _holding(place, entity_id) as held:
        number = _attr_no(place, iri)
        flowed = Corrected.of(held.tx, held.groups, number)
        gone = store.delete_attribute(held.tx, held.groups, number, dataset_id=dataset_id, every=every)
        if not gone + flowed.strike(lambda row: every or row.dataset_id == dataset_id):
            raise AttributeNotFound(attribute=iri)


def change_instance(place: Place, entity_id: str, iri: str, instance_id: str, instance: Instance) -> None:
    """Changes members of one instance (§5.6.14). Raises `InstanceNotFound`."""
    with _holding(place, entity_id) as held:
        attr_no, number = _attr_no(place, iri), _number_of(instance_id)
        flowed = Corrected.of(held.tx, held.groups, attr_no)
        here = store.find_instance(held.tx, held.groups, attr_no, number)
        row = here or flowed.find(number)
        if row is None:
            raise InstanceNotFound(instance_id=instance_id)
        before = instance_of(row)
        del before["instanceId"]
        doc: Any = {"type": list(held.chronicle.types), "attrs": {iri: [before]}}
        given = dict(instance)
        if "datasetId" in before:
            given["datasetId"] = before["datasetId"]
        changing.partial(doc, iri, given, place.now())
        after: Attributes = {iri: doc["attrs"].get(iri, [])}
        if not after[iri]:
            raise EntityIsInvalid(where=iri, problem="holds the NGSI-LD Null: delete the instance instead")
        _settle(place, held, after)
        if here is None:
            flowed.strike(lambda each: each.observation_no == number)
            store.bring_back(held.tx, row, after, place.now())
        else:
            store.change_instance(held.tx, row, after, place.now())


def delete_instance(place: Place, entity_id: str, iri: str, instance_id: str) -> None:
    """Deletes one instance (§5.6.15). Raises `InstanceNotFound`."""
    with _holding(place, entity_id) as held:
        attr_no, number = _attr_no(place, iri), _number_of(instance_id)
        flowed = Corrected.of(held.tx, held.groups, attr_no)
        gone = store.delete_instance(held.tx, held.groups, attr_no, number)
        if not gone + flowed.strike(lambda row: row.observation_no == number):
            raise InstanceNotFound(instance_id=instance_id)


def delete_evolution(place: Place, entity_id: str) -> None:
    """Deletes the whole history; an entity that is there now stays there (§5.6.16). Raises `EntityNotFound`."""
    with _holding(place, entity_id) as held:
        flowed = Corrected.of(held.tx, held.groups)
        if not store.delete_history(held.tx, held.groups) + flowed.strike_all():
            raise EntityNotFound(entity_id=entity_id)


@contextmanager
def _holding(place: Place, entity_id: str) -> Iterator[Held]:
    writer = check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    with place.transaction(writer) as tx:
        store.hold(tx, tenant_no, entity_id)
        histories = Histories(place.city, tx.all, tenant_no)
        chronicle = histories.find_by_id(entity_id)
        if chronicle is None:
            raise EntityNotFound(entity_id=entity_id)
        groups = histories.groups_of([chronicle])
        history.prepare(place.city, list(groups))
        yield Held(tx, writer, chronicle, groups)


def _record(place: Place, held: Held, fragment: Fragment) -> None:
    subjects = _settle(place, held, fragment["attrs"])
    store.record(held.tx, held.chronicle.entity_no, fragment["attrs"], subjects, place.now())


def _widen(place: Place, tx: Transaction, chronicle: Chronicle, fragment: Fragment) -> None:
    """Types are only ever added. What was told about nobody does not come to be about residents by it."""
    new = [iri for iri in fragment.get("type", []) if iri not in chronicle.types]
    if not new:
        return
    if any(iri in personal_types(place.city) for iri in new):
        raise EntityIsInvalid(where="type", problem="is personal, which a history cannot become")
    store.widen_types(tx, chronicle.entity_no, [*chronicle.types, *new])


def _settle(place: Place, held: Held, attrs: Attributes) -> list[int] | None:
    """Whom the instances are about: whom they name, else whom the entity is about. Residents are named by number."""
    if held.chronicle.subjects is None:
        return None
    check_personal(held.writer, held.chronicle.subjects)
    doc: Any = {"type": list(held.chronicle.types), "attrs": attrs}
    try:
        return settle(place.city, doc)
    except EntityIsInvalid:
        if any(_names_residents(place, held, iri) for iri in attrs):
            raise
        return list(held.chronicle.subjects)


def _names_residents(place: Place, held: Held, iri: str) -> bool:
    types = personal_types(place.city)
    return any(each in types and types[each].subject == iri for each in held.chronicle.types)


def _attr_no(place: Place, iri: str) -> int:
    number = store.numbers_of(place.city, [iri]).get(iri)
    if number is None:
        raise AttributeNotFound(attribute=iri)
    return number


def _number_of(instance_id: str) -> int:
    number = number_of(instance_id)
    if number is None:
        raise InstanceNotFound(instance_id=instance_id)
    return number

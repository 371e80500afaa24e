"""Observations in bulk, of entities that are there: the short way for meters and sensors.

All of a batch is one transaction: the instances go into the history as they come, and the present value of each attribute
is changed once, to the last one observed, if nothing later is known. Only numbers; the default instance of an attribute.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sanpo.broker import store as entities
from sanpo.broker.changing import Change
from sanpo.broker.entities import Place, check_personal
from sanpo.broker.model import Instance
from sanpo.broker.sight import check_writer
from sanpo.broker.store import Stored, register_attributes
from sanpo.broker.temporal import store
from sanpo.ground.db import Transaction

Newest = dict[str, dict[str, "Observation"]]
"""By entity and attribute."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A number at a time. `observed_at` is in the canonical form, so that texts are in the order of times."""

    entity_id: str
    attribute: str
    number: float
    observed_at: str
    unit: str | None = None


def ingest(
    place: Place, observations: Sequence[Observation], *, note: Callable[[Transaction], None] | None = None
) -> set[str]:
    """Adds the observations of entities that are there; returns the ids of the others, of which nothing is stored.

    `note` writes in the same transaction what is true when they are stored.
    Raises `NotPermitted` where a writer of public entities names a personal one by chance: then nothing is stored.
    """
    writer = check_writer(place.city, place.actor)
    tenant_no = place.find_tenant_no()
    newest = _newest(observations)
    iris = {iri for each in newest.values() for iri in each}
    register_attributes(place.city, iris)
    numbers = store.numbers_of(place.city, frozenset(iris))
    now = place.now()
    with place.transaction(writer) as tx:
        there = entities.lock_all(tx, tenant_no, list(newest))
        for found in there.values():
            check_personal(writer, found.subjects)
        kept = [each for each in observations if each.entity_id in there]
        if kept:
            nos = {entity_id: found.entity_no for entity_id, found in there.items()}
            store.ingest(tx, kept, nos, numbers, now)
        changed = [(found, _changed(found, newest[entity_id], now)) for entity_id, found in there.items()]
        whose = {found.doc["id"]: found.subjects for found in there.values()}
        entities.save_many(tx, [each for each in changed if not each[1].is_empty], lambda doc: whose[doc["id"]])
        if note is not None:
            note(tx)
    return newest.keys() - there.keys()


def _newest(observations: Sequence[Observation]) -> Newest:
    found: Newest = {}
    for each in observations:
        of_entity = found.setdefault(each.entity_id, {})
        before = of_entity.get(each.attribute)
        if before is None or before.observed_at <= each.observed_at:
            of_entity[each.attribute] = each
    return found


def _changed(found: Stored, newest: dict[str, Observation], now: str) -> Change:
    """Sets the present values. The history is written elsewhere, so that the change has nothing for it."""
    change = Change(now)
    attrs: Any = found.doc["attrs"]
    for iri, observation in newest.items():
        before = attrs.get(iri, [])
        old = before[0] if before and "datasetId" not in before[0] else None
        if old is not None and _is_later(old, observation):
            continue
        kept = before if old is None else before[1:]
        attrs[iri] = [_instance(observation, old, now), *kept]
        change.note(iri, before, attrs[iri])
    change.written.clear()
    if not change.is_empty:
        found.doc["modifiedAt"] = now
    return change


def _is_later(old: Instance, observation: Observation) -> bool:
    """Texts of unequal precision are compared without their `Z`, which is greater than a dot."""
    at: str = old.get("observedAt", "")
    return at.rstrip("Z") > observation.observed_at.rstrip("Z").rstrip("0").rstrip(".") if at else False


def _instance(observation: Observation, old: Instance | None, now: str) -> Instance:
    number = observation.number
    found: Instance = {
        "type": "Property",
        "value": int(number) if number.is_integer() else number,
        "observedAt": observation.observed_at,
    }
    if observation.unit is not None:
        found["unitCode"] = observation.unit
    return {**found, "createdAt": now if old is None else old.get("createdAt", now), "modifiedAt": now}

"""What the updates of NGSIv2 make of an entity: pure, on the canonical form, by the broker's own changes.

Metadata that an update does not name stay (as Orion's do) unless `overrideMetadata` is asked for.
"""

from typing import Any

from sanpo.broker import changing
from sanpo.broker.changing import Change
from sanpo.broker.errors import AttributeNotFound
from sanpo.broker.model import Attributes, Instance, default_instance
from sanpo.broker.ngsi_v2.names import iri_of, name_of
from sanpo.broker.ngsi_v2.reading import Reader
from sanpo.broker.ngsi_v2.values import type_and_value
from sanpo.broker.representation.reading import UNITLESS, Fragment


def append(entity: Any, fragment: Fragment, now: str, *, override: bool = False, strict: bool = False) -> Change:
    """Updates what is there and appends what is not; with `strict` appends only, and notes what is there as refused."""
    return _put(entity, fragment, now, override=override, refused="exists" if strict else None)


def update(entity: Any, fragment: Fragment, now: str, *, override: bool = False) -> Change:
    """Updates what is there, and notes what is not as refused."""
    return _put(entity, fragment, now, override=override, refused="is missing")


def replace(entity: Any, fragment: Fragment, now: str) -> Change:
    """All attributes are those of the fragment; type, scope and end stay."""
    kept = {key: entity[key] for key in ("type", "scope", "expiresAt") if key in entity}
    attrs = {
        iri: [_dated(entity, iri, instance) for instance in instances] for iri, instances in fragment["attrs"].items()
    }
    return changing.replace_entity(entity, {**kept, **_end(fragment), "attrs": attrs}, now)


def update_attribute(entity: Any, iri: str, instance: Instance, now: str, *, override: bool) -> Change:
    """One attribute that is there. Raises `AttributeNotFound`."""
    if default_instance(entity["attrs"].get(iri, [])) is None:
        raise AttributeNotFound(attribute=name_of(iri))
    return update(entity, {"attrs": {iri: [instance]}}, now, override=override)


def update_value(entity: Any, iri: str, value: Any, now: str) -> Change:
    """The value alone: type and metadata stay. Raises `AttributeNotFound`."""
    old = default_instance(entity["attrs"].get(iri, []))
    if old is None:
        raise AttributeNotFound(attribute=name_of(iri))
    instance = Reader(now).attribute(name_of(iri), {"type": type_and_value(old)[0], "value": value})
    return update(entity, {"attrs": {iri: [instance]}}, now)


def delete_attributes(entity: Any, iris: list[str], now: str) -> Change:
    """The default instances of these. Raises `AttributeNotFound` for the first that is not there."""
    change = Change(now)
    for iri in iris:
        before = entity["attrs"].get(iri, [])
        after = [each for each in before if "datasetId" in each]
        if len(after) == len(before):
            raise AttributeNotFound(attribute=name_of(iri))
        if after:
            entity["attrs"][iri] = after
        else:
            del entity["attrs"][iri]
        change.note(iri, before, after)
    if not change.is_empty:
        entity["modifiedAt"] = now
    return change


def _put(entity: Any, fragment: Fragment, now: str, *, override: bool, refused: str | None) -> Change:
    taken: Any = {"attrs": {}, **_end(fragment)}
    left: dict[str, str] = {}
    for iri, (instance,) in fragment["attrs"].items():
        old = default_instance(entity["attrs"].get(iri, []))
        if refused == ("is missing" if old is None else "exists"):
            left[iri] = str(refused)
        else:
            taken["attrs"][iri] = [instance if old is None or override else _with_metadata(old, instance)]
    change = changing.append(entity, taken, now)
    change.refused.update(left)
    return change


def _end(fragment: Fragment) -> Any:
    return {"expiresAt": fragment["expiresAt"]} if "expiresAt" in fragment else {}


def _dated(entity: Any, iri: str, instance: Instance) -> Instance:
    old = default_instance(entity["attrs"].get(iri, []))
    return instance if old is None else {**instance, "createdAt": old["createdAt"]}


def _with_metadata(old: Instance, new: Instance) -> Instance:
    """`new` with the metadata of `old` that it does not name itself."""
    found: Instance = {key: old[key] for key in ("observedAt", "unitCode") if key in old}
    found |= new
    subs: Attributes = {**old.get("attrs", {}), **new.get("attrs", {})}
    if found["type"] in UNITLESS and "unitCode" in found:
        subs[iri_of("unitCode")] = [{"type": "Property", "value": found.pop("unitCode")}]
    return {**found, "attrs": subs} if subs else found

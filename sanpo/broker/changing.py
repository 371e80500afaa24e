"""What an operation makes of an entity (§5.5.8, §5.5.12, §5.6): pure, on the canonical form, in place.

Each takes the entity, what came in and the time, changes the entity, and notes in a `Change` what it did: the outbox,
the history and the answer are made from it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sanpo.broker.errors import AttributeNotFound, EntityIsInvalid
from sanpo.broker.merging import merge_instance
from sanpo.broker.model import LOCATION, NULL, VALUE_KEYS, Attributes, Instance
from sanpo.broker.representation.reading import UNTYPED, Fragment
from sanpo.broker.representation.writing import short_time

SCOPE = "https://uri.etsi.org/ngsi-ld/scope"


@dataclass
class Change:
    """What happened to the attributes, by IRI. `written` and `gone` hold single instances, for the history."""

    now: str
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    before: Attributes = field(default_factory=dict)
    written: Attributes = field(default_factory=dict)
    gone: Attributes = field(default_factory=dict)
    touched: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.updated or self.removed or self.touched)

    @property
    def is_small(self) -> bool:
        """One instance of one attribute that was there, of the same kind, and is no place; nothing else of the entity."""
        return (
            not (self.added or self.removed or self.gone or self.touched)
            and len(self.written) == 1
            and LOCATION not in self.written
            and len(next(iter(self.written.values()))) == 1
            and self._keeps_kinds()
        )

    def _keeps_kinds(self) -> bool:
        """Whether what is written was of its kind before, as all that it stands beside."""
        iri, (instance,) = next(iter(self.written.items()))
        return all(each["type"] == instance["type"] for each in self.before.get(iri, ()))

    @property
    def done(self) -> list[str]:
        return [*self.added, *self.updated, *self.removed]

    def note(self, iri: str, before: list[Instance], after: list[Instance]) -> None:
        """Compares the instances of one attribute before and after."""
        if before:
            self.before[iri] = before
        (self.updated if before and after else self.added if after else self.removed).append(iri)
        old = {id(each) for each in before}
        ids = {each.get("datasetId") for each in after}
        written = [each for each in after if id(each) not in old]
        gone = [each for each in before if each.get("datasetId") not in ids]
        if written:
            self.written[iri] = written
        if gone:
            self.gone[iri] = gone


def created(entity: Any, now: str) -> Change:
    """A new entity: all of it is written."""
    return Change(now, added=list(entity["attrs"]), written=entity["attrs"], touched=True)


def deleted(entity: Any, now: str) -> Change:
    return Change(now, removed=list(entity["attrs"]), before=entity["attrs"], gone=entity["attrs"], touched=True)


def append(entity: Any, fragment: Fragment, now: str, *, overwrite: bool = True) -> Change:
    """Append Attributes (§5.6.3)."""
    change = Change(now)
    _widen(entity, fragment, change, overwrite=overwrite)
    attrs: Attributes = entity["attrs"]
    for iri, instances in fragment["attrs"].items():
        before = attrs.get(iri, [])
        there = {each.get("datasetId") for each in before}
        taken = [each for each in instances if overwrite or each.get("datasetId") not in there]
        if len(taken) < len(instances):
            change.refused[iri] = "exists, and noOverwrite was asked for"
        if taken:
            _put(attrs, iri, before, taken, change)
    return _stamp(entity, change)


def update(entity: Any, fragment: Fragment, now: str) -> Change:
    """Update Attributes (§5.6.2, §5.5.8): replaces whole instances, adds those that are not there; a scope is only
    replaced (§5.6.2.4)."""
    change = Change(now)
    _widen(entity, fragment, change, overwrite=True, adds_scope=False)
    attrs: Attributes = entity["attrs"]
    for iri, instances in fragment["attrs"].items():
        _put(attrs, iri, attrs.get(iri, []), instances, change)
    return _stamp(entity, change)


def partial(entity: Any, iri: str, instance: Instance, now: str) -> Change:
    """Partial Attribute Update (§5.6.4): member by member of one instance. Raises `AttributeNotFound`."""
    change = Change(now)
    attrs: Attributes = entity["attrs"]
    before = attrs.get(iri, [])
    at = _place(before, instance.get("datasetId"))
    if at is None:
        raise AttributeNotFound(attribute=iri)
    old = before[at]
    if is_null(instance):
        after = [*before[:at], *before[at + 1 :]]
    else:
        kind = instance.get("type") or old["type"]
        if kind != old["type"]:
            raise EntityIsInvalid(where="type", problem=f"is not {old['type']}, which the attribute has")
        after = [*before[:at], _with_members(old, instance, now), *before[at + 1 :]]
    _set(attrs, iri, after)
    change.note(iri, before, after)
    return _stamp(entity, change)


def replace_attribute(entity: Any, iri: str, instances: list[Instance], now: str) -> Change:
    """Replace Attribute (§5.6.19): the instances with the same datasetId. Raises `AttributeNotFound`."""
    change = Change(now)
    attrs: Attributes = entity["attrs"]
    before = attrs.get(iri, [])
    if any(_place(before, each.get("datasetId")) is None for each in instances):
        raise AttributeNotFound(attribute=iri)
    _put(attrs, iri, before, instances, change)
    return _stamp(entity, change)


def merge(
    entity: Any, fragment: Fragment, now: str, *, observed_at: str | None = None, lang: str | None = None
) -> Change:
    """Merge (§5.5.12, §5.6.17): down to the members of values."""
    change = Change(now)
    _widen(entity, fragment, change, overwrite=True)
    attrs: Attributes = entity["attrs"]
    for iri, instances in fragment["attrs"].items():
        before = attrs.get(iri, [])
        after = _joined(
            before, instances, lambda old, new: merge_instance(old, new, now, observed_at=observed_at, lang=lang)
        )
        if after or before:
            _set(attrs, iri, after)
            change.note(iri, before, after)
    return _stamp(entity, change)


def replace_entity(entity: Any, new: Any, now: str) -> Change:
    """Replace Entity (§5.6.18): everything but id and createdAt."""
    change = Change(now, touched=True)
    before: Attributes = entity["attrs"]
    for iri in [*new["attrs"], *(iri for iri in before if iri not in new["attrs"])]:
        change.note(iri, before.get(iri, []), new["attrs"].get(iri, []))
    scope = entity.get("scope")
    for key in ("scope", "expiresAt"):
        entity.pop(key, None)
        if key in new:
            entity[key] = new[key]
    _tell_scope(entity, scope, change)
    entity["type"], entity["attrs"] = new["type"], new["attrs"]
    return _stamp(entity, change)


def delete_attribute(entity: Any, iri: str, now: str, *, dataset_id: str | None, every: bool) -> Change:
    """Delete Attribute (§5.6.5). Raises `AttributeNotFound`."""
    change = Change(now)
    if iri == SCOPE:
        scope = entity.pop("scope", None)
        if scope is None:
            raise AttributeNotFound(attribute="scope")
        _tell_scope(entity, scope, change)
        change.touched = True
        return _stamp(entity, change)
    attrs: Attributes = entity["attrs"]
    before = attrs.get(iri, [])
    after = [] if every else [each for each in before if each.get("datasetId") != dataset_id]
    if len(after) == len(before):
        raise AttributeNotFound(attribute=iri)
    _set(attrs, iri, after)
    change.note(iri, before, after)
    return _stamp(entity, change)


def is_null(instance: Instance) -> bool:
    """Whether the instance stands for a removal."""
    key = VALUE_KEYS.get(instance.get("type", "Property"), "value")
    value = instance.get(key)
    return type(value) is str and value == NULL


def _put(attrs: Attributes, iri: str, before: list[Instance], instances: list[Instance], change: Change) -> None:
    """Replaces or adds whole instances, by datasetId."""
    after = _joined(before, instances, lambda old, new: {**_typed(new), "createdAt": old["createdAt"]})
    after.sort(key=lambda each: "datasetId" in each)
    if after or before:
        _set(attrs, iri, after)
        change.note(iri, before, after)


def _set(attrs: Attributes, iri: str, after: list[Instance]) -> None:
    if after:
        attrs[iri] = after
    else:
        attrs.pop(iri, None)


def _place(instances: list[Instance], dataset_id: str | None) -> int | None:
    return next((at for at, each in enumerate(instances) if each.get("datasetId") == dataset_id), None)


def _typed(instance: Instance) -> Instance:
    """A bare value that met no attribute is a Property."""
    return {**instance, "type": "Property"} if instance["type"] == UNTYPED else instance


def _with_members(old: Instance, new: Instance, now: str) -> Instance:
    """`old` with the members of `new`, sub-attributes replaced one by one; an NGSI-LD Null takes a member away."""
    found = {**old, "modifiedAt": now}
    for name, member in new.items():
        if name in ("type", "createdAt", "modifiedAt", "datasetId", "attrs"):
            continue
        if member == NULL and type(member) is str:
            found.pop(name, None)
        else:
            found[name] = member
    if "value" in new and new.get("type") is None and old["type"] != "GeoProperty" and "value" not in old:
        raise EntityIsInvalid(where="value", problem=f"is no member of a {old['type']}")
    if "attrs" in new:
        subs = dict(old.get("attrs", {}))
        for iri, instances in new["attrs"].items():
            kept = [_typed(each) for each in instances if not is_null(each)]
            _set(subs, iri, kept)
        found.pop("attrs", None)
        if subs:
            found["attrs"] = subs
    return found


def _widen(entity: Any, fragment: Fragment, change: Change, *, overwrite: bool, adds_scope: bool = True) -> None:
    """Types are only ever added (§5.6.2.4); the scope is replaced, widened, or removed by an NGSI-LD Null."""
    for iri in fragment.get("type", []):
        if iri not in entity["type"]:
            entity["type"] = [*entity["type"], iri]
            change.touched = True
    scope = entity.get("scope")
    for key in ("scope", "expiresAt"):
        if key not in fragment:
            continue
        if fragment[key] == NULL:
            change.touched |= entity.pop(key, None) is not None
        elif key == "scope" and key not in entity and not adds_scope:
            change.refused[SCOPE] = "is not there to be replaced"
        elif overwrite or key not in entity:
            entity[key] = fragment[key]
            change.touched = True
        elif key == "scope":  # what is there stays, beside what comes (§5.6.3.4)
            entity[key] = list(dict.fromkeys([*entity[key], *fragment["scope"]]))
            change.touched = True
    _tell_scope(entity, scope, change)


def _tell_scope(entity: Any, before: list[str] | None, change: Change) -> None:
    """The history of the scope is that of a Property, observed when it was changed (§4.5.6)."""
    scope = entity.get("scope")
    if scope == before:
        return
    told = scope_instance(scope or before or [], change.now)
    (change.written if scope else change.gone)[SCOPE] = [told]


def scope_instance(scopes: list[str], now: str) -> Instance:
    """An instance of the scope's history."""
    value = scopes[0] if len(scopes) == 1 else scopes
    return {"type": "Property", "value": value, "observedAt": short_time(now), "createdAt": now, "modifiedAt": now}


def _stamp(entity: Any, change: Change) -> Change:
    if not change.is_empty:
        entity["modifiedAt"] = change.now
    return change


def _joined(
    before: list[Instance], instances: list[Instance], join: Callable[[Instance, Instance], Instance]
) -> list[Instance]:
    """The instances with these put in by datasetId: a null takes its own out, and what is there already is joined."""
    after = list(before)
    for each in instances:
        at = _place(after, each.get("datasetId"))
        if is_null(each):
            if at is not None:
                del after[at]
        elif at is None:
            after.append(_typed(each))
        else:
            after[at] = join(after[at], each)
    return after

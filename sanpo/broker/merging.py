"""Merging one instance into another, down to the members of its value (§5.5.12; RFC 7396)."""

from typing import Any

from sanpo.broker.errors import EntityIsInvalid
from sanpo.broker.model import NULL, VALUE_KEYS, Instance
from sanpo.broker.representation.checks import check_uri
from sanpo.broker.representation.reading import UNTYPED

_DEEP = ("Property", "JsonProperty", "LanguageProperty")
_KEPT = frozenset({"type", "datasetId", "createdAt", "modifiedAt", "attrs"})


def merge_instance(
    old: Instance, new: Instance, now: str, *, observed_at: str | None = None, lang: str | None = None
) -> Instance:
    """`old` with what `new` says. A type that differs replaces the value as a whole; an NGSI-LD Null removes."""
    given = _of_type(old, new, lang) if new["type"] == UNTYPED else new
    kind, key = given["type"], VALUE_KEYS[given["type"]]
    found: Instance = {**old, "type": kind, "modifiedAt": now}
    if kind == old["type"]:
        found[key] = merge_value(old[key], given[key]) if kind in _DEEP else given[key]
    else:
        found.pop(VALUE_KEYS[old["type"]], None)
        found[key] = given[key]
    for name, member in given.items():
        if name in _KEPT or name == key:
            continue
        if member == NULL and type(member) is str:
            found.pop(name, None)
        else:
            found[name] = member
    if "observedAt" in old and "observedAt" not in given and observed_at is not None:
        found["observedAt"] = observed_at
    _merge_subs(old, given, found, now)
    return found


def merge_value(old: Any, new: Any) -> Any:
    """A JSON merge patch, with the NGSI-LD Null in the place of null."""
    if type(new) is not dict:
        return new
    found = dict(old) if type(old) is dict else {}
    for name, member in new.items():
        if member == NULL and type(member) is str:
            found.pop(name, None)
        else:
            found[name] = merge_value(found.get(name), member)
    return found


def _of_type(old: Instance, new: Instance, lang: str | None) -> Instance:
    """A bare value as the type that the attribute has (§5.5.12, simplified fragments)."""
    kind, value = old["type"], new["value"]
    if kind == "LanguageProperty" and type(value) is str:
        if lang is None:
            raise EntityIsInvalid(where="languageMap", problem="needs the parameter lang for a text")
        value = {lang: value}
    elif kind == "Relationship":
        for uri in value if type(value) is list else [value]:
            check_uri(uri, "object")
    elif kind == "GeoProperty":
        raise EntityIsInvalid(where="value", problem="is no GeoJSON geometry")
    return {**new, "type": kind, VALUE_KEYS[kind]: value} if VALUE_KEYS[kind] == "value" else _moved(new, kind, value)


def _moved(new: Instance, kind: str, value: Any) -> Instance:
    rest = {name: member for name, member in new.items() if name != "value"}
    return {**rest, "type": kind, VALUE_KEYS[kind]: value}


def _merge_subs(old: Instance, new: Instance, found: Instance, now: str) -> None:
    if "attrs" not in new:
        return
    subs = dict(old.get("attrs", {}))
    for iri, instances in new["attrs"].items():
        before = subs.get(iri)
        for each in instances:
            key = VALUE_KEYS.get(each["type"], "value")
            if each[key] == NULL and type(each[key]) is str:
                subs.pop(iri, None)
            elif before and len(before) == len(instances) == 1:
                merged = merge_instance(before[0], each, now)
                merged.pop("modifiedAt", None)
                subs[iri] = [merged]
            else:
                subs[iri] = [{**one, "type": one["type"] or "Property"} for one in instances]
    found.pop("attrs", None)
    if subs:
        found["attrs"] = subs

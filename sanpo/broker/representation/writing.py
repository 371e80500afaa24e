"""From the canonical form to what a client reads: normalized, concise or simplified (§4.5.2, §4.5.4), names compacted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sanpo.broker.model import NULL, VALUE_KEYS, Attributes, Instance
from sanpo.broker.representation.geometry import is_geometry
from sanpo.broker.representation.languages import pick_language
from sanpo.ground.lazy import lazy

if TYPE_CHECKING:
    from sanpo.broker.contexts import Context

Format = Literal["normalized", "concise", "simplified"]
Plain = dict[str, Any]
_ALL_VALUE_KEYS = frozenset(VALUE_KEYS.values())
_SINCE = {"LanguageProperty": (1, 4), **dict.fromkeys(
    ("VocabProperty", "JsonProperty", "ListProperty", "ListRelationship"), (1, 8)
)}  # fmt: skip
"""The version of the specification that brought each later type of attribute: before it, it is a Property (§4.3.6.8)."""
_AS_STORED = frozenset({"Property", "Relationship", "GeoProperty", "ListProperty"})
_NOT_AS_STORED = frozenset({"attrs", "objectType", "entityTypeSealed", "expiresAt", "v2"})
_WRAPPED = frozenset({"LanguageProperty", "VocabProperty", "JsonProperty"})


@dataclass(frozen=True)
class Writer:
    """Writes entities for one answer. `lang` turns each LanguageProperty into a text of the best language (§4.15)."""

    context: "Context"
    format: Format = "normalized"
    system: bool = False
    lang: str | None = None
    version: tuple[int, int] | None = None

    def entity(self, entity: Any) -> Plain:
        """The whole entity; members that a projection took away are left out."""
        compact_type = self.context.compact_type
        found: Plain = {}
        if "id" in entity:
            found["id"] = entity["id"]
        if "type" in entity:
            found["type"] = _one_or_all([compact_type(iri) for iri in entity["type"]])
        if "scope" in entity:
            found["scope"] = _one_or_all(entity["scope"])
        if self.system:
            for name in ("createdAt", "modifiedAt", "expiresAt"):
                if name in entity:
                    found[name] = short_time(entity[name])
        self.attributes(entity["attrs"], found)
        return found

    def attributes(self, attrs: Attributes, into: Plain) -> None:
        compact, write = self.context.compact, self.instance
        for iri, instances in attrs.items():
            if self.format == "simplified":
                into[compact(iri)] = self._simplified(instances)
            elif len(instances) == 1:
                into[compact(iri)] = write(instances[0])
            else:
                into[compact(iri)] = [write(instance) for instance in instances]

    @lazy
    def instance(self) -> Callable[[Instance], Any]:
        """Writes one instance in the format asked for."""
        return {"normalized": self._normalized, "concise": self._concise, "simplified": self.value}[self.format]

    @lazy
    def _is_simple(self) -> bool:
        return not self.system and self.version is None

    def _normalized(self, instance: Instance) -> Plain:
        kind = instance["type"]
        if self._is_simple and kind in _AS_STORED and _NOT_AS_STORED.isdisjoint(instance):  # most are
            found = instance.copy()
            found.pop("createdAt", None)
            found.pop("modifiedAt", None)
            return found
        key = VALUE_KEYS[kind]
        if self.version is not None and self.version < _SINCE.get(kind, (0, 0)):
            found = {"type": "Property", "value": self._compacted(kind, instance[key])}
        elif kind == "LanguageProperty" and self.lang is not None:
            tag, text = pick_language(instance[key], self.lang)
            found = {"type": "Property", "value": text, "lang": tag}
        elif kind == "ListRelationship":
            found = {"type": kind, key: [{"object": each} for each in instance[key]]}
        else:
            found = {"type": kind, key: self._compacted(kind, instance[key])}
        if len(instance) > (4 if "createdAt" in instance else 2):
            self._more(instance, found, kind, key)
        if self.system:
            self._times(instance, found)
        return found

    def _concise(self, instance: Instance) -> Any:
        found = self._normalized(instance)
        kind = found.pop("type")
        if found.keys() == {"value"}:
            value = found["value"]
            if kind == "GeoProperty" or not _needs_wrapping(value):
                return value
        return found

    def _more(self, instance: Instance, found: Plain, kind: str, key: str) -> None:
        """The members beside type and value."""
        for name, member in instance.items():
            if name == "attrs":
                self._subs(member, found)
            elif name == "objectType":
                found[name] = _one_or_all([self.context.compact_type(iri) for iri in member])
            elif name == "entityTypeSealed":
                found[name] = self.context.compact_type(member)
            elif name not in ("type", key, "createdAt", "modifiedAt", "expiresAt", "v2"):
                found[name] = member

    def _subs(self, attrs: Attributes, found: Plain) -> None:
        compact, write = self.context.compact, self.instance
        for iri, instances in attrs.items():
            written = [write(each) for each in instances]
            found[compact(iri)] = written[0] if len(written) == 1 else written

    def _times(self, instance: Instance, found: Plain) -> None:
        for name in ("createdAt", "modifiedAt", "expiresAt"):
            if name in instance:
                found[name] = short_time(instance[name])

    def _simplified(self, instances: list[Instance]) -> Any:
        if len(instances) == 1 and "datasetId" not in instances[0]:
            return self.value(instances[0])
        return {"dataset": {each.get("datasetId", "@none"): self.value(each) for each in instances}}

    def value(self, instance: Instance) -> Any:
        """The value as the simplified form has it (§4.5.4)."""
        kind = instance["type"]
        value = self._compacted(kind, instance[VALUE_KEYS[kind]])
        if kind == "LanguageProperty" and self.lang is not None:
            return pick_language(value, self.lang)[1]
        return {VALUE_KEYS[kind]: value} if kind in _WRAPPED else value

    def _compacted(self, kind: str, value: Any) -> Any:
        if kind != "VocabProperty" or value == NULL:
            return value
        compact = self.context.compact
        return [compact(each) for each in value] if type(value) is list else compact(value)


def is_altered(attrs: Attributes, version: tuple[int, int]) -> bool:
    """Whether a reader of this version gets something as another type of attribute (§4.3.6.8)."""
    return any(
        version < _SINCE.get(each["type"], (0, 0)) or is_altered(each.get("attrs", {}), version)
        for instances in attrs.values()
        for each in instances
    )


def short_time(moment: str) -> str:
    """A system time without more zeros than it needs."""
    return moment[:-8] + "Z" if moment.endswith(".000000Z") else moment


def _one_or_all(items: list[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else items


def _needs_wrapping(value: Any) -> bool:
    """Whether a reader of the concise form would take this value for something else (§4.5.2.3)."""
    if type(value) is dict:
        return "type" in value or not _ALL_VALUE_KEYS.isdisjoint(value) or is_geometry(value)
    return type(value) is list and any(type(each) is dict for each in value)


__all__ = ["Format", "Writer", "is_altered", "short_time"]

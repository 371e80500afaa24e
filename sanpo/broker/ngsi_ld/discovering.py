"""Distributed discovery (§5.7.5 to §5.7.11): types and attributes that other sources have, beside those that are here.

A source is asked once, however many registrations it has, and believed about the types that it is registered for. What is
declared personal here is neither asked for nor taken over (docs/decisions/0015). Counts are added up: an entity with parts
at several places counts at each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sanpo.broker.discovery import AttributeFound, TypeFound, TypeInfo
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.ngsi_ld.calls import Call, Headers
from sanpo.broker.ngsi_ld.forwarding import Request, ask_all, warnings_of
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.results import told_by
from sanpo.broker.personal import personal_types
from sanpo.broker.registrations.actions import matches
from sanpo.broker.registrations.matching import Asked, Match


@dataclass(frozen=True)
class _Told:
    """What one source says; `types` are those that it is registered for, None for any."""

    body: Any
    types: frozenset[str] | None


class Survey:
    """One question to all sources that answer it. Its `warnings` tell of those that did not."""

    def __init__(self, call: Call, linked: Linked) -> None:
        self.linked = linked
        self.call = call
        self.personal = frozenset(personal_types(call.city))
        self.warnings: Headers = []

    def types(self, local: Iterable[TypeFound], *, details: bool) -> list[TypeFound]:
        """5.7.5, 5.7.6"""
        found = {each.iri: set(each.attributes) for each in local}
        operation = "retrieveEntityTypeDetails" if details else "retrieveEntityTypes"
        for told in self._ask(operation, Asked(), "types", details=details):
            for each in _items(told.body if details else told.body.get("typeList")):
                iri = self._type(each.get("typeName") if isinstance(each, dict) else each)
                if iri and self._is_wanted(iri, told):
                    names = each.get("attributeNames") if isinstance(each, dict) else None
                    found.setdefault(iri, set()).update(self._names(names))
        return [TypeFound(iri, tuple(sorted(found[iri]))) for iri in sorted(found)]

    def type_info(self, iri: str, local: TypeInfo | None) -> TypeInfo | None:
        """5.7.7"""
        count = 0 if local is None else local.count
        kinds = {} if local is None else {each.iri: set(each.kinds) for each in local.attributes}
        is_known = local is not None
        asked = Asked(types=TypeSelection(((iri,),)))
        path = f"types/{quote(self.call.segments[0], safe=':')}"
        for told in () if iri in self.personal else self._ask("retrieveEntityTypeInfo", asked, path):
            if not isinstance(told.body, dict) or self._type(told.body.get("typeName")) != iri:
                continue
            is_known = True
            count += _count(told.body.get("entityCount"))
            for each in _items(told.body.get("attributeDetails")):
                for name in self._names([each.get("attributeName")] if isinstance(each, dict) else None):
                    kinds.setdefault(name, set()).update(map(str, _items(each.get("attributeTypes"))))
        if not is_known:
            return None
        attributes = (AttributeFound(name, (iri,), tuple(sorted(kinds[name]))) for name in sorted(kinds))
        return TypeInfo(iri, count, tuple(attributes))

    def attributes(self, local: Iterable[AttributeFound], *, details: bool) -> list[AttributeFound]:
        """5.7.8, 5.7.9"""
        found = {each.iri: set(each.types) for each in local}
        operation = "retrieveAttrTypeDetails" if details else "retrieveAttrTypes"
        for told in self._ask(operation, Asked(), "attributes", details=details):
            for each in _items(told.body if details else told.body.get("attributeList")):
                types = self._types(each.get("typeNames"), told) if isinstance(each, dict) else set()
                if isinstance(each, dict) and each.get("typeNames") and not types:
                    continue  # of types that are not taken over
                for iri in self._names([each.get("attributeName") if isinstance(each, dict) else each]):
                    found.setdefault(iri, set()).update(types)
        return [AttributeFound(iri, tuple(sorted(found[iri]))) for iri in sorted(found)]

    def attribute(self, iri: str, local: AttributeFound | None) -> AttributeFound | None:
        """5.7.10"""
        types = set() if local is None else set(local.types)
        kinds = set() if local is None else set(local.kinds)
        count = 0 if local is None else local.count
        is_known = local is not None
        path = f"attributes/{quote(self.call.segments[0], safe=':')}"
        for told in self._ask("retrieveAttrTypeInfo", Asked(attributes=frozenset({iri})), path):
            there = self._types(told.body.get("typeNames"), told)
            if iri not in self._names([told.body.get("attributeName")]) or (told.body.get("typeNames") and not there):
                continue
            is_known = True
            types |= there
            kinds.update(map(str, _items(told.body.get("attributeTypes"))))
            count += _count(told.body.get("attributeCount"))
        return AttributeFound(iri, tuple(sorted(types)), tuple(sorted(kinds)), count) if is_known else None

    def _ask(self, operation: str, asked: Asked, path: str, *, details: bool = False) -> list[_Told]:
        """What each source says, as objects or arrays as the question has it."""
        if not self.call.is_distributed:
            return []
        sources: dict[tuple[str, str], list[Match]] = {}
        for match in matches(self.call.place, asked):
            if match.registration.serves(operation):
                key = match.registration.endpoint, str(match.registration.doc.get("tenant", ""))
                sources.setdefault(key, []).append(match)
        query = {"details": "true"} if details else {}
        requests = [Request(found[0], self.linked, "GET", path, query) for found in sources.values()]
        outcomes = ask_all(self.call, requests)
        bodies = [told_by(each) if each.is_good else None for each in outcomes]
        wanted = list if details else dict
        invalid = [o for o, body in zip(outcomes, bodies, strict=True) if o.is_good and not isinstance(body, wanted)]
        self.warnings.extend(warnings_of(outcomes, invalid))
        return [
            _Told(body, _registered(found))
            for body, found in zip(bodies, sources.values(), strict=True)
            if isinstance(body, wanted)
        ]

    def _type(self, name: Any) -> str:
        return self.linked.context.expand_type(name) if isinstance(name, str) else ""

    def _types(self, given: Any, told: _Told) -> set[str]:
        return {iri for iri in map(self._type, _items(given)) if iri and self._is_wanted(iri, told)}

    def _names(self, given: Any) -> set[str]:
        return {self.linked.context.expand(each) for each in _items(given) if isinstance(each, str)}

    def _is_wanted(self, iri: str, told: _Told) -> bool:
        return iri not in self.personal and (told.types is None or iri in told.types)


def _registered(found: Iterable[Match]) -> frozenset[str] | None:
    types: set[str] = set()
    for match in found:
        for information in match.registration.information:
            if not information.selectors:
                return None
            types.update(each.type for each in information.selectors)
    return frozenset(types)


def _items(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _count(given: Any) -> int:
    return given if type(given) is int and given > 0 else 0

"""Which entities a query is about: its parts as one condition for PostgreSQL and one test in Python (§5.7.2, §4.9 to §4.20).

Where the condition is not exact it lets too many rows through, and the test decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sanpo.broker.language.condition import Condition, Parameters, all_of, any_of
from sanpo.broker.language.geo import GeoQuery, compile_geo, matches_geo
from sanpo.broker.language.ids import compile_id_pattern
from sanpo.broker.language.patterns import Pattern
from sanpo.broker.language.projection import compile_attrs
from sanpo.broker.language.q.matching import matches_q
from sanpo.broker.language.q.model import Query, attributes_of, link_depth
from sanpo.broker.language.q.sql import compile_q
from sanpo.broker.language.scopes import ScopeQuery, compile_scope_q, matches_scope_q
from sanpo.broker.language.type_selection import TypeSelection, compile_types, matches_types


class Part(Protocol):
    """One requirement."""

    def compile(self, parameters: Parameters) -> Condition: ...

    def matches(self, entity: Any) -> bool: ...

    @property
    def attributes(self) -> frozenset[str] | None:
        """The attributes that it looks at; None where that cannot be said: then it is tested on what is in sight."""
        ...


NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Ids:
    """One of these ids."""

    ids: frozenset[str]

    @property
    def attributes(self) -> frozenset[str] | None:
        return None

    def compile(self, parameters: Parameters) -> Condition:
        return Condition(f"e.entity_id = any({parameters.add(sorted(self.ids), 'text[]')})")

    def matches(self, entity: Any) -> bool:
        return entity["id"] in self.ids


@dataclass(frozen=True)
class IdPattern:
    """An id in which the pattern is found."""

    pattern: Pattern

    @property
    def attributes(self) -> frozenset[str] | None:
        return None

    def compile(self, parameters: Parameters) -> Condition:
        return compile_id_pattern(self.pattern, parameters)

    def matches(self, entity: Any) -> bool:
        return self.pattern.found_in(entity["id"])


@dataclass(frozen=True)
class OfType:
    """A selection of types (§4.17)."""

    selection: TypeSelection

    @property
    def attributes(self) -> frozenset[str] | None:
        return NOTHING

    def compile(self, parameters: Parameters) -> Condition:
        return compile_types(self.selection, parameters)

    def matches(self, entity: Any) -> bool:
        return matches_types(self.selection, entity)


@dataclass(frozen=True)
class ScopeQ:
    """A query over scopes (§4.19)."""

    query: ScopeQuery

    @property
    def attributes(self) -> frozenset[str] | None:
        return NOTHING

    def compile(self, parameters: Parameters) -> Condition:
        return compile_scope_q(self.query, parameters)

    def matches(self, entity: Any) -> bool:
        return matches_scope_q(self.query, entity)


@dataclass(frozen=True)
class Q:
    """A condition over attributes (§4.9)."""

    query: Query

    @property
    def attributes(self) -> frozenset[str] | None:
        return attributes_of(self.query) if not link_depth(self.query) else None

    def compile(self, parameters: Parameters) -> Condition:
        return compile_q(self.query, parameters)

    def matches(self, entity: Any) -> bool:
        return matches_q(self.query, entity)


@dataclass(frozen=True)
class Geo:
    """A relation to a place (§4.10)."""

    query: GeoQuery

    @property
    def attributes(self) -> frozenset[str] | None:
        return frozenset({self.query.geoproperty})

    def compile(self, parameters: Parameters) -> Condition:
        return compile_geo(self.query, parameters)

    def matches(self, entity: Any) -> bool:
        return matches_geo(self.query, entity)


@dataclass(frozen=True)
class HasAttribute:
    """At least one of these attributes."""

    iris: frozenset[str]

    @property
    def attributes(self) -> frozenset[str] | None:
        return self.iris

    def compile(self, parameters: Parameters) -> Condition:
        return compile_attrs(tuple(sorted(self.iris)), parameters)

    def matches(self, entity: Any) -> bool:
        return not self.iris.isdisjoint(entity["attrs"])


@dataclass(frozen=True)
class NotOver:
    """No transient entity whose time is over (§4.22)."""

    now: str

    @property
    def attributes(self) -> frozenset[str] | None:
        return NOTHING

    def compile(self, parameters: Parameters) -> Condition:
        return Condition(f"coalesce(e.doc ->> 'expiresAt' >= {parameters.add(self.now, 'text')}, true)")

    def matches(self, entity: Any) -> bool:
        return bool(entity.get("expiresAt", self.now) >= self.now)


@dataclass(frozen=True)
class AllOf:
    parts: tuple[Part, ...]

    @property
    def attributes(self) -> frozenset[str] | None:
        return _union(self.parts)

    def compile(self, parameters: Parameters) -> Condition:
        return all_of([part.compile(parameters) for part in self.parts])

    def matches(self, entity: Any) -> bool:
        return all(part.matches(entity) for part in self.parts)


@dataclass(frozen=True)
class AnyOf:
    """One of several, as the entity selectors of a query by POST (§5.2.33)."""

    parts: tuple[Part, ...]

    @property
    def attributes(self) -> frozenset[str] | None:
        return _union(self.parts)

    def compile(self, parameters: Parameters) -> Condition:
        return any_of([part.compile(parameters) for part in self.parts])

    def matches(self, entity: Any) -> bool:
        return any(part.matches(entity) for part in self.parts)


@dataclass(frozen=True)
class Window:
    """Which part of what was found is asked for, and whether to count all of it."""

    limit: int
    offset: int = 0
    count: bool = False


def together(parts: Sequence[Part]) -> AllOf:
    return AllOf(tuple(parts))


def _union(parts: Sequence[Part]) -> frozenset[str] | None:
    found: set[str] = set()
    for part in parts:
        if part.attributes is None:
            return None
        found |= part.attributes
    return frozenset(found)

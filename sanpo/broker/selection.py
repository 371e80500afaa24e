"""Which entities a query is about: its parts as one condition for PostgreSQL and one test in Python (§5.7.2, §4.9 to §4.20).

Where the condition is not exact it lets too many rows through, and the test decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sanpo.broker.language.condition import Condition, Parameters, all_of, any_of


class Part(Protocol):
    """One requirement."""

    def compile(self, parameters: Parameters) -> Condition: ...

    def matches(self, entity: Any) -> bool: ...


@dataclass(frozen=True)
class Ids:
    """One of these ids."""

    ids: frozenset[str]

    def compile(self, parameters: Parameters) -> Condition:
        return Condition(f"e.entity_id = any({parameters.add(sorted(self.ids), 'text[]')})")

    def matches(self, entity: Any) -> bool:
        return entity["id"] in self.ids


@dataclass(frozen=True)
class HasAttribute:
    """At least one of these attributes."""

    iris: frozenset[str]

    def compile(self, parameters: Parameters) -> Condition:
        return Condition(f"e.doc -> 'attrs' ?| {parameters.add(sorted(self.iris), 'text[]')}")

    def matches(self, entity: Any) -> bool:
        return not self.iris.isdisjoint(entity["attrs"])


@dataclass(frozen=True)
class NotOver:
    """No transient entity whose time is over (§4.22)."""

    now: str

    def compile(self, parameters: Parameters) -> Condition:
        return Condition(f"coalesce(e.doc ->> 'expiresAt' >= {parameters.add(self.now, 'text')}, true)")

    def matches(self, entity: Any) -> bool:
        return bool(entity.get("expiresAt", self.now) >= self.now)


@dataclass(frozen=True)
class AllOf:
    parts: tuple[Part, ...]

    def compile(self, parameters: Parameters) -> Condition:
        return all_of([part.compile(parameters) for part in self.parts])

    def matches(self, entity: Any) -> bool:
        return all(part.matches(entity) for part in self.parts)


@dataclass(frozen=True)
class AnyOf:
    """One of several, as the entity selectors of a query by POST (§5.2.33)."""

    parts: tuple[Part, ...]

    def compile(self, parameters: Parameters) -> Condition:
        return any_of([part.compile(parameters) for part in self.parts])

    def matches(self, entity: Any) -> bool:
        return any(part.matches(entity) for part in self.parts)


@dataclass(frozen=True)
class Window:
    """Which part of what was found is asked for; `order` is SQL of ours over the alias `e`, made by the query language."""

    limit: int
    offset: int = 0
    count: bool = False


def together(parts: Sequence[Part]) -> AllOf:
    return AllOf(tuple(parts))

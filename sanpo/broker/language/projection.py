"""Which members of an entity are shown: `pick`, `omit`, `attrs` (ETSI GS CIM 009 §4.21, §5.7.1). Pure.

`pick=id,name,owner{name,city{name}}`: what stands in braces is about the entities that a relationship leads to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sanpo.broker.language.condition import Condition, Parameters
from sanpo.broker.language.names import SYSTEM, Names, ShortNames, read_name, write_name
from sanpo.broker.language.scanner import Scanner

MEMBERS = ("id", "type", "scope")
MAX_MEMBERS = 500
MAX_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Projection:
    """`members` are `id`, `type`, `scope` or IRIs of attributes; `linked` says which of them lead to what."""

    members: tuple[str, ...]
    linked: tuple[tuple[str, "Projection"], ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(name for name in self.members if name not in MEMBERS)

    @property
    def depth(self) -> int:
        """How many relationships it follows: not more than joinLevel (§5.7.1.4)."""
        return max((1 + below.depth for _, below in self.linked), default=0)

    def below(self, name: str) -> "Projection | None":
        """What to show of the entities that the relationship `name` leads to; None where nothing is said."""
        return dict(self.linked).get(name)


def parse_projection(text: str, names: Names, *, parameter: str = "pick", flat: bool = False) -> Projection:
    """`flat` is for `attrs` and the like, which know attributes only. Raises `QueryIsMalformed`, `QueryIsTooComplex`."""
    scanner = Scanner(text, parameter)
    found = _Reader(scanner, names, flat).read(0)
    if not scanner.ended:
        scanner.fail(", |" if flat else ", | {")
    return found


def parse_attrs(text: str, names: Names, *, parameter: str = "attrs") -> tuple[str, ...]:
    """The IRIs of a list of attributes, each once."""
    return parse_projection(text, names, parameter=parameter, flat=True).members


class _Reader:
    def __init__(self, scanner: Scanner, names: Names, flat: bool) -> None:
        self.scanner = scanner
        self.names = names
        self.flat = flat
        self.count = 0

    def read(self, depth: int) -> Projection:
        members: dict[str, None] = {}
        linked: dict[str, Projection] = {}
        while True:
            name, below = self._member(depth)
            members[name] = None
            if below is not None:
                linked[name] = below
            if not (self.scanner.take(",") or self.scanner.take("|")):
                return Projection(tuple(members), tuple(linked.items()))

    def _member(self, depth: int) -> tuple[str, Projection | None]:
        scanner = self.scanner
        scanner.spaces()
        self.count += 1
        if self.count > MAX_MEMBERS:
            scanner.too_complex("members", MAX_MEMBERS)
        start = scanner.at
        keyword = None if self.flat else self._keyword()
        name = keyword or read_name(scanner, self.names, "attribute" if self.flat else "id | type | scope | attribute")
        scanner.spaces()
        if self.flat or not scanner.take("{"):
            return name, None
        if keyword or name in SYSTEM:
            scanner.fail("relationship{attribute}", at=start)
        if depth == MAX_DEPTH:  # deeper than any joinLevel: a request that cannot be meant (§5.7.2.4)
            scanner.fail(f"no more than {MAX_DEPTH} relationships one in another", at=start)
        below = self.read(depth + 1)
        scanner.need("}")
        scanner.spaces()
        return name, below

    def _keyword(self) -> str | None:
        for member in MEMBERS:
            after = self.scanner.text[self.scanner.at + len(member) :][:1]
            if not (after.isalnum() or after in ("_", ":")) and self.scanner.take(member):
                return member
        return None


def print_projection(projection: Projection, names: ShortNames | None = None) -> str:
    """What `parse_projection` reads back to the same projection."""
    linked = dict(projection.linked)
    return ",".join(
        (name if name in MEMBERS else write_name(name, names))
        + (f"{{{print_projection(linked[name], names)}}}" if name in linked else "")
        for name in projection.members
    )


def pick(projection: Projection, entity: Mapping[str, Any]) -> dict[str, Any]:
    """The entity with these members only. Its own times stay: whether they are shown is another question (sysAttrs)."""
    kept = {key: value for key, value in entity.items() if key != "attrs" and key not in MEMBERS}
    kept |= {key: entity[key] for key in MEMBERS if key in projection.members and key in entity}
    wanted = frozenset(projection.members)
    return kept | {"attrs": {name: listed for name, listed in entity["attrs"].items() if name in wanted}}


def omit(projection: Projection, entity: Mapping[str, Any]) -> dict[str, Any]:
    """The entity without these members. A relationship with braces stays: it is from its linked entities that they go."""
    gone = frozenset(projection.members) - {name for name, _ in projection.linked}
    kept = {key: value for key, value in entity.items() if key not in gone}
    return kept | {"attrs": {name: listed for name, listed in entity["attrs"].items() if name not in gone}}


def matches_attrs(attributes: tuple[str, ...], entity: Mapping[str, Any]) -> bool:
    """Whether the entity has at least one of the attributes (§5.7.2: `attrs` also selects)."""
    return any(name in entity["attrs"] for name in attributes)


def compile_attrs(attributes: tuple[str, ...], parameters: Parameters, *, alias: str = "e") -> Condition:
    return Condition(f"jsonb_exists_any({alias}.doc -> 'attrs', {parameters.add(list(attributes), 'text[]')})")

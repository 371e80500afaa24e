"""The NGSI-LD query as a tree (ETSI GS CIM 009 §4.9), with expanded names. Pure.

A path goes over relationships to other entities (`links`), then down from an attribute to its sub-attributes (`names`; the
last may be a member such as observedAt), then into the value (`member`: keys of a compound value, a language, or `*`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sanpo.broker.language.moments import Moment
from sanpo.broker.language.names import SYSTEM
from sanpo.broker.language.patterns import Pattern

Order = Literal[">", "<", ">=", "<="]
Operator = Literal["==", "!=", ">", "<", ">=", "<=", "~=", "!~="]


@dataclass(frozen=True, slots=True)
class Link:
    """A relationship to follow; only to entities of one of `types`, where any are named."""

    name: str
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """What a term is about. `names` has one name at least."""

    names: tuple[str, ...]
    member: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    value: int | float


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text, a URI or a bare word: all are compared with the same stored texts."""

    text: str


@dataclass(frozen=True, slots=True)
class Flag:
    value: bool


Comparable: TypeAlias = Number | Text | Moment
Scalar: TypeAlias = Number | Text | Moment | Flag


@dataclass(frozen=True, slots=True)
class ValueList:
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends are in it and of one kind."""

    low: Comparable
    high: Comparable


Value: TypeAlias = Scalar | ValueList | Range | Pattern


@dataclass(frozen=True, slots=True)
class Exists:
    """The target is there; with `absent`, it is not (`!attr`, which NGSIv2 has and the standard's grammar has not)."""

    path: Path
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    path: Path
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Query", ...]


Query: TypeAlias = Exists | Compare | And | Or


def terms_of(query: Query) -> Iterator[Exists | Compare]:
    """Every term, from left to right."""
    if isinstance(query, And | Or):
        for part in query.parts:
            yield from terms_of(part)
    else:
        yield query


def attributes_of(query: Query) -> frozenset[str]:
    """IRIs of the entity's own attributes that the query looks at, without members of the system (§5.7.2, too wide query).

    Whoever may not see one of them must not ask about it either: a condition tells as much as a value.
    """
    first = (term.path.links[0].name if term.path.links else term.path.names[0] for term in terms_of(query))
    return frozenset(first) - SYSTEM.keys()


def link_depth(query: Query) -> int:
    """How many relationships the longest path follows (§5.7.2: not more than the request's joinLevel)."""
    return max(len(term.path.links) for term in terms_of(query))

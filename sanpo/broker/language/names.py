"""Names in queries: terms as the asker writes them, IRIs as entities hold them (ETSI GS CIM 009 §4.6.2, §5.5.7). Pure.

A name that has no term is written `<https://…>`. The standard has no way to write one; this one cannot be mistaken for
anything else of the grammar, so that every query can be printed and read back.
"""

import re
from typing import Protocol

from sanpo.broker.language.scanner import Scanner
from sanpo.broker.model import NGSI_LD

NAME = re.compile(r"[^\W\d_]\w*")
PREFIXED = re.compile(r"[^\W\d_]\w*(?::[^\W\d_]\w*)?")
IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`]*")
_BRACKETED = re.compile(r"<([A-Za-z][A-Za-z0-9+.\-]*:[^\s<>]+)>")

TIMES = frozenset({"observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})
TEXTS = frozenset({"unitCode", "datasetId", "instanceId"})
SYSTEM = {NGSI_LD + name: name for name in sorted(TIMES | TEXTS)}
"""Members that are not reified: IRI to the key under which an entity or an instance holds them (§4.8, §4.5.2)."""


class Names(Protocol):
    """What a reader needs of a context: from term to IRI."""

    def expand(self, term: str) -> str: ...

    def expand_type(self, term: str) -> str: ...


class ShortNames(Protocol):
    """What a printer needs of a context: from IRI to term."""

    def compact(self, iri: str) -> str: ...

    def compact_type(self, iri: str) -> str: ...


def expand(names: Names, term: str) -> str:
    """The IRI of an attribute's term. The core context's own members stay what they are, whatever a context says."""
    return NGSI_LD + term if term in TIMES or term in TEXTS else names.expand(term)


def read_name(scanner: Scanner, names: Names, accepted: str, *, prefixed: bool = True) -> str:
    """The IRI of the attribute's name that stands here."""
    bracketed = scanner.match(_BRACKETED)
    if bracketed is not None:
        return bracketed[1:-1]
    term = scanner.match(PREFIXED if prefixed else NAME)
    if term is None:
        scanner.fail(accepted)
    return expand(names, term)


def read_type(scanner: Scanner, names: Names, accepted: str, *, prefixed: bool = True) -> str:
    """The IRI of the type's name that stands here."""
    bracketed = scanner.match(_BRACKETED)
    if bracketed is not None:
        return bracketed[1:-1]
    term = scanner.match(PREFIXED if prefixed else NAME)
    if term is None:
        scanner.fail(accepted)
    return names.expand_type(term)


def write_name(iri: str, short: ShortNames | None, *, prefixed: bool = True) -> str:
    """The attribute's term where there is one that can be read back, else `<iri>`."""
    return _written(iri, SYSTEM.get(iri) or (short.compact(iri) if short else iri), prefixed)


def write_type(iri: str, short: ShortNames | None, *, prefixed: bool = True) -> str:
    return _written(iri, short.compact_type(iri) if short else iri, prefixed)


def _written(iri: str, term: str, prefixed: bool) -> str:
    fits = (PREFIXED if prefixed else NAME).fullmatch(term) and term not in ("id", "type", "scope", iri)
    return term if fits else f"<{iri}>"

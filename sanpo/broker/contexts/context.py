"""`Context`: from short names to IRIs and back (ETSI GS CIM 009 §5.5.7), immutable and fast: it is on every request's path.

What must stay true: no user's context changes a core term or the default vocabulary, since the Core @context counts as
the last one (§4.4); and whatever name `compact` gives for an IRI, `expand` gives that IRI back.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sanpo.broker.contexts.core_context import CORE_TERMS, DEFAULT_VOCABULARY

MOST_REMEMBERED = 4_096
LONGEST_REMEMBERED = 256
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_ENDS_LIKE_A_PREFIX = (":", "/", "?", "#", "[", "]", "@")  # RFC 3986 gen-delims: JSON-LD 1.1 API §4.2.2, step 14.2.5


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition: its IRI (or the keyword `@id` or `@type`), its coercion, and whether `term:rest` is a compact IRI."""

    iri: str
    type: str | None = None
    container: tuple[str, ...] = ()
    is_prefix: bool = False


class Context:
    """Terms of a user's @context under those of the core. `urls` are the documents that it was made of.

    `fresh_until` is when the first of them should be read again, None where none was fetched.
    """

    __slots__ = ("_compacted", "_expanded", "_lengths", "_prefixes", "_user_terms", "fresh_until", "terms", "urls")

    def __init__(
        self, terms: Mapping[str, Definition], urls: Iterable[str] = (), fresh_until: datetime | None = None
    ) -> None:
        self.terms: Mapping[str, Definition] = MappingProxyType({**terms, **_CORE} if terms else _CORE)
        self.urls = frozenset(urls)
        self.fresh_until = fresh_until
        self._user_terms = len(terms)
        self._prefixes = _best_names({name: term for name, term in self.terms.items() if term.is_prefix})
        self._lengths = sorted({len(iri) for iri in self._prefixes}, reverse=True)
        # Each is one look-up for every name that was asked before; terms are there from the beginning.
        self._expanded = {name: term.iri for name, term in self.terms.items()}
        self._compacted = {**_best_names(terms), **_CORE_NAMES}

    def expand(self, name: str) -> str:
        """The IRI of an attribute's, type's or vocabulary value's name. A keyword stays what it is."""
        found = self._expanded.get(name)
        if found is None:
            found = _expand(name, self.terms)
            if self._has_room(self._expanded, name):
                self._expanded[name] = found
        return found

    def compact(self, iri: str) -> str:
        """The shortest name for this IRI: a term, else the rest after the default vocabulary or a prefix, else the IRI."""
        found = self._compacted.get(iri)
        if found is None:
            found = self._shorten(iri)
            if self._has_room(self._compacted, iri):
                self._compacted[iri] = found
        return found

    # Types and names of attributes are both vocabulary terms (JSON-LD 1.1 API §5.1.2): one rule for both.
    expand_type = expand
    compact_type = compact

    def _has_room(self, memory: dict[str, str], key: str) -> bool:
        """False once askers have filled a memory with names of their own invention: those are then worked out each time."""
        return len(memory) < self._user_terms + MOST_REMEMBERED and len(key) <= LONGEST_REMEMBERED

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""
        return 80_000 + 600 * self._user_terms

    def _shorten(self, iri: str) -> str:
        """JSON-LD 1.1 API §6.2.2, steps 5 to 8, without type coercion: in NGSI-LD every attribute is a node object."""
        if iri.startswith(DEFAULT_VOCABULARY):
            rest = iri[len(DEFAULT_VOCABULARY) :]
            if rest and rest not in self.terms and _expand(rest, self.terms) == iri:
                return rest
        choices = []
        for length in self._lengths:
            prefix = self._prefixes.get(iri[:length]) if length < len(iri) else None
            if prefix is not None:
                name = f"{prefix}:{iri[length:]}"
                if name not in self.terms and _expand(name, self.terms) == iri:
                    choices.append((len(name), name))
        return min(choices)[1] if choices else iri


def _expand(name: str, terms: Mapping[str, Definition]) -> str:
    """JSON-LD 1.1 API §5.2.2 for a name that is no term itself."""
    if name.startswith("@"):
        return name
    prefix, colon, rest = name.partition(":")
    if colon and prefix:
        if prefix == "_" or rest.startswith("//"):
            return name
        term = terms.get(prefix)
        if term is not None and term.is_prefix:
            return term.iri + rest
        if _SCHEME.match(name):
            return name
    return DEFAULT_VOCABULARY + name


def _best_names(terms: Mapping[str, Definition]) -> dict[str, str]:
    """IRI → its shortest, then least term (JSON-LD 1.1 API §4.3)."""
    best: dict[str, str] = {}
    for name, term in terms.items():
        other = best.get(term.iri)
        if other is None or (len(name), name) < (len(other), other):
            best[term.iri] = name
    return best


def ends_like_a_prefix(iri: str) -> bool:
    """True where a simple term with this IRI can be used as a prefix."""
    return iri.endswith(_ENDS_LIKE_A_PREFIX) or iri.startswith("_:")


def _core_terms() -> dict[str, Definition]:
    namespaces = {name: iri for name, iri in CORE_TERMS.items() if isinstance(iri, str) and ends_like_a_prefix(iri)}

    def full(name: str) -> str:
        prefix, _, rest = name.partition(":")
        return namespaces[prefix] + rest if prefix in namespaces else name

    terms = {}
    for name, definition in CORE_TERMS.items():
        shape = {"@id": definition} if isinstance(definition, str) else definition
        kind, container = shape.get("@type"), shape.get("@container")
        terms[name] = Definition(
            full(shape["@id"]),
            namespaces["ngsi-ld"] + kind if kind == "DateTime" else kind,
            (container,) if container else (),
            name in namespaces,
        )
    return terms


_CORE = _core_terms()
_CORE_NAMES = _best_names(_CORE)
CORE = Context({})
"""What a request without an @context is read with (§5.5.5)."""

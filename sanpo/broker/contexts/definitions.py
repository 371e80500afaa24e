"""Definition definitions of a user's @context (JSON-LD 1.1 API §4.1.2 and §4.2.2), one object after another. Pure.

Bounded: an IRI's length, how far prefixes build on prefixes, the number of terms and of all their characters.
"""

import re
from typing import Any, NoReturn

from sanpo.broker.contexts.context import CORE, Definition, ends_like_a_prefix
from sanpo.broker.contexts.core_context import DEFAULT_VOCABULARY
from sanpo.broker.contexts.errors import ContextIsInvalid

LONGEST_IRI = 2_048
DEEPEST_PREFIXES = 32
MOST_TERMS = 200_000
MOST_CHARACTERS = 24_000_000

_KEYWORD = re.compile(r"@[A-Za-z]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_MEMBERS = frozenset(
    [
        "@id",
        "@reverse",
        "@container",
        "@context",
        "@direction",
        "@index",
        "@language",
        "@nest",
        "@prefix",
        "@protected",
        "@type",
    ]
)
_CONTAINERS = frozenset(["@graph", "@id", "@index", "@language", "@list", "@set", "@type", "@none"])
_OF_A_CONTEXT = frozenset(
    ["@base", "@direction", "@import", "@language", "@propagate", "@protected", "@version", "@vocab"]
)
_KEYWORDS = _OF_A_CONTEXT | _MEMBERS | _CONTAINERS | frozenset(["@value", "@json", "@included"])


class Definitions:
    """The terms collected so far; a later definition of the same term takes the earlier one's place."""

    def __init__(self) -> None:
        self.terms: dict[str, Definition] = {}
        self._vocabulary = DEFAULT_VOCABULARY
        self._terms_left = MOST_TERMS
        self._characters_left = MOST_CHARACTERS
        self._pending: dict[str, Any] = {}
        self._being_defined: set[str] = set()
        self._where = ""

    def emptied(self) -> "Definitions":
        """None of the terms, as a null context asks, and what is left of the bounds."""
        anew = Definitions()
        anew._terms_left, anew._characters_left = self._terms_left, self._characters_left
        return anew

    def add(self, local: dict[str, Any], where: str) -> None:
        """Takes the definitions of one object. Raises `ContextIsInvalid`; `where` names the document in it."""
        self._where = where
        self._check_keywords(local)
        self._set_vocabulary(local)
        # Core terms stay what they are: a definition of one has no effect, wherever it stands (§5.5.7).
        self._pending = {name: made for name, made in local.items() if name[:1] != "@" and name not in CORE.terms}
        for name in list(self._pending):
            if name in self._pending:  # else a term before it needed it
                self._define(name)

    def _check_keywords(self, local: dict[str, Any]) -> None:
        for name, value in local.items():
            if name == "":
                self._fail("", "an empty term")
            if name[:1] != "@" or not _KEYWORD.fullmatch(name):
                continue
            if name == "@version" and (value != 1.1 or isinstance(value, bool)):
                self._fail(name, "only 1.1 is known")
            if name in ("@base", "@vocab", "@language", "@direction") and not isinstance(value, str | None):
                self._fail(name, "not a text or null")
            if name in _KEYWORDS - _OF_A_CONTEXT and name != "@type":
                self._fail(name, "a keyword cannot be redefined")

    def _set_vocabulary(self, local: dict[str, Any]) -> None:
        """`@vocab` acts on the definitions of its own context only: the core's follows it and is the last."""
        if "@vocab" in local:
            vocabulary = local["@vocab"]
            self._vocabulary = self._expand(vocabulary) if vocabulary else DEFAULT_VOCABULARY
            self._check_length("@vocab", self._vocabulary)

    def _define(self, name: str) -> None:
        value = self._pending.pop(name)
        self._terms_left -= 1
        if self._terms_left < 0:
            self._fail(name, f"more than {MOST_TERMS} terms")
        self._being_defined.add(name)
        if len(self._being_defined) > DEEPEST_PREFIXES:
            self._fail(name, f"more than {DEEPEST_PREFIXES} prefixes on one another")
        term = self._term(name, value)
        self._being_defined.discard(name)
        if term is None:
            self.terms.pop(name, None)
            return
        self._check_length(name, term.iri)
        self._characters_left -= len(term.iri) + len(name)
        if self._characters_left < 0:
            self._fail(name, f"more than {MOST_CHARACTERS} characters")
        self.terms[name] = term

    def _term(self, name: str, value: Any) -> Definition | None:
        """The definition, or None where the term has no mapping."""
        if isinstance(value, str):
            iri = self._iri(name, value)
            simple = ":" not in name and "/" not in name
            return None if iri is None else Definition(iri, is_prefix=simple and ends_like_a_prefix(iri))
        if value is None:
            return None
        if not isinstance(value, dict):
            self._fail(name, "not an IRI, an object or null")
        self._check_members(name, value)
        if "@reverse" in value or ("@id" in value and value["@id"] is None):
            return None
        iri = self._iri(name, value.get("@id", name))
        if iri is None:
            return None
        kind = value.get("@type")
        return Definition(
            iri, self._expand(kind) if kind else None, self._container(name, value), bool(value.get("@prefix"))
        )

    def _check_members(self, name: str, value: dict[str, Any]) -> None:
        if "@context" in value:
            self._fail(name, "scoped contexts are not allowed (§5.5.7)")
        for member, given in value.items():
            if member not in _MEMBERS:
                self._fail(name, f"“{member[:60]}” has no place in a definition")
            if member in ("@id", "@type", "@reverse") and not isinstance(given, str | None):
                self._fail(name, f"{member} is not a text")
            if member == "@prefix" and (not isinstance(given, bool) or ":" in name or "/" in name):
                self._fail(name, "@prefix is true or false, of a name without : and /")

    def _container(self, name: str, value: dict[str, Any]) -> tuple[str, ...]:
        given = value.get("@container")
        if given is None:
            return ()
        kinds = given if isinstance(given, list) else [given]
        if not all(isinstance(kind, str) and kind in _CONTAINERS for kind in kinds):
            self._fail(name, "@container is unknown")
        return tuple(kinds)

    def _iri(self, name: str, given: str) -> str | None:
        """What the term is mapped to; None where that is a keyword without meaning as a name."""
        if given == name:
            return self._own_iri(name)
        if _KEYWORD.fullmatch(given):
            return given if given in ("@id", "@type") else None
        iri = self._expand(given)
        if iri[:1] == "@":  # an alias of `id` or `type`
            return iri
        if ":" in name[1:-1] and self._own_iri(name) != iri:
            self._fail(name, "looks like an IRI and stands for another")
        return iri

    def _own_iri(self, name: str) -> str:
        """The IRI that a name has by itself: prefix and rest, an IRI, or the vocabulary and the name."""
        prefix, colon, rest = name.partition(":")
        if colon and prefix:
            known = self._find(prefix)
            if known is not None and not rest.startswith("//"):
                return known.iri + rest
            if prefix == "_" or _SCHEME.match(name):
                return name
        return self._vocabulary + name

    def _expand(self, text: str) -> str:
        """JSON-LD 1.1 API §5.2.2, while terms that it needs are still to be defined."""
        if text in _KEYWORDS:
            return text
        known = self._find(text)
        if known is not None:
            return known.iri
        prefix, colon, rest = text.partition(":")
        if colon and prefix:
            if prefix == "_" or rest.startswith("//"):
                return text
            known = self._find(prefix)
            if known is not None and known.is_prefix:
                return known.iri + rest
            if _SCHEME.match(text):
                return text
        return self._vocabulary + text

    def _find(self, name: str) -> Definition | None:
        if name in self._being_defined:
            self._fail(name, "is defined by itself")
        if name in self._pending:
            self._define(name)
        return CORE.terms.get(name) or self.terms.get(name)

    def _check_length(self, name: str, iri: str) -> None:
        if len(iri) > LONGEST_IRI:
            self._fail(name, f"its IRI has more than {LONGEST_IRI} characters")

    def _fail(self, name: str, problem: str) -> NoReturn:
        raise ContextIsInvalid(where=self._where, problem=f"“{name[:60]}”: {problem}")

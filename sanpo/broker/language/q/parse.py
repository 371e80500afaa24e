"""Reads the `q` parameter (ETSI GS CIM 009 §4.9), and `csf`, which is the same over registrations. Pure.

Beyond the standard's grammar, because clients in the field write it: spaces between signs, nested parentheses (its own
example 6 has them), one type in `rel{Type:attr}` where its rule asks for two, `rel{Type}.attr`, `!attr` for absence, quoted
patterns, bare words as texts (its annex C has them). Bounded: `MAX_TERMS` terms, `MAX_DEPTH` parentheses, `MAX_VALUES` values
in a list, `MAX_NAMES` names in a path; `MAX_MOMENTS` times and `MAX_STATES` of all patterns' automata, which PostgreSQL makes
anew for each statement.
"""

import json
import re
from math import isfinite

from sanpo.broker.language.moments import ACCEPTED as MOMENTS
from sanpo.broker.language.moments import Moment, read_moment
from sanpo.broker.language.names import IRI, NAME, SYSTEM, Names, read_name, read_type
from sanpo.broker.language.patterns import Pattern, read_pattern
from sanpo.broker.language.q.model import (
    And,
    Compare,
    Exists,
    Flag,
    Link,
    Number,
    Operator,
    Or,
    Path,
    Query,
    Range,
    Scalar,
    Text,
    Value,
    ValueList,
)
from sanpo.broker.language.scanner import Scanner

MAX_TERMS = 200
MAX_DEPTH = 20
MAX_VALUES = 500
MAX_NAMES = 10
MAX_MOMENTS = 100
MAX_STATES = 600
_OPERATORS: tuple[Operator, ...] = ("==", "!~=", "!=", ">=", "<=", "~=", ">", "<")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?=\.\.|[\s;|(),]|$)")
_MOMENT = re.compile(r"[0-9][0-9T:\-]*(?:[.,][0-9]+Z|Z)?(?=\.\.|[\s;|(),]|$)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_WORD = re.compile(r"[^\s;|(),\"<>\\^`{}]+")
_KEY = re.compile(r"[^.\[\]\"\s]+")
_NO_ATTRIBUTE = re.compile(r"(?:id|type|scope)(?![\w:])")
_TYPES = re.compile(r"(?:<[^<>\s]+>|[^\W\d_]\w*)(?:,(?:<[^<>\s]+>|[^\W\d_]\w*))*:")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
MAX_DIGITS = 330
_ATTRIBUTE = "attribute attribute.sub attribute[member] attribute{linked}"
_COMPARABLE = f'number | "text" | {MOMENTS}'
_SCALAR = f'number | "text" | true | false | URI | {MOMENTS}'


def parse_q(text: str, names: Names, *, parameter: str = "q", expand_values: frozenset[str] = frozenset()) -> Query:
    """The query that `text` is. Raises `QueryIsMalformed`, `QueryIsTooComplex`.

    `expand_values` are the IRIs of attributes whose values are terms of the context (parameter expandValues). All others
    are compared as JSON.
    """
    scanner = Scanner(text, parameter)
    query = _Reader(scanner, names, expand_values).any_of(0)
    if not scanner.ended:
        scanner.fail("; | )" if scanner.text.count("(") else "; |")
    return query


def read_path(scanner: Scanner, names: Names) -> Path:
    """The attribute's path that stands here; over linked entities it must not go."""
    start = scanner.at
    path = _Reader(scanner, names, frozenset()).path()
    return scanner.fail("attribute attribute.sub attribute[member]", at=start) if path.links else path


class _Reader:
    """Recursive descent over the grammar's productions."""

    def __init__(self, scanner: Scanner, names: Names, expand_values: frozenset[str]) -> None:
        self.scanner = scanner
        self.names = names
        self.expand_values = expand_values
        self.terms = 0
        self.moments = 0
        self.states = 0

    def any_of(self, depth: int) -> Query:
        parts = [self._all_of(depth)]
        while self._sign("|"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all_of(self, depth: int) -> Query:
        parts = [self._term(depth)]
        while self._sign(";"):
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _sign(self, sign: str) -> bool:
        self.scanner.spaces()
        return self.scanner.take(sign)

    def _term(self, depth: int) -> Query:
        if self._sign("("):
            if depth == MAX_DEPTH:
                self.scanner.too_complex("nested parentheses", MAX_DEPTH)
            inner = self.any_of(depth + 1)
            self.scanner.spaces()
            self.scanner.need(")")
            return inner
        self.terms += 1
        if self.terms > MAX_TERMS:
            self.scanner.too_complex("terms", MAX_TERMS)
        if self.scanner.take("!"):
            return Exists(self.path(), absent=True)
        path = self.path()
        operator = self._operator()
        return Exists(path) if operator is None else Compare(path, operator, self._value(path, operator))

    def _operator(self) -> Operator | None:
        self.scanner.spaces()
        return next((each for each in _OPERATORS if self.scanner.take(each)), None)

    def path(self, depth: int = 0) -> Path:
        if depth == 0:
            self.scanner.spaces()
        start = self.scanner.at
        names = [self._name(first=depth == 0)]
        if self.scanner.take("{"):
            if names[0] in SYSTEM:
                self.scanner.fail(_ATTRIBUTE, at=start)
            return self._linked(names[0], depth)
        while self.scanner.peek(2) != ".." and self.scanner.take("."):
            names.append(self._name(first=False))
            if len(names) > MAX_NAMES:
                self.scanner.too_complex("names in a path", MAX_NAMES)
        return Path(tuple(names), self._member())

    def _name(self, *, first: bool) -> str:
        start = self.scanner.at
        if first and self.scanner.match(_NO_ATTRIBUTE):
            self.scanner.fail("id= | type= | scopeQ=", at=start)
        return read_name(self.scanner, self.names, _ATTRIBUTE)

    def _linked(self, name: str, depth: int) -> Path:
        """What stands in braces after a relationship: `Type,Type:path`."""
        scanner, start = self.scanner, self.scanner.at
        if depth == MAX_NAMES:
            scanner.too_complex("linked entities in a path", MAX_NAMES)
        types = self._types()
        inner = self.path(depth + 1)
        scanner.need("}")
        if not types and scanner.take("."):  # rel{Type}.path
            scanner.at = start
            types = (read_type(scanner, self.names, _ATTRIBUTE),)
            scanner.need("}")
            scanner.need(".")
            inner = self.path(depth + 1)
        return Path(inner.names, inner.member, (Link(name, types), *inner.links))

    def _types(self) -> tuple[str, ...]:
        if not _TYPES.match(self.scanner.text, self.scanner.at):
            return ()
        types = [read_type(self.scanner, self.names, "Type", prefixed=False)]
        while self.scanner.take(","):
            types.append(read_type(self.scanner, self.names, "Type", prefixed=False))
        self.scanner.need(":")
        return tuple(types)

    def _member(self) -> tuple[str, ...]:
        if not self.scanner.take("["):
            return ()
        keys = [self._key()]
        while self.scanner.take("."):
            keys.append(self._key())
            if len(keys) > MAX_NAMES:
                self.scanner.too_complex("names in a path", MAX_NAMES)
        self.scanner.need("]")
        return tuple(keys)

    def _key(self) -> str:
        if self.scanner.peek() == '"':
            return self._quoted()
        key = self.scanner.match(_KEY)
        return self.scanner.fail("[member.member] [language] [*]") if key is None else key

    def _quoted(self) -> str:
        """A JSON string."""
        start = self.scanner.at
        found = self.scanner.match(_QUOTED)
        try:
            text: str = json.loads(found or "", strict=False)
            text.encode()
        except ValueError:
            self.scanner.fail('"text"', at=start)
        if "\0" in text:
            self.scanner.fail('"text"', at=start)
        return text

    def _value(self, path: Path, operator: Operator) -> Value:
        self.scanner.spaces()
        if operator in ("~=", "!~="):
            return self._pattern()
        start = self.scanner.at
        value = self._scalar(path)
        if operator not in ("==", "!="):
            bare = isinstance(value, Text) and self.scanner.text[start] != '"'
            return self.scanner.fail(_COMPARABLE, at=start) if bare or isinstance(value, Flag) else value
        if self.scanner.take(".."):
            return self._range(value, self._scalar(path), start)
        values = [value]
        while self._sign(","):
            self.scanner.spaces()
            values.append(self._scalar(path))
            if len(values) > MAX_VALUES:
                self.scanner.too_complex("values in a list", MAX_VALUES)
        return values[0] if len(values) == 1 else ValueList(tuple(values))

    def _range(self, low: Scalar, high: Scalar, start: int) -> Range:
        if isinstance(low, Flag) or isinstance(high, Flag) or type(low) is not type(high):
            self.scanner.fail("number..number | moment..moment", at=start)
        if isinstance(low, Moment) and isinstance(high, Moment) and low.kind != high.kind:
            self.scanner.fail("moment..moment", at=start)
        return Range(low, high)

    def _scalar(self, path: Path) -> Scalar:
        scanner, start = self.scanner, self.scanner.at
        expands = path.names[0] in self.expand_values
        if scanner.peek() == '"':
            text = self._quoted()
            return Text(self.names.expand(text) if expands and NAME.fullmatch(text) else text)
        number = scanner.match(_NUMBER)
        if number is not None:
            return self._number(number, start)
        moment = scanner.match(_MOMENT)
        if moment is not None:
            self.moments += 1
            if self.moments > MAX_MOMENTS:
                scanner.too_complex("times", MAX_MOMENTS)
            return read_moment(moment) or scanner.fail(MOMENTS, at=start)
        word = scanner.match(_WORD)
        if word in ("true", "false"):
            return Flag(word == "true")
        if word is not None and IRI.fullmatch(word):
            return Text(word)
        if word is None or not NAME.fullmatch(word):
            scanner.fail(_SCALAR, at=start)
        return Text(self.names.expand(word) if expands else word)

    def _number(self, text: str, start: int) -> Number:
        if len(text) > MAX_DIGITS or not isfinite(float(text)):
            self.scanner.fail("-1.7e308 <= number <= 1.7e308", at=start)
        return Number(float(text) if any(sign in text for sign in ".eE") else int(text))

    def _pattern(self) -> Pattern:
        """Quoted (only `\\"` is an escape of the quotes), or bare up to a `;`, `|` or `)` that is not inside the pattern."""
        scanner, start = self.scanner, self.scanner.at
        quoted = scanner.match(_QUOTED)
        source = _ESCAPE.sub(_plain_quote, quoted[1:-1] if quoted is not None else self._bare_pattern())
        if not source:
            scanner.fail('"regular expression"', at=start)
        pattern = read_pattern(source, scanner.parameter)
        self.states += pattern.states
        if self.states > MAX_STATES:
            scanner.too_complex("states of regular expressions", MAX_STATES)
        return pattern

    def _bare_pattern(self) -> str:
        scanner, start, groups, inside = self.scanner, self.scanner.at, 0, False
        while not scanner.ended:
            letter = scanner.peek()
            if not inside and groups == 0 and letter in ";|)":
                break
            groups += (letter == "(") - (letter == ")") if not inside else 0
            inside = letter == "[" or (inside and letter != "]")
            scanner.at += 2 if letter == "\\" else 1
        scanner.at = min(scanner.at, len(scanner.text))
        return scanner.text[start : scanner.at].strip()


def _plain_quote(found: re.Match[str]) -> str:
    return '"' if found[1] == '"' else found[0]

"""Selection by scope: `/Madrid/+/North`, `/Madrid/#`, `(/A;/B)|/C` (ETSI GS CIM 009 §4.18, §4.19). Pure.

`+` is one level, a last `#` the scope and all below it, `/#` any scope at all. Example 5 of the clause leaves out the first
slash, so that is read too. Stored scopes begin with a slash.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sanpo.broker.language.condition import Condition, Parameters, all_of, any_of
from sanpo.broker.language.patterns import anywhere
from sanpo.broker.language.scanner import Scanner

MAX_SCOPES = 200
MAX_LEVELS = 50
_LEVEL = re.compile(r"\+|[^\s/,;|()+#]+")
_NAME = re.compile(r"\w+")
_ACCEPTED = "/Scope /Scope/+ /Scope/# (/Scope;/Scope)"


@dataclass(frozen=True, slots=True)
class Scope:
    """Levels, of which `+` stands for any one. `below`: with everything under it."""

    levels: tuple[str, ...]
    below: bool = False

    @property
    def text(self) -> str:
        return "/" + "/".join((*self.levels, *(["#"] if self.below else [])))


@dataclass(frozen=True, slots=True)
class ScopeQuery:
    """Any of `choices`, each all of its scopes."""

    choices: tuple[tuple[Scope, ...], ...]


def parse_scope_q(text: str, *, parameter: str = "scopeQ") -> ScopeQuery:
    """Raises `QueryIsMalformed`, `QueryIsTooComplex`."""
    scanner = Scanner(text, parameter)
    choices = [_choice(scanner)]
    while scanner.take("|") or scanner.take(","):
        choices.append(_choice(scanner))
        if sum(map(len, choices)) > MAX_SCOPES:
            scanner.too_complex("scopes", MAX_SCOPES)
    if not scanner.ended:
        scanner.fail("| ,")
    return ScopeQuery(tuple(choices))


def _choice(scanner: Scanner) -> tuple[Scope, ...]:
    scanner.spaces()
    if not scanner.take("("):
        found = [_scope(scanner)]
    else:
        found = [_scope(scanner)]
        while scanner.take(";"):
            found.append(_scope(scanner))
            if len(found) > MAX_SCOPES:
                scanner.too_complex("scopes", MAX_SCOPES)
        scanner.need(")")
    scanner.spaces()
    return tuple(found)


def _scope(scanner: Scanner) -> Scope:
    scanner.spaces()
    scanner.take("/")
    if scanner.take("#"):
        return Scope((), below=True)
    levels = [_level(scanner)]
    below = False
    while not below and scanner.take("/"):
        below = scanner.take("#")
        if not below:
            levels.append(_level(scanner))
        if len(levels) > MAX_LEVELS:
            scanner.too_complex("levels of a scope", MAX_LEVELS)
    scanner.spaces()
    return Scope(tuple(levels), below)


def _level(scanner: Scanner) -> str:
    start = scanner.at
    level = scanner.match(_LEVEL)
    if level is None or not (level == "+" or _NAME.fullmatch(level)):
        scanner.fail(_ACCEPTED, at=start)
    return level


def print_scope_q(query: ScopeQuery) -> str:
    """What `parse_scope_q` reads back to the same query."""
    written = [";".join(scope.text for scope in choice) for choice in query.choices]
    return "|".join(
        f"({text})" if len(choice) > 1 else text for text, choice in zip(written, query.choices, strict=True)
    )


def matches_scope_q(query: ScopeQuery, entity: Mapping[str, Any]) -> bool:
    own = [tuple(scope.removeprefix("/").split("/")) for scope in entity.get("scope", ())]
    return any(all(any(_within(scope, levels) for levels in own) for scope in choice) for choice in query.choices)


def _within(scope: Scope, levels: tuple[str, ...]) -> bool:
    if len(levels) < len(scope.levels) or (len(levels) > len(scope.levels) and not scope.below):
        return False
    return all(asked in ("+", level) for asked, level in zip(scope.levels, levels, strict=False))


def compile_scope_q(query: ScopeQuery, parameters: Parameters, *, alias: str = "e") -> Condition:
    """Whole scopes by containment, which a GIN index on `scopes` serves; those with wildcards one by one."""
    return any_of(all_of(_condition(scope, parameters, alias) for scope in choice) for choice in query.choices)


def _condition(scope: Scope, parameters: Parameters, alias: str) -> Condition:
    if not scope.below and "+" not in scope.levels:
        return Condition(f"{alias}.scopes @> {parameters.add([scope.text], 'text[]')}")
    if not scope.levels:
        return Condition(f"cardinality({alias}.scopes) > 0")
    levels = "".join("/[^/]+" if level == "+" else "/" + anywhere(level) for level in scope.levels)
    pattern = parameters.add(f"^{levels}{'(?:/.*)?' if scope.below else ''}$", "text")
    return Condition(f"exists (select 1 from unnest({alias}.scopes) as s (scope) where s.scope ~ {pattern})")

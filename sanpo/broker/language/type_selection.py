"""Selection by entity type: `A|(B;C)`, with `,` for `|` (ETSI GS CIM 009 §4.17). Pure.

A tree of two levels is all that the grammar has: any of several, each a type or all of several. `*` selects every type, as
registrations and subscriptions may. Types are written as terms or URIs; a URI with `,`, `;`, `|` or a parenthesis in it
cannot be told from the operators and is written `<URI>`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sanpo.broker.language.condition import ALWAYS, Condition, Parameters, any_of
from sanpo.broker.language.names import IRI, PREFIXED, Names, ShortNames, write_type
from sanpo.broker.language.scanner import Scanner

MAX_TYPES = 200
_WORD = re.compile(r"[^\s,;|()<>\"]+")
_BRACKETED = re.compile(r"<([^\s<>\"]+)>")
_ACCEPTED = "Type URI (Type;Type) *"


@dataclass(frozen=True, slots=True)
class TypeSelection:
    """Any of `choices`, each all of its types. No choices at all: every type."""

    choices: tuple[tuple[str, ...], ...]

    @property
    def types(self) -> frozenset[str]:
        """Every type that is named."""
        return frozenset(name for choice in self.choices for name in choice)


def parse_types(text: str, names: Names, *, parameter: str = "type") -> TypeSelection:
    """Raises `QueryIsMalformed`, `QueryIsTooComplex`."""
    scanner = Scanner(text, parameter)
    scanner.spaces()
    if text.strip() == "*":
        return TypeSelection(())
    choices = [_choice(scanner, names)]
    while scanner.take("|") or scanner.take(","):
        choices.append(_choice(scanner, names))
        if sum(map(len, choices)) > MAX_TYPES:
            scanner.too_complex("types", MAX_TYPES)
    if not scanner.ended:
        scanner.fail("| ,")
    return TypeSelection(tuple(choices))


def _choice(scanner: Scanner, names: Names) -> tuple[str, ...]:
    scanner.spaces()
    if not scanner.take("("):
        found = [_type(scanner, names)]
    else:
        found = [_type(scanner, names)]
        while scanner.take(";"):
            found.append(_type(scanner, names))
        scanner.need(")")
    scanner.spaces()
    return tuple(found)


def _type(scanner: Scanner, names: Names) -> str:
    scanner.spaces()
    bracketed = scanner.match(_BRACKETED)
    start = scanner.at
    word = bracketed[1:-1] if bracketed else scanner.match(_WORD)
    if word is None or not (IRI.fullmatch(word) or PREFIXED.fullmatch(word)):
        scanner.fail(_ACCEPTED, at=start)
    scanner.spaces()
    return word if bracketed else names.expand_type(word)


def print_types(selection: TypeSelection, names: ShortNames | None = None) -> str:
    """What `parse_types` reads back to the same selection."""
    if not selection.choices:
        return "*"
    written = [";".join(write_type(each, names) for each in choice) for choice in selection.choices]
    return "|".join(
        f"({text})" if len(choice) > 1 else text for text, choice in zip(written, selection.choices, strict=True)
    )


def matches_types(selection: TypeSelection, entity: Mapping[str, Any]) -> bool:
    own = frozenset(entity["type"])
    return not selection.choices or any(own.issuperset(choice) for choice in selection.choices)


def compile_types(selection: TypeSelection, parameters: Parameters, *, alias: str = "e") -> Condition:
    """Containment and overlap of arrays, which a GIN index on `types` serves."""
    if not selection.choices:
        return ALWAYS
    single = [choice[0] for choice in selection.choices if len(choice) == 1]
    conditions = [
        Condition(f"{alias}.types @> {parameters.add(list(choice), 'text[]')}")
        for choice in selection.choices
        if len(choice) > 1
    ]
    if single:
        sign = "@>" if len(single) == 1 else "&&"
        conditions.insert(0, Condition(f"{alias}.types {sign} {parameters.add(single, 'text[]')}"))
    return any_of(conditions)

"""The query as text: what a forwarded request carries, and what is compared and kept. Pure.

`parse_q(print_q(query, names), names) == query` for every query and every context that gives names back (a property test
holds it). Without names every IRI is written out.
"""

import json
import re

from sanpo.broker.language.moments import Moment
from sanpo.broker.language.names import ShortNames, write_name, write_type
from sanpo.broker.language.patterns import Pattern
from sanpo.broker.language.q.model import (
    And,
    Compare,
    Exists,
    Flag,
    Number,
    Or,
    Path,
    Query,
    Range,
    Text,
    Value,
    ValueList,
)

_PLAIN_KEY = re.compile(r"[^.\[\]\"\s]+")
_PIECE = re.compile(r"\\.|\"", re.DOTALL)


def print_q(query: Query, names: ShortNames | None = None) -> str:
    """One line that `parse_q` reads back to the same query."""
    match query:
        case Or(parts=parts):
            return "|".join(_inside(part, names, Or) for part in parts)
        case And(parts=parts):
            return ";".join(_inside(part, names, Or, And) for part in parts)
        case Exists(path=path, absent=absent):
            return "!" * absent + print_path(path, names)
        case Compare(path=path, operator=operator, value=value):
            return f"{print_path(path, names)}{operator}{print_value(value)}"


def _inside(part: Query, names: ShortNames | None, *bracketed: type) -> str:
    text = print_q(part, names)
    return f"({text})" if isinstance(part, bracketed) else text


def print_path(path: Path, names: ShortNames | None = None) -> str:
    opened = ""
    for link in path.links:
        types = ",".join(write_type(each, names, prefixed=False) for each in link.types)
        opened += write_name(link.name, names, prefixed=not opened) + "{" + (f"{types}:" if types else "")
    inside = ".".join(write_name(name, names, prefixed=not opened) for name in path.names)
    member = ".".join(key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False) for key in path.member)
    return f"{opened}{inside}{f'[{member}]' if member else ''}{'}' * len(path.links)}"


def print_value(value: Value) -> str:
    match value:
        case Number(value=number):
            return repr(number)
        case Text(text=text):
            return json.dumps(text, ensure_ascii=False)
        case Flag(value=flag):
            return "true" if flag else "false"
        case Moment():
            return value.text
        case ValueList(values=values):
            return ",".join(map(print_value, values))
        case Range(low=low, high=high):
            return f"{print_value(low)}..{print_value(high)}"
        case Pattern(source=source):
            return '"' + _PIECE.sub(lambda found: '\\"' if found[0] == '"' else found[0], source) + '"'

"""Terms of `q` as predicates of PostgreSQL's jsonpath over the canonical form; `matching.py` says what they mean. Pure.

The text of a predicate is the value of a parameter. What an asker wrote stands in it as JSON strings and numbers only, which
is jsonpath's own way to write literals and keys.

Lax mode unwraps arrays of itself, one level at each step. Where an array must not be looked into, the type is asked for
first (`.type()` does not unwrap); a filter after an array is how "equal to any member" is said. Every predicate made here is
true or false, never unknown, so that `!` means not.
"""

import json
from collections.abc import Sequence

from sanpo.broker.language.moments import SHAPES, Kind, Moment, read_moment
from sanpo.broker.language.names import SYSTEM, TIMES
from sanpo.broker.language.patterns import Pattern, anywhere
from sanpo.broker.language.q.matching import ANY_LANGUAGE, json_keys
from sanpo.broker.language.q.model import (
    Compare,
    Exists,
    Flag,
    Number,
    Operator,
    Path,
    Range,
    Text,
    Value,
    ValueList,
)

NEVER = "(1 == 0)"
_SECONDS: dict[Kind, int] = {"dateTime": 19, "time": 8}


def quoted(text: str) -> str:
    """A literal or key of jsonpath."""
    return json.dumps(text, ensure_ascii=False)


def instances(names: Sequence[str]) -> str:
    """The instances of an attribute or sub-attribute."""
    return "$" + "".join(f'."attrs".{quoted(name)}[*]' for name in names)


def predicate(term: Exists | Compare) -> str:
    """The term, whose path follows no links, about the entity `$`."""
    path = term.path
    *above, last = path.names
    if any(name in SYSTEM for name in above):
        found = NEVER
    elif last in SYSTEM:
        test = _member_test(term, "@" if above else "$", SYSTEM[last])
        found = f"exists ({instances(above)} ? ({test}))" if above else test
    else:
        inside = _instance_test(term, "@")
        found = f"exists ({instances(path.names)}{f' ? ({inside})' if inside else ''})"
    return f"!({found})" if isinstance(term, Exists) and term.absent else found


def _instance_test(term: Exists | Compare, root: str) -> str:
    """About one instance; empty where there is nothing to ask."""
    if isinstance(term, Exists):
        return _there(term.path, root)
    if term.operator == "!=":
        return _all([_there(term.path, root), f"!({_fits(term.path.member, root, '==', term.value)})"])
    return _fits(term.path.member, root, term.operator, term.value)


def _there(path: Path, root: str) -> str:
    member = path.member
    if not member:
        return ""
    parts = []
    for key in ("value", "json"):
        guards, at = _descend(f'{root}."{key}"', member)
        parts.append(_all([*guards, f"exists ({at})"]))
    if member == ANY_LANGUAGE:
        parts.append(f'exists ({root}."languageMap")')
    elif len(member) == 1:
        parts.append(f'exists ({root}."languageMap".{quoted(member[0])})')
    return _any(parts)


def _fits(member: tuple[str, ...], root: str, operator: Operator, value: Value) -> str:
    parts = []
    for key in json_keys(member, operator, value):
        guards, at = _descend(f'{root}."{key}"', member)
        parts.append(_all([*guards, _value_test(at, operator, value)]))
    texts = [] if isinstance(value, Number | Flag) else _languages(root, member)
    if operator == "==" and isinstance(value, Text | ValueList) and not member:
        texts += [f'{root}."object"', f'{root}."objectList"', f'{root}."objectList"."object"']
    test = _all(['@.type() == "string"', _single("@", operator, value)])
    return _any(parts + [f"exists ({at} ? ({test}))" for at in texts])


def _descend(at: str, member: Sequence[str]) -> tuple[list[str], str]:
    """What must be objects on the way, and the place at its end."""
    guards = []
    for key in member:
        guards.append(f'{at}.type() == "object"')
        at += "." + quoted(key)
    return guards, at


def _languages(root: str, member: tuple[str, ...]) -> list[str]:
    if member in ((), ANY_LANGUAGE):
        return [f'{root}."languageMap".*']
    return [f'{root}."languageMap".{quoted(member[0])}'] if len(member) == 1 else []


def _value_test(at: str, operator: Operator, value: Value) -> str:
    """About a JSON value, or the `@value` of a typed one."""
    inner = f'{at}."@value"'
    if operator == "==" and not isinstance(value, Range):
        test = _single("@", operator, value)
        return f"exists ({at} ? ({test})) || exists ({inner} ? ({test}))"
    plain, typed = _single(at, operator, value), _single(inner, operator, value)
    return f'({plain}) || ({at}.type() == "object" && {typed})'


def _member_test(term: Exists | Compare, at: str, key: str) -> str:
    """About a member such as observedAt of what stands at `at`."""
    place = f'{at}."{key}"'
    if term.path.member:
        return NEVER
    if isinstance(term, Exists):
        return f"exists ({place})"
    test = _time_test if key in TIMES else _value_test
    if term.operator == "!=":
        return f"exists ({place}) && !({test(place, '==', term.value)})"
    return test(place, term.operator, term.value)


def _time_test(place: str, operator: Operator, value: Value) -> str:
    """Times of the canonical form are all written alike, so that their texts are in their order."""
    if isinstance(value, ValueList):
        return _any([_time_test(place, operator, each) for each in value.values])
    if isinstance(value, Range):
        return _all([_time_test(place, ">=", value.low), _time_test(place, "<=", value.high)])
    moment = read_moment(value.text) if isinstance(value, Text) else value
    if not isinstance(moment, Moment) or moment.kind != "dateTime" or operator in ("~=", "!~="):
        return NEVER
    return f'{place}.type() == "string" && {place} {operator} {quoted(moment.canonical)}'


def _single(at: str, operator: Operator, value: Value) -> str:
    """About one value that is no array."""
    match value:
        case ValueList(values=values):
            return _any([_single(at, operator, each) for each in values])
        case Range(low=low, high=high):
            return _all([_single(at, ">=", low), _single(at, "<=", high)])
        case Number(value=number):
            return f'{at}.type() == "number" && {at} {operator} {number!r}'
        case Flag(value=flag):
            return f'{at}.type() == "boolean" && {at} == {"true" if flag else "false"}'
        case Text(text=text):
            return f'{at}.type() == "string" && {at} {operator} {quoted(text)}'
        case Pattern(text=text):
            found = f'{at} like_regex {quoted(text)} flag "s"'
            return f'{at}.type() == "string" && {f"!({found})" if operator == "!~=" else found}'
        case Moment():
            return f'{at}.type() == "string" && {_moment_test(at, operator, value)}'


def _moment_test(at: str, operator: Operator, moment: Moment) -> str:
    """About a stored text, which may write a second's fraction with any digits: by its seconds, then by those digits."""
    shape = f"{at} like_regex {quoted(f'^(?:{SHAPES[moment.kind]})$')}"
    if moment.kind == "date":
        return f"{shape} && {at} {operator} {quoted(moment.key)}"
    seconds = _SECONDS[moment.kind]
    whole, fraction = moment.key[:seconds], moment.key[seconds + 1 :]
    parts = []
    if operator in ("==", ">=", "<="):
        digits = fraction.rstrip("0")
        parts.append(f"[.,]{digits}0*" if digits else "(?:[.,]0+)?")
    if operator in (">", ">="):
        parts.append(f"[.,](?:{'|'.join(_greater(fraction))})" if _greater(fraction) else "")
    if operator in ("<", "<="):
        parts.append(f"(?:[.,](?:{'|'.join(_less(fraction))}))?" if _less(fraction) else "")
    tests = [f"{at} like_regex {quoted(f'^{anywhere(whole)}(?:{each})Z$')}" for each in parts if each]
    if operator in (">", ">="):
        tests.append(f"{at} >= {quoted(whole + '[')}")  # after every sign that can follow the seconds
    if operator in ("<", "<="):
        tests.append(f"{at} < {quoted(whole)}")
    return f"{shape} && {_any(tests)}"


def _greater(fraction: str) -> list[str]:
    """Expressions for the digits of greater fractions than these six digits."""
    return [f"{fraction[:at]}[{int(digit) + 1}-9][0-9]*" for at, digit in enumerate(fraction) if digit != "9"]


def _less(fraction: str) -> list[str]:
    """Expressions for the digits of lesser fractions; digits that are not written are zeros."""
    found = []
    for at, digit in enumerate(fraction):
        if digit != "0":
            found.append(f"{fraction[:at]}[0-{int(digit) - 1}][0-9]*")
        if at and fraction[at:].strip("0"):
            found.append(fraction[:at])
    return found


def _all(parts: Sequence[str]) -> str:
    return " && ".join(f"({part})" for part in parts if part)


def _any(parts: Sequence[str]) -> str:
    return "(" + " || ".join(f"({part})" for part in parts) + ")"

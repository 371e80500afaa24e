"""Whether an entity fits a query (ETSI GS CIM 009 §4.9), in Python: the reference, and what subscriptions use. Pure.

Unequal and "does not match" need the target to be there; of several instances of an attribute any may fit; an array
equals each of its members; other kinds of value are never greater, less or in a range. Texts are ordered by code point.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sanpo.broker.language.moments import Moment, moment_key, read_moment
from sanpo.broker.language.names import SYSTEM, TIMES
from sanpo.broker.language.patterns import Pattern
from sanpo.broker.language.q.model import (
    And,
    Compare,
    Exists,
    Flag,
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
from sanpo.broker.language.q.order import same_number, stands

Resolver = Callable[[str], Mapping[str, Any] | None]
"""The entity of an id, as far as whoever asks may see it; None where there is none."""

ANY_LANGUAGE = ("*",)
_MISSING: Any = object()


def matches_q(query: Query, entity: Mapping[str, Any], resolver: Resolver | None = None) -> bool:
    """Whether the entity in canonical form fits. Without `resolver` no linked entity is found."""
    match query:
        case And(parts=parts):
            return all(matches_q(part, entity, resolver) for part in parts)
        case Or(parts=parts):
            return any(matches_q(part, entity, resolver) for part in parts)
        case Exists(path=path, absent=absent):
            return any(_there(target, path.member) for target in _targets(path, entity, resolver)) != absent
        case Compare(path=path, operator=operator, value=value):
            return any(_fits(target, path.member, operator, value) for target in _targets(path, entity, resolver))


class _Member:
    """A target that is not an instance but a member such as observedAt, of an instance or of the entity."""

    def __init__(self, key: str, raw: Any) -> None:
        self.key = key
        self.raw = raw


_Target = Mapping[str, Any] | _Member


def _targets(path: Path, entity: Mapping[str, Any], resolver: Resolver | None) -> Iterator[_Target]:
    owners: list[Mapping[str, Any]] = [entity]
    for link in path.links:
        found = (resolver(uri) for owner in owners for uri in _linked(owner, link.name)) if resolver else iter(())
        owners = [each for each in found if each and (not link.types or not {*link.types}.isdisjoint(each["type"]))]
    for owner in owners:
        yield from _below(owner, path.names)


def _linked(owner: Mapping[str, Any], name: str) -> Iterator[str]:
    for instance in owner.get("attrs", {}).get(name, ()):
        yield from _uris(instance)


def _below(owner: Mapping[str, Any], names: Sequence[str]) -> Iterator[_Target]:
    """The target elements under an entity or an instance."""
    name, *rest = names
    key = SYSTEM.get(name)
    if key is not None:
        if not rest and key in owner:
            yield _Member(key, owner[key])
        return
    for instance in owner.get("attrs", {}).get(name, ()):
        if rest:
            yield from _below(instance, rest)
        else:
            yield instance


def _uris(instance: Mapping[str, Any]) -> list[str]:
    """The objects of a Relationship or ListRelationship."""
    objects = instance.get("object", instance.get("objectList", ()))
    listed = objects if isinstance(objects, list) else [objects]
    return [uri for each in listed if isinstance(uri := each.get("object") if isinstance(each, dict) else each, str)]


def _descend(value: Any, member: Sequence[str]) -> Any:
    """A member of a compound value as ECMAScript's dot notation finds it, else `_MISSING`."""
    for key in member:
        if not isinstance(value, dict) or key not in value:
            return _MISSING
        value = value[key]
    return value


def _texts(instance: Mapping[str, Any], member: tuple[str, ...]) -> Iterator[str]:
    """Values of a languageMap in one language, or in any."""
    languages = instance["languageMap"]
    if member in ((), ANY_LANGUAGE):
        chosen = list(languages.values())
    else:
        chosen = [languages[member[0]]] if len(member) == 1 and member[0] in languages else []
    for each in chosen:
        yield from (text for text in (each if isinstance(each, list) else [each]) if isinstance(text, str))


def json_keys(member: tuple[str, ...], operator: Operator, value: Value) -> tuple[str, ...]:
    """Where a JSON value can stand that could fit: lists have no order and no members, vocabularies are texts."""
    numeric = isinstance(value, Number | Flag) or (isinstance(value, Range) and isinstance(value.low, Number))
    vocab = () if member or numeric else ("vocab",)
    lists = ("valueList",) if operator == "==" and not member and not isinstance(value, Range) else ()
    return ("value", "json", *vocab, *lists)


def _json(
    instance: Mapping[str, Any], member: tuple[str, ...], keys: tuple[str, ...] = ("value", "json")
) -> Iterator[Any]:
    for key in keys:
        if key in instance and (found := _descend(instance[key], member)) is not _MISSING:
            yield found


def _there(target: _Target, member: tuple[str, ...]) -> bool:
    if not member:
        return True
    if isinstance(target, _Member):
        return False
    if "languageMap" in target:
        return member == ANY_LANGUAGE or (len(member) == 1 and member[0] in target["languageMap"])
    return any(True for _ in _json(target, member))


def _fits(target: _Target, member: tuple[str, ...], operator: Operator, value: Value) -> bool:
    if operator == "!=":
        return _there(target, member) and not _fits(target, member, "==", value)
    if isinstance(target, _Member):
        return not member and _member_fits(target, operator, value)
    if "languageMap" in target:
        return any(_value_fits(each, operator, value) for each in _texts(target, member))
    if "object" in target or "objectList" in target:
        named = operator == "==" and not member and isinstance(value, Text | ValueList)
        return named and any(_equal(uri, value) for uri in _uris(target))
    keys = json_keys(member, operator, value)
    return any(_value_fits(each, operator, value) for each in _json(target, member, keys))


def _member_fits(target: _Member, operator: Operator, value: Value) -> bool:
    if target.key not in TIMES:
        return _value_fits(target.raw, operator, value)
    if isinstance(value, ValueList):
        return any(_member_fits(target, operator, each) for each in value.values)
    if isinstance(value, Range):
        return _member_fits(target, ">=", value.low) and _member_fits(target, "<=", value.high)
    moment = read_moment(value.text) if isinstance(value, Text) else value
    if not isinstance(moment, Moment) or moment.kind != "dateTime":
        return False
    return stands(str(target.raw), operator, moment.canonical)


def _value_fits(target: Any, operator: Operator, value: Value) -> bool:
    if operator == "==":
        return _equal(target, value)
    single = target["@value"] if isinstance(target, dict) and "@value" in target else target
    if isinstance(value, Pattern):
        return isinstance(single, str) and value.found_in(single) == (operator == "~=")
    return _ordered(single, operator, value)


def _members(target: Any) -> Iterator[Any]:
    """What equals a value where the target does: itself or, of an array, each member; typed values by their `@value`."""
    for each in target if isinstance(target, list) else [target]:
        yield each
        if isinstance(each, dict) and "@value" in each:
            inner = each["@value"]
            yield from inner if isinstance(inner, list) else [inner]


def _equal(target: Any, value: Value) -> bool:
    if isinstance(value, ValueList):
        return any(_equal(target, each) for each in value.values)
    if isinstance(value, Range):
        return _value_fits(target, ">=", value.low) and _value_fits(target, "<=", value.high)
    return not isinstance(value, Pattern) and any(_is(each, value) for each in _members(target))


def _is(target: Any, value: Scalar) -> bool:
    match value:
        case Flag(value=flag):
            return target is flag
        case Number(value=number):
            return isinstance(target, int | float) and not isinstance(target, bool) and same_number(target, number)
        case Text(text=text):
            return isinstance(target, str) and target == text
        case Moment(kind=kind, key=key):
            return isinstance(target, str) and moment_key(kind, target) == key


def _ordered(target: Any, operator: Operator, value: Value) -> bool:
    """Greater and less: between values of one kind only."""
    match value:
        case Number(value=number) if isinstance(target, int | float) and not isinstance(target, bool):
            return stands(target, operator, number)
        case Text(text=text) if isinstance(target, str):
            return stands(target, operator, text)
        case Moment(kind=kind, key=key) if isinstance(target, str):
            found = moment_key(kind, target)
            return found is not None and stands(found, operator, key)
    return False

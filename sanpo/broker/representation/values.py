"""The value of each type of attribute (§4.5.2 to §4.5.24, §4.6): checked, and as the canonical form holds it."""

from collections.abc import Callable
from typing import Any

from sanpo.broker.model import NULL
from sanpo.broker.representation.checks import check_language_map, check_uri, refuse
from sanpo.broker.representation.geometry import check_geometry

Expand = Callable[[str], str]
Check = Callable[[Any, str, Expand, bool], Any]


def _property(value: Any, where: str, expand: Expand, merges: bool) -> Any:
    kind = type(value)
    if value is None:
        refuse(where, "has no value")
    if kind is dict or kind is list:
        _check_inside(value, where, merges)
    elif kind is float and value - value != 0:
        refuse(where, "is no number that JSON has")
    return value


def _check_inside(value: Any, where: str, merges: bool) -> None:
    """No NGSI-LD Null at any depth, but in a merge (§5.5.4); no number that JSON does not have."""
    todo = [value]
    while todo:
        item = todo.pop()
        if type(item) is dict:
            todo.extend(item.values())
        elif type(item) is list:
            todo.extend(item)
        elif item == NULL and type(item) is str and not merges:
            refuse(where, "holds the NGSI-LD Null")
        elif type(item) is float and item - item != 0:
            refuse(where, "holds a number that JSON does not have")


def _geo(value: Any, where: str, expand: Expand, merges: bool) -> Any:
    return check_geometry(value, where)


def _object(value: Any, where: str, expand: Expand, merges: bool) -> Any:
    if type(value) is list and value:
        return [_one_object(each, where) for each in value]
    return _one_object(value, where)


def _one_object(value: Any, where: str) -> str:
    if value == NULL:
        refuse(where, "holds the NGSI-LD Null")
    return check_uri(value, where)


def _language(value: Any, where: str, expand: Expand, merges: bool) -> Any:
    found = check_language_map(value, where)
    if not merges and any(text == NULL for text in found.values()):
        refuse(where, "holds the NGSI-LD Null")
    return found


def _vocab(value: Any, where: str, expand: Expand, merges: bool) -> Any:
    if type(value) is list and value:
        return [_one_vocab(each, where, expand) for each in value]
    return _one_vocab(value, where, expand)


def _one_vocab(value: Any, where: str, expand: Expand) -> str:
    if type(value) is not str or not value:
        refuse(where, "is no term of a vocabulary")
    return expand(value)


def _json(value: Any, where: str, expand: Expand, merges: bool) -> Any:
    if type(value) is not dict and type(value) is not list:
        refuse(where, "is no JSON object or array")
    _check_inside(value, where, merges)
    return value


def _list(value: Any, where: str, expand: Expand, merges: bool) -> Any:
    if type(value) is not list:
        refuse(where, "is no array")
    items = [each["value"] if type(each) is dict and each.keys() == {"value"} else each for each in value]
    _check_inside(items, where, merges)
    return items


def _object_list(value: Any, where: str, expand: Expand, merges: bool) -> Any:
    if type(value) is not list:
        refuse(where, "is no array")
    return [_one_object(each.get("object") if type(each) is dict else each, where) for each in value]


CHECKS: dict[str, Check] = {
    "Property": _property,
    "GeoProperty": _geo,
    "Relationship": _object,
    "LanguageProperty": _language,
    "VocabProperty": _vocab,
    "JsonProperty": _json,
    "ListProperty": _list,
    "ListRelationship": _object_list,
}

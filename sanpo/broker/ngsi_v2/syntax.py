"""Which ids, names and texts NGSIv2 allows ("Field syntax restrictions"; Orion's forbidden characters). Pure."""

import re
from typing import Any, NoReturn

from sanpo.broker.ngsi_v2.errors import RequestIsNoNgsiV2

FORBIDDEN = frozenset("<>\"'=;()")
UNRESTRICTED = "TextUnrestricted"
MOST_CHARACTERS = 256
BUILT_IN = ("dateCreated", "dateModified", "dateExpires", "servicePath", "alterationType")
BUILT_IN_METADATA = ("dateCreated", "dateModified", "previousValue", "actionType")
_NO_ATTRIBUTE = frozenset({"id", "type", "geo:distance", "*"})
_FIELD = re.compile(r"[!-~]+")
_SEPARATORS = frozenset("&?/#")


def refuse(where: str, problem: str) -> NoReturn:
    raise RequestIsNoNgsiV2(where=where, problem=problem)


def check_field(value: Any, where: str) -> str:
    """An id, a type or a name. A full IRI, as NGSI-LD makes them, may have `/` and `#`."""
    if type(value) is not str:
        refuse(where, "is no text")
    if not 1 <= len(value) <= MOST_CHARACTERS:
        refuse(where, f"has not 1 to {MOST_CHARACTERS} characters")
    if not _FIELD.fullmatch(value) or not FORBIDDEN.isdisjoint(value):
        refuse(where, "has a character that is not allowed")
    if not _SEPARATORS.isdisjoint(value) and "://" not in value:
        refuse(where, "has a character that is not allowed")
    return value


def check_attribute_name(value: Any) -> str:
    name = check_field(value, "attribute name")
    if name in _NO_ATTRIBUTE:
        refuse(name, "is no name of an attribute")
    return name


def check_metadata_name(value: Any, where: str) -> str:
    return check_field(value, where) if value != "*" else refuse(where, "cannot be named *")


def check_value(value: Any, where: str) -> None:
    """No forbidden character in any text of it."""
    todo = [value]
    while todo:
        item = todo.pop()
        if type(item) is dict:
            todo.extend(item)
            todo.extend(item.values())
        elif type(item) is list:
            todo.extend(item)
        elif type(item) is str and not FORBIDDEN.isdisjoint(item):
            refuse(where, "has a character that is not allowed in a value: " + " ".join(sorted(FORBIDDEN)))

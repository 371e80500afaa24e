"""What a name, a URI, a time and a scope may look like (ETSI GS CIM 009 §4.6). Each check raises `EntityIsInvalid`."""

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from sanpo.broker.errors import EntityIsInvalid

_LEVEL = r"[^\W\d_]\w*"
_NAME = re.compile(rf"(?:{_LEVEL}:)?{_LEVEL}")
_SCOPE = re.compile(rf"/?{_LEVEL}(?:/{_LEVEL})*")
_ASCII_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?Z")
_LANGUAGE = re.compile(r"@none|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
# Characters of no width or of no look, which would make two ids that look alike (RFC 3987 allows some of them).
_HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"}
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def refuse(where: str, problem: str) -> NoReturn:
    raise EntityIsInvalid(where=where, problem=problem)


def check_uri(value: Any, where: str) -> str:
    """The value, if it is an absolute URI or IRI without hidden characters."""
    if type(value) is str and (_ASCII_URI.fullmatch(value) or _is_iri(value)):
        return value
    refuse(where, "is no URI")


def _is_iri(value: str) -> bool:
    if not _IRI.fullmatch(value):
        return False
    return not any(
        unicodedata.category(letter) in _HIDDEN or letter in _BLANK or _is_variation(letter) for letter in value
    )


def _is_variation(letter: str) -> bool:
    return "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef"


@lru_cache(maxsize=8192)
def is_name(term: str) -> bool:
    """A name of §4.6.2 (letters, digits, `_`, at most one prefix), or a full IRI."""
    return bool(_NAME.fullmatch(term) or ("/" in term and (_ASCII_URI.fullmatch(term) or _is_iri(term)))) or (
        term.startswith("urn:") and bool(_ASCII_URI.fullmatch(term))
    )


def check_name(term: Any, where: str) -> str:
    if type(term) is str and is_name(term):
        return term
    refuse(where, "is no name of a type or attribute")


@lru_cache(maxsize=2048)
def is_time(value: str) -> bool:
    """UTC with `Z` (§4.6.3), and a moment that there is."""
    if not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.replace(",", "."))
    except ValueError:
        return False
    return True


def check_time(value: Any, where: str) -> str:
    if type(value) is str and is_time(value):
        return value.replace(",", ".")
    refuse(where, "is no time such as 2026-04-01T09:00:00Z")


def check_scopes(value: Any) -> list[str]:
    """One scope or several (§4.18) as a list, each from its root: the first `/` may be left out."""
    scopes = value if type(value) is list else [value]
    for scope in scopes:
        if type(scope) is not str or not _SCOPE.fullmatch(scope):
            refuse("scope", "is no scope such as /Madrid/Gardens")
    if not scopes:
        refuse("scope", "is empty")
    return [scope if scope[0] == "/" else f"/{scope}" for scope in scopes]


def check_language_map(value: Any, where: str) -> dict[str, Any]:
    """Language tags with a text or texts each (§4.6.5)."""
    if type(value) is not dict or not value:
        refuse(where, "is no object of languages")
    for tag, text in value.items():
        texts = text if type(text) is list else [text]
        if not _LANGUAGE.fullmatch(tag) or not texts or any(type(each) is not str for each in texts):
            refuse(f"{where}.{tag}", "is no language tag with a text")
    return value

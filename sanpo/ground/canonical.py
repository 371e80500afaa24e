"""Canonical JSON (RFC 8785) for the types that Sanpo hashes and signs: no floats, so no number formatting to argue about."""

import hashlib
import json
from typing import Any

from sanpo.ground.errors import DomainError, Kind


class NotCanonical(DomainError):
    """A value that has no canonical form here. `where` is its path, `found` its type."""

    code = "ground.not_canonical"
    kind = Kind.INVALID


def canonical_json(value: Any) -> bytes:
    """UTF-8 bytes with sorted keys (by UTF-16 code unit, RFC 8785 §3.2.3) and no blanks.

    Accepts None, bool, int (within ±2^53), str, list, tuple and dict with str keys; raises `NotCanonical` otherwise.
    """
    if _is_plain(value):
        return _ENCODE_SORTED(value).encode()
    return _ENCODE(_ordered(value, "$")).encode()


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# Sorts by code point, which is the order of UTF-16 units for keys of ASCII.
_ENCODE_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True).encode
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _is_plain(value: Any) -> bool:
    """Whether the encoder's own order is canonical: all types allowed, all keys ASCII. Most values are so."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return abs(int(value)) <= 2**53
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_plain(item) for key, item in value.items())
    return (kind is list or kind is tuple) and all(map(_is_plain, value))


def _ordered(value: Any, where: str) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) <= 2**53:
        return value
    if isinstance(value, list | tuple):
        return [_ordered(item, f"{where}[{at}]") for at, item in enumerate(value)]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _ordered(value[key], f"{where}.{key}") for key in sorted(value, key=_utf16)}
    raise NotCanonical(where=where, found=type(value).__name__)


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")

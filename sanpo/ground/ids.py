"""Typed identifiers: a three-letter prefix, then a UUIDv7 (RFC 9562) in Crockford's base 32, so that they sort by time."""

import re
import secrets
import time

from sanpo.ground.errors import DomainError, Kind

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BODY = re.compile(f"[{_ALPHABET}]{{26}}")


class IdIsMalformed(DomainError):
    """`given` is no identifier of the kind `prefix`."""

    code = "ground.id_is_malformed"
    kind = Kind.NOT_FOUND


def new_id(prefix: str) -> str:
    """A fresh identifier such as `agr_06ca…`."""
    return f"{prefix}_{_base32(new_number())}"


def new_number() -> int:
    """The 128 bits of a fresh identifier: 48 bits of milliseconds, 74 random bits, unguessable."""
    unix_ms = time.time_ns() // 1_000_000
    return (unix_ms << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)


def check_id(prefix: str, text: str) -> str:
    """Returns `text` if it has the shape of an identifier with this prefix; raises `IdIsMalformed` otherwise."""
    head, _, body = text.partition("_")
    if head != prefix or not _BODY.fullmatch(body):
        raise IdIsMalformed(prefix=prefix, given=text[:40])
    return text


def id_of(prefix: str, value: int) -> str:
    """The text form of a 128-bit identifier that is held as a number."""
    return f"{prefix}_{_base32(value)}"


def number_of(prefix: str, text: str) -> int:
    """The 128 bits of an identifier; raises `IdIsMalformed`."""
    value = 0
    for letter in check_id(prefix, text)[len(prefix) + 1 :]:
        value = value << 5 | _ALPHABET.index(letter)
    if value >> 128:
        raise IdIsMalformed(prefix=prefix, given=text[:40])
    return value


_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def _base32(value: int) -> str:
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])

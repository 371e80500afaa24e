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
    """A fresh identifier such as `agr_06ca…`: 48 bits of milliseconds, 74 random bits, unguessable."""
    unix_ms = time.time_ns() // 1_000_000
    value = (unix_ms << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return f"{prefix}_{_base32(value)}"


def check_id(prefix: str, text: str) -> str:
    """Returns `text` if it has the shape of an identifier with this prefix; raises `IdIsMalformed` otherwise."""
    head, _, body = text.partition("_")
    if head != prefix or not _BODY.fullmatch(body):
        raise IdIsMalformed(prefix=prefix, given=text[:40])
    return text


_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def _base32(value: int) -> str:
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])

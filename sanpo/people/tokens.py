"""Secrets that people and programs carry: 256 random bits each, stored only as SHA-256; and pairwise pseudonyms.

A plain hash is enough for them: what has 256 bits of chance cannot be guessed from its hash, however fast that is.
"""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from sanpo.ground.city import City
from sanpo.ground.ids import IdIsMalformed, check_id
from sanpo.people.errors import ScopeIsInvalid

ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")
_SCOPE = "agreement:"


def new_token() -> str:
    """256 random bits as 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """SHA-256 of the token's text: 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def hash_if_token(text: str) -> bytes | None:
    """The hash of what has a token's shape, else None: nonsense needs no query."""
    return hash_of(text) if _SHAPE.fullmatch(text) else None


def same_secret(given: str, stored_hash: bytes | None) -> bool:
    """Whether `given` hashes to `stored_hash`, in a time that depends on neither; never where nothing is stored."""
    same = hmac.compare_digest(hash_of(given), stored_hash or bytes(32))
    return same and stored_hash is not None


def pseudonym(city: City, organisation_no: int, subject_no: int) -> str:
    """How this recipient knows this resident: `psn_` and 130 bits of an HMAC-SHA256; no two recipients can join."""
    key = city.keys.secret("people.pseudonym")
    digest = hmac.new(key, f"{organisation_no}/{subject_no}".encode(), hashlib.sha256).digest()
    return "psn_" + base64.b32encode(digest).decode().lower()[:26]


def agreement_in_scope(scope: str | None) -> str | None:
    """The agreement that `agreement:agr_…` names, None for no scope. Raises `ScopeIsInvalid` for anything else."""
    if not scope:
        return None
    if not scope.startswith(_SCOPE):
        raise ScopeIsInvalid
    try:
        return check_id("agr", scope.removeprefix(_SCOPE))
    except IdIsMalformed:
        raise ScopeIsInvalid from None


def scope_of(agreement_id: str | None) -> str | None:
    """The scope that a token for this agreement has (RFC 6749 §3.3)."""
    return None if agreement_id is None else _SCOPE + agreement_id

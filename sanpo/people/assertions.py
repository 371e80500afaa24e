"""`private_key_jwt`: a client proves itself with a signed assertion (RFC 7523 §3). Pure.

Only signatures with public keys are accepted. `none` and the HMACs are not in the list, so that nobody can turn a
published key into a shared secret.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jwk, jws
from joserfc.errors import JoseError

from sanpo.people.errors import ClientIsNotAuthenticated, ClientKeysAreUnusable

ALGORITHMS = ("ES256", "ES384", "PS256", "RS256", "Ed25519")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE = timedelta(minutes=10)
CLOCK_SKEW = timedelta(seconds=30)
_LONGEST_ASSERTION = 8192
_MOST_KEYS = 8
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES = frozenset({"P-256", "P-384", "Ed25519"})
# What readers of foreign JSON and base64 raise; deep nesting ends in RecursionError.
_UNREADABLE = (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError)


@dataclass(frozen=True)
class Assertion:
    """A verified assertion: `jti_hash` must not come again before `forget_at`."""

    jti_hash: bytes
    forget_at: datetime


def check_key_set(key_set: Any) -> dict[str, Any]:
    """The key set as it is stored. Raises `ClientKeysAreUnusable` with the first problem."""
    keys = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= _MOST_KEYS:
        raise ClientKeysAreUnusable(problem=f"`keys` must list 1–{_MOST_KEYS} keys")
    kept = [_check_key(key, place) for place, key in enumerate(keys)]
    names = [key.get("kid") for key in kept]
    if len(kept) > 1 and (None in names or len(set(names)) < len(names)):
        raise ClientKeysAreUnusable(problem="several keys need a `kid` each, all different")
    return {"keys": kept}


def claimed_client(assertion: str) -> str | None:
    """The client that an assertion says it is from, not yet verified; None where it says nothing readable."""
    if len(assertion) > _LONGEST_ASSERTION:
        return None
    try:
        claims = json.loads(jws.extract_compact(assertion.encode()).payload)
    except _UNREADABLE:
        return None
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) else None


def verify_assertion(
    assertion: str, *, key_set: dict[str, Any] | None, client_id: str, audiences: Collection[str], now: datetime
) -> Assertion:
    """Raises `ClientIsNotAuthenticated` unless signature, issuer, subject, audience and times hold (RFC 7523 §3)."""
    claims = _signed_claims(assertion, key_set)
    jti = claims.get("jti")
    audience = claims.get("aud")
    # One audience only: an assertion made for several servers could be replayed between them.
    sole = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
    if (
        claims.get("iss") != client_id
        or claims.get("sub") != client_id
        or not isinstance(sole, str)
        or sole not in audiences
        or not isinstance(jti, str)
        or not 1 <= len(jti) <= 255
    ):
        raise ClientIsNotAuthenticated
    expires_at = _time(claims.get("exp"))
    starts_at = _time(claims["nbf"]) if "nbf" in claims else now
    if not (starts_at - CLOCK_SKEW <= now < expires_at + CLOCK_SKEW and expires_at <= now + LONGEST_LIFE + CLOCK_SKEW):
        raise ClientIsNotAuthenticated
    return Assertion(hashlib.sha256(jti.encode(errors="surrogatepass")).digest(), expires_at + CLOCK_SKEW)


def _signed_claims(assertion: str, key_set: dict[str, Any] | None) -> dict[str, Any]:
    if key_set is None or len(assertion) > _LONGEST_ASSERTION:
        raise ClientIsNotAuthenticated
    try:
        keys = jwk.KeySet.import_key_set(key_set)  # type: ignore[arg-type]
        claims = json.loads(jws.deserialize_compact(assertion, keys, algorithms=list(ALGORITHMS)).payload)
    except _UNREADABLE:
        raise ClientIsNotAuthenticated from None
    if not isinstance(claims, dict):
        raise ClientIsNotAuthenticated
    return claims


def _time(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClientIsNotAuthenticated
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise ClientIsNotAuthenticated from None


def _check_key(key: Any, place: int) -> dict[str, Any]:
    where = f"keys[{place}]"
    if not isinstance(key, dict):
        raise ClientKeysAreUnusable(problem=f"{where} is no object")
    if _PRIVATE_MEMBERS & key.keys():
        raise ClientKeysAreUnusable(problem=f"{where} holds a private or shared key; send the public part only")
    if key.get("kty") not in ("EC", "RSA", "OKP") or (key["kty"] != "RSA" and key.get("crv") not in _CURVES):
        raise ClientKeysAreUnusable(problem=f"{where} must be EC P-256 or P-384, RSA, or OKP Ed25519")
    try:
        raw = jwk.import_key(key).public_key
    except _UNREADABLE:
        raise ClientKeysAreUnusable(problem=f"{where} cannot be read (RFC 7517)") from None
    if isinstance(raw, RSAPublicKey) and not 2048 <= raw.key_size <= 8192:
        raise ClientKeysAreUnusable(problem=f"{where}: RSA keys have 2048–8192 bits")
    return key

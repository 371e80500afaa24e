"""Access tokens for programs: OAuth 2.0 client credentials (RFC 6749 §4.4), proven by secret or `private_key_jwt`.

A token is opaque, lives for an hour, and names one agreement. Whether the agreement belongs to the organisation and may
be used is for the gate to say at each question: an approval can end while a token lives.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import IdIsMalformed, check_id
from sanpo.people.assertions import claimed_client, verify_assertion
from sanpo.people.attempts import check_attempts, count_failure
from sanpo.people.errors import ClientIsNotAuthenticated
from sanpo.people.sign_in import SIGN_IN
from sanpo.people.store import SQL
from sanpo.people.tokens import ACCESS_TOKEN_LIFETIME, agreement_in_scope, hash_of, new_token, same_secret, scope_of


@dataclass(frozen=True)
class SecretProof:
    """`client_secret_basic` or `client_secret_post`."""

    client_id: str
    secret: str


@dataclass(frozen=True)
class AssertionProof:
    """`private_key_jwt`. `client_id` is what the request says besides, if anything."""

    assertion: str
    client_id: str | None = None


Proof = SecretProof | AssertionProof


@dataclass(frozen=True)
class IssuedToken:
    """An access token in clear, for its client alone."""

    token: str
    expires_at: datetime
    lifetime_s: int
    scope: str | None


def issue_token(city: City, proof: Proof, *, scope: str | None = None) -> IssuedToken:
    """A token for the client that `proof` proves.

    Raises `ClientIsNotAuthenticated`, `ScopeIsInvalid` or `TooManyAttempts`.
    """
    agreement_id = agreement_in_scope(scope)
    client_id = _claimed_id(proof)
    key = f"client:{client_id}"
    try:
        with city.transaction(SIGN_IN) as tx:
            check_attempts(tx, key)
            _authenticate(tx, client_id, proof)
            return _insert(tx, client_id, agreement_id)
    except ClientIsNotAuthenticated:
        count_failure(city, key)
        raise


def is_revoked(tx: Transaction, client_id: str) -> bool:
    """Whether a client was revoked: nothing more goes to it, also of what it had ordered before."""
    return tx.one(SQL.revoked_client, client_id=client_id) is not None


def token_endpoint(origin: str) -> str:
    """The fixed address of the token endpoint."""
    return f"{origin}/oauth/token"


def _claimed_id(proof: Proof) -> str:
    claimed = proof.client_id if isinstance(proof, SecretProof) else claimed_client(proof.assertion)
    try:
        return check_id("cli", claimed or "")
    except IdIsMalformed:
        raise ClientIsNotAuthenticated from None


def _authenticate(tx: Transaction, client_id: str, proof: Proof) -> None:
    client = tx.one(SQL.client, client_id=client_id)
    if isinstance(proof, SecretProof):
        # Compared even where there is no such client, so that the time taken does not tell.
        stored = bytes(client.secret_hash) if client is not None and client.secret_hash else None
        if not same_secret(proof.secret, stored):
            raise ClientIsNotAuthenticated
        return
    if client is None or proof.client_id not in (None, client_id):
        raise ClientIsNotAuthenticated
    _check_assertion(tx, client, proof.assertion)


def _check_assertion(tx: Transaction, client: Any, assertion: str) -> None:
    origin = tx.city.settings.origin
    used = verify_assertion(
        assertion,
        key_set=client.key_set,
        client_id=client.client_id,
        audiences=(origin, token_endpoint(origin)),
        now=tx.now,
    )
    fresh = tx.one(SQL.use_assertion, client_id=client.client_id, jti_hash=used.jti_hash, forget_at=used.forget_at)
    if fresh is None:
        raise ClientIsNotAuthenticated


def _insert(tx: Transaction, client_id: str, agreement_id: str | None) -> IssuedToken:
    token, expires_at = new_token(), tx.now + ACCESS_TOKEN_LIFETIME
    tx.execute(
        SQL.insert_token,
        token_hash=hash_of(token),
        client_id=client_id,
        agreement_id=agreement_id,
        at=tx.now,
        expires_at=expires_at,
    )
    return IssuedToken(token, expires_at, int(ACCESS_TOKEN_LIFETIME.total_seconds()), scope_of(agreement_id))

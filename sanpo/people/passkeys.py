"""Passkeys (W3C Web Authentication): the two ceremonies, and the holder's list of keys.

The library `webauthn` checks the cryptography; here are the rules round it: a challenge serves once and for five
minutes, a new key needs a session that acts for oneself, the authenticator must have verified a person.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import webauthn
from webauthn.helpers import base64url_to_bytes, parse_client_data_json
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sanpo.ground.actors import Actor, Resident, Staff, require
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, InputIsInvalid, NotFound
from sanpo.people.actions import name_of
from sanpo.people.attempts import check_attempts, count_failure
from sanpo.people.errors import LastPasskeyStays, PasskeyIsNotAccepted, PasskeyWasNotAdded
from sanpo.people.model import Holder, NewSession, Passkey, relying_party
from sanpo.people.sign_in import SIGN_IN, begin_session
from sanpo.people.store import SQL, credential_bytes, credential_text, own_holder, passkeys_of

CHALLENGE_LIFETIME = timedelta(minutes=5)
_TIMEOUT_MS = 300_000
_T = TypeVar("_T")


def begin_registration(city: City, actor: Actor, label: str) -> dict[str, Any]:
    """Options for `navigator.credentials.create()`. The holder names the key by `label`, such as "my phone"."""
    who = _person(actor)
    holder = own_holder(who)
    if len(label) > 60 or "\x00" in label:
        raise InputIsInvalid(where="label", problem="0–60")
    name = name_of(city, who) or "?"
    known = [PublicKeyCredentialDescriptor(base64url_to_bytes(key.credential_id)) for key in list_passkeys(city, who)]
    options = webauthn.generate_registration_options(
        rp_id=relying_party(city.settings.origin).rp_id,
        rp_name=city.settings.city_name("ja"),
        # The handle names nobody by itself (§14.6.1 of the standard): it is the public identifier.
        user_id=(who.staff_id if isinstance(who, Staff) else who.resident_id).encode(),
        user_name=name,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=known,
    )
    _keep_challenge(city, options.challenge, holder, label.strip())
    return options_to_json_dict(options)


def finish_registration(city: City, actor: Actor, credential: dict[str, Any]) -> Passkey:
    """Keeps the new key. Raises `PasskeyWasNotAdded` for every reason alike."""
    holder = own_holder(_person(actor))
    challenge, asked = _use_challenge(city, credential, PasskeyWasNotAdded)
    if Holder(asked.subject_no, asked.staff_id) != holder:
        raise PasskeyWasNotAdded
    party = relying_party(city.settings.origin)
    verified = _or_refuse(
        PasskeyWasNotAdded,
        lambda: webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            require_user_verification=True,
        ),
    )
    with city.transaction(SIGN_IN) as tx:
        kept = tx.one(
            SQL.insert_passkey,
            credential_id=verified.credential_id,
            subject_no=holder.subject_no,
            staff_id=holder.staff_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            label=asked.label,
            at=tx.now,
        )
        if kept is None:
            raise PasskeyWasNotAdded
        return Passkey(credential_text(verified.credential_id), asked.label, tx.now, None)


def begin_authentication(city: City) -> dict[str, Any]:
    """Options for `navigator.credentials.get()`. Nobody is named: the device offers what it has for this city."""
    options = webauthn.generate_authentication_options(
        rp_id=relying_party(city.settings.origin).rp_id,
        timeout=_TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _keep_challenge(city, options.challenge, Holder(None, None), None)
    return options_to_json_dict(options)


def finish_authentication(city: City, credential: dict[str, Any], *, instead_of: Actor | None = None) -> NewSession:
    """Begins a session for the key's holder. Raises `PasskeyIsNotAccepted`, or `TooManyAttempts`."""
    challenge, asked = _use_challenge(city, credential, PasskeyIsNotAccepted)
    credential_id = _or_refuse(PasskeyIsNotAccepted, lambda: base64url_to_bytes(credential["id"]))
    key = "passkey:" + hashlib.sha256(credential_id).hexdigest()
    with city.transaction(SIGN_IN) as tx:
        check_attempts(tx, key)
        row = tx.one(SQL.passkey, credential_id=credential_id)
    if asked.subject_no or asked.staff_id or row is None or row.holder_id is None:
        raise PasskeyIsNotAccepted
    try:
        return _verify_and_begin(city, credential, challenge, row, instead_of)
    except PasskeyIsNotAccepted:
        count_failure(city, key)
        raise


def list_passkeys(city: City, actor: Resident | Staff) -> list[Passkey]:
    """The actor's own keys, oldest first."""
    holder = own_holder(actor)
    with city.transaction(SIGN_IN) as tx:
        return passkeys_of(tx, holder)


def remove_passkey(city: City, actor: Actor, credential_id: str) -> None:
    """Removes one of the actor's own keys. Raises `NotFound`, or `LastPasskeyStays`."""
    holder = own_holder(_person(actor))
    wanted = credential_bytes(credential_id)
    with city.transaction(SIGN_IN) as tx:
        # Locked, so that two removals at once cannot each see the other's key as the one that stays.
        own = [
            bytes(row.credential_id)
            for row in tx.all(SQL.lock_passkeys, subject_no=holder.subject_no, staff_id=holder.staff_id)
        ]
        if wanted not in own:
            raise NotFound(what="passkey")
        if len(own) == 1:
            raise LastPasskeyStays
        tx.execute(SQL.delete_passkey, credential_id=wanted)


def _verify_and_begin(
    city: City, credential: dict[str, Any], challenge: bytes, row: Any, instead_of: Actor | None
) -> NewSession:
    party = relying_party(city.settings.origin)
    verified = _or_refuse(
        PasskeyIsNotAccepted,
        lambda: webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            credential_public_key=bytes(row.public_key),
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        ),
    )
    handle = credential["response"].get("userHandle")
    if handle is not None and base64url_to_bytes(handle) != row.holder_id.encode():
        raise PasskeyIsNotAccepted
    with city.transaction(SIGN_IN) as tx:
        used = tx.one(SQL.use_passkey, credential_id=row.credential_id, sign_count=verified.new_sign_count, at=tx.now)
        if used is None:
            raise PasskeyIsNotAccepted
        return begin_session(tx, Holder(row.subject_no, row.staff_id), "passkey", instead_of)


def _keep_challenge(city: City, challenge: bytes, holder: Holder, label: str | None) -> None:
    with city.transaction(SIGN_IN) as tx:
        tx.execute(
            SQL.insert_challenge,
            challenge_hash=hashlib.sha256(challenge).digest(),
            subject_no=holder.subject_no,
            staff_id=holder.staff_id,
            label=label,
            expires_at=tx.now + CHALLENGE_LIFETIME,
        )


def _use_challenge(city: City, credential: dict[str, Any], refusal: type[DomainError]) -> tuple[bytes, Any]:
    """The challenge that was answered and what it was asked for. It is gone afterwards in any case."""
    challenge = _or_refuse(
        refusal,
        lambda: parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])).challenge,
    )
    with city.transaction(SIGN_IN) as tx:
        row = tx.one(SQL.use_challenge, challenge_hash=hashlib.sha256(challenge).digest(), at=tx.now)
    if row is None or not row.in_time:
        raise refusal
    return challenge, row


def _or_refuse(refusal: type[DomainError], read: Callable[[], _T]) -> _T:
    try:
        return read()
    except Exception as error:
        # The readers of foreign CBOR, COSE and JSON raise many types; whatever they say, the key is not accepted.
        raise refusal from error


def _person(actor: Actor) -> Resident | Staff:
    return actor if isinstance(actor, Staff) else require(actor, Resident)

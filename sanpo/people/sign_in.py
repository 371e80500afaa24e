"""Sessions: how they begin, for whom they act, and how a cookie or a bearer token becomes an actor.

Invariants: a link signs in once; a session that ended is refused by the next request on any worker, because nothing
about it is cached; whenever a session changes whom it acts for, its token changes, so that a form (and its CSRF token)
made for one person cannot be sent for another.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System, require
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import InputIsInvalid, NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import check_id, new_id
from sanpo.people.errors import SignInLinkIsNotValid, SignInLinksAreForDemos, TokenIsNotValid
from sanpo.people.model import RESIDENT_SESSION, STAFF_SESSION, Holder, NewSession, SignedInWith
from sanpo.people.store import SQL, get_resident, own_holder
from sanpo.people.tokens import hash_if_token, hash_of, new_token

SIGN_IN = System("sign_in")
LINK_LIFETIME = timedelta(minutes=15)
LONGEST_LINK_LIFETIME = timedelta(days=1)
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class SignInLink:
    """A link that signs one holder in once. The address is a secret until it is used."""

    url: str
    token: str
    expires_at: datetime


def make_sign_in_link(city: City, actor: Actor, holder_id: str, *, lifetime: timedelta = LINK_LIFETIME) -> SignInLink:
    """A one-time link for a resident (`res_…`) or a member of staff (`stf_…`). For the operator of a demo only."""
    if require(actor, System).duty not in ("operator", "simulator"):
        raise NotPermitted(needed="operator")
    if not city.settings.demo:
        raise SignInLinksAreForDemos
    if not timedelta(0) < lifetime <= LONGEST_LINK_LIFETIME:
        raise InputIsInvalid(where="lifetime", problem=f"≤ {LONGEST_LINK_LIFETIME}")
    token = new_token()
    with city.transaction(SIGN_IN) as tx:
        holder = find_holder(tx, holder_id)
        expires_at = tx.now + lifetime
        tx.execute(
            SQL.insert_link,
            token_hash=hash_of(token),
            subject_no=holder.subject_no,
            staff_id=holder.staff_id,
            at=tx.now,
            expires_at=expires_at,
        )
    return SignInLink(link_url(city, token), token, expires_at)


def link_url(city: City, token: str) -> str:
    """Where a one-time link leads."""
    return f"{city.settings.origin}/people/link/{token}"


def sign_in_with_link(city: City, token: str, *, instead_of: Actor | None = None) -> NewSession:
    """Uses the link up and begins a session. Raises `SignInLinkIsNotValid` for every reason alike.

    Outside a demo only the link of an invitation signs in.
    """
    token_hash = hash_if_token(token)
    if token_hash is None:
        raise SignInLinkIsNotValid
    with city.transaction(SIGN_IN) as tx:
        row = tx.one(SQL.use_link, token_hash=token_hash, at=tx.now, demo=city.settings.demo)
        if row is None:
            raise SignInLinkIsNotValid
        made = begin_session(tx, Holder(row.subject_no, row.staff_id), "link", instead_of)
        return replace(made, has_passkey=row.has_passkey)


def begin_session(
    tx: Transaction, holder: Holder, signed_in_with: SignedInWith, instead_of: Actor | None
) -> NewSession:
    """A fresh session with a fresh token; the one that the browser had before ends."""
    if isinstance(instead_of, Resident | Staff):
        tx.execute(SQL.sign_out, session_id=instead_of.session_id, at=tx.now)
    lifetime = STAFF_SESSION if holder.staff_id else RESIDENT_SESSION
    made = NewSession(new_id("ses"), new_token(), tx.now + lifetime.whole)
    tx.execute(
        SQL.insert_session,
        session_id=made.session_id,
        token_hash=hash_of(made.token),
        subject_no=holder.subject_no,
        staff_id=holder.staff_id,
        signed_in_with=signed_in_with,
        at=tx.now,
        idle_limit=lifetime.idle,
        expires_at=made.expires_at,
    )
    return made


def sign_out(city: City, actor: Actor) -> None:
    """Ends the session that the actor came with. Its cookie is refused from now on, stolen or not."""
    if isinstance(actor, Resident | Staff):
        with city.transaction(SIGN_IN) as tx:
            tx.execute(SQL.sign_out, session_id=actor.session_id, at=tx.now)


def act_for(city: City, actor: Actor, resident_id: str | None) -> NewSession:
    """Turns the session to the person represented, or back (None). The old token is refused; the new one is returned.

    Raises `NotFound` where no valid representation leads to `resident_id`, whether or not there is such a resident.
    """
    who = require(actor, Resident)
    token = new_token()
    with city.transaction(SIGN_IN) as tx:
        representation_no = None
        if resident_id is not None and resident_id != who.acting_resident_id:
            me = get_resident(tx, who.acting_resident_id).subject_no
            row = tx.one(SQL.valid_representation, me=me, resident_id=check_id("res", resident_id), at=tx.now)
            if row is None:
                raise NotFound(what="resident")
            representation_no = row.representation_no
        changed = tx.one(
            SQL.switch_session,
            session_id=who.session_id,
            token_hash=hash_of(token),
            representation_no=representation_no,
        )
        if changed is None:
            raise NotSignedIn
    return NewSession(who.session_id, token, changed.expires_at)


def list_sessions(city: City, actor: Resident | Staff) -> list[Any]:
    """The actor's own live sessions, latest first: session_id, signed_in_with, created_at, last_seen_at, expires_at."""
    holder = own_holder(actor)
    with city.transaction(SIGN_IN) as tx:
        return tx.all(SQL.sessions, subject_no=holder.subject_no, staff_id=holder.staff_id, at=tx.now)


def end_session(city: City, actor: Actor, session_id: str) -> None:
    """Ends one of the actor's own sessions, such as that of a lost phone. Another's looks as if it were not there."""
    holder = own_holder(_person(actor))
    with city.transaction(SIGN_IN) as tx:
        ended = tx.one(
            SQL.end_session,
            session_id=check_id("ses", session_id),
            subject_no=holder.subject_no,
            staff_id=holder.staff_id,
            at=tx.now,
        )
        if ended is None:
            raise NotFound(what="session")


def actor_of(city: City, *, cookie: str | None, bearer: str | None) -> Actor:
    """Who acts, in one statement. A bad cookie is nobody; a bad bearer token raises `TokenIsNotValid`."""
    if bearer:
        return _client_of(city, bearer)
    token_hash = hash_if_token(cookie) if cookie else None
    if token_hash is None:
        return Anonymous()
    now = city.now()
    row = city.db.read(SQL.session_actor, token_hash=token_hash, at=now)
    if row is None:
        return Anonymous()
    if now - row.seen_at >= _SEEN_EVERY:
        with city.transaction(SIGN_IN) as tx:
            tx.execute(SQL.touch_session, session_id=row.session_id, at=now)
    if row.staff_id:
        return Staff(row.staff_id, row.organisation_id, row.organisation_no, row.role, row.session_id)
    return Resident(row.resident_id, row.subject_no, row.acting_resident_id, row.acting_as, row.session_id)


def _client_of(city: City, bearer: str) -> Client:
    token_hash = hash_if_token(bearer)
    if token_hash is None:
        raise TokenIsNotValid
    row = city.db.read(SQL.token_actor, token_hash=token_hash, at=city.now())
    if row is None:
        raise TokenIsNotValid
    return Client(row.client_id, row.organisation_id, row.organisation_no, row.agreement_id)


def find_holder(tx: Transaction, holder_id: str) -> Holder:
    """Whose a credential is, by `res_…` or `stf_…`. Raises `NotFound` where nobody is there, or has left."""
    if holder_id.startswith("stf_"):
        if tx.one(SQL.staff, staff_id=check_id("stf", holder_id)) is None:
            raise NotFound(what="staff")
        return Holder(None, holder_id)
    return Holder(get_resident(tx, holder_id).subject_no, None)


def _person(actor: Actor) -> Resident | Staff:
    return actor if isinstance(actor, Staff) else require(actor, Resident)


__all__ = [
    "SignInLink",
    "act_for",
    "actor_of",
    "begin_session",
    "end_session",
    "find_holder",
    "link_url",
    "list_sessions",
    "make_sign_in_link",
    "sign_in_with_link",
    "sign_out",
]

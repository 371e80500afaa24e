"""Organisations, their staff, and the programs (OAuth 2.0 clients) that ask in their name."""

import json
from dataclasses import asdict
from typing import Any

from sanpo.ground.actors import Actor, Staff, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import InputIsInvalid, NotFound, NotPermitted
from sanpo.ground.ids import check_id, new_id
from sanpo.people.assertions import check_key_set
from sanpo.people.errors import OfficerServesTheCity
from sanpo.people.model import (
    ClientCredentials,
    NewOrganisation,
    Organisation,
    StaffRole,
    check_organisation,
)
from sanpo.people.sign_in import SIGN_IN
from sanpo.people.store import SQL, organisation_of
from sanpo.people.tokens import hash_of, new_token


def register_organisation(city: City, actor: Actor, new: NewOrganisation) -> Organisation:
    """Registers an organisation. For an officer of the city or the operator."""
    require_officer(actor)
    check_organisation(new, plain_http=city.settings.webhook_private_hosts)
    with city.transaction(actor) as tx:
        row = tx.get(
            SQL.insert_organisation,
            organisation_id=new_id("org"),
            name_ja=new.name_ja,
            name_en=new.name_en,
            kind=new.kind,
            contact=new.contact,
            webhook_url=new.webhook_url,
            at=tx.now,
        )
    return organisation_of(row)


def list_organisations(city: City, actor: Actor) -> list[Organisation]:
    """All organisations, oldest first. The register is public but for webhook addresses: doors leave them out."""
    with city.transaction(actor) as tx:
        return [organisation_of(row) for row in tx.all(SQL.organisations)]


def get_organisation(tx: Transaction, organisation_id: str) -> Organisation:
    """The organisation; raises `NotFound`."""
    row = tx.one(SQL.organisation, organisation_id=check_id("org", organisation_id))
    if row is None:
        raise NotFound(what="organisation")
    return organisation_of(row)


def find_webhook(tx: Transaction, organisation_no: int) -> str | None:
    """Where the organisation wants to be told, or None if it polls."""
    row = tx.one(SQL.webhook, organisation_no=organisation_no)
    return row.webhook_url if row else None


def set_webhook(city: City, actor: Actor, organisation_id: str, webhook_url: str | None) -> None:
    """Changes where the organisation is told of withdrawals; None if it will poll."""
    with city.transaction(actor) as tx:
        organisation = _managed(tx, actor, organisation_id)
        check_organisation(
            NewOrganisation(
                organisation.name_ja, organisation.name_en, organisation.kind, organisation.contact, webhook_url
            ),
            plain_http=city.settings.webhook_private_hosts,
        )
        tx.execute(SQL.set_webhook, webhook_url=webhook_url, organisation_no=organisation.organisation_no)


def amend_organisation(
    city: City,
    actor: Actor,
    organisation_id: str,
    *,
    name_ja: str | None = None,
    name_en: str | None = None,
    contact: str | None = None,
    webhook_url: str | None = None,
) -> Organisation:
    """Corrects the entry of an organisation; None stays as it is, an empty `webhook_url` makes it poll.

    What was published under the earlier name keeps it. For an officer of the city or the operator.
    """
    require_officer(actor)
    with city.transaction(actor) as tx:
        old = get_organisation(tx, organisation_id)
        new = NewOrganisation(
            old.name_ja if name_ja is None else name_ja,
            old.name_en if name_en is None else name_en,
            old.kind,
            old.contact if contact is None else contact,
            old.webhook_url if webhook_url is None else webhook_url or None,
        )
        check_organisation(new, plain_http=city.settings.webhook_private_hosts)
        fields = {name: value for name, value in asdict(new).items() if name != "kind"}
        tx.execute(SQL.amend_organisation, organisation_no=old.organisation_no, **fields)
        return get_organisation(tx, organisation_id)


def add_staff(
    city: City, actor: Actor, organisation_id: str, *, role: StaffRole, name: str, email: str | None = None
) -> str:
    """Adds a person who works for the organisation; returns the `stf_…`. Only the city has officers."""
    require_officer(actor)
    if not name.strip() or len(name) > 200 or "\x00" in name + (email or ""):
        raise InputIsInvalid(where="name", problem="1–200")
    with city.transaction(actor) as tx:
        organisation = get_organisation(tx, organisation_id)
        if role == "officer" and organisation.kind != "city":
            raise OfficerServesTheCity(kind=organisation.kind)
        staff_id = new_id("stf")
        tx.execute(
            SQL.insert_staff,
            staff_id=staff_id,
            organisation_no=organisation.organisation_no,
            role=role,
            name=name,
            email=email,
            at=tx.now,
        )
    return staff_id


def end_staff(city: City, actor: Actor, staff_id: str) -> None:
    """The person has left; their sessions are refused from now on."""
    require_officer(actor)
    with city.transaction(actor) as tx:
        if tx.one(SQL.end_staff, staff_id=check_id("stf", staff_id), at=tx.now) is None:
            raise NotFound(what="staff")


def reinstate_staff(city: City, actor: Actor, staff_id: str) -> None:
    """The person is back, or had never left. What signed them in before, but for passkeys, stays void."""
    require_officer(actor)
    with city.transaction(actor) as tx:
        if tx.one(SQL.reinstate_staff, staff_id=check_id("stf", staff_id)) is None:
            raise NotFound(what="staff")
        # Committed before the return is: no session of before may see it.
        with city.transaction(SIGN_IN) as sign_in:
            sign_in.execute(SQL.end_sessions, subject_no=None, staff_id=staff_id, at=sign_in.now)
            sign_in.execute(SQL.cancel_links, subject_nos=[], staff_ids=[staff_id], at=sign_in.now)


def list_staff(city: City, actor: Actor, organisation_id: str) -> list[Any]:
    """The organisation's staff, those who left included: staff_id, role, name, email, added_at, left_at."""
    with city.transaction(actor) as tx:
        organisation = _managed(tx, actor, organisation_id)
        return tx.all(SQL.staff_of_organisation, organisation_no=organisation.organisation_no)


def create_client(city: City, actor: Actor, organisation_id: str, *, name: str) -> ClientCredentials:
    """A client of the organisation. Its secret is in the result and nowhere else."""
    secret = new_token()
    client_id = _insert_client(city, actor, organisation_id, name=name, secret_hash=hash_of(secret), key_set=None)
    return ClientCredentials(client_id, secret)


def create_client_with_keys(
    city: City, actor: Actor, organisation_id: str, *, name: str, key_set: dict[str, Any]
) -> str:
    """A client that has public keys (RFC 7517) and never had a secret; returns the `cli_…`."""
    kept = json.dumps(check_key_set(key_set))
    return _insert_client(city, actor, organisation_id, name=name, secret_hash=None, key_set=kept)


def list_clients(city: City, actor: Actor, organisation_id: str) -> list[Any]:
    """The organisation's clients, oldest first: client_id, name, created_at, revoked_at, has_keys, has_secret."""
    with city.transaction(actor) as tx:
        organisation = _managed(tx, actor, organisation_id)
        return tx.all(SQL.clients, organisation_no=organisation.organisation_no)


def set_client_keys(city: City, actor: Actor, client_id: str, key_set: dict[str, Any]) -> None:
    """Public keys (RFC 7517) for `private_key_jwt`. The secret is given up: who has keys needs no password."""
    kept = json.dumps(check_key_set(key_set))
    with city.transaction(actor) as tx:
        _managed_client(tx, actor, client_id)
        tx.execute(SQL.set_client_keys, client_id=client_id, key_set=kept)
        tx.execute(SQL.set_client_secret, client_id=client_id, secret_hash=None)


def rotate_client_secret(city: City, actor: Actor, client_id: str) -> ClientCredentials:
    """A new secret; the old one is refused at once. Tokens that were issued run on until they expire."""
    made = ClientCredentials(check_id("cli", client_id), new_token())
    with city.transaction(actor) as tx:
        _managed_client(tx, actor, client_id)
        tx.execute(SQL.set_client_secret, client_id=client_id, secret_hash=hash_of(made.secret))
    return made


def revoke_client(city: City, actor: Actor, client_id: str) -> None:
    """The client and all of its tokens are refused from now on."""
    with city.transaction(actor) as tx:
        _managed_client(tx, actor, client_id)
        tx.execute(SQL.revoke_client, client_id=client_id, at=tx.now)
        tx.execute(SQL.revoke_tokens, client_id=client_id, at=tx.now)


def _insert_client(
    city: City, actor: Actor, organisation_id: str, *, name: str, secret_hash: bytes | None, key_set: str | None
) -> str:
    if not name.strip() or len(name) > 200 or "\x00" in name:
        raise InputIsInvalid(where="name", problem="1–200")
    client_id = new_id("cli")
    with city.transaction(actor) as tx:
        organisation = _managed(tx, actor, organisation_id)
        tx.execute(
            SQL.insert_client,
            client_id=client_id,
            organisation_no=organisation.organisation_no,
            name=name,
            secret_hash=secret_hash,
            key_set=key_set,
            at=tx.now,
        )
    return client_id


def _managed(tx: Transaction, actor: Actor, organisation_id: str) -> Organisation:
    """The organisation if the actor manages it; another one looks as if it were not there."""
    organisation = get_organisation(tx, organisation_id)
    if not _manages(actor, organisation.organisation_no):
        raise NotFound(what="organisation")
    return organisation


def _managed_client(tx: Transaction, actor: Actor, client_id: str) -> None:
    row = tx.one(SQL.client, client_id=check_id("cli", client_id))
    if row is None or not _manages(actor, row.organisation_no):
        raise NotFound(what="client")


def _manages(actor: Actor, organisation_no: int) -> bool:
    """The operator, an officer of the city, or staff of this organisation. Raises for those who manage none."""
    try:
        require_officer(actor)
    except NotPermitted as error:
        if isinstance(actor, Staff):
            return actor.organisation_no == organisation_no
        raise NotPermitted(needed="staff") from error
    return True

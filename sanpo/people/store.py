"""The vault's door: rows of `people` as the district's own types."""

import base64
from typing import Any

from sanpo.ground.actors import Resident, Staff
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound
from sanpo.ground.ids import check_id
from sanpo.ground.queries import load_queries
from sanpo.people.errors import ActsForAnother
from sanpo.people.model import Holder, Organisation, Passkey

SQL = load_queries(__package__)


def organisation_of(row: Any) -> Organisation:
    """A row of `people.organisations`."""
    return Organisation(
        row.organisation_id,
        row.organisation_no,
        row.name_ja,
        row.name_en,
        row.kind,
        row.contact,
        row.webhook_url,
        row.registered_at,
    )


def get_resident(tx: Transaction, resident_id: str) -> Any:
    """The row of a resident whom the actor may know of; raises `NotFound`."""
    row = tx.one(SQL.resident, resident_id=check_id("res", resident_id))
    if row is None:
        raise NotFound(what="resident")
    return row


def own_holder(actor: Resident | Staff) -> Holder:
    """The holder of the actor's own credentials. Raises `ActsForAnother` where a representative acts."""
    if isinstance(actor, Staff):
        return Holder(None, actor.staff_id)
    if actor.acting_as != "self":
        raise ActsForAnother
    return Holder(actor.subject_no, None)


def passkeys_of(tx: Transaction, holder: Holder) -> list[Passkey]:
    """This holder's keys, oldest first. For the duty of signing in."""
    rows = tx.all(SQL.passkeys, subject_no=holder.subject_no, staff_id=holder.staff_id)
    return [Passkey(credential_text(row.credential_id), row.label, row.created_at, row.last_used_at) for row in rows]


def credential_text(credential_id: bytes) -> str:
    """A credential's identifier in base64url, as browsers write it."""
    return base64.urlsafe_b64encode(bytes(credential_id)).rstrip(b"=").decode()


def credential_bytes(text: str) -> bytes:
    """The reverse; raises `NotFound` for what is no base64url: no credential has such a name."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise NotFound(what="passkey") from None

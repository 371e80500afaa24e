"""The vault's door: rows of `people` as the district's own types."""

from typing import Any

from sanpo.ground.actors import Resident, Staff
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound
from sanpo.ground.ids import check_id
from sanpo.ground.queries import load_queries
from sanpo.people.errors import ActsForAnother
from sanpo.people.model import Holder, Organisation

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

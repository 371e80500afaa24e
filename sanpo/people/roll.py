"""Who is registered, without a name: for the operator, who knows residents by their identifiers and references alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.people.actions import require_register
from sanpo.people.imports import REGISTER
from sanpo.people.model import Representation, is_reference
from sanpo.people.sign_in import SIGN_IN
from sanpo.people.store import SQL


@dataclass(frozen=True)
class Enrolled:
    """How far a resident has come: `invited_until` is set while a letter with an unused link is on its way."""

    resident_id: str
    subject_no: int
    reference: str | None
    area: str
    registered_at: datetime
    vanished_at: datetime | None
    passkeys: int
    invited_until: datetime | None


def list_residents(
    city: City, actor: Actor, *, after: int = 0, limit: int = 100, without_passkey: bool = False
) -> list[Enrolled]:
    """Residents by their number, from the one after `after`. For the operator."""
    require_register(actor)
    with city.transaction(SIGN_IN) as tx:
        rows = tx.all(SQL.page_of_residents, at=tx.now, after=after, limit=limit, without_passkey=without_passkey)
    with city.transaction(REGISTER) as tx:
        known = {row.subject_no: row for row in tx.all(SQL.references, subject_nos=[row.subject_no for row in rows])}
    return [
        Enrolled(
            row.resident_id,
            row.subject_no,
            known[row.subject_no].reference,
            known[row.subject_no].area,
            row.registered_at,
            known[row.subject_no].vanished_at,
            row.passkeys,
            row.invited_until,
        )
        for row in rows
    ]


def get_holder_id(city: City, actor: Actor, given: str) -> str:
    """`res_…` and `stf_…` as they are; anything else is the register's reference of a resident. For the operator.

    Raises `NotFound` where the register knows nobody by it.
    """
    require_register(actor)
    if given.startswith(("res_", "stf_")):
        return given
    with city.transaction(REGISTER) as tx:
        row = tx.one(SQL.resident_by_reference, reference=given) if is_reference(given) else None
    if row is None:
        raise NotFound(what="resident")
    return str(row.resident_id)


def list_subjects(
    city: City, actor: Actor, *, named: Sequence[str] | None = None, area: str | None = None
) -> list[int]:
    """The numbers by which other districts know residents, in order. For an officer or the operator.

    Those `named` by `res_…` or the register's reference; raises `NotFound` where it knows nobody by one of them. Else all, or
    those who live in `area`, without whom the register has lost.
    """
    require_officer(actor)
    with city.transaction(REGISTER) as tx:
        if named is None:
            return [int(row.subject_no) for row in tx.all(SQL.subjects_by_area, area=area)]
        rows = tx.all(SQL.subjects_named, named=list(named))
    if {each for row in rows for each in (row.resident_id, row.reference)}.issuperset(named):
        return [int(row.subject_no) for row in rows]
    raise NotFound(what="resident")


def list_representations(city: City, actor: Actor, resident_id: str | None = None) -> list[Representation]:
    """Who may, or might, act for whom; all, or those on either side of a resident. For an officer or the operator."""
    who = require_officer(actor)
    with city.transaction(who) as tx:
        return [Representation(*row) for row in tx.all(SQL.representations, resident_id=resident_id)]

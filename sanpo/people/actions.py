"""The register: residents, households, who may act for whom, and what a person reads about themself."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sanpo.ground.actors import Actor, Resident, Staff, System, require, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import InputIsInvalid, NotFound, NotPermitted
from sanpo.ground.ids import new_id
from sanpo.people.errors import MemberLivesElsewhere, ReferenceIsTaken, RepresentativeIsAppointed
from sanpo.people.model import (
    Household,
    Identity,
    Language,
    NewHousehold,
    NewResident,
    Registered,
    RepresentativeRole,
    check_residents,
    check_term,
)
from sanpo.people.store import SQL, get_resident, own_holder

REGISTER_DUTIES = ("operator", "simulator")


def register_residents(city: City, actor: Actor, new: Sequence[NewResident]) -> list[Registered]:
    """Registers people, in the order given, all or none. For the operator and the simulator.

    Raises `InputIsInvalid`, or `ReferenceIsTaken` where the register's reference is another resident's.
    """
    require_register(actor)
    check_residents(new)
    with city.transaction(actor) as tx:
        return insert_residents(tx, new)


def insert_residents(tx: Transaction, new: Sequence[NewResident]) -> list[Registered]:
    """As `register_residents`, within a transaction of a duty that may."""
    rows = tx.all(
        SQL.insert_residents,
        resident_ids=[new_id("res") for _ in new],
        languages=[resident.language for resident in new],
        at=tx.now,
    )
    kept = tx.execute(
        SQL.insert_identities,
        subject_nos=[row.subject_no for row in rows],
        names=[resident.name for resident in new],
        kanas=[resident.name_kana for resident in new],
        addresses=[resident.address for resident in new],
        areas=[resident.area for resident in new],
        emails=[resident.email for resident in new],
        birth_years=[resident.birth_year for resident in new],
        references=[resident.reference for resident in new],
    )
    if kept < len(new):
        raise ReferenceIsTaken
    return [Registered(row.resident_id, row.subject_no) for row in rows]


def register_households(city: City, actor: Actor, new: Sequence[NewHousehold]) -> list[Household]:
    """Registers homes with their members, in the order given, all or none. Raises `MemberLivesElsewhere`."""
    require_register(actor)
    with city.transaction(actor) as tx:
        return insert_households(tx, new)


def insert_households(tx: Transaction, new: Sequence[NewHousehold]) -> list[Household]:
    """As `register_households`, within a transaction of a duty that may."""
    rows = tx.all(
        SQL.insert_households,
        household_ids=[new_id("hhd") for _ in new],
        areas=[household.area for household in new],
    )
    pairs = [
        (subject_no, row.household_no)
        for row, household in zip(rows, new, strict=True)
        for subject_no in household.subject_nos
    ]
    kept = tx.all(
        SQL.insert_members,
        subject_nos=[subject_no for subject_no, _ in pairs],
        household_nos=[household_no for _, household_no in pairs],
    )
    if len(kept) < len(pairs):
        raise MemberLivesElsewhere(subject_no=_first_refused(pairs, {row.subject_no for row in kept}))
    return [
        Household(row.household_no, row.household_id, row.area, household.subject_nos)
        for row, household in zip(rows, new, strict=True)
    ]


def list_households(city: City, actor: Actor) -> list[Household]:
    """All homes, without a name: for services that measure them. For the operator, the simulator and jobs."""
    if require(actor, System).duty not in (*REGISTER_DUTIES, "jobs"):
        raise NotPermitted(needed="operator")
    with city.transaction(actor) as tx:
        return [
            Household(row.household_no, row.household_id, row.area, tuple(row.subject_nos))
            for row in tx.all(SQL.households)
        ]


def appoint_representative(
    city: City,
    actor: Actor,
    resident_id: str,
    *,
    representative_id: str,
    role: RepresentativeRole,
    valid_from: datetime,
    valid_until: datetime,
) -> int:
    """`representative_id` may act for `resident_id` within the term. Recorded by an officer; returns its number."""
    recorder = require_officer(actor)
    with city.transaction(actor) as tx:
        subject_no = get_resident(tx, resident_id).subject_no
        representative_no = get_resident(tx, representative_id).subject_no
        check_term(subject_no, representative_no, valid_from, valid_until, tx.now)
        pair = {"subject_no": subject_no, "representative_subject_no": representative_no}
        # Two officers at the same moment must not both find the term free.
        tx.execute(SQL.lock_pair, **pair)
        if tx.one(SQL.overlapping_term, **pair, start=valid_from, until=valid_until) is not None:
            raise RepresentativeIsAppointed
        row = tx.get(
            SQL.insert_representation,
            **pair,
            role=role,
            start=valid_from,
            until=valid_until,
            by=recorder.staff_id if isinstance(recorder, Staff) else recorder.duty,
            at=tx.now,
        )
        return int(row.representation_no)


def end_representation(city: City, actor: Actor, representation_no: int) -> None:
    """Ends a term now; sessions that act under it are over with it. Raises `NotFound` where none is running."""
    require_officer(actor)
    with city.transaction(actor) as tx:
        if tx.one(SQL.end_representation, representation_no=representation_no, at=tx.now) is None:
            raise NotFound(what="representation")


@dataclass(frozen=True)
class Relation:
    """A person whom the actor represents, or who represents them. `resident_id` is None for the latter."""

    representation_no: int
    resident_id: str | None
    name: str
    role: RepresentativeRole
    valid_until: datetime


@dataclass(frozen=True)
class Self:
    """What a resident reads about themself (or a representative about the person they act for)."""

    identity: Identity
    household_id: str | None
    household_area: str | None
    represents: list[Relation]
    represented_by: list[Relation]


def read_self(city: City, actor: Actor) -> Self:
    """Identity, home and relations of the person whom it is about. Row-level security shows no other."""
    who = require(actor, Resident)
    with city.transaction(who) as tx:
        row = tx.get(SQL.identity, subject_no=who.subject_no)
        home = tx.one(SQL.area_of_household, subject_no=who.subject_no)
        theirs = tx.all(SQL.represented, subject_no=who.subject_no, at=tx.now)
        ours = tx.all(SQL.representatives_of, subject_no=who.subject_no, at=tx.now)
    return Self(
        Identity(*row),
        home.household_id if home else None,
        home.area if home else None,
        [_relation(row, row.resident_id) for row in theirs],
        [_relation(row, None) for row in ours],
    )


def name_of(city: City, actor: Actor) -> str | None:
    """The name to greet by: of the resident it is about, or of the member of staff; None for programs and nobody."""
    if isinstance(actor, Resident):
        with city.transaction(actor) as tx:
            row = tx.one(SQL.name_of_resident, subject_no=actor.subject_no)
    elif isinstance(actor, Staff):
        with city.transaction(actor) as tx:
            row = tx.one(SQL.staff, staff_id=actor.staff_id)
    else:
        return None
    return row.name if row else None


def choose_language(city: City, actor: Actor, language: Language) -> None:
    """The language in which the city writes to this resident."""
    who = require(actor, Resident)
    own_holder(who)
    if language not in ("ja", "en"):
        raise InputIsInvalid(where="language", problem="ja | en")
    with city.transaction(who) as tx:
        tx.execute(SQL.set_language, language=language, subject_no=who.subject_no)


def export_self(city: City, actor: Actor) -> dict[str, Any]:
    """All that this district knows of the person whom it is about, for taking along as JSON."""
    found = read_self(city, actor)
    return {
        "resident_id": require(actor, Resident).resident_id,
        **{name: _plain(value) for name, value in asdict(found.identity).items()},
        "household": {"household_id": found.household_id, "area": found.household_area},
        "may_act_for": [_exported(relation) for relation in found.represents],
        "represented_by": [_exported(relation) for relation in found.represented_by],
    }


def require_register(actor: Actor) -> None:
    """Raises `NotPermitted` unless this is the operator or the simulator."""
    if require(actor, System).duty not in REGISTER_DUTIES:
        raise NotPermitted(needed="operator")


def _first_refused(pairs: list[tuple[int, int]], kept: set[int]) -> int:
    seen: set[int] = set()
    for subject_no, _ in pairs:
        if subject_no not in kept or subject_no in seen:
            return subject_no
        seen.add(subject_no)
    raise LookupError("no member was refused")


def _exported(relation: Relation) -> dict[str, Any]:
    return {"name": relation.name, "role": relation.role, "until": relation.valid_until.isoformat()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _relation(row: Any, resident_id: str | None) -> Relation:
    return Relation(row.representation_no, resident_id, row.name, row.role, row.valid_until)

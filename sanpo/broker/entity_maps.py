"""Entity maps: which entities a query had found, kept for its next pages (ETSI GS CIM 009 §5.2.39, §5.5.14, §5.14).

A map is its creator's alone. What of it is in sight is decided whenever it is read, as for any other answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sanpo.broker import store
from sanpo.broker.entities import Place
from sanpo.broker.errors import EntityMapNotFound
from sanpo.broker.sight import DUTY, Sight, check_reader
from sanpo.broker.store import SQL, Stored
from sanpo.ground.actors import Actor, Client, Resident, Staff
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id

PREFIX = "urn:ngsi-ld:entitymap:"
LIFETIME = timedelta(minutes=10)
LONGEST = timedelta(days=1)
MOST_OF_AN_OWNER = 100


@dataclass(frozen=True)
class EntityMap:
    """A map with the ids under which its owner knows its entities; all of them are in this broker (`@none`)."""

    map_id: str
    expires_at: datetime
    ids: Sequence[str]


def owner_of(actor: Actor) -> str:
    """Whose a map of this actor is. Raises `NotSignedIn`."""
    check_reader(actor)
    match actor:
        case Client():
            return f"client/{actor.client_id}/{actor.agreement_id or ''}"
        case Resident():
            return f"resident/{actor.resident_id}"
        case Staff():
            return f"staff/{actor.staff_id}"
        case _:
            return "city"


def make_map(place: Place, entity_nos: Sequence[int], expires_at: datetime | None = None) -> str:
    """Keeps what was found; returns the map's id. It lives no longer than `LONGEST`, whatever is asked for (§6.4.3.2)."""
    map_id = PREFIX + new_id("map")
    now = place.city.now()
    until = min(expires_at or now + LIFETIME, now + LONGEST)
    values = {"entity_nos": list(entity_nos), "expires_at": until, "now": now, "most": MOST_OF_AN_OWNER}
    with place.transaction(DUTY) as tx:
        tx.execute(SQL.make_map, **_key(place, map_id), **values)
    return map_id


def find_numbers(place: Place, map_id: str) -> list[int] | None:
    """The entities of a map by number; None where there is no such map (any more)."""
    with place.transaction(DUTY) as tx:
        row = tx.one(SQL.map, **_key(place, map_id), now=tx.now)
    return None if row is None else list(row.entity_nos)


def keep_numbers(place: Place, map_id: str, entity_nos: Sequence[int]) -> None:
    """Leaves those alone in the map that still fit the query (§5.5.9.3)."""
    with place.transaction(DUTY) as tx:
        tx.execute(SQL.keep_in_map, **_key(place, map_id), entity_nos=list(entity_nos))


def retrieve_map(place: Place, map_id: str) -> EntityMap:
    """Raises `EntityMapNotFound`, also for another's and for one whose time is over."""
    with place.transaction(DUTY) as tx:
        row = tx.one(SQL.map, **_key(place, map_id), now=tx.now)
    if row is None:
        raise EntityMapNotFound(map_id=map_id)

    def look(tx: Transaction, sight: Sight) -> list[str]:
        named = store.find_named(tx, place.find_tenant_no(), row.entity_nos)
        shown = zip(named, sight.show_all(named), strict=True)
        seen: list[tuple[Stored, str]] = [(each, doc["id"]) for each, doc in shown if doc is not None]
        sight.note(each for each, _ in seen)
        return [entity_id for _, entity_id in seen]

    return EntityMap(map_id, row.expires_at, place.looking("entity map", look))


def update_map(place: Place, map_id: str, expires_at: datetime | None) -> None:
    """Ends the map at another time (§5.14.2). Raises `EntityMapNotFound`."""
    with place.transaction(DUTY) as tx:
        key = _key(place, map_id)
        if expires_at is None:
            there = tx.one(SQL.map, **key, now=tx.now) is not None
        else:
            there = bool(tx.execute(SQL.end_map, **key, now=tx.now, expires_at=min(expires_at, tx.now + LONGEST)))
    if not there:
        raise EntityMapNotFound(map_id=map_id)


def delete_map(place: Place, map_id: str) -> None:
    """Raises `EntityMapNotFound`."""
    with place.transaction(DUTY) as tx:
        if not tx.execute(SQL.delete_map, **_key(place, map_id), now=tx.now):
            raise EntityMapNotFound(map_id=map_id)


def _key(place: Place, map_id: str) -> dict[str, object]:
    return {"map_id": map_id, "tenant_no": place.find_tenant_no(), "owner": owner_of(place.actor)}

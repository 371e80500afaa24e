"""What an actor sees, and who may write. Every way out of the broker asks here, and nowhere else.

A public entity is seen by whoever has signed in; a personal one by its residents, and under an agreement by a client
while all of its residents grant it: then with the agreed attributes only.
"""

from dataclasses import dataclass
from typing import Any

from sanpo.broker.errors import NotAWriter
from sanpo.broker.store import SQL, Stored
from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotPermitted, NotSignedIn

OPEN = System("broker_open")
"""Whoever asks a broker without sign-in (`broker_open`). No policy knows this duty: it sees public rows."""


@dataclass(frozen=True)
class Sight:
    """What one actor sees in one transaction."""

    def show(self, stored: Stored) -> Any | None:
        """The entity as this actor may see it, or None."""
        return stored.doc if stored.subjects is None else None


PUBLIC = Sight()


def sees_public_only(actor: Actor) -> bool:
    """Whether no personal entity can be in sight, so that no transaction is needed to know."""
    return not isinstance(actor, Resident) and not (isinstance(actor, Client) and actor.agreement_id is not None)


def sight_of(tx: Transaction, actor: Actor) -> Sight:
    """What the actor sees from here on."""
    return PUBLIC


def check_reader(actor: Actor) -> None:
    """Raises `NotSignedIn` for nobody."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn


def check_writer(city: City, actor: Actor) -> None:
    """Raises `NotSignedIn`, `NotPermitted` or `NotAWriter`."""
    match actor:
        case Anonymous():
            raise NotSignedIn
        case System():
            return
        case Staff(role="officer"):
            return
        case Client():
            with city.transaction(actor) as tx:
                if tx.one(SQL.is_writer, organisation_no=actor.organisation_no) is None:
                    raise NotAWriter(organisation_id=actor.organisation_id)
        case _:
            raise NotPermitted(needed="officer or writing organisation")

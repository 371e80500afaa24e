"""Who acts. Doors make an actor from a session or token; actions decide by it; the database's second wall reads it."""

from dataclasses import dataclass
from typing import Literal, TypeVar

from sanpo.ground.errors import NotPermitted, NotSignedIn


class Actor:
    """Whoever acts: one of the kinds below."""


@dataclass(frozen=True)
class Anonymous(Actor):
    """Nobody has signed in."""


@dataclass(frozen=True)
class Resident(Actor):
    """A resident, or a representative acting for one. `subject_no` is whose data it is about."""

    resident_id: str
    subject_no: int
    acting_resident_id: str
    acting_as: Literal["self", "parent", "carer"] = "self"
    session_id: str = ""


@dataclass(frozen=True)
class Staff(Actor):
    """A person who works for an organisation: an officer of the city, or an analyst."""

    staff_id: str
    organisation_id: str
    organisation_no: int
    role: Literal["officer", "analyst"]
    session_id: str = ""


@dataclass(frozen=True)
class Client(Actor):
    """An organisation's program. Its token names the agreement under which it asks."""

    client_id: str
    organisation_id: str
    organisation_no: int
    agreement_id: str | None = None


@dataclass(frozen=True)
class System(Actor):
    """The city itself at a duty: `jobs`, `operator` (its own command line), `sign_in`, `simulator`."""

    duty: str


_T = TypeVar("_T", Resident, Staff, Client, System)


def require(actor: Actor, kind: type[_T]) -> _T:
    """The actor as this kind; raises `NotSignedIn` for nobody and `NotPermitted` for another kind."""
    if isinstance(actor, kind):
        return actor
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    raise NotPermitted(needed=kind.__name__.lower())


def require_officer(actor: Actor) -> Staff | System:
    """An officer of the city, or the operator at the city's own machine."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    if (isinstance(actor, Staff) and actor.role == "officer") or isinstance(actor, System):
        return actor
    raise NotPermitted(needed="officer")

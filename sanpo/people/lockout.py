"""A lost phone: what signs its holder in is taken back by the city, when the holder cannot do it from another device."""

from collections.abc import Sequence
from dataclasses import dataclass

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.people.model import Holder, Passkey
from sanpo.people.sign_in import SIGN_IN, find_holder
from sanpo.people.store import SQL, credential_bytes, passkeys_of


@dataclass(frozen=True)
class LockedOut:
    """What was taken back."""

    sessions: int
    passkeys: int
    links: int


def lock_out(city: City, actor: Actor, holder_id: str, *, credential_ids: Sequence[str] = ()) -> LockedOut:
    """Ends all sessions and open links of a holder and removes all of their passkeys, or only the ones named.

    The last one goes too, unlike when its holder removes it: who is locked out is invited again. For an officer or the
    operator. Raises `NotFound` for a holder or a passkey that is not there; then nothing was taken back.
    """
    require_officer(actor)
    named = [credential_bytes(credential_id) for credential_id in credential_ids]
    with city.transaction(SIGN_IN) as tx:
        holder = find_holder(tx, holder_id)
        whose = {"subject_no": holder.subject_no, "staff_id": holder.staff_id}
        removed = tx.execute(SQL.delete_passkeys, **whose, all=not named, credential_ids=named)
        if removed < len(set(named)):
            raise NotFound(what="passkey")
        sessions = tx.execute(SQL.end_sessions, **whose, at=tx.now)
        return LockedOut(sessions, removed, tx.execute(SQL.cancel_links, **_lists(holder), at=tx.now))


def list_passkeys_of(city: City, actor: Actor, holder_id: str) -> list[Passkey]:
    """A holder's passkeys, oldest first, so that the lost one can be told from the others. For an officer or the operator."""
    require_officer(actor)
    with city.transaction(SIGN_IN) as tx:
        return passkeys_of(tx, find_holder(tx, holder_id))


def _lists(holder: Holder) -> dict[str, list[int] | list[str]]:
    return {
        "subject_nos": [] if holder.subject_no is None else [holder.subject_no],
        "staff_ids": [] if holder.staff_id is None else [holder.staff_id],
    }

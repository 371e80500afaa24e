"""Wallets are stopped and opened again, by an officer with a reason; the resident is told, and the journal has it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sanpo.ground.actors import Actor, Resident, require, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.journal import append
from sanpo.people import list_subjects
from sanpo.services.cash.errors import ReasonIsMissing, WalletIsNotSuspended
from sanpo.services.cash.oversight.alerts import subject_of_alert
from sanpo.services.cash.oversight.store import SQL
from sanpo.services.cash.wallets import SERVICE, lock_wallet

KIND = "cash.suspension"
_NEWS = timedelta(days=30)


@dataclass(frozen=True)
class Suspension:
    """A wallet that is stopped. Whose it is, is the number by which the city's other districts know the resident."""

    suspension_id: str
    subject_no: int
    reason: str
    suspended_at: datetime


@dataclass(frozen=True)
class Notice:
    """What a resident is told about their wallet. `kind`: suspended, reopened or dormant."""

    kind: str
    reason: str
    at: datetime


def suspend_wallet(city: City, actor: Actor, holder: str, reason: str) -> None:
    """Stops a wallet; one that is stopped stays as it is. `holder` is `res_…`, the register's reference, or an alert `alr_…`.

    Raises `ReasonIsMissing`, `NotFound`, `NotPermitted`.
    """
    subject_no = _subject(city, actor, holder, reason)
    with city.transaction(SERVICE) as tx:
        lock_wallet(tx, subject_no)
        done = tx.execute(
            SQL.suspend, suspension_id=new_id("sus"), subject_no=subject_no, reason=reason.strip(), at=tx.now
        )
        if done:
            _tell(tx, subject_no, "suspended", reason)


def reopen_wallet(city: City, actor: Actor, holder: str, reason: str) -> None:
    """Opens a wallet again. Raises as `suspend_wallet`, and `WalletIsNotSuspended`."""
    subject_no = _subject(city, actor, holder, reason)
    with city.transaction(SERVICE) as tx:
        if not tx.execute(SQL.lift, subject_no=subject_no, at=tx.now):
            raise WalletIsNotSuspended
        _tell(tx, subject_no, "reopened", reason)


def list_suspended(city: City, actor: Actor) -> list[Suspension]:
    """The wallets that are stopped, the longest first, for an officer."""
    require_officer(actor)
    with city.transaction(SERVICE) as tx:
        return [Suspension(*row) for row in tx.all(SQL.suspended)]


def list_notices(city: City, actor: Actor, limit: int = 50) -> list[Notice]:
    """What the city has told the resident about their own wallet, the newest first."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        return [Notice(*row) for row in tx.all(SQL.notices_of, subject_no=resident.subject_no, limit=limit)]


def find_news(city: City, actor: Actor) -> Notice | None:
    """What the resident's wallet shows: that it is stopped, as long as it is; anything else for a month."""
    newest = next(iter(list_notices(city, actor, 1)), None)
    is_news = newest is not None and (newest.kind == "suspended" or city.now() - newest.at < _NEWS)
    return newest if is_news else None


def _subject(city: City, actor: Actor, holder: str, reason: str) -> int:
    officer = require_officer(actor)
    if not reason.strip():
        raise ReasonIsMissing
    if holder.startswith("alr_"):
        return subject_of_alert(city, holder)
    [subject_no] = list_subjects(city, officer, named=[holder])
    return subject_no


def _tell(tx: Transaction, subject_no: int, kind: str, reason: str) -> None:
    """The resident reads the reason; the journal has for everybody that a wallet was stopped, for the resident that it was
    theirs."""
    tx.execute(SQL.insert_notice, subject_no=subject_no, kind=kind, reason=reason.strip(), at=tx.now)
    append(tx, kind=KIND, body={"state": kind}, subject_no=subject_no)

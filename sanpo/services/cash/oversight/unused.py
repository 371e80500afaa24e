"""The unused balance of a base day (基準日未使用残高) from the ledger as it stood, and what is to be deposited until when.

Counted is what residents have paid for: the wallets. Benefits that nobody paid for are none of it.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError
from sanpo.journal import append
from sanpo.ledger import close_day, trial_balance
from sanpo.services.cash.errors import DayIsNoBaseDay
from sanpo.services.cash.model import FIRST_DAY, WALLET, YEN_LEDGER
from sanpo.services.cash.oversight.model import base_day_before, deposit_of, due_day_of, duties, is_base_day
from sanpo.services.cash.oversight.store import SQL
from sanpo.services.cash.settling.statements import days_between
from sanpo.services.cash.tables import to_csv
from sanpo.services.cash.wallets import SERVICE

KIND = "cash.unused_balance"
_TICK = timedelta(microseconds=1)
_CLOSED_WITH_A_LATER_DAY = "ledger.day_is_before_the_last_close"


@dataclass(frozen=True)
class UnusedBalance:
    """What stood in `wallets` wallets at the end of the base day: `opening_yen` of the base day before, what was issued since
    and what was used. `deposit_yen` is due until the end of `due_day`; `entry_id` is the journal's."""

    base_day: date
    wallets: int
    opening_yen: int
    issued_yen: int
    recovered_yen: int
    unused_yen: int
    deposit_yen: int
    due_day: date
    entry_id: str
    made_at: datetime


def report_unused(city: City, actor: Actor, base_day: date) -> UnusedBalance:
    """Makes the report of a base day that is over, and puts it into the journal; one that was made comes back as it stands.

    The ledger's day is closed before, so that nothing is booked into it any more. Raises `DayIsNoBaseDay`, or the ledger's
    `DayIsNotOver`.
    """
    require_officer(actor)
    if not is_base_day(base_day) or base_day < FIRST_DAY:
        raise DayIsNoBaseDay(day=base_day.isoformat())
    try:
        close_day(city, SERVICE, base_day)
    except DomainError as error:
        if error.code != _CLOSED_WITH_A_LATER_DAY:
            raise
    since, until = days_between(city, base_day_before(base_day) + timedelta(days=1), base_day)
    _, before = _wallets(city, since - _TICK)
    wallets, unused = _wallets(city, until - _TICK)
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.lock_unused)
        row = tx.one(SQL.unused_balance, base_day=base_day)
        if row is None:
            issued = tx.get(SQL.issued, since=since, until=until).yen
            figures = {
                "wallets": wallets,
                "opening_yen": before,
                "issued_yen": issued,
                "recovered_yen": before + issued - unused,
                "unused_yen": unused,
                "deposit_yen": deposit_of(unused, duties().deposit_above_yen),
            }
            _record(tx, base_day, figures)
            row = tx.get(SQL.unused_balance, base_day=base_day)
    return UnusedBalance(*row)


def report_due(city: City) -> None:
    """The duty: reports the last base day, if that is not done yet and the city issued anything until then."""
    base_day = base_day_before(city.now().astimezone(city.settings.zone).date())
    with city.transaction(SERVICE) as tx:
        is_done = tx.one(SQL.unused_balance, base_day=base_day) is not None
    if not is_done and _wallets(city, days_between(city, base_day, base_day)[1] - _TICK)[0]:
        report_unused(city, SERVICE, base_day)


def list_unused(city: City, actor: Actor) -> list[UnusedBalance]:
    """The reports, the newest first, for an officer."""
    require_officer(actor)
    with city.transaction(SERVICE) as tx:
        return [UnusedBalance(*row) for row in tx.all(SQL.unused_balances)]


def unused_csv(found: list[UnusedBalance]) -> bytes:
    """The reports as a table."""
    columns = list(UnusedBalance.__dataclass_fields__)
    return to_csv(columns, [list(asdict(one).values()) for one in found])


def _wallets(city: City, at: datetime) -> tuple[int, int]:
    """How many wallets there were then, and what was in them."""
    rows = [row for row in trial_balance(city, SERVICE, at) if (row.ledger, row.code) == (YEN_LEDGER, WALLET)]
    return sum(row.accounts for row in rows), sum(row.credits_posted - row.debits_posted for row in rows)


def _record(tx: Transaction, base_day: date, figures: dict[str, int]) -> None:
    due_day = due_day_of(base_day)
    body: dict[str, Any] = {"base_day": base_day.isoformat(), "due_day": due_day.isoformat(), "currency": "JPY"}
    body |= {name: str(value) for name, value in figures.items()}
    entry_id = append(tx, kind=KIND, body=body).entry_id
    tx.execute(
        SQL.insert_unused_balance, base_day=base_day, due_day=due_day, entry_id=entry_id, made_at=tx.now, **figures
    )

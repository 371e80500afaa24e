"""Wallets in which nothing moved for long: listed for officers, told to their residents, never taken."""

from dataclasses import dataclass
from datetime import datetime

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ledger import list_newest
from sanpo.services.cash.model import number_of
from sanpo.services.cash.oversight.model import duties, months_before
from sanpo.services.cash.oversight.store import SQL
from sanpo.services.cash.wallets import SERVICE, wallet_yen


@dataclass(frozen=True)
class Dormant:
    """A wallet at rest. `subject_no` is the number by which the city's other districts know its resident."""

    subject_no: int
    balance_yen: int
    last_at: datetime
    is_told: bool


def list_dormant(city: City, actor: Actor) -> list[Dormant]:
    """Wallets with money in which nothing moved for so many months as the rules say, for an officer."""
    require_officer(actor)
    since = months_before(city.now(), duties().dormant_months)
    with city.transaction(SERVICE) as tx:
        rows = [(row, wallet_yen(tx, row.subject_no)) for row in tx.all(SQL.resting, since=since)]
    found = []
    for row, balance in rows:
        # What the ledger has moved last counts, whatever it was.
        newest = list_newest(city, SERVICE, number_of("wallet", row.subject_no), limit=1) if balance else []
        if newest and newest[0].kept.at < since:
            found.append(Dormant(row.subject_no, balance, newest[0].kept.at, row.is_told))
    return found


def tell_dormant(city: City) -> int:
    """The duty: tells each of them once; returns how many. What is in the wallet stays there."""
    due = [each.subject_no for each in list_dormant(city, SERVICE) if not each.is_told]
    with city.transaction(SERVICE) as tx:
        for subject_no in due:
            tx.execute(SQL.insert_notice, subject_no=subject_no, kind="dormant", reason="", at=tx.now)
    return len(due)

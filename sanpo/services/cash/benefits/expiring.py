"""What was not spent in time goes back to who had funded it."""

from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ledger import post_in
from sanpo.services.cash.benefits.campaigns import check_made
from sanpo.services.cash.benefits.model import RETURNED, benefits_account, funder_account, move
from sanpo.services.cash.benefits.store import SQL
from sanpo.services.cash.model import number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.wallets import booked

AT_ONCE = 1000


def expire_lots(city: City) -> int:
    """Ends the lots whose moment has come, the first first; returns how many. Safe to run twice at once."""
    ended = 0

    def work(tx: Transaction) -> Outcome:
        nonlocal ended
        rows = tx.all(SQL.expire_lots, at=tx.now, most=AT_ONCE)
        back = [
            move(
                number_of("expiry", row.lot_no),
                benefits_account(row.subject_no),
                funder_account(row.organisation_no),
                row.yen,
                RETURNED,
            )
            for row in rows
        ]
        if back:
            check_made(post_in(tx, back))
        ended = len(rows)
        return Outcome.DONE

    total = 0
    while booked(city, work).is_good and ended:
        total += ended
    return total

"""What a refund gives back: money first, as far as money was paid; then what was spent of lots, the last first.

A lot that is over meanwhile is not given back but goes to its funder: a refund makes nothing good for longer. What a campaign
gave for the payment is taken back in proportion; where it was spent meanwhile, the refund in money is less by as much.
"""

from dataclasses import dataclass
from typing import Any

from sanpo.ground.db import Transaction
from sanpo.ledger import Transfer
from sanpo.services.cash.benefits.model import (
    DRAWN,
    RETURNED,
    Part,
    benefits_account,
    chained,
    funder_account,
    move,
    take_first,
)
from sanpo.services.cash.benefits.store import SQL
from sanpo.services.cash.model import REFUND, number_of


@dataclass(frozen=True)
class Refund:
    """What is being given back of a payment; `refunded_yen` was before."""

    refund_id: str
    payment_id: str
    subject_no: int
    shop_no: int
    paid_yen: int
    refunded_yen: int
    amount_yen: int


def restore(tx: Transaction, refund: Refund) -> list[Transfer]:
    """Restores the lots and gives back the chain of transfers that the refund is, not yet posted. The wallet is locked.

    All of it goes into the wallet, and from there to where it belongs: how it is divided is not the shop's to know.
    """
    uses = tx.all(SQL.lock_uses, payment_id=refund.payment_id)
    paid_in_money = refund.paid_yen - (uses[0].spent_yen if uses else 0)
    money = min(refund.amount_yen, max(0, paid_in_money - refund.refunded_yen))
    kept = max(0, paid_in_money - refund.refunded_yen - money)
    taken = _take_back(tx, refund, kept, money)
    shop, wallet = number_of("shop", refund.shop_no), number_of("wallet", refund.subject_no)
    given = move(number_of("refund", refund.refund_id), shop, wallet, refund.amount_yen, REFUND)
    return chained([given, *_restore_lots(tx, refund, uses, refund.amount_yen - money), *taken])


def _restore_lots(tx: Transaction, refund: Refund, uses: list[Any], yen: int) -> list[Transfer]:
    by_lot = {row.lot_no: row for row in uses}
    parts = take_first([Part(row.lot_no, row.yen) for row in uses if row.yen], yen)
    live = [by_lot[part.lot_no].expires_at > tx.now for part in parts]
    if not parts:
        return []
    tx.execute(
        SQL.restore_lots,
        payment_id=refund.payment_id,
        lot_nos=[part.lot_no for part in parts],
        yen=[part.yen for part in parts],
        live=live,
    )
    wallet, benefits = number_of("wallet", refund.subject_no), benefits_account(refund.subject_no)
    good = sum(part.yen for part, is_live in zip(parts, live, strict=True) if is_live)
    transfers = [move(number_of("restored", refund.refund_id), wallet, benefits, good, DRAWN)] if good else []
    for part, is_live in zip(parts, live, strict=True):
        if not is_live:
            number = number_of("over", f"{refund.refund_id}/{part.lot_no}")
            funder = funder_account(by_lot[part.lot_no].organisation_no)
            transfers.append(move(number, wallet, funder, part.yen, RETURNED))
    return transfers


def _take_back(tx: Transaction, refund: Refund, kept_yen: int, money_yen: int) -> list[Transfer]:
    """What was earned with money that goes back: out of the lot, else withheld from that money."""
    transfers, withheld_yen = [], 0
    for row in tx.all(SQL.lock_earned, subject_no=refund.subject_no, payment_id=refund.payment_id):
        too_much = max(0, row.had_yen - min(row.granted_yen, kept_yen * row.rate_permille // 1000))
        taken = min(too_much, row.left_yen)
        withheld = min(too_much - taken, money_yen - withheld_yen)
        funder = funder_account(row.organisation_no)
        sources = (benefits_account(refund.subject_no), taken), (number_of("wallet", refund.subject_no), withheld)
        for place, (source, yen) in enumerate(sources):
            if yen:
                number = number_of("unearned", f"{refund.refund_id}/{row.lot_no}/{place}")
                transfers.append(move(number, source, funder, yen, RETURNED))
        tx.execute(SQL.take_back, lot_no=row.lot_no, taken_yen=taken, withheld_yen=withheld)
        claim = {"campaign_no": row.campaign_no, "subject_no": refund.subject_no}
        tx.execute(SQL.add_to_claim, yen=-taken - withheld, **claim)
        withheld_yen += withheld
    return transfers

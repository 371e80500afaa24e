"""What pays: the resident's lots that are good in the shop, vouchers first, each kind by its end; then money."""

from dataclasses import dataclass

from sanpo.ground.db import Transaction
from sanpo.ledger import Transfer
from sanpo.services.cash.benefits.campaigns import lock_campaign
from sanpo.services.cash.benefits.giving import grant
from sanpo.services.cash.benefits.model import DRAWN, Part, benefits_account, chained, move, take_first
from sanpo.services.cash.benefits.store import SQL
from sanpo.services.cash.model import PAYMENT, number_of


@dataclass(frozen=True)
class Purchase:
    """A payment that is being made."""

    payment_id: str
    subject_no: int
    shop_no: int
    amount_yen: int


def spend(tx: Transaction, purchase: Purchase) -> list[Transfer]:
    """Takes the lots and gives back the chain of transfers that the payment is, not yet posted. The wallet is locked.

    One transfer alone reaches the shop: what was paid by benefits goes through the wallet, and is the resident's to know.
    """
    wallet = number_of("wallet", purchase.subject_no)
    lots = tx.all(SQL.lock_lots, subject_no=purchase.subject_no, shop_no=purchase.shop_no, at=tx.now)
    parts = take_first([Part(row.lot_no, row.left_yen) for row in lots], purchase.amount_yen)
    from_lots = sum(part.yen for part in parts)
    transfers = []
    if parts:
        tx.execute(
            SQL.spend_lots,
            payment_id=purchase.payment_id,
            subject_no=purchase.subject_no,
            lot_nos=[part.lot_no for part in parts],
            yen=[part.yen for part in parts],
        )
        benefits, number = benefits_account(purchase.subject_no), number_of("benefit", purchase.payment_id)
        transfers.append(move(number, benefits, wallet, from_lots, DRAWN))
    number, shop = number_of("payment", purchase.payment_id), number_of("shop", purchase.shop_no)
    transfers.append(move(number, wallet, shop, purchase.amount_yen, PAYMENT))
    money = purchase.amount_yen - from_lots
    if money:
        transfers += _earn(tx, purchase, money)
    return chained(transfers)


def _earn(tx: Transaction, purchase: Purchase, money_yen: int) -> list[Transfer]:
    """What campaigns give back of a payment in money, as far as the resident's cap and the budget go."""
    today = tx.now.astimezone(tx.city.settings.zone).date()
    who = {"subject_no": purchase.subject_no, "shop_no": purchase.shop_no}
    transfers = []
    for row in tx.all(SQL.earning, today=today, **who):
        campaign = lock_campaign(tx, row.campaign_id)
        due = money_yen * campaign.rate_permille // 1000
        yen = min(due, campaign.cap_yen - row.given_yen, campaign.left_yen)
        if yen > 0 and campaign.is_open_on(today):
            transfers += grant(tx, campaign, purchase.payment_id, [purchase.subject_no], yen)
            tx.execute(SQL.add_to_claim, campaign_no=campaign.campaign_no, subject_no=purchase.subject_no, yen=yen)
    return transfers

"""Cash of the region: what residents pay with and shops are paid in, whose purchase data stays home (DESIGN §7, second walk).

Invariants
* Money is in the ledger alone. A payment, its transfer and its receipt commit together or not at all.
* A payment's id is chosen by who asks: sent again it pays nothing, and gives what became of it the first time.
* A resident's purchases are seen by the resident, and by the shop as its own sales without a name.
* Each line that was bought comes to the lake once, and none after its resident had what there was erased.

Tables: `cash.shops`, `cash.payments`, `cash.lines`, `cash.refunds`, `cash.bills`, `cash.codes`, `cash.charges`, `cash.flows`,
`cash.campaigns`, `cash.campaign_shops`, `cash.claims`, `cash.lots`, `cash.lot_uses`, `cash.payouts`,
`cash.replayed_customers`, `cash.slip_keys`, `cash.slips`, `cash.slip_offences`, `cash.requests`, `cash.shares`,
`cash.indicators`.
Dataset: `cash.purchases` (personal).
"""

from sanpo.services.cash.benefits.campaigns import create_campaign, open_campaign
from sanpo.services.cash.benefits.giving import Gift, claim, give
from sanpo.services.cash.benefits.model import CampaignDraft
from sanpo.services.cash.flow import flow_purchases
from sanpo.services.cash.indicators.asking import publish_indicators
from sanpo.services.cash.model import Line, Shop
from sanpo.services.cash.paying import pay, refund, show_code, take
from sanpo.services.cash.settling.invoices import issue_invoices
from sanpo.services.cash.settling.settling import settle
from sanpo.services.cash.shops import ShopDraft, printable_code, register_shop
from sanpo.services.cash.wallets import charge

__all__ = [
    "CampaignDraft",
    "Gift",
    "Line",
    "Shop",
    "ShopDraft",
    "charge",
    "claim",
    "create_campaign",
    "flow_purchases",
    "give",
    "issue_invoices",
    "open_campaign",
    "pay",
    "printable_code",
    "publish_indicators",
    "refund",
    "register_shop",
    "settle",
    "show_code",
    "take",
]

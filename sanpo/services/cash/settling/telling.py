"""A shop is told of its settlement: queued in the transaction that pays it, sent to its organisation's webhook."""

from typing import Any

from sanpo.ground.canonical import canonical_json
from sanpo.ground.city import City
from sanpo.ground.outbound import CallFailed
from sanpo.ground.webhooks import deliver
from sanpo.people import find_webhook
from sanpo.services.cash.errors import ShopDidNotAnswer
from sanpo.services.cash.settling.store import SQL
from sanpo.services.cash.wallets import SERVICE

TASK = "cash.tell_settlement"
_YEN = ("brought_yen", "taken_yen", "refunded_yen", "fee_yen", "payout_yen", "carried_yen")


def tell_settlement(city: City, payload: dict[str, Any]) -> None:
    """Sends one settlement to the shop's organisation; one without a webhook reads it through the API.

    Raises `ShopDidNotAnswer`, so that the queue tries again.
    """
    with city.transaction(SERVICE) as tx:
        row = tx.get(SQL.settlement, settlement_id=payload["settlement_id"])
        url = find_webhook(tx, row.organisation_no)
    if url is None:
        return
    body = {
        "type": "cash.settled",
        "settlement_id": row.settlement_id,
        "shop_id": row.shop_id,
        "day": row.day.isoformat(),
        **{name: getattr(row, name) for name in _YEN},
    }
    try:
        deliver(city, url, row.settlement_id, canonical_json(body))
    except CallFailed as failure:
        raise ShopDidNotAnswer(problem=str(failure)) from failure

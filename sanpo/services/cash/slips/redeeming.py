"""A shop redeems slips: each number of a key once, out of the reserve. What does not fit is kept as evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.ledger import Transfer
from sanpo.services.cash.benefits.model import chained
from sanpo.services.cash.model import PAYMENT, YEN_LEDGER, Line, Shop, check_lines, number_of, rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.shops import check_till, get_shop_in
from sanpo.services.cash.slips.enrolling import reserve, void
from sanpo.services.cash.slips.model import Slip, Till, check, parse
from sanpo.services.cash.slips.store import SQL
from sanpo.services.cash.store import SQL as CASH
from sanpo.services.cash.wallets import SERVICE, booked, lock_wallet, post_chain

_AT_ANY_TIME = (Outcome.SLIP_IS_FORGED, Outcome.SLIP_IS_FOR_ANOTHER_SHOP)


@dataclass(frozen=True)
class Offence:
    """A key that signed a number twice, or more than its reserve: whose it is, and what proves it.

    `message` with `signature` is the slip that was refused, the `first_…` what was paid under its number before; the
    `certificate` (body and the city's signature) ties the key to the resident's enrolment.
    """

    offence_id: str
    kind: str
    key_id: str
    slip_no: int
    subject_no: int
    shop_id: str
    amount_yen: int
    message: bytes
    signature: bytes
    found_at: datetime
    certificate: bytes
    first_message: bytes | None
    first_signature: bytes | None


def redeem(city: City, actor: Actor, shop_id: str, text: str, lines: Sequence[Line] = ()) -> Outcome:
    """Pays the shop what a slip says, also where the wallet was stopped since: the city certified the reserve.

    Sent again, it pays nothing; a number that was signed twice, or more than the reserve, suspends the key. Raises
    `SlipIsMalformed`, `NotPermitted`, `NotFound`, `LinesDoNotAddUp`.
    """
    slip = parse(text)
    check_lines(lines, slip.order.amount_yen)

    def work(tx: Transaction) -> Outcome:
        shop = get_shop_in(tx, shop_id)
        check_till(actor, shop)
        till = Till(city.keys.public_bytes, shop.merchant, tx.now, timedelta(minutes=rules().slip_clock_minutes))
        verdict = check(slip, till)
        if verdict in _AT_ANY_TIME:
            return verdict
        key = tx.one(SQL.key, key_id=slip.certificate.key_id)
        if key is None:
            return Outcome.SLIP_KEY_IS_UNKNOWN
        lock_wallet(tx, key.subject_no)
        key = tx.get(SQL.lock_key, key_id=key.key_id)
        before = tx.one(SQL.slip, key_id=key.key_id, slip_no=slip.order.slip_no)
        if before is not None:
            is_same = bytes(before.message) == slip.message
            return Outcome.EXISTS if is_same else _offend(tx, "spent_twice", key, shop, slip)
        refusal = verdict if verdict is not Outcome.DONE else _refusal(tx, key, shop, slip)
        if refusal is not None:
            return refusal
        if slip.order.amount_yen > key.left_yen:
            return _offend(tx, "above_reserve", key, shop, slip)
        return _pay(tx, key, shop, slip, lines)

    return booked(city, work)


def list_offences(city: City, actor: Actor, *, before: str = "off_~", limit: int = 100) -> list[Offence]:
    """What was signed twice or without money, the newest first, for an officer."""
    require_officer(actor)
    with city.transaction(SERVICE) as tx:
        rows = tx.all(SQL.offences, before=before, limit=min(limit, 1000))
    return [Offence(**{name: getattr(row, name) for name in Offence.__dataclass_fields__}) for row in rows]


def _refusal(tx: Transaction, key: Any, shop: Shop, slip: Slip) -> Outcome | None:
    if tx.now >= key.redeem_until or key.state == "ended":
        return Outcome.SLIP_IS_OVER
    # What an honest shop took before its signer was found out is paid; after a loss nobody knows who signed, or when.
    if key.state == "suspended" and (key.cause == "lost" or slip.order.issued_at > key.suspended_at):
        return Outcome.SLIP_KEY_IS_SUSPENDED
    return Outcome.SHOP_IS_SUSPENDED if shop.state != "open" else None


def _offend(tx: Transaction, kind: str, key: Any, shop: Shop, slip: Slip) -> Outcome:
    """Keeps the evidence, once, and suspends the key. The shop is not paid."""
    tx.execute(
        SQL.insert_offence,
        offence_id=new_id("off"),
        kind=kind,
        **_said(key, shop, slip),
        at=tx.now,
    )
    tx.execute(SQL.suspend_key, key_id=key.key_id, cause=kind, at=tx.now)
    return Outcome.SLIP_IS_SPENT_TWICE if kind == "spent_twice" else Outcome.SLIP_IS_ABOVE_RESERVE


def _pay(tx: Transaction, key: Any, shop: Shop, slip: Slip, lines: Sequence[Line]) -> Outcome:
    """Out of the reserve: it is set free, the shop is paid, the rest is reserved again; all or nothing."""
    # No id that follows from the slip: its signer could pay something else under it first.
    order, payment_id = slip.order, new_id("pay")
    said = _said(key, shop, slip)
    paid = {name: said[name] for name in ("subject_no", "shop_no", "organisation_no", "amount_yen")}
    text = msgspec.json.encode(list(lines)).decode()
    tx.execute(CASH.insert_payment, payment_id=payment_id, way="slip", at=tx.now, lines=text, **paid)
    tx.execute(SQL.insert_slip, payment_id=payment_id, at=tx.now, **said)
    tx.execute(SQL.spend_reserve, key_id=key.key_id, amount_yen=order.amount_yen)
    wallet, till = number_of("wallet", key.subject_no), number_of("shop", shop.shop_no)
    number, left = number_of("payment", payment_id), key.left_yen - order.amount_yen
    chain = [void(key), Transfer(number, wallet, till, order.amount_yen, YEN_LEDGER, PAYMENT)]
    if left:
        chain.append(reserve(key.key_id, key.reserve_no + 1, key.subject_no, left))
    return post_chain(tx, chained(chain))


def _said(key: Any, shop: Shop, slip: Slip) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "slip_no": slip.order.slip_no,
        "subject_no": key.subject_no,
        "shop_no": shop.shop_no,
        "organisation_no": shop.organisation_no,
        "amount_yen": slip.order.amount_yen,
        "message": slip.message,
        "signature": slip.signature,
    }

"""Payments: by the shop's code, by a bill's code, by the code that a resident shows; and refunds."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from sanpo.ground.actors import Actor, Anonymous, Resident, require
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import check_id, new_id
from sanpo.services.cash.benefits.restoring import Refund, restore
from sanpo.services.cash.benefits.spending import Purchase, spend
from sanpo.services.cash.emv import JpqrAccount, MerchantCode, jpqr_account, make_code, parse
from sanpo.services.cash.limits import check_limits
from sanpo.services.cash.model import Line, Payment, Shop, check_amount, check_lines, rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.riding import Chain, booked_together
from sanpo.services.cash.shops import PLACE, check_till, get_shop_in, shop_of
from sanpo.services.cash.store import SQL
from sanpo.services.cash.wallets import booked, open_wallet, payment_of, post_chain, refuse

_CODE_DIGITS = 16


@dataclass(frozen=True)
class Shown:
    """A code that a resident shows to a till, once, until its time is over."""

    code: str
    expires_at: datetime


@dataclass(frozen=True)
class Order:
    """What is to be paid. `is_limited`: the city's limits hold, as for everything but what is played again."""

    payment_id: str
    subject_no: int
    shop: Shop
    amount_yen: int
    way: str
    lines: Sequence[Line] = ()
    is_limited: bool = True


def pay(city: City, actor: Actor, payment_id: str, payload: str, amount_yen: int | None = None) -> Outcome:
    """Pays the shop whose code was scanned: what the code says, or `amount_yen` where it leaves that open.

    Raises `QrIsInvalid`, `QrIsNotJpqr`, `AmountIsInvalid`.
    """
    resident = require(actor, Resident)
    check_id("pay", payment_id)
    code = parse(payload)
    merchant = jpqr_account(code).merchant
    amount = check_amount(int(code.amount)) if code.amount is not None else check_amount(amount_yen or 0)

    def work(tx: Transaction) -> Outcome | Chain:
        row = tx.one(SQL.shop_by_merchant, merchant=merchant)
        if row is None:
            return Outcome.SHOP_NOT_FOUND
        order = Order(payment_id, resident.subject_no, shop_of(row), amount, "static")
        return _pay_bill(tx, order, code) if code.is_dynamic else pay_in(tx, order)

    return booked_together(city, work)


def show_code(city: City, actor: Actor) -> Shown:
    """A new code for the resident to show; one that was shown before and not used ends."""
    resident = require(actor, Resident)
    code = str(secrets.randbelow(9 * 10 ** (_CODE_DIGITS - 1)) + 10 ** (_CODE_DIGITS - 1))
    expires_at = city.now() + timedelta(minutes=rules().code_minutes)

    def work(tx: Transaction) -> Outcome:
        tx.execute(SQL.insert_code, code_sha256=_hash(code), subject_no=resident.subject_no, expires_at=expires_at)
        return Outcome.DONE

    booked(city, work)
    return Shown(code, expires_at)


def take(
    city: City, actor: Actor, payment_id: str, shop_id: str, code: str, amount_yen: int, lines: Sequence[Line] = ()
) -> Outcome:
    """Takes a payment at a till by the code that a resident shows. Raises `NotPermitted`, `NotFound`, `AmountIsInvalid`,
    `LinesDoNotAddUp`."""
    check_id("pay", payment_id)
    check_amount(amount_yen)
    check_lines(lines, amount_yen)

    def work(tx: Transaction) -> Outcome | Chain:
        shop = get_shop_in(tx, shop_id)
        check_till(actor, shop)
        shown = tx.one(SQL.lock_code, code_sha256=_hash(code))
        if shown is None:
            return Outcome.CODE_NOT_FOUND
        order = Order(payment_id, shown.subject_no, shop, amount_yen, "code", lines)
        if shown.payment_id is not None:
            return pay_in(tx, order) if shown.payment_id == payment_id else Outcome.CODE_IS_USED
        # A code that outlives its minutes was shown by a clock that was ahead, and is over.
        if not tx.now < shown.expires_at <= tx.now + timedelta(minutes=rules().code_minutes):
            return Outcome.CODE_IS_OVER
        tx.execute(SQL.use_code, code_sha256=_hash(code), payment_id=payment_id)
        return _all_or_nothing(pay_in(tx, order))

    return booked_together(city, work)


def make_bill(city: City, actor: Actor, shop_id: str, amount_yen: int, lines: Sequence[Line] = ()) -> MerchantCode:
    """A code for one payment of this amount, which the till shows. Raises as `take`."""
    check_amount(amount_yen)
    check_lines(lines, amount_yen)
    bill_id = new_id("bil")
    made: list[MerchantCode] = []

    def work(tx: Transaction) -> Outcome:
        shop = get_shop_in(tx, shop_id)
        check_till(actor, shop)
        tx.execute(
            SQL.insert_bill,
            bill_id=bill_id,
            shop_no=shop.shop_no,
            organisation_no=shop.organisation_no,
            amount_yen=amount_yen,
            lines=_text(lines),
            expires_at=tx.now + timedelta(minutes=rules().bill_minutes),
        )
        made.append(code_of_bill(shop, bill_id, amount_yen))
        return Outcome.DONE

    booked(city, work)
    return made[-1]


def code_of_bill(shop: Shop, bill_id: str, amount_yen: int) -> MerchantCode:
    """The code of a bill: the shop's own, with what is to be paid and the reference by which the bill is found."""
    return make_code(
        JpqrAccount(shop.merchant),
        name=shop.name,
        city=PLACE,
        category=shop.category,
        local_name=shop.local_name,
        amount=amount_yen,
        bill=bill_id.removeprefix("bil_"),
    )


def refund(city: City, actor: Actor, refund_id: str, payment_id: str, amount_yen: int) -> Outcome:
    """Gives back a payment or part of it, for the shop's own staff or program. Raises `AmountIsInvalid`."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    check_id("rfd", refund_id)
    check_amount(amount_yen)

    def work(tx: Transaction) -> Outcome:
        found = refund_in(tx, actor, refund_id, payment_id, amount_yen)
        return found if isinstance(found, Outcome) else post_chain(tx, found)

    return booked(city, work)


def refund_in(tx: Transaction, actor: Actor, refund_id: str, payment_id: str, amount_yen: int) -> Outcome | Chain:
    """The refund itself, but for its transfers, which are still to be posted."""
    found = tx.one(SQL.payment, payment_id=payment_id)
    if found is None or not _may_take(actor, get_shop_in(tx, found.shop_id)):
        return Outcome.PAYMENT_NOT_FOUND
    tx.execute(SQL.lock_wallet, subject_no=found.subject_no)
    paid = tx.get(SQL.lock_payment, payment_id=payment_id)
    before = tx.one(SQL.refund, refund_id=refund_id)
    if before is not None:
        same = (before.payment_no, before.amount_yen) == (paid.payment_no, amount_yen)
        return Outcome.EXISTS if same else Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    if paid.refunded_yen + amount_yen > paid.amount_yen:
        return Outcome.MORE_THAN_WAS_PAID
    tx.execute(
        SQL.insert_refund,
        refund_id=refund_id,
        payment_no=paid.payment_no,
        subject_no=paid.subject_no,
        organisation_no=paid.organisation_no,
        amount_yen=amount_yen,
        at=tx.now,
    )
    of = paid.payment_id, paid.subject_no, paid.shop_no, paid.amount_yen, paid.refunded_yen
    return restore(tx, Refund(refund_id, *of, amount_yen))


def list_sales(
    city: City, actor: Actor, shop_id: str, since: datetime, until: datetime, limit: int = 500
) -> list[Payment]:
    """A shop's own sales, the newest first; who paid is not told. Raises `NotFound`, `NotPermitted`."""
    with city.transaction(actor) as tx:
        check_till(actor, get_shop_in(tx, shop_id))
        rows = tx.all(SQL.sales_of, shop_id=shop_id, since=since, until=until, limit=min(limit, 1000))
    return [payment_of(row) for row in rows]


def get_payment(city: City, actor: Actor, payment_id: str) -> Payment:
    """A payment for who paid it or was paid. Raises `NotSignedIn`, `NotFound`."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    with city.transaction(actor) as tx:
        row = tx.one(SQL.payment, payment_id=payment_id)
    if row is None:
        raise NotFound(what="payment")
    return payment_of(row)


def _may_take(actor: Actor, shop: Shop) -> bool:
    try:
        check_till(actor, shop)
    except NotPermitted:
        return False
    return True


def _pay_bill(tx: Transaction, order: Order, code: MerchantCode) -> Outcome | Chain:
    """A bill is paid once, with what it says: whoever changed the code in between pays nothing."""
    reference = next((each.find("01") for each in code.objects if each.tag == "62"), None)
    bill = tx.one(SQL.lock_bill, bill_id=f"bil_{reference}")
    if bill is None or bill.shop_no != order.shop.shop_no or bill.amount_yen != order.amount_yen:
        return Outcome.BILL_NOT_FOUND
    lines = msgspec.json.decode(bill.lines, type=list[Line])
    order = replace(order, way="dynamic", lines=lines)
    if bill.payment_id is not None:
        return pay_in(tx, order) if bill.payment_id == order.payment_id else Outcome.BILL_IS_PAID
    if bill.expires_at <= tx.now:
        return Outcome.BILL_IS_OVER
    tx.execute(SQL.close_bill, bill_id=bill.bill_id, payment_id=order.payment_id)
    return _all_or_nothing(pay_in(tx, order))


def _all_or_nothing(found: Outcome | Chain) -> Outcome | Chain:
    """Takes back the end of a code or bill that was not paid after all."""
    if isinstance(found, Outcome) and not found.is_good:
        raise refuse(found)
    return found


def pay_in(tx: Transaction, order: Order) -> Outcome | Chain:
    """The payment itself, but for its transfers, which are still to be posted. The wallet is locked from here: two phones
    wait for each other, and see what is left."""
    tx.execute(SQL.lock_wallet, subject_no=order.subject_no)
    before = tx.one(SQL.lock_payment, payment_id=order.payment_id)
    if before is not None:
        same = (before.subject_no, before.shop_no, before.amount_yen)
        is_same = same == (order.subject_no, order.shop.shop_no, order.amount_yen)
        return Outcome.EXISTS if is_same else Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    if order.shop.state != "open":
        return Outcome.SHOP_IS_SUSPENDED
    if order.is_limited:
        check_limits(tx, order.subject_no, order.amount_yen)
    open_wallet(tx, order.subject_no)
    tx.execute(
        SQL.insert_payment,
        payment_id=order.payment_id,
        subject_no=order.subject_no,
        shop_no=order.shop.shop_no,
        organisation_no=order.shop.organisation_no,
        amount_yen=order.amount_yen,
        way=order.way,
        at=tx.now,
        lines=_text(order.lines),
    )
    purchase = Purchase(order.payment_id, order.subject_no, order.shop.shop_no, order.amount_yen)
    return spend(tx, purchase)


def _text(lines: Sequence[Line]) -> str:
    return msgspec.json.encode(list(lines)).decode()


def _hash(code: str) -> bytes:
    return sha256(code.encode()).digest()

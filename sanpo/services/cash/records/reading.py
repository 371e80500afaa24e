"""Reads of the records. Whose they are comes from the actor; the second wall holds it once more."""

from datetime import date, datetime, time, timedelta

import msgspec

from sanpo.ground.actors import Actor, Anonymous, Resident, require
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound, NotSignedIn
from sanpo.services.cash.model import FIRST_DAY, Line, Shop
from sanpo.services.cash.paying import code_of_bill
from sanpo.services.cash.records.model import Bill, Receipt, Refund, ShopDay, Spending
from sanpo.services.cash.records.store import SQL
from sanpo.services.cash.shops import check_till
from sanpo.services.cash.wallets import payment_of


def read_receipt(city: City, actor: Actor, payment_id: str) -> Receipt:
    """A payment with its lines and refunds, for who paid it or was paid. Raises `NotSignedIn`, `NotFound`."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    with city.transaction(actor) as tx:
        row = tx.one(SQL.payment, payment_id=payment_id)
        if row is None:
            raise NotFound(what="payment")
        lines = [
            Line(one.item, one.category, one.quantity, one.unit_price_yen, one.tax_permille)
            for one in tx.all(SQL.lines, payment_id=payment_id)
        ]
        refunds = [
            Refund(payment_id, one.amount_yen, one.refunded_at) for one in tx.all(SQL.refunds, payment_id=payment_id)
        ]
        benefits_yen = tx.get(SQL.spent_of_lots, payment_id=payment_id).yen
    return Receipt(payment_of(row), lines, refunds, row.registration, benefits_yen)


def read_spending(city: City, actor: Actor, day: date) -> Spending:
    """What the resident spent in the month of `day`, on the city's clock."""
    resident = require(actor, Resident)
    first = day.replace(day=1)
    since, until = _midnight(city, first), _midnight(city, (first + timedelta(days=31)).replace(day=1))
    month = {"subject_no": resident.subject_no, "since": since, "until": until}
    with city.transaction(resident) as tx:
        rows = tx.all(SQL.spending, **month)
        refunded = tx.get(SQL.refunded, **month).yen
    return Spending(first, [(row.category, row.yen) for row in rows], refunded)


def day_in_reach(city: City, day: date | None) -> date:
    """The day that was asked for, or the nearest one on which something can have been paid; today where none was."""
    today = city.now().astimezone(city.settings.zone).date()
    return min(max(day or today, FIRST_DAY), today)


def read_day(city: City, actor: Actor, shop: Shop, day: date) -> ShopDay:
    """The shop's day, for its own staff or program. Raises `NotSignedIn`, `NotPermitted`."""
    check_till(actor, shop)
    span = {
        "shop_no": shop.shop_no,
        "since": _midnight(city, day),
        "until": _midnight(city, day + timedelta(days=1)),
    }
    with city.transaction(actor) as tx:
        sales = [payment_of(row) for row in tx.all(SQL.sales_of_day, **span)]
        refunds = [
            Refund(row.payment_id, row.amount_yen, row.refunded_at) for row in tx.all(SQL.refunds_of_day, **span)
        ]
    return ShopDay(day, sales, refunds)


def read_bill(city: City, actor: Actor, shop: Shop, bill_id: str) -> Bill:
    """A bill of this shop, for its own staff or program. Raises `NotSignedIn`, `NotPermitted`, `NotFound`."""
    check_till(actor, shop)
    with city.transaction(actor) as tx:
        row = tx.one(SQL.bill, bill_id=bill_id)
    if row is None or row.shop_no != shop.shop_no:
        raise NotFound(what="bill")
    lines = msgspec.json.decode(row.lines, type=list[Line])
    payload = str(code_of_bill(shop, bill_id, row.amount_yen))
    return Bill(bill_id, row.amount_yen, lines, payload, row.expires_at, row.payment_id)


def _midnight(city: City, day: date) -> datetime:
    return datetime.combine(day, time(), city.settings.zone)

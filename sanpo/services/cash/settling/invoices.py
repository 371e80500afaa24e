"""Invoices for fees, one for each shop and month, with what a qualified invoice states (消費税法第57条の4): issuer and
registration number, recipient, days, what was done, the sum at its rate, and the tax, which is rounded once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from sanpo.ground.actors import Actor, Anonymous, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound, NotSignedIn
from sanpo.ground.ids import check_id, new_id
from sanpo.services.cash.errors import MonthIsNotSettled
from sanpo.services.cash.settling.model import tax_in, terms
from sanpo.services.cash.settling.settling import check_reader, is_officer
from sanpo.services.cash.settling.store import SQL
from sanpo.services.cash.tables import to_csv
from sanpo.services.cash.wallets import SERVICE

COLUMNS = ("day", "turnover_yen", "fee_yen")


@dataclass(frozen=True)
class Invoice:
    """`fee_yen` includes `tax_yen`; it is negative where more was given back than charged. Without a `registration` (T and 13
    digits) it is no qualified invoice."""

    invoice_id: str
    shop_id: str
    shop_name: str
    month: date
    issuer: str
    registration: str
    fee_yen: int
    tax_permille: int
    tax_yen: int
    issued_at: datetime


class Day(msgspec.Struct, frozen=True):
    """What was charged on one day, and for what turnover."""

    day: date
    turnover_yen: int
    fee_yen: int


def issue_invoices(city: City, actor: Actor, month: date) -> list[Invoice]:
    """Makes the invoices of the month of this day that are not there yet, and returns all of that month.

    Raises `MonthIsNotSettled` before its last day is settled.
    """
    require_officer(actor)
    first, last = _month(month)
    rates = terms()
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.lock_invoices)
        if not tx.get(SQL.month_is_settled, last=last).is_settled:
            raise MonthIsNotSettled(month=f"{first:%Y-%m}")
        for row in tx.all(SQL.uninvoiced, month=first, last=last):
            tx.execute(
                SQL.insert_invoice,
                invoice_id=new_id("inv"),
                shop_no=row.shop_no,
                organisation_no=row.organisation_no,
                month=first,
                issuer=city.settings.city_name_ja,
                registration=rates.registration,
                fee_yen=row.fee_yen,
                tax_permille=rates.tax_permille,
                tax_yen=tax_in(row.fee_yen, rates.tax_permille),
                at=tx.now,
            )
        return [_invoice(row) for row in tx.all(SQL.invoices_of_month, month=first)]


def issue_due_invoices(city: City) -> None:
    """The duty: last month's invoices, as soon as its last day is settled."""
    first = city.now().astimezone(city.settings.zone).date().replace(day=1)
    last = first - timedelta(days=1)
    with city.transaction(SERVICE) as tx:
        is_due = tx.get(SQL.month_is_settled, last=last).is_settled
    if is_due:
        issue_invoices(city, SERVICE, last)


def list_invoices(city: City, actor: Actor, shop_id: str) -> list[Invoice]:
    """A shop's invoices, the newest first, for the shop itself or an officer. Raises `NotFound`, `NotPermitted`."""
    with city.transaction(check_reader(city, actor, shop_id)) as tx:
        return [_invoice(row) for row in tx.all(SQL.invoices_of, shop_id=shop_id)]


def get_invoice(city: City, actor: Actor, invoice_id: str) -> tuple[Invoice, list[Day]]:
    """An invoice with its days, for the shop's own staff or program, or an officer. Raises `NotFound`, `NotSignedIn`."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    check_id("inv", invoice_id)
    with city.transaction(SERVICE if is_officer(actor) else actor) as tx:
        row = tx.one(SQL.invoice, invoice_id=invoice_id)
        if row is None:
            raise NotFound(what="invoice")
        first, last = _month(row.month)
        days = tx.all(SQL.invoiced_days, shop_no=row.shop_no, month=first, last=last)
    return _invoice(row), [Day(*day) for day in days]


def invoice_csv(days: list[Day], *, bom: bool = False) -> bytes:
    """The days of an invoice as a table."""
    return to_csv(COLUMNS, [(day.day.isoformat(), day.turnover_yen, day.fee_yen) for day in days], bom=bom)


def _month(day: date) -> tuple[date, date]:
    """Its first and its last day."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _invoice(row: Any) -> Invoice:
    return Invoice(**{name: getattr(row, name) for name in Invoice.__dataclass_fields__})

"""Commands that settle shops: `sanpo cash settle`, `settlements`, `statement`, `invoice`, `invoices`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, print_json, print_table
from sanpo.services.cash.settling import orders, settling
from sanpo.services.cash.settling.invoices import Invoice, issue_invoices, list_invoices
from sanpo.services.cash.settling.model import Settlement
from sanpo.services.cash.settling.pain import Payee
from sanpo.services.cash.settling.statements import make_statement, statement_csv

OPERATOR = System("operator")
_HIDDEN = ("settlement_id", "settled_at")
ShopId = Annotated[str, typer.Argument(help="The shop's id, shp_…")]
Since = Annotated[datetime, typer.Option("--since", formats=["%Y-%m-%d"], help="First day.")]
Until = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day.")]


def settle_command(
    at_once: Annotated[bool, typer.Option("--at-once", help="Today, without waiting for the closing hour.")] = False,
    json: AsJson = False,
) -> None:
    """Pays the shops what they took, for the last day whose closing hour has struck; again it pays nothing."""
    with open_city() as city:
        found = settling.settle(city, OPERATOR, at_once=at_once)
    _show(found, Settlement, _HIDDEN, json=json)


def settlements_command(shop_id: ShopId, since: Since, until: Until, json: AsJson = False) -> None:
    """What a shop was paid, by day, the newest first."""
    with open_city() as city:
        found = settling.list_settlements(city, OPERATOR, shop_id, since.date(), until.date())
    _show(found, Settlement, _HIDDEN, json=json)


def statement_command(
    shop_id: ShopId,
    since: Since,
    until: Until,
    to: Annotated[Path, typer.Option("--to", dir_okay=False, help="The CSV file to write.")],
    bom: Annotated[bool, typer.Option("--bom", help="With a byte order mark, for spreadsheets that need it.")] = False,
    lang: Annotated[str, typer.Option(help="ja or en.")] = "ja",
    json: AsJson = False,
) -> None:
    """Writes a shop's statement: every movement of its account between two balances."""
    with open_city() as city:
        found = make_statement(city, OPERATOR, shop_id, since.date(), until.date())
        to.write_bytes(statement_csv(city, found, lang, bom=bom))
    row = {
        "file": str(to),
        "lines": len(found.lines),
        "opening_yen": found.opening_yen,
        "closing_yen": found.closing_yen,
    }
    print_json(row) if json else print_table(list(row), [list(row.values())])


def invoice_command(
    month: Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="A month that is settled.")],
    json: AsJson = False,
) -> None:
    """Makes the invoices for the fees of a month that are not there yet, and lists all of that month."""
    with open_city() as city:
        found = issue_invoices(city, OPERATOR, month.date())
    _show(found, Invoice, ("issuer", "registration", "tax_permille", "issued_at"), json=json)


def invoices_command(shop_id: ShopId, json: AsJson = False) -> None:
    """A shop's invoices, the newest first."""
    with open_city() as city:
        found = list_invoices(city, OPERATOR, shop_id)
    _show(found, Invoice, ("shop_id", "shop_name", "tax_permille", "issued_at"), json=json)


def payee_command(
    shop_id: ShopId,
    bank: Annotated[str, typer.Option(help="Four digits.")],
    branch: Annotated[str, typer.Option(help="Three digits.")],
    account: Annotated[str, typer.Option(help="Seven digits.")],
    holder: Annotated[str, typer.Option(help="The account's holder as the bank has it.")],
    json: AsJson = False,
) -> None:
    """Says to which bank account a shop is paid from now on."""
    with open_city() as city:
        orders.set_payee(city, OPERATOR, shop_id, Payee(bank, branch, account, holder))
    row = {"shop_id": shop_id, "bank": bank, "branch": branch, "account": account, "holder": holder}
    print_json(row) if json else print_table(list(row), [list(row.values())])


def order_command(
    to: Annotated[Path, typer.Option("--to", dir_okay=False, help="The file for the bank, pain.001.001.09.")],
    order_id: Annotated[str | None, typer.Option("--order", help="An order that was made before, ord_…")] = None,
    json: AsJson = False,
) -> None:
    """Puts every payout that waits into a new order to the bank, and writes it; or writes one that was made before."""
    with open_city() as city:
        made = order_id or getattr(orders.make_order(city, OPERATOR), "order_id", None)
        row = {"order_id": made, "without_account": orders.count_without_payee(city, OPERATOR)}
        if made is not None:
            to.write_bytes(orders.order_file(city, OPERATOR, made))
    print_json(row) if json else print_table(list(row), [list(row.values())])


def orders_command(json: AsJson = False) -> None:
    """The orders to the bank, the newest first."""
    with open_city() as city:
        found = orders.list_orders(city, OPERATOR)
    _show(found, orders.Ordered, (), json=json)


def add_commands(cli: typer.Typer) -> None:
    for command in (
        settle_command,
        settlements_command,
        statement_command,
        invoice_command,
        invoices_command,
        payee_command,
        order_command,
        orders_command,
    ):
        cli.command(command.__name__.removesuffix("_command"))(command)


def _show(found: Sequence[Any], kind: type[Any], hidden: Collection[str], *, json: bool) -> None:
    rows = [asdict(each) for each in found]
    if json:
        print_json(rows)
        return
    shown = [field.name for field in fields(kind) if field.name not in hidden]
    print_table(shown, [[row[name] for name in shown] for row in rows])

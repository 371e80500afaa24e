"""`sanpo ledger`: open ledgers, look into the books, close a day and check it, export statements."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.cli import AsJson, open_city, out, print_json, print_table
from sanpo.ground.ids import id_of, number_of
from sanpo.ledger import closing, reading
from sanpo.ledger.actions import list_ledgers, open_ledger
from sanpo.ledger.api import account_out, transfer_out
from sanpo.ledger.camt import decimal, to_camt, to_csv
from sanpo.ledger.errors import BooksDiffer
from sanpo.ledger.exporting import make_sheet
from sanpo.ledger.model import Close, Ledger, Trial

cli = typer.Typer(no_args_is_help=True, help="Accounts and transfers.")
OPERATOR = System("operator")

AccountId = Annotated[str, typer.Argument(help="An account, acc_….")]
Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A day on the city's clock.")]
Since = Annotated[datetime, typer.Option("--since", formats=["%Y-%m-%d"], help="First day.")]
Until = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day.")]


class Form(StrEnum):
    CAMT = "camt.053"
    CSV = "csv"


@cli.command("open")
def open_command(
    ledger: Annotated[int, typer.Argument(min=1, help="Its number, such as 392.")],
    currency: Annotated[str, typer.Argument(help="ISO 4217, such as JPY; XXX for points.")],
    name: Annotated[str, typer.Argument(help="What people call the unit.")],
    exponent: Annotated[int, typer.Option(min=0, max=5, help="Decimal places.")] = 0,
    json: AsJson = False,
) -> None:
    """Opens a ledger; the same again changes nothing."""
    opened = Ledger(ledger, currency, exponent, name)
    with open_city() as city:
        open_ledger(city, OPERATOR, opened)
    _show([msgspec.structs.asdict(opened)], json=json)


@cli.command("ledgers")
def ledgers_command(json: AsJson = False) -> None:
    """The units in which accounts are kept."""
    with open_city() as city:
        _show([msgspec.structs.asdict(each) for each in list_ledgers(city)], Ledger.__struct_fields__, json=json)


@cli.command("accounts")
def accounts_command(
    ledger: Annotated[int | None, typer.Option(help="Of this ledger only.")] = None,
    after: Annotated[str | None, typer.Option(help="Continue after this account.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=reading.MAX_PAGE)] = 100,
    json: AsJson = False,
) -> None:
    """Accounts with their balances, in the order of their ids; whose they are is not told."""
    with open_city() as city:
        start = number_of("acc", after) if after else 0
        found = reading.list_accounts(city, OPERATOR, ledger=ledger, after=start, limit=limit)
        exponents = _exponents(city)
    rows = [msgspec.to_builtins(account_out(each)) for each in found]
    if json:
        print_json(rows)
        return
    columns = ("account_id", "ledger", "code", "flags", "balance")
    print_table(
        columns,
        [
            (row["account_id"], row["ledger"], row["code"], " ".join(row["flags"]), _shown(row, exponents))
            for row in rows
        ],
    )


@cli.command("transfer")
def transfer_command(
    transfer_id: Annotated[str, typer.Argument(help="A transfer, trf_….")], json: AsJson = False
) -> None:
    """One transfer as it was made."""
    with open_city() as city:
        found = msgspec.to_builtins(transfer_out(reading.get_transfer(city, OPERATOR, number_of("trf", transfer_id))))
    print_json(found) if json else print_table(("", ""), list(found.items()))


@cli.command("statement")
def statement_command(
    account_id: AccountId,
    limit: Annotated[int, typer.Option(min=1, max=reading.MAX_PAGE, help="The newest so many.")] = 50,
    json: AsJson = False,
) -> None:
    """What was booked on an account, the newest first."""
    with open_city() as city:
        lines = reading.list_newest(city, OPERATOR, number_of("acc", account_id), limit=limit)
        exponents = _exponents(city)
    rows = []
    for line in lines:
        transfer = line.kept.transfer
        other = transfer.debit_account_id if line.side == "credit" else transfer.credit_account_id
        rows.append(
            {
                "at": line.kept.at.isoformat(),
                "kind": line.kind,
                "side": line.side,
                "amount": decimal(transfer.amount, exponents[transfer.ledger]),
                "counterpart": id_of("acc", other),
                "transfer_id": id_of("trf", transfer.transfer_id),
            }
        )
    _show(rows, json=json)


@cli.command("trial-balance")
def trial_balance_command(
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"], help="As it was then; else now.")
    ] = None,
    json: AsJson = False,
) -> None:
    """The sums of all accounts by ledger and code; in each ledger the debits equal the credits."""
    with open_city() as city:
        moment = at if at is None or at.tzinfo else at.replace(tzinfo=city.settings.zone)
        found = reading.trial_balance(city, OPERATOR, moment)
    _show([msgspec.structs.asdict(each) for each in found], Trial.__struct_fields__, json=json)


@cli.command("close")
def close_command(day: Day, json: AsJson = False) -> None:
    """Closes a day: its figures go into the journal, and nothing is booked into it any more."""
    with open_city() as city:
        _show_closes(closing.close_day(city, OPERATOR, day.date()), json=json)


@cli.command("closes")
def closes_command(limit: Annotated[int, typer.Option(min=1, max=reading.MAX_PAGE)] = 50, json: AsJson = False) -> None:
    """Closed days, the newest first."""
    with open_city() as city:
        _show_closes(closing.list_closes(city, limit=limit), json=json)


@cli.command("check")
def check_command(day: Day, json: AsJson = False) -> None:
    """Works out a closed day's figures anew from the transfers, and compares."""
    with open_city() as city:
        differing = closing.differing(city, day.date())
    if differing:
        raise BooksDiffer(day=day.date().isoformat(), ledgers=", ".join(map(str, differing)))
    if json:
        print_json({"day": day.date().isoformat(), "differing": []})
    else:
        out.print(f"[bold green]✓[/] {day.date().isoformat()}")


@cli.command("export")
def export_command(
    account_id: AccountId,
    since: Since,
    until: Until,
    to: Annotated[Path, typer.Option("--to", dir_okay=False, help="The file to write.")],
    form: Annotated[Form, typer.Option(help="ISO 20022 camt.053.001.08, or CSV.")] = Form.CAMT,
    json: AsJson = False,
) -> None:
    """Writes what was booked on an account in whole days to a file."""
    with open_city() as city:
        number = number_of("acc", account_id)
        sheet = make_sheet(city, OPERATOR, number, since=since.date(), until=until.date())
    to.write_bytes(to_camt(sheet) if form is Form.CAMT else to_csv(sheet).encode())
    exponent = sheet.ledger.exponent
    opening, end = decimal(sheet.opening, exponent), decimal(sheet.closing, exponent)
    _show([{"file": str(to), "lines": len(sheet.lines), "opening": opening, "closing": end}], json=json)


def _exponents(city: City) -> dict[int, int]:
    return {each.ledger: each.exponent for each in list_ledgers(city)}


def _shown(row: dict[str, Any], exponents: dict[int, int]) -> str:
    return decimal(row["balance"], exponents[row["ledger"]])


def _show_closes(closes: list[Close], *, json: bool) -> None:
    rows = [{**msgspec.structs.asdict(each), "closed_until": each.closed_until.isoformat()} for each in closes]
    if json:
        print_json(rows)
        return
    shown = ("day", "ledger", "accounts", "transfers", "debits_posted", "credits_posted", "entry_id")
    print_table(shown, [[row[name] for name in shown] for row in rows])


def _show(rows: list[dict[str, Any]], columns: Sequence[str] = (), *, json: bool) -> None:
    """With `columns`, of nothing too the head of the table is printed: it was looked, and there is nothing."""
    if json:
        print_json(rows)
    elif rows or columns:
        print_table(columns or list(rows[0]), [list(row.values()) for row in rows])

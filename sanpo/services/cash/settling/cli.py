"""Commands that settle shops: `sanpo cash settle`, `sanpo cash settlements`."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, print_json, print_table
from sanpo.services.cash.settling import settling
from sanpo.services.cash.settling.model import Settlement

OPERATOR = System("operator")
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
    _print(found, json=json)


def settlements_command(shop_id: ShopId, since: Since, until: Until, json: AsJson = False) -> None:
    """What a shop was paid, by day, the newest first."""
    with open_city() as city:
        found = settling.list_settlements(city, OPERATOR, shop_id, since.date(), until.date())
    _print(found, json=json)


def add_commands(cli: typer.Typer) -> None:
    cli.command("settle")(settle_command)
    cli.command("settlements")(settlements_command)


def _print(found: list[Settlement], *, json: bool) -> None:
    rows = [asdict(each) for each in found]
    if json:
        print_json(rows)
        return
    shown = [name for name in Settlement.__dataclass_fields__ if name not in ("settlement_id", "settled_at")]
    print_table(shown, [[row[name] for name in shown] for row in rows])

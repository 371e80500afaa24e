"""Commands: `sanpo cash …`."""

from typing import Annotated

import typer

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, print_json, print_table
from sanpo.services.cash.benefits.cli import add_commands as add_benefits
from sanpo.services.cash.indicators.cli import add_commands as add_indicators
from sanpo.services.cash.model import Shop
from sanpo.services.cash.oversight.cli import add_commands as add_oversight
from sanpo.services.cash.replay.cli import add_commands as add_replay
from sanpo.services.cash.settling.cli import add_commands as add_settling
from sanpo.services.cash.shops import ShopDraft, get_shop, list_shops, printable_code, register_shop, set_shop_state
from sanpo.services.cash.slips.cli import add_commands as add_slips

cli = typer.Typer(help="Shops that are paid in the town's own cash.", no_args_is_help=True)
OPERATOR = System("operator")
add_settling(cli)
add_oversight(cli)
add_benefits(cli)
add_replay(cli)
add_slips(cli)
add_indicators(cli)
_ShopId = Annotated[str, typer.Argument(help="The shop's id, shp_…")]
_SHOWN = ("shop_id", "merchant", "name", "local_name", "category", "district", "state", "reason")


@cli.command("register-shop")
def register_shop_command(
    organisation_id: Annotated[str, typer.Argument(help="The id of the organisation that is paid, org_…")],
    name: Annotated[str, typer.Option(help="At most 25 ASCII characters, for terminals of other countries.")],
    local_name: Annotated[str, typer.Option(help="The name as people know it, at most 25 characters.")],
    category: Annotated[str, typer.Option(help="Four digits of ISO 18245, such as 5812 for a restaurant.")],
    district: Annotated[str, typer.Option(help="Part of the city.")],
    merchant: Annotated[str, typer.Option(help="13 digits of the unified code, where the shop has them.")] = "",
    registration: Annotated[str, typer.Option(help="T and 13 digits, where the shop issues qualified invoices.")] = "",
    longitude: Annotated[float | None, typer.Option(help="Degrees (WGS 84), with --latitude.")] = None,
    latitude: Annotated[float | None, typer.Option(help="Degrees (WGS 84), with --longitude.")] = None,
    json: AsJson = False,
) -> None:
    """Registers a shop and opens its account."""
    with open_city() as city:
        of_city = name, local_name, category, district, merchant, registration
        draft = ShopDraft(organisation_id, *of_city, longitude, latitude)
        shop = register_shop(city, OPERATOR, draft)
    _print([shop], json=json)


@cli.command("shops")
def shops_command(json: AsJson = False) -> None:
    """Lists the shops in the order in which they were registered."""
    with open_city() as city:
        found = list_shops(city)
    _print(found, json=json)


@cli.command("suspend")
def suspend_command(
    shop_id: _ShopId,
    reason: Annotated[str, typer.Argument(help="Shown to whoever wants to pay there.")],
    json: AsJson = False,
) -> None:
    """Suspends a shop: it is paid nothing until it is reopened."""
    with open_city() as city:
        shop = set_shop_state(city, OPERATOR, shop_id, "suspended", reason)
    _print([shop], json=json)


@cli.command("reopen")
def reopen_command(shop_id: _ShopId, json: AsJson = False) -> None:
    """Opens a shop again."""
    with open_city() as city:
        shop = set_shop_state(city, OPERATOR, shop_id, "open", "")
    _print([shop], json=json)


@cli.command("code")
def code_command(shop_id: _ShopId, json: AsJson = False) -> None:
    """Prints what is drawn as the shop's QR code."""
    with open_city() as city:
        payload = printable_code(get_shop(city, shop_id))
    print_json({"payload": payload}) if json else typer.echo(payload)


def _print(found: list[Shop], *, json: bool) -> None:
    rows = [{name: getattr(shop, name) for name in _SHOWN} for shop in found]
    print_json(rows) if json else print_table(_SHOWN, [list(row.values()) for row in rows])

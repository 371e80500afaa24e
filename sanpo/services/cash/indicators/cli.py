"""Commands of the indicators: `sanpo cash indicators`, `publish-indicators`."""

from typing import Annotated

import msgspec
import typer

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, print_json, print_table
from sanpo.services.cash.indicators.asking import publish_indicators, read_indicators
from sanpo.services.cash.indicators.model import Cell

_OPERATOR = System("operator")


def add_commands(cli: typer.Typer) -> None:
    cli.command("indicators")(indicators_command)
    cli.command("publish-indicators")(publish_indicators_command)


def indicators_command(json: AsJson = False) -> None:
    """What the town's cash did in the last four whole weeks."""
    with open_city() as city:
        found = read_indicators(city, _OPERATOR)
    if json:
        print_json(msgspec.to_builtins(found))
        return
    totals = found.totals
    facts = {**vars(totals), "turns": totals.turns, "leaving_percent": totals.leaving_percent}
    print_table(("", "books"), list(facts.items()))
    print_table(("district", "yen", "lines"), _rows(found.districts), title=found.districts_state.value)
    print_table(("week", "yen", "lines"), _rows(found.weeks), title=found.weeks_state.value)


def publish_indicators_command(
    organisation_id: Annotated[str, typer.Argument(help="The id of the city hall's organisation, org_…")],
    json: AsJson = False,
) -> None:
    """Publishes the agreement that the figures need; an officer then approves it, and residents opt in."""
    with open_city() as city:
        published = publish_indicators(city, _OPERATOR, organisation_id)
    print_json({"agreement_id": published.agreement_id}) if json else typer.echo(published.agreement_id)


def _rows(cells: tuple[Cell, ...]) -> list[list[str]]:
    return [[cell.name, _shown(cell.yen), _shown(cell.purchases)] for cell in cells]


def _shown(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"

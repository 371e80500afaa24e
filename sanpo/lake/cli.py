"""Commands: `sanpo lake …`."""

from typing import Annotated

import typer

from sanpo.ground.cli import AsJson, open_city, print_json, print_table
from sanpo.lake import cli_exchange, cli_upkeep
from sanpo.lake.actions import compact, list_holdings

cli = typer.Typer(help="Datasets and their files.", no_args_is_help=True)
cli.add_typer(cli_exchange.cli)
cli.add_typer(cli_upkeep.cli)


@cli.command("list")
def list_command(json: AsJson = False) -> None:
    """What the lake holds: datasets with their version, files, rows, bytes, and the licence of open data."""
    with open_city() as city:
        held = list_holdings(city)
    columns = ("dataset", "personal", "version", "files", "rows", "bytes", "licence")
    rows = [(h.dataset.name, h.dataset.personal, h.version, h.files, h.rows, h.bytes, h.dataset.licence) for h in held]
    if json:
        shown = [dict(zip(columns, row, strict=True)) for row in rows]
        print_json([{**row, "attribution": h.dataset.attribution} for row, h in zip(shown, held, strict=True)])
    else:
        print_table(columns, [(*row[:-1], row[-1] or "") for row in rows])


@cli.command("compact")
def compact_command(
    name: str,
    whole: Annotated[bool, typer.Option("--whole", help="Rewrite all files, in the columns of today.")] = False,
    json: AsJson = False,
) -> None:
    """Joins the small files of the dataset NAME; its rows stay the same."""
    with open_city() as city:
        done = compact(city, name, spare=0 if whole else 1)
    row = {"dataset": name, "files_before": done.files_before, "files_after": done.files_after, "rows": done.rows}
    if json:
        print_json(row)
    else:
        print_table(list(row), [list(row.values())])

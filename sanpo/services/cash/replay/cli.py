"""Commands: `sanpo cash replay`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, err, open_city, print_json, print_table
from sanpo.services.cash.replay.playing import replay

_OPERATOR = System("operator")
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())


def add_commands(cli: typer.Typer) -> None:
    cli.command("replay")(replay_command)


def replay_command(
    file: Annotated[Path, typer.Argument(help="CSV of invoice lines as UCI's Online Retail has them, gzip or not.")],
    json: AsJson = False,
) -> None:
    """Plays a shop's invoices as payments and refunds; run again, it goes on. Not in production."""
    size = file.stat().st_size if file.is_file() else None
    with open_city() as city, Progress(*_COLUMNS, console=err, transient=True) as bar:
        task = bar.add_task(file.name, total=size)
        report = replay(city, _OPERATOR, file, lambda read: bar.advance(task, read))
    found = report.as_json()
    if json:
        print_json(found)
        return
    refused, examples = found.pop("refused"), found.pop("examples")
    rows = [
        *found.items(),
        *((f"refused: {name}", f"{n} (lines {_first(examples[name])})") for name, n in refused.items()),
    ]
    print_table(("", ""), rows)


def _first(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) + ", …"

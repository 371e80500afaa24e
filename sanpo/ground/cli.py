"""What every command stands on: opening the city, printing tables or JSON, and errors as messages with exit codes."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sanpo.ground.errors import DomainError

if TYPE_CHECKING:
    from sanpo.ground.city import City

out = Console()
err = Console(stderr=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

_opener: list[Callable[[], "City"]] = []


def set_opener(opener: Callable[[], "City"]) -> None:
    """Told once by the command line how a city is opened; only `app.py` knows all districts."""
    _opener[:] = [opener]


@contextmanager
def open_city() -> Iterator["City"]:
    """The city of this machine for one command; its pool is closed at the end."""
    city = _opener[0]()
    try:
        yield city
    finally:
        city.db.close()


def print_json(value: Any) -> None:
    """One JSON document on stdout, for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(str(value) for value in row))
    out.print(table)


def print_error(error: DomainError, words: Any, lang: str) -> int:
    """The error's message on stderr; returns the exit code of its kind."""
    err.print(f"[bold red]✗[/] {words.text(lang, f'error.{error.code}', **error.fields)}", highlight=False)
    err.print(f"  ({error.code})", style="dim")
    return error.surface.exit_code

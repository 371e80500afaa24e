"""`sanpo ask`: a question from the operator's command line, under an agreement like everybody's."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from sanpo.cleanroom.actions import ask as ask_question
from sanpo.cleanroom.answer import Answer, AnswerRow
from sanpo.cleanroom.catalogue import list_catalogue
from sanpo.cleanroom.multiplications import multiply, read_multiplication
from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, out, print_json, print_table
from sanpo.ground.errors import InputIsInvalid

cli = typer.Typer(help="Questions to the city's data, and what can be asked for.", no_args_is_help=True)
HIDDEN = "‥"


@cli.command("ask")
def ask(
    question: Annotated[str, typer.Argument(help="SQL of the subset: docs/reference/questions.md")],
    agreement: Annotated[str, typer.Option(help="The agreement under which it is asked: agr_…")],
    as_of: Annotated[
        list[str] | None, typer.Option(help="A dataset's version, as energy.readings=12; repeatable")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Asks QUESTION as the city's operator. It is answered, refused and recorded as anybody's."""
    versions = dict(map(_version, as_of or []))
    with open_city() as city:
        answer = ask_question(city, System("operator"), agreement, question, as_of=versions)
    if as_json:
        print_json(msgspec.to_builtins(answer))
        return
    out.print(to_table(answer))
    out.print(_footer(answer), style="dim", highlight=False)


@cli.command("multiply")
def multiply_command(
    file: Annotated[Path, typer.Argument(help="JSON: unit, target, base, added (docs/how-to/multiply-data.md)")],
    as_json: AsJson = False,
) -> None:
    """Measures what a second dataset adds to a prediction, and says so where it adds little or nothing."""
    asked = read_multiplication(file.read_bytes())
    with open_city() as city:
        bought = multiply(city, System("operator"), asked)
    if as_json:
        print_json(msgspec.to_builtins(bought))
        return
    found = bought.increment
    row = (found.metric, found.without, found.with_added, found.gain, found.low, found.high, found.n, found.areas)
    print_table(("score", "without", "with", "gain", "from", "to", "units", "areas"), [[_rounded(v) for v in row]])
    out.print(f"{found.verdict}; {bought.withheld} units withheld ({bought.withheld_share:.0%})", highlight=False)
    for line in bought.attributions:
        out.print(line, style="dim", highlight=False)


@cli.command("datasets")
def datasets(as_json: AsJson = False) -> None:
    """The datasets and columns that questions can name."""
    with open_city() as city:
        found = list_catalogue(city)
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    rows = [(d.name, c.name, c.type, c.unit or "", ", ".join(c.buckets)) for d in found for c in d.columns]
    print_table(("dataset", "column", "type", "unit", "time buckets"), rows)


def to_table(answer: Answer) -> Table:
    """The answer for a terminal; a suppressed value is shown as ‥."""
    table = Table()
    for column in answer.columns:
        heading = f"{column.name} ({column.unit})" if column.unit else column.name
        table.add_column(heading, justify="right" if column.role == "measure" else "left")
    table.add_column("subjects", justify="right")
    for row in answer.rows:
        cells = [_shown(row, column.name, at) for at, column in enumerate(answer.columns)]
        table.add_row(*cells, f"<{answer.minimum}" if row.subjects is None else f"{row.subjects:,}")
    return table


def _shown(row: AnswerRow, name: str, at: int) -> str:
    value: Any = row.values[at]
    if name in row.suppressed:
        return HIDDEN
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _rounded(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value


def _version(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isdecimal():
        raise InputIsInvalid(where="--as-of", problem=f"{text!r} is not of the form energy.readings=12")
    return name, int(number)


def _footer(answer: Answer) -> str:
    suppressed = f", {answer.suppressed_cells} suppressed" if answer.suppressed_cells else ""
    took = f"{answer.timings_ms['total']:.0f} ms"
    before = f"; as {answer.as_before}" if answer.as_before else ""
    return f"{len(answer.rows)} rows{suppressed}; {answer.subjects} subjects; {answer.entry_id}{before}; {took}"

"""`sanpo lake …`: open data comes in, and everything can go out and come in elsewhere."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.cli import AsJson, err, open_city, print_json, print_table
from sanpo.lake.errors import OpenFileHasBadRows
from sanpo.lake.export import export
from sanpo.lake.imports import import_open
from sanpo.lake.restore import import_package

cli = typer.Typer()
OPERATOR = System("operator")
Names = Annotated[list[str] | None, typer.Argument(help="Datasets; without any, all of them.")]
Personal = Annotated[bool, typer.Option("--personal", help="Also data about persons. Keep such a copy well.")]


@cli.command("import-open")
def import_open_command(
    descriptor: Annotated[Path, typer.Argument(help="TOML: what the rows are, their licence and source.")],
    files: Annotated[list[Path], typer.Argument(help="CSV, GeoJSON or GTFS files that make one dataset together.")],
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import without the bad rows.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write all problems to this CSV file.")] = None,
    json: AsJson = False,
) -> None:
    """Imports open data: all of the files, in the place of what the dataset held, or nothing."""
    with open_city() as city, _bar(DownloadColumn(), TimeRemainingColumn()) as bar:
        size = sum(file.stat().st_size for file in files if file.is_file())
        task = bar.add_task(descriptor.name, total=size)
        try:
            done = import_open(
                city,
                OPERATOR,
                descriptor,
                files,
                skip_bad=skip_bad,
                report=report,
                progress=lambda read: bar.advance(task, read),
            )
        except OpenFileHasBadRows as error:
            bar.stop()
            print_json(error.fields) if json else _print_problems(city, error)
            raise
    if json:
        print_json(done.as_json())
        return
    facts = {name: value for name, value in done.as_json().items() if name != "reasons"}
    print_table(("", ""), [*facts.items(), *((f"skipped: {reason}", n) for reason, n in done.reasons.items())])


@cli.command("export")
def export_command(
    to: Annotated[Path, typer.Option(help="A folder that does not exist yet.")],
    datasets: Names = None,
    personal: Personal = False,
    json: AsJson = False,
) -> None:
    """Exports datasets as Parquet with datapackage.json (Frictionless) and dcat.jsonld (DCAT-AP)."""
    with open_city() as city, _bar(TimeElapsedColumn()) as bar:
        if personal:
            err.print(f"[bold]![/] {city.words.text(_lang(), 'lake.export.personal')}", highlight=False)
        done = export(city, OPERATOR, to, datasets or (), personal=personal, progress=_counting(bar))
    rows = [
        {
            "dataset": each.dataset.name,
            "version": each.version,
            "rows": each.rows,
            "bytes": each.bytes,
            "licence": each.dataset.licence,
            "file": str(done.folder / each.path),
            "sha256": each.sha256,
        }
        for each in done.datasets
    ]
    _show(rows, ("dataset", "version", "rows", "bytes", "licence", "file"), json=json)


@cli.command("import-package")
def import_package_command(
    folder: Annotated[Path, typer.Argument(help="What `sanpo lake export` wrote.")],
    datasets: Names = None,
    personal: Personal = False,
    json: AsJson = False,
) -> None:
    """Imports what another city, or this one, has exported: open data replaces, a service's dataset must be empty."""
    with open_city() as city, _bar(TimeElapsedColumn()) as bar:
        done = import_package(city, OPERATOR, folder, datasets or (), personal=personal, progress=_counting(bar))
    rows = [{**asdict(each), "outcome": each.outcome.value} for each in done]
    _show(rows, ("dataset", "rows", "outcome"), json=json)


def _show(rows: list[dict[str, Any]], columns: Sequence[str], *, json: bool) -> None:
    if json:
        print_json(rows)
    else:
        print_table(columns, [[row[column] or "" for column in columns] for row in rows])


def _lang() -> str:
    return "ja" if (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("ja") else "en"


def _print_problems(city: City, error: OpenFileHasBadRows) -> None:
    """The first problems, and for each reason how often it occurs and what would be accepted; on stderr."""
    lang = _lang()
    for problem in error.fields["first"]:
        at = city.words.text(lang, "lake.import.row", **problem)
        err.print(f"{at}: {problem['reason']} {problem['found']!r}", highlight=False, markup=False)
    for reason, count in error.fields["counts"].items():
        accepted = city.words.text(lang, f"lake.reason.{reason}")
        err.print(f"{count} × {reason}: {accepted}", highlight=False, markup=False)


def _bar(*columns: Any) -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), *columns, console=err, transient=True)


def _counting(bar: Progress) -> Any:
    """Shows the dataset under way and how many of its rows are done."""
    task = bar.add_task("", total=None)
    rows: dict[str, int] = {}

    def count(name: str, more: int) -> None:
        rows[name] = rows.get(name, 0) + more
        bar.update(task, description=f"{name}: {rows[name]:,}")

    return count

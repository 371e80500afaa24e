"""Commands: `sanpo energy …`."""

import csv
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.cli import AsJson, err, open_city, print_json, print_table
from sanpo.ground.errors import InputIsInvalid
from sanpo.services.energy.actions import publish_homes, register_meters
from sanpo.services.energy.comparison import publish_comparison
from sanpo.services.energy.errors import FileHasBadRows, FileHasOnlyBadRows
from sanpo.services.energy.imports import import_readings, list_imports

cli = typer.Typer(help="Meters and their readings.", no_args_is_help=True)
OPERATOR = System("operator")
_METERS_HEADER = ["meter_id", "subject_no"]


@cli.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV (meter_id,start,kwh) or Green Button XML, gzip or not.")],
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import without the bad rows.")] = False,
    timezone: Annotated[str | None, typer.Option(help="IANA zone of the meters' clock; default: the city's.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write all problems to this CSV file.")] = None,
    json: AsJson = False,
) -> None:
    """Imports readings: the whole file, or nothing of it."""
    with open_city() as city, _bar(file) as progress:
        task = progress.add_task(file.name, total=file.stat().st_size if file.is_file() else None)
        try:
            done = import_readings(
                city,
                OPERATOR,
                file,
                timezone=timezone,
                skip_bad=skip_bad,
                report=report,
                progress=lambda size: progress.advance(task, size),
            )
        except (FileHasBadRows, FileHasOnlyBadRows) as error:
            progress.stop()
            print_json(error.fields) if json else _print_problems(city, error)
            raise
    if json:
        print_json(done.as_json())
        return
    facts = {name: value for name, value in done.as_json().items() if name != "reasons"}
    print_table(("", ""), [*facts.items(), *((f"skipped: {reason}", n) for reason, n in done.reasons.items())])


@cli.command("imports")
def imports_command(json: AsJson = False) -> None:
    """Lists the files that were imported, newest first. `staged` was cut off: import that file again."""
    with open_city() as city:
        found = list_imports(city, OPERATOR)
    if json:
        print_json([{"state": state, **done.as_json()} for state, done in found])
    else:
        rows = [(d.import_id, state, d.file_name, d.readings, d.skipped, d.last_start_at) for state, d in found]
        print_table(("import", "state", "file", "readings", "skipped", "last start"), rows)


@cli.command("register-meters")
def register_meters_command(
    file: Annotated[Path, typer.Argument(help="CSV: meter_id,subject_no", exists=True, dir_okay=False)],
    json: AsJson = False,
) -> None:
    """Gives meters to residents, all of the file or none."""
    with open_city() as city:
        meters = register_meters(city, OPERATOR, _owners(file))
    if json:
        print_json([vars(meter) for meter in meters])
    else:
        print_table(("meter_no", "meter_id", "subject_no"), [(m.meter_no, m.meter_id, m.subject_no) for m in meters])


@cli.command("publish-homes")
def publish_homes_command(json: AsJson = False) -> None:
    """Copies what residents told about their homes to the dataset energy.homes."""
    with open_city() as city:
        count = publish_homes(city, OPERATOR)
    print_json({"homes": count}) if json else print_table(("homes",), [(count,)])


@cli.command("offer-comparison")
def offer_comparison_command(
    organisation_id: Annotated[str, typer.Argument(help="The city hall's id, org_…")], json: AsJson = False
) -> None:
    """Publishes the comparison of similar homes as an agreement of the city hall; an officer then approves it."""
    with open_city() as city:
        published = publish_comparison(city, OPERATOR, organisation_id)
    row = {"agreement_id": published.agreement_id, "state": published.state, "sha256": published.sha256}
    print_json(row) if json else print_table(list(row), [list(row.values())])


def _owners(file: Path) -> dict[str, int]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.reader(text))
    owners: dict[str, int] = {}
    for line, row in enumerate(rows, 1):
        if line == 1:
            if row != _METERS_HEADER:
                raise InputIsInvalid(where=f"{file.name}:1", problem=f"the header must be {','.join(_METERS_HEADER)}")
        elif len(row) != 2 or not row[1].isdecimal() or row[0] in owners:
            raise InputIsInvalid(where=f"{file.name}:{line}", problem="a new meter_id and the number of its subject")
        else:
            owners[row[0]] = int(row[1])
    return owners


def _print_problems(city: City, error: FileHasBadRows | FileHasOnlyBadRows) -> None:
    """The first problems, and for each reason how often it occurs and what would be accepted; on stderr."""
    lang = "ja" if (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("ja") else "en"
    for problem in error.fields["first"]:
        at = city.words.text(lang, "energy.import.row", row=problem["row"], meter=problem["meter_id"])
        err.print(f"{at}: {problem['reason']} {problem['found']!r}", highlight=False, markup=False)
    if error.fields["unknown_meters"]:
        names = ", ".join(error.fields["unknown_meters"])
        err.print(city.words.text(lang, "energy.import.unknown_meters", names=names), highlight=False, markup=False)
    for reason, count in error.fields["counts"].items():
        err.print(
            f"{count} × {reason}: {city.words.text(lang, f'energy.reason.{reason}')}", highlight=False, markup=False
        )


def _bar(file: Path) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )

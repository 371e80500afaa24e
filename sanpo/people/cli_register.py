"""`sanpo people …`: the residents' register, and who may act for whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from sanpo.ground.city import City
from sanpo.ground.cli import AsJson, err, open_city, print_json, print_table
from sanpo.people import actions, roll
from sanpo.people.errors import RegisterHasBadRows, RegisterHasOnlyBadRows
from sanpo.people.imports import import_register
from sanpo.people.model import RepresentativeRole
from sanpo.people.printing import OPERATOR, language, show, show_list
from sanpo.people.register import Progress

cli = typer.Typer()
Holder = Annotated[str, typer.Argument(help="res_… or the register's reference.")]


@cli.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV with a header; see docs/how-to/run-in-production.md.")],
    encoding: Annotated[str, typer.Option(help="utf-8, or cp932 (Shift_JIS).")] = "utf-8",
    part: Annotated[bool, typer.Option("--part", help="Only a part of the register: nobody has vanished.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import without the bad rows.")] = False,
    only_check: Annotated[bool, typer.Option("--check", help="Say what would change, and change nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write all problems, and who vanished, to this CSV file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Imports the residents' register: the whole file, or nothing of it. The same file again changes nothing."""
    with open_city() as city, _bars() as progress:
        try:
            done = import_register(
                city,
                OPERATOR,
                file,
                encoding=encoding,
                part=part,
                skip_bad=skip_bad,
                only_check=only_check,
                report=report,
                progress=progress,
            )
        except (RegisterHasBadRows, RegisterHasOnlyBadRows) as error:
            print_json(error.fields) if as_json else _print_problems(city, error)
            raise
    if as_json:
        print_json(asdict(done))
        return
    facts = {name: value for name, value in asdict(done).items() if name not in ("reasons", "only_check")}
    print_table(("", ""), [*facts.items(), *((f"skipped: {reason}", count) for reason, count in done.reasons.items())])


@cli.command()
def list_residents(
    after: Annotated[int, typer.Option(min=0, help="Begin after this resident's number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 100,
    without_passkey: Annotated[bool, typer.Option("--without-passkey", help="Only who has none yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Lists residents by number and reference, without names, and how far they have come in signing in."""
    with open_city() as city:
        found = roll.list_residents(city, OPERATOR, after=after, limit=limit, without_passkey=without_passkey)
    columns = ("subject_no", "resident_id", "reference", "area", "passkeys", "invited_until", "vanished_at")
    show_list(columns, [asdict(one) for one in found], as_json)


@cli.command()
def add_representative(
    resident: Holder,
    representative: Annotated[str, typer.Argument(help="Who may act for them: res_… or the register's reference.")],
    role: Annotated[str, typer.Option(help="parent or carer.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day, such as 2027-03-31.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day; default: now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Lets a parent or carer act for a resident, after you have seen the papers."""
    if role not in ("parent", "carer"):
        raise typer.BadParameter("parent or carer", param_hint="--role")
    with open_city() as city:
        number = actions.appoint_representative(
            city,
            OPERATOR,
            roll.get_holder_id(city, OPERATOR, resident),
            representative_id=roll.get_holder_id(city, OPERATOR, representative),
            role=cast(RepresentativeRole, role),
            valid_from=_day(city, since) if since else city.now(),
            valid_until=_day(city, until + timedelta(days=1)),
        )
    show({"representation_no": number}, as_json)


@cli.command()
def end_representative(
    representation_no: Annotated[int, typer.Argument(help="As list-representatives shows it.")], as_json: AsJson = False
) -> None:
    """Ends a term now: whoever acts under it is out at once. To undo it, add the representative again."""
    with open_city() as city:
        actions.end_representation(city, OPERATOR, representation_no)
    show({"ended": representation_no}, as_json)


@cli.command()
def list_representatives(
    resident: Annotated[str | None, typer.Option(help="Only of this resident: res_… or reference.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lists who may act for whom, past terms included."""
    with open_city() as city:
        resident_id = None if resident is None else roll.get_holder_id(city, OPERATOR, resident)
        found = roll.list_representations(city, OPERATOR, resident_id)
    columns = ("representation_no", "resident_id", "representative_resident_id", "role", "valid_until", "ended_at")
    show_list(columns, [asdict(one) for one in found], as_json)


def _day(city: City, day: datetime) -> datetime:
    """The moment at which this local day begins."""
    return datetime.combine(day.date(), time(), city.settings.zone)


def _print_problems(city: City, error: RegisterHasBadRows | RegisterHasOnlyBadRows) -> None:
    """The first problems, then for each reason how often it occurs and what would be accepted; on stderr."""
    words, lang = city.words, language()
    for problem in error.fields["first"]:
        place = words.text(lang, "people.import.row" if problem["column"] else "people.import.whole_row", **problem)
        err.print(f"{place}: {problem['reason']}", highlight=False, markup=False)
    for reason, count in error.fields["counts"].items():
        accepted = words.text(lang, f"people.reason.{reason}")
        err.print(f"{count} × {reason}: {accepted}", highlight=False, markup=False)


@contextmanager
def _bars() -> Iterator[Progress]:
    """A bar for each stage, from when it begins."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=err, transient=True) as bars:
        tasks = {stage: bars.add_task(stage, total=None, visible=False) for stage in ("read", "write")}
        yield lambda stage, done, total: bars.update(tasks[stage], completed=done, total=total, visible=True)

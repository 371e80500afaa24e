"""`sanpo lake …`: one resident's rows erased, old rows deleted, every file checked."""

from datetime import datetime
from typing import Annotated, Any

import typer

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.cli import AsJson, err, open_city, print_json, print_table
from sanpo.lake.catalogue import list_datasets
from sanpo.lake.health import check_files
from sanpo.lake.upkeep import Erasure, Retained, erase_subject, retain
from sanpo.people import list_subjects

cli = typer.Typer()
OPERATOR = System("operator")
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@cli.command("erase")
def erase_command(
    resident_id: Annotated[str, typer.Argument(help="res_… or the reference of the register.")],
    yes: Yes = False,
    now: Annotated[
        bool, typer.Option("--now", help="Remove the old files at once; questions under way may fail.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Erases the rows of one resident from every dataset; the journal keeps the proof."""
    with open_city() as city:
        [subject_no] = list_subjects(city, OPERATOR, named=[resident_id])
        if not yes:
            typer.confirm(
                f"Erase all rows of {resident_id} from the lake? This cannot be undone.", abort=True, err=True
            )
        done = erase_subject(city, OPERATOR, subject_no, now=now)
    _print_erasure(done, json)


@cli.command("retain")
def retain_command(
    dataset: Annotated[str | None, typer.Argument(help="One dataset; without it all that have a retention.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Deletes rows that are older than their dataset's manifest allows (retention_days)."""
    with open_city() as city:
        names = [dataset] if dataset else _with_retention(city)
        done = [retain(city, OPERATOR, name, dry_run=dry_run) for name in names]
    columns = ("dataset", "rows_before", "rows", "files_removed", "files_rewritten", "entry_id")
    rows = [_retained(each) for each in done]
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows, title="dry run: nothing was changed" if dry_run else None)


@cli.command("check")
def check_command(
    dataset: Annotated[str | None, typer.Argument(help="One dataset; without it all.")] = None, json: AsJson = False
) -> None:
    """Reads every file of the lake to its end and names those that are missing or broken (exit code 10)."""
    with open_city() as city:
        checked = check_files(city, dataset)
    if json:
        print_json({"files": checked.files, "broken": [vars(each) for each in checked.broken]})
    else:
        err.print(f"{checked.files} files read, {len(checked.broken)} broken")
        print_table(("dataset", "file", "problem"), [(b.dataset, b.file, b.problem) for b in checked.broken])
    if checked.broken:
        raise typer.Exit(10)


def _with_retention(city: City) -> list[str]:
    return [dataset.name for dataset in list_datasets(city) if dataset.retention_days is not None]


def _retained(done: Retained) -> tuple[Any, ...]:
    return (done.dataset, done.horizon.date(), done.rows, done.files_removed, done.files_rewritten, done.entry_id)


def _print_erasure(done: Erasure, json: bool) -> None:
    facts = {
        "erasure_id": done.erasure_id,
        "state": done.state,
        "erased_at": _at(done.erased_at),
        "entry_id": done.entry_id,
        "files_gone_by": _at(done.gone_by),
        "files_gone_at": _at(done.gone_at),
        "files_gone_entry_id": done.gone_entry_id,
    }
    datasets = [each.as_public() for each in done.took_out]
    if json:
        print_json({**facts, "datasets": datasets, "elsewhere": dict(done.elsewhere)})
        return
    print_table(("", ""), [(name, value or "-") for name, value in facts.items()])
    columns = ("dataset", "rows", "files_rewritten", "version_before", "version_after")
    print_table(columns, [[each[name] for name in columns] for each in datasets])
    print_table(("elsewhere", "number"), [(name, str(number)) for name, number in done.elsewhere.items()])


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None

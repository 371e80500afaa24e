"""`sanpo broker`: who may write entities, and which tenants there are."""

import signal
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sanpo.broker import entities
from sanpo.broker.flow import moving
from sanpo.broker.ingest.errors import FileHasBadLines
from sanpo.broker.ingest.files import Given, Import
from sanpo.broker.ingest.listening import Listener
from sanpo.broker.ingest.mapping import read_mapping
from sanpo.broker.ingest.refusals import list_refused
from sanpo.broker.registrations import cli as registrations
from sanpo.broker.subscriptions import deliveries as notifications
from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, err, open_city, out, print_json, print_table

cli = typer.Typer(no_args_is_help=True, help="The living picture of the city: NGSI-LD entities.")
cli.add_typer(registrations.cli, name="registrations")
OPERATOR = System("operator")

Organisation = Annotated[str, typer.Argument(help="The organisation's identifier, org_…")]
Personal = Annotated[bool, typer.Option("--personal", help="Also entities of personal types.")]


@cli.command()
def allow_writing(organisation: Organisation, personal: Personal = False) -> None:
    """Let an organisation's programs write entities."""
    with open_city() as city:
        entities.allow_writing(city, OPERATOR, organisation, personal=personal)
    out.print(organisation, highlight=False)


@cli.command()
def tenants(as_json: AsJson = False) -> None:
    """List the tenants with the number of their entities; the default tenant has no name."""
    with open_city() as city:
        found = entities.list_tenants(city, OPERATOR)
    if as_json:
        print_json([{"tenant": each.name, "entities": each.entities} for each in found])
        return
    print_table(("tenant", "entities"), [(each.name or "—", str(each.entities)) for each in found])


@cli.command()
def flow(as_json: AsJson = False) -> None:
    """Move observations older than broker_recent_days into the lake, as the duty does; says how many."""
    with open_city() as city:
        count = moving.flow(city)
    print_json({"moved": count}) if as_json else print_table(["moved"], [[f"{count:,}"]])


@cli.command()
def deliveries(
    dead: Annotated[bool, typer.Option("--dead", help="Only those that are not tried any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the notifications that have not arrived, with the receiver's last error, and how many have ended so."""
    with open_city() as city:
        found = notifications.list_deliveries(city, OPERATOR, dead_only=dead)
        ended = notifications.list_ended(city, OPERATOR)
    if as_json:
        print_json({"deliveries": [each.as_public() for each in found], "ended": [asdict(each) for each in ended]})
        return
    rows = [(e.notification_id, e.subscription_id, e.endpoint, e.state, str(e.attempts), e.error or "—") for e in found]
    print_table(("notification", "subscription", "endpoint", "state", "attempts", "error"), rows)
    if ended:
        lost = [(each.subscription_id, each.endpoint, str(each.ended), each.last_ended_at) for each in ended]
        print_table(("subscription", "endpoint", "ended", "last"), lost)


MappingFile = Annotated[Path, typer.Option("--mapping", help="The mapping file (TOML).", exists=True, dir_okay=False)]


@cli.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV or JSON lines, gzip or not.", exists=True, dir_okay=False)],
    mapping: MappingFile,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import without the bad lines.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all lines, store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Store a file of measurements as entities and observations; cut off, it goes on where it was."""
    found, sha256 = read_mapping(mapping)
    with open_city() as city, _bar() as progress:
        task = progress.add_task(file.name, total=file.stat().st_size * (1 if dry_run else 2))
        work = Import(city, OPERATOR, Given.of_file(file), found, sha256, skip_bad, lambda n: progress.advance(task, n))
        try:
            done = work.run(dry=dry_run)
        except FileHasBadLines as error:
            progress.stop()
            print_json(error.fields) if as_json else _print_bad(each.values() for each in error.fields["bad"])
            raise
    if as_json:
        print_json(done.as_json())
    else:
        _print_bad(done.bad)
        print_table(("", ""), [(name, str(value)) for name, value in done.as_json().items() if name != "bad"])
    if dry_run and done.bad:
        raise typer.Exit(FileHasBadLines(file=file.name).surface.exit_code)


@cli.command()
def listen(mapping: MappingFile, as_json: AsJson = False) -> None:
    """Store what comes at the topic of a mapping, until Ctrl-C or SIGTERM; prints what was done."""
    found, _ = read_mapping(mapping)
    with open_city() as city:
        listener = Listener(city, found)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *given: listener.stop.set())
        listener.run()
    counts = {name: listener.counts[name] for name in ("messages", "rows", "observations", "refused")}
    print_json(counts) if as_json else print_table(("", ""), [(name, str(n)) for name, n in counts.items()])


@cli.command()
def refused(as_json: AsJson = False) -> None:
    """List what the doors of ingest could not use: topic, reason, how often, and the last message."""
    with open_city() as city:
        found = list_refused(city, OPERATOR)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [(e.mapping, e.source, e.reason, str(e.count), e.last_at, e.sample[:60]) for e in found]
    print_table(("mapping", "topic", "reason", "count", "last", "sample"), rows)


def _bar() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=err)


def _print_bad(bad: Iterable[Iterable[Any]]) -> None:
    for line, reason in bad:
        err.print(f"line {line}: {reason}", highlight=False, markup=False)


@cli.command()
def replay(
    subscription: Annotated[str | None, typer.Option(help="Only those of this subscription.")] = None,
    notification: Annotated[str | None, typer.Option(help="Only this one.")] = None,
) -> None:
    """Send dead notifications again, under their old ids; prints how many."""
    with open_city() as city:
        count = notifications.replay(city, OPERATOR, subscription_id=subscription, notification_id=notification)
    out.print(str(count), highlight=False)

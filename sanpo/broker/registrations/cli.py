"""`sanpo broker registrations`: which other sources there are, and how they do."""

from dataclasses import asdict
from typing import Annotated

import typer

from sanpo.broker.contexts import CORE
from sanpo.broker.entities import Place
from sanpo.broker.registrations import actions
from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, print_json, print_table

cli = typer.Typer(no_args_is_help=True, help="The other sources of entities: registrations and how their sources do.")
OPERATOR = System("operator")

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant; without it the default one.")]


@cli.command("list")
def list_command(tenant: Tenant = "", as_json: AsJson = False) -> None:
    """List the registrations with the state of their sources: what was sent, what failed, and the last error."""
    with open_city() as city:
        found = actions.list_sources(Place(city, OPERATOR, tenant))
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [
        (
            e.registration_id,
            e.endpoint,
            e.mode,
            e.status,
            f"{e.times_sent:,}",
            f"{e.times_failed:,}",
            e.last_error or "—",
        )
        for e in found
    ]
    print_table(("registration", "endpoint", "mode", "status", "sent", "failed", "last error"), rows)


@cli.command()
def show(
    registration: Annotated[str, typer.Argument(help="The registration's identifier, urn:…")], tenant: Tenant = ""
) -> None:
    """Show one registration as JSON, with its times of success and failure."""
    with open_city() as city:
        found = actions.retrieve(Place(city, OPERATOR, tenant), registration, CORE, system=True)
    print_json(found)

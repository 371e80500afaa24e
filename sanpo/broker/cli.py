"""`sanpo broker`: who may write entities, and which tenants there are."""

from dataclasses import asdict
from typing import Annotated

import typer

from sanpo.broker import entities
from sanpo.broker.flow import moving
from sanpo.broker.subscriptions import deliveries as notifications
from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, out, print_json, print_table

cli = typer.Typer(no_args_is_help=True, help="The living picture of the city: NGSI-LD entities.")
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
def flow() -> None:
    """Move observations older than broker_recent_days into the lake, as the duty does; prints how many."""
    with open_city() as city:
        count = moving.flow(city)
    out.print(str(count), highlight=False)


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


@cli.command()
def replay(
    subscription: Annotated[str | None, typer.Option(help="Only those of this subscription.")] = None,
    notification: Annotated[str | None, typer.Option(help="Only this one.")] = None,
) -> None:
    """Send dead notifications again, under their old ids; prints how many."""
    with open_city() as city:
        count = notifications.replay(city, OPERATOR, subscription_id=subscription, notification_id=notification)
    out.print(str(count), highlight=False)

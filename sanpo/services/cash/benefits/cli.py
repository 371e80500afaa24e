"""Commands: `sanpo cash campaigns …`, and the funds of organisations."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, err, open_city, print_json, print_table
from sanpo.ground.ids import new_id
from sanpo.services.cash.benefits.campaigns import (
    create_campaign,
    end_campaign,
    figures_of,
    get_campaign,
    list_campaigns,
    open_campaign,
)
from sanpo.services.cash.benefits.funds import deposit, funds_yen, withdraw
from sanpo.services.cash.benefits.giving import Gift, give
from sanpo.services.cash.benefits.model import Campaign, CampaignDraft

campaigns = typer.Typer(help="Campaigns that give residents points and vouchers.", no_args_is_help=True)
OPERATOR = System("operator")
_Id = Annotated[str, typer.Argument(help="The campaign's id, cmp_…")]
_OrganisationId = Annotated[str, typer.Argument(help="The organisation's id, org_…")]
_DAY = ["%Y-%m-%d"]
_SHOWN = ("campaign_id", "state", "name_ja", "left_yen", "last_day")


def add_commands(cli: typer.Typer) -> None:
    """Puts these commands beside the others of the service."""
    cli.add_typer(campaigns, name="campaigns")
    cli.command("deposit")(deposit_command)
    cli.command("withdraw")(withdraw_command)
    cli.command("funds")(funds_command)


@campaigns.command("list")
def list_command(json: AsJson = False) -> None:
    """Lists all campaigns, the oldest first."""
    with open_city() as city:
        found = list_campaigns(city)
    _print(found, json=json)


@campaigns.command("create")
def create_command(
    name_ja: Annotated[str, typer.Option(help="Its name in Japanese.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    budget: Annotated[int, typer.Option(help="Yen that it may give in all.")],
    first_day: Annotated[datetime, typer.Option(formats=_DAY, help="The first day on which it gives.")],
    last_day: Annotated[datetime, typer.Option(formats=_DAY, help="The last day on which it gives.")],
    amount: Annotated[int, typer.Option(help="Yen for each resident.")] = 0,
    rate: Annotated[int, typer.Option(help="Thousandths of a payment in money that it gives back.")] = 0,
    cap: Annotated[int, typer.Option(help="With --rate: yen for each resident at most.")] = 0,
    valid_days: Annotated[int, typer.Option(help="Days for which it is good; 0: until the last day.")] = 0,
    by_claim: Annotated[bool, typer.Option("--by-claim", help="Residents ask for it themselves.")] = False,
    shop: Annotated[list[str] | None, typer.Option(help="A shop where it is good; again for another.")] = None,
    organisation: Annotated[str, typer.Option(help="Whose funds pay for it, org_…; without: the city.")] = "",
    json: AsJson = False,
) -> None:
    """Plans a campaign; it gives nothing before it is opened."""
    draft = CampaignDraft(
        name_ja=name_ja,
        name_en=name_en,
        budget_yen=budget,
        first_day=first_day.date(),
        last_day=last_day.date(),
        amount_yen=amount,
        rate_permille=rate,
        cap_yen=cap,
        valid_days=valid_days,
        by_claim=by_claim,
        shop_ids=shop or [],
        organisation_id=organisation,
    )
    with open_city() as city:
        made = create_campaign(city, OPERATOR, draft)
    _print([made], json=json)


@campaigns.command("open")
def open_command(campaign_id: _Id, json: AsJson = False) -> None:
    """Puts its budget aside; from its first day on it can be given."""
    with open_city() as city:
        found = open_campaign(city, OPERATOR, campaign_id)
    _print([found], json=json)


@campaigns.command("end")
def end_command(campaign_id: _Id, json: AsJson = False) -> None:
    """Ends it: what is left of its budget goes back to the funder."""
    with open_city() as city:
        found = end_campaign(city, OPERATOR, campaign_id)
    _print([found], json=json)


@campaigns.command("give")
def give_command(
    campaign_id: _Id,
    resident: Annotated[list[str] | None, typer.Option(help="A resident, res_…; again for another.")] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file with a resident a line.")
    ] = None,
    area: Annotated[str, typer.Option(help="All who live in this area.")] = "",
    everyone: Annotated[bool, typer.Option("--everyone", help="All residents.")] = False,
    occasion: Annotated[str, typer.Option(help="For another occasion each gets it again.")] = "",
    amount: Annotated[int, typer.Option(help="Yen for each, where this time it is another amount.")] = 0,
    json: AsJson = False,
) -> None:
    """Gives it to residents; those who had it get nothing again, so that the command can be repeated."""
    named = [*(resident or []), *(file.read_text(encoding="utf-8").split() if file else [])]
    gift = Gift(residents=named, area=area, everyone=everyone, occasion=occasion, amount_yen=amount)
    with open_city() as city, Progress(console=err, transient=True) as progress:
        task = progress.add_task("Giving …", total=None)
        given = give(
            city, OPERATOR, campaign_id, gift, lambda done, of: progress.update(task, completed=done, total=of)
        )
    _print_facts(asdict(given), json=json)


@campaigns.command("show")
def show_command(campaign_id: _Id, json: AsJson = False) -> None:
    """Shows a campaign and what became of its money."""
    with open_city() as city:
        facts = {**_told(asdict(get_campaign(city, campaign_id))), **asdict(figures_of(city, OPERATOR, campaign_id))}
    _print_facts(facts, json=json)


def deposit_command(
    organisation_id: _OrganisationId,
    amount: Annotated[int, typer.Argument(help="Yen.")],
    deposit_id: Annotated[str, typer.Option(help="dep_…; the same again books nothing. Without: a new one.")] = "",
    json: AsJson = False,
) -> None:
    """Books what an organisation has paid in to fund campaigns, and what its agreements pay residents."""
    deposit_id = deposit_id or new_id("dep")
    with open_city() as city:
        left = deposit(city, OPERATOR, deposit_id, organisation_id, amount)
    _print_facts({"deposit_id": deposit_id, "organisation_id": organisation_id, "funds_yen": left}, json=json)


def withdraw_command(
    organisation_id: _OrganisationId,
    amount: Annotated[int, typer.Argument(help="Yen.")],
    withdrawal_id: Annotated[str, typer.Option(help="wdr_…; the same again books nothing. Without: a new one.")] = "",
    json: AsJson = False,
) -> None:
    """Books what an organisation was paid back of its funds."""
    withdrawal_id = withdrawal_id or new_id("wdr")
    with open_city() as city:
        left = withdraw(city, OPERATOR, withdrawal_id, organisation_id, amount)
    _print_facts({"withdrawal_id": withdrawal_id, "organisation_id": organisation_id, "funds_yen": left}, json=json)


def funds_command(organisation_id: _OrganisationId, json: AsJson = False) -> None:
    """Shows what is left of an organisation's funds."""
    with open_city() as city:
        left = funds_yen(city, OPERATOR, organisation_id)
    _print_facts({"organisation_id": organisation_id, "funds_yen": left}, json=json)


def _print(found: list[Campaign], *, json: bool) -> None:
    rows = [_told(asdict(campaign)) for campaign in found]
    print_json(rows) if json else print_table(_SHOWN, [[row[name] for name in _SHOWN] for row in rows])


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """Without the numbers by which the city itself knows things."""
    return {name: value for name, value in facts.items() if not name.endswith("_no")}


def _print_facts(facts: dict[str, Any], *, json: bool) -> None:
    print_json(facts) if json else print_table(("", ""), list(facts.items()))

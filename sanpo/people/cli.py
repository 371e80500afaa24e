"""`sanpo people …`: organisations, clients and one-time links, for the operator at the city's own machine."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, cast

import typer

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, out, print_json, print_table
from sanpo.people import organisations, sign_in
from sanpo.people.model import NewOrganisation, OrganisationKind, StaffRole

cli = typer.Typer(no_args_is_help=True, help="Residents, organisations and how they sign in.")
OPERATOR = System("operator")


@cli.command()
def add_organisation(
    name_ja: Annotated[str, typer.Argument(help="Name in Japanese.")],
    name_en: Annotated[str, typer.Argument(help="Name in English.")],
    kind: Annotated[str, typer.Option(help="city, university or company.")] = "company",
    contact: Annotated[str, typer.Option(help="Public e-mail or telephone.")] = "",
    webhook: Annotated[str | None, typer.Option(help="Address told of withdrawals.")] = None,
    as_json: AsJson = False,
) -> None:
    """Registers an organisation."""
    if kind not in ("city", "university", "company"):
        raise typer.BadParameter("city, university or company", param_hint="--kind")
    new = NewOrganisation(name_ja, name_en, cast(OrganisationKind, kind), contact, webhook)
    with open_city() as city:
        made = organisations.register_organisation(city, OPERATOR, new)
    _show(asdict(made), as_json)


@cli.command()
def list_organisations(as_json: AsJson = False) -> None:
    """Lists the organisations."""
    with open_city() as city:
        found = organisations.list_organisations(city, OPERATOR)
    if as_json:
        print_json([asdict(organisation) for organisation in found])
    else:
        rows = [(o.organisation_id, o.name_ja, o.name_en, o.kind, o.contact) for o in found]
        print_table(("organisation", "名称", "name", "kind", "contact"), rows)


@cli.command()
def add_staff(
    organisation_id: Annotated[str, typer.Argument(help="org_…")],
    name: Annotated[str, typer.Argument(help="The person's name.")],
    role: Annotated[str, typer.Option(help="officer (of the city only) or analyst.")] = "analyst",
    email: Annotated[str | None, typer.Option()] = None,
    as_json: AsJson = False,
) -> None:
    """Adds a person who works for an organisation."""
    if role not in ("officer", "analyst"):
        raise typer.BadParameter("officer or analyst", param_hint="--role")
    with open_city() as city:
        staff_id = organisations.add_staff(
            city, OPERATOR, organisation_id, role=cast(StaffRole, role), name=name, email=email
        )
    _show({"staff_id": staff_id}, as_json)


@cli.command()
def add_client(
    organisation_id: Annotated[str, typer.Argument(help="org_…")],
    name: Annotated[str, typer.Argument(help="What the program is called.")],
    as_json: AsJson = False,
) -> None:
    """Makes a client for an organisation's program. The secret is printed this once."""
    with open_city() as city:
        made = organisations.create_client(city, OPERATOR, organisation_id, name=name)
    _show(asdict(made), as_json)


@cli.command()
def sign_in_link(
    holder_id: Annotated[str, typer.Argument(help="res_… or stf_…")],
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="How long it can be used.")] = 15,
    as_json: AsJson = False,
) -> None:
    """Makes a one-time link for a resident or a member of staff. In a demo only."""
    with open_city() as city:
        link = sign_in.make_sign_in_link(city, OPERATOR, holder_id, lifetime=timedelta(minutes=minutes))
    _show({"url": link.url, "expires_at": link.expires_at}, as_json)


def _show(fields: dict[str, Any], as_json: bool) -> None:
    """Line by line, never folded: ids, secrets and links are there to be copied."""
    if as_json:
        print_json(fields)
        return
    for name, value in fields.items():
        out.print(f"{name}: {value}", soft_wrap=True, markup=False, highlight=False)

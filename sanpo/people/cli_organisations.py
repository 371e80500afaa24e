"""`sanpo people …`: organisations, who works for them, and the programs that ask in their name."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from sanpo.ground.cli import AsJson, open_city
from sanpo.people import organisations
from sanpo.people.errors import ClientKeysAreUnusable
from sanpo.people.model import NewOrganisation, OrganisationKind, StaffRole
from sanpo.people.printing import OPERATOR, show, show_list

cli = typer.Typer()
OrganisationId = Annotated[str, typer.Argument(help="org_…")]
StaffId = Annotated[str, typer.Argument(help="stf_…")]
ClientId = Annotated[str, typer.Argument(help="cli_…")]
KeyFile = Annotated[Path, typer.Argument(help="A JSON Web Key Set (RFC 7517) of public keys.")]


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
    show(asdict(made), as_json)


@cli.command()
def amend_organisation(
    organisation_id: OrganisationId,
    name_ja: Annotated[str | None, typer.Option(help="Name in Japanese.")] = None,
    name_en: Annotated[str | None, typer.Option(help="Name in English.")] = None,
    contact: Annotated[str | None, typer.Option(help="Public e-mail or telephone.")] = None,
    webhook: Annotated[str | None, typer.Option(help='Address told of withdrawals; "" for none.')] = None,
    as_json: AsJson = False,
) -> None:
    """Corrects the entry of an organisation; what it has published keeps the earlier name."""
    with open_city() as city:
        amended = organisations.amend_organisation(
            city, OPERATOR, organisation_id, name_ja=name_ja, name_en=name_en, contact=contact, webhook_url=webhook
        )
    show(asdict(amended), as_json)


@cli.command()
def list_organisations(as_json: AsJson = False) -> None:
    """Lists the organisations."""
    with open_city() as city:
        found = organisations.list_organisations(city, OPERATOR)
    show_list(("organisation_id", "name_ja", "name_en", "kind", "contact"), [asdict(one) for one in found], as_json)


@cli.command()
def add_staff(
    organisation_id: OrganisationId,
    name: Annotated[str, typer.Argument(help="The person's name.")],
    role: Annotated[str, typer.Option(help="officer (of the city only) or analyst.")] = "analyst",
    email: Annotated[str | None, typer.Option(help="Where an invitation can be sent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Adds a person who works for an organisation. `invite` then lets them sign in."""
    if role not in ("officer", "analyst"):
        raise typer.BadParameter("officer or analyst", param_hint="--role")
    with open_city() as city:
        staff_id = organisations.add_staff(
            city, OPERATOR, organisation_id, role=cast(StaffRole, role), name=name, email=email
        )
    show({"staff_id": staff_id}, as_json)


@cli.command()
def list_staff(organisation_id: OrganisationId, as_json: AsJson = False) -> None:
    """Lists who works or worked for an organisation."""
    with open_city() as city:
        found = organisations.list_staff(city, OPERATOR, organisation_id)
    show_list(("staff_id", "role", "name", "email", "added_at", "left_at"), [row._asdict() for row in found], as_json)


@cli.command()
def end_staff(staff_id: StaffId, as_json: AsJson = False) -> None:
    """The person has left: their sessions and passkeys are refused from now on."""
    with open_city() as city:
        organisations.end_staff(city, OPERATOR, staff_id)
    show({"ended": staff_id}, as_json)


@cli.command()
def reinstate_staff(staff_id: StaffId, as_json: AsJson = False) -> None:
    """Undoes end-staff: the person's passkeys work again, their earlier sessions do not."""
    with open_city() as city:
        organisations.reinstate_staff(city, OPERATOR, staff_id)
    show({"reinstated": staff_id}, as_json)


@cli.command()
def add_client(
    organisation_id: OrganisationId,
    name: Annotated[str, typer.Argument(help="What the program is called.")],
    jwks: Annotated[Path | None, typer.Option(help="Its public keys (RFC 7517), in place of a secret.")] = None,
    as_json: AsJson = False,
) -> None:
    """Makes a client for an organisation's program. A secret is printed this once."""
    with open_city() as city:
        if jwks is None:
            made = asdict(organisations.create_client(city, OPERATOR, organisation_id, name=name))
        else:
            client_id = organisations.create_client_with_keys(
                city, OPERATOR, organisation_id, name=name, key_set=_key_set(jwks)
            )
            made = {"client_id": client_id}
    show(made, as_json)


@cli.command()
def list_clients(organisation_id: OrganisationId, as_json: AsJson = False) -> None:
    """Lists the clients of an organisation, those revoked included."""
    with open_city() as city:
        found = organisations.list_clients(city, OPERATOR, organisation_id)
    columns = ("client_id", "name", "has_secret", "has_keys", "created_at", "revoked_at")
    show_list(columns, [row._asdict() for row in found], as_json)


@cli.command()
def set_client_keys(client_id: ClientId, jwks: KeyFile, as_json: AsJson = False) -> None:
    """Gives a client new public keys; its secret, if it had one, is refused from now on."""
    with open_city() as city:
        organisations.set_client_keys(city, OPERATOR, client_id, _key_set(jwks))
    show({"client_id": client_id}, as_json)


@cli.command()
def rotate_client_secret(client_id: ClientId, as_json: AsJson = False) -> None:
    """Gives a client a new secret, printed this once; the old one is refused at once."""
    with open_city() as city:
        made = organisations.rotate_client_secret(city, OPERATOR, client_id)
    show(asdict(made), as_json)


@cli.command()
def revoke_client(client_id: ClientId, as_json: AsJson = False) -> None:
    """The client and all of its tokens are refused from now on, for good; a new one is made with add-client."""
    with open_city() as city:
        organisations.revoke_client(city, OPERATOR, client_id)
    show({"revoked": client_id}, as_json)


def _key_set(file: Path) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ClientKeysAreUnusable(problem=f"{file.name}: {error.strerror}") from error
    except (ValueError, RecursionError):
        raise ClientKeysAreUnusable(problem=f"{file.name} is not JSON in UTF-8") from None

"""`sanpo people …`: letters that invite to sign in, and what to do about a lost phone."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from sanpo.ground.cli import AsJson, err, open_city
from sanpo.people import invitations, lockout, sign_in
from sanpo.people.printing import OPERATOR, show, show_list
from sanpo.people.roll import get_holder_id

cli = typer.Typer()
Holder = Annotated[str, typer.Argument(help="res_…, stf_… or the register's reference.")]
Holders = Annotated[list[str] | None, typer.Argument(help="res_…, stf_… or the register's reference.")]


@cli.command()
def invite(
    file: Annotated[Path, typer.Argument(help="CSV file to write for the letter shop; must not be there yet.")],
    holder: Holders = None,
    staff: Annotated[bool, typer.Option("--staff", help="All staff without a passkey, in place of residents.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also who has an unused invitation; it is then void.")] = False,
    days: Annotated[
        int | None, typer.Option(min=1, max=60, help="How long a link works; default 14, to staff 3.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Writes letters with one-time sign-in links for all who have no passkey yet, or for those named."""
    with open_city() as city, err.status(file.name):
        done = invitations.invite(
            city,
            OPERATOR,
            file,
            holder_ids=[get_holder_id(city, OPERATOR, each) for each in holder or ()],
            staff=staff,
            again=again,
            lifetime=None if days is None else timedelta(days=days),
        )
    show(asdict(done), as_json)


@cli.command()
def cancel_invitations(
    holder: Holders = None,
    everybody: Annotated[bool, typer.Option("--all", help="Every unused invitation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Makes unused invitations void, such as after letters went astray."""
    if bool(holder) == everybody:
        raise typer.BadParameter("name somebody, or --all", param_hint="HOLDER")
    with open_city() as city:
        named = None if everybody else [get_holder_id(city, OPERATOR, each) for each in holder or ()]
        count = invitations.cancel_invitations(city, OPERATOR, named)
    show({"cancelled": count}, as_json)


@cli.command()
def lock_out(
    holder: Holder,
    passkey: Annotated[list[str] | None, typer.Option(help="Remove this one only; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ends all sessions and links of somebody and removes their passkeys, such as for a lost phone. Then invite them."""
    with open_city() as city:
        holder_id = get_holder_id(city, OPERATOR, holder)
        done = lockout.lock_out(city, OPERATOR, holder_id, credential_ids=passkey or ())
    show(asdict(done), as_json)


@cli.command()
def list_passkeys(holder: Holder, as_json: AsJson = False) -> None:
    """Lists somebody's passkeys, as they named them."""
    with open_city() as city:
        found = lockout.list_passkeys_of(city, OPERATOR, get_holder_id(city, OPERATOR, holder))
    show_list(("credential_id", "label", "created_at", "last_used_at"), [asdict(passkey) for passkey in found], as_json)


@cli.command()
def sign_in_link(
    holder_id: Annotated[str, typer.Argument(help="res_… or stf_…")],
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="How long it can be used.")] = 15,
    as_json: AsJson = False,
) -> None:
    """Prints a one-time link for a resident or a member of staff. In a demo only."""
    with open_city() as city:
        link = sign_in.make_sign_in_link(city, OPERATOR, holder_id, lifetime=timedelta(minutes=minutes))
    show({"url": link.url, "expires_at": link.expires_at}, as_json)

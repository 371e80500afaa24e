"""Commands: `sanpo cash slip …`; `verify` needs neither a city nor a network."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, out, print_json, print_table
from sanpo.ground.clock import SystemClock
from sanpo.ground.errors import SURFACES, Kind
from sanpo.ground.words import load_words
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.slips import enrolling, redeeming
from sanpo.services.cash.slips.model import Slip, Till, check, city_key_of, parse

slip = typer.Typer(help="Slips that were signed without a network.", no_args_is_help=True)
OPERATOR = System("operator")
_MOMENT = ["%Y-%m-%dT%H:%M:%S%z"]
_SHOWN = ("offence_id", "kind", "key_id", "slip_no", "subject_no", "shop_id", "amount_yen", "found_at")


def add_commands(cli: typer.Typer) -> None:
    cli.add_typer(slip, name="slip")


@slip.command("verify")
def verify_command(
    slip: Annotated[str, typer.Argument(help="The text of a slip, or a file with it.")],
    key: Annotated[str, typer.Option(help="The city's key, from /api/journal/vkey; a text or a file.")],
    merchant: Annotated[str, typer.Option(help="The shop's own 13 digits; without, the slip's.")] = "",
    suspended: Annotated[list[str] | None, typer.Option(help="A key known to be suspended; again for another.")] = None,
    at: Annotated[datetime | None, typer.Option(formats=_MOMENT, help="As of this moment instead of now.")] = None,
    json: AsJson = False,
) -> None:
    """Check a slip offline, with the city's public key alone."""
    found = parse(_text(slip))
    till = Till(
        city_key_of(_text(key)),
        merchant or found.order.merchant,
        at.astimezone(UTC) if at else SystemClock().now(),
        timedelta(minutes=rules().slip_clock_minutes),
        frozenset(suspended or []),
    )
    outcome = check(found, till)
    if json:
        print_json({"outcome": outcome.value, **_facts(found)})
    else:
        mark = "[bold green]✓[/]" if outcome is Outcome.DONE else "[bold red]✗[/]"
        told = "cash.slip.is_good" if outcome is Outcome.DONE else f"cash.outcome.{outcome.value}"
        out.print(f"{mark} {load_words(['sanpo.services.cash']).text(_lang(), told)}", highlight=False)
        print_table(("", ""), list(_facts(found).items()))
    if outcome is not Outcome.DONE:
        raise typer.Exit(SURFACES[Kind.REFUSED].exit_code)


@slip.command("offences")
def offences_command(json: AsJson = False) -> None:
    """Lists what was signed twice or above the reserve, the newest first; as JSON with the evidence."""
    with open_city() as city:
        found = redeeming.list_offences(city, OPERATOR)
    rows = [{name: getattr(each, name) for name in each.__dataclass_fields__} for each in found]
    if json:
        print_json([{name: v.hex() if isinstance(v, bytes) else v for name, v in row.items()} for row in rows])
    else:
        print_table(_SHOWN, [[row[name] for name in _SHOWN] for row in rows])


@slip.command("lost")
def lost_command(key_id: Annotated[str, typer.Argument(help="The key of the device, slk_…")]) -> None:
    """Suspends the key of a lost device: no slip of it is paid from now on."""
    with open_city() as city:
        enrolling.report_loss(city, OPERATOR, key_id)


def _facts(found: Slip) -> dict[str, str | int]:
    certificate, order = found.certificate, found.order
    return {
        "key_id": certificate.key_id,
        "slip_no": order.slip_no,
        "merchant": order.merchant,
        "amount_yen": order.amount_yen,
        "issued_at": order.issued_at.isoformat(),
        "limit_yen": certificate.limit_yen,
        "reserve_yen": certificate.reserve_yen,
        "valid_until": certificate.valid_until.isoformat(),
    }


def _text(given: str) -> str:
    """A file's content where there is such a file; else what was given."""
    try:
        return Path(given).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return given


def _lang() -> str:
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ja" if spoken.startswith("ja") else "en"

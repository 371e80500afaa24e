"""Commands of oversight: `sanpo cash suspend-wallet`, `alerts`, `unused-balance` and their like."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from sanpo.ground.actors import System
from sanpo.ground.cli import AsJson, open_city, print_json, print_table
from sanpo.services.cash.oversight import alerts, dormant, limits, suspending, unused

OPERATOR = System("operator")
Holder = Annotated[str, typer.Argument(help="A resident, res_… or the register's reference; or an alert, alr_…")]
Reason = Annotated[str, typer.Argument(help="The resident reads it.")]
Since = Annotated[datetime, typer.Option("--since", formats=["%Y-%m-%d"], help="First day.")]
Until = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day.")]


def suspend_wallet_command(holder: Holder, reason: Reason, json: AsJson = False) -> None:
    """Stops a wallet: nothing is paid from it or charged to it. Its resident is told."""
    with open_city() as city:
        suspending.suspend_wallet(city, OPERATOR, holder, reason)
        _show(suspending.list_suspended(city, OPERATOR), suspending.Suspension, json=json)


def reopen_wallet_command(holder: Holder, reason: Reason, json: AsJson = False) -> None:
    """Opens a wallet again. Its resident is told."""
    with open_city() as city:
        suspending.reopen_wallet(city, OPERATOR, holder, reason)
        _show(suspending.list_suspended(city, OPERATOR), suspending.Suspension, json=json)


def suspended_wallets_command(json: AsJson = False) -> None:
    """The wallets that are stopped, the longest first."""
    with open_city() as city:
        _show(suspending.list_suspended(city, OPERATOR), suspending.Suspension, json=json)


def limits_command(since: Since, until: Until, json: AsJson = False) -> None:
    """What was refused at the limits, and how many residents came near them."""
    with open_city() as city:
        found = asdict(limits.report_limits(city, OPERATOR, since.date(), until.date()))
    if json:
        print_json(found)
        return
    refused = found.pop("refused")
    print_table(("", ""), list(found.items()))
    print_table(("outcome", "times", "residents", "most_yen"), [list(row.values()) for row in refused])


def alerts_command(since: Since, until: Until, json: AsJson = False) -> None:
    """What the rules have found in wallets, and not in whose."""
    with open_city() as city:
        found = alerts.list_alerts(city, OPERATOR, since.date(), until.date())
    _show(found, alerts.Alert, ("first_at", "last_at"), json=json)


def alert_rules_command(json: AsJson = False) -> None:
    """What is counted, in words and in numbers."""
    found = alerts.list_rules(OPERATOR)
    if json:
        print_json([asdict(rule) for rule in found])
        return
    print_table(("rule", "ja", "en"), [(rule.name, rule.text["ja"], rule.text["en"]) for rule in found])


def alert_command(
    alert_id: Annotated[str, typer.Argument(help="An alert, alr_…")],
    purpose: Annotated[alerts.Purpose, typer.Option(help="Why you look; it is in the journal.")],
    json: AsJson = False,
) -> None:
    """Whose wallet an alert is about. The look is in the journal, where the resident finds it."""
    with open_city() as city:
        look = alerts.look_at_alert(city, OPERATOR, alert_id, purpose)
    row = {**asdict(look.alert), "subject_no": look.subject_no}
    print_json(row) if json else print_table(("", ""), list(row.items()))


def unused_balance_command(
    base_day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="31 March or 30 September.")],
    to: Annotated[Path | None, typer.Option("--to", dir_okay=False, help="A CSV file to write, too.")] = None,
    json: AsJson = False,
) -> None:
    """Reports what was unused at the end of a base day, and the deposit due; once, into the journal."""
    with open_city() as city:
        found = unused.report_unused(city, OPERATOR, base_day.date())
    if to is not None:
        to.write_bytes(unused.unused_csv([found]))
    print_json(asdict(found)) if json else print_table(("", ""), list(asdict(found).items()))


def dormant_command(json: AsJson = False) -> None:
    """Wallets with money in which nothing has moved for long; nothing is taken from them."""
    with open_city() as city:
        _show(dormant.list_dormant(city, OPERATOR), dormant.Dormant, json=json)


def add_commands(cli: typer.Typer) -> None:
    for command in (
        suspend_wallet_command,
        reopen_wallet_command,
        suspended_wallets_command,
        limits_command,
        alerts_command,
        alert_rules_command,
        alert_command,
        unused_balance_command,
        dormant_command,
    ):
        cli.command(command.__name__.removesuffix("_command").replace("_", "-"))(command)


def _show(found: Sequence[Any], kind: type[Any], hidden: Collection[str] = (), *, json: bool) -> None:
    rows = [asdict(each) for each in found]
    if json:
        print_json(rows)
        return
    shown = [name for name in kind.__dataclass_fields__ if name not in hidden]
    print_table(shown, [[row[name] for name in shown] for row in rows])

"""What was refused at the limits, and how many residents come near them: figures for officers, without anyone's name."""

from dataclasses import dataclass
from datetime import date

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.services.cash.model import rules
from sanpo.services.cash.oversight.store import SQL
from sanpo.services.cash.settling.statements import days_between
from sanpo.services.cash.wallets import SERVICE


@dataclass(frozen=True)
class RefusedAt:
    """What was refused at one limit: how often, to how many residents, and the largest amount."""

    outcome: str
    times: int
    residents: int
    most_yen: int


@dataclass(frozen=True)
class LimitsReport:
    """`near_day` and `near_month`: residents who on a day, or in a month, spent nine tenths of its limit or more."""

    since: date
    until: date
    wallet_limit_yen: int
    payment_limit_yen: int
    day_limit_yen: int
    month_limit_yen: int
    near_day: int
    near_month: int
    refused: list[RefusedAt]


def report_limits(city: City, actor: Actor, since: date, until: date) -> LimitsReport:
    """For whole days on the city's clock. Raises `PeriodIsInvalid`."""
    require_officer(actor)
    start, end = days_between(city, since, until)
    limits = rules()
    with city.transaction(SERVICE) as tx:
        refused = tx.all(SQL.refusals, since=start, until=end)
        near = tx.get(
            SQL.near_limits,
            since=start,
            until=end,
            zone=str(city.settings.zone),
            day_limit=limits.day_limit_yen,
            month_limit=limits.month_limit_yen,
        )
    return LimitsReport(
        since,
        until,
        limits.wallet_limit_yen,
        limits.payment_limit_yen,
        limits.day_limit_yen,
        limits.month_limit_yen,
        near.by_day,
        near.by_month,
        [RefusedAt(*row) for row in refused],
    )

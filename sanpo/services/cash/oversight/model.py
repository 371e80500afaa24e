"""What oversight looks for and works out. Pure; limits, rules and months are data of the service's manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from tomllib import loads
from typing import Any

BASE_DAYS = ((3, 31), (9, 30))
"""Month and day of the base days (基準日): 資金決済法第3条第2項."""


@dataclass(frozen=True)
class Rule:
    """What makes an alert: `times` charges or payments (`of`) of one resident, each of `least_yen` to `most_yen`, within so
    many hours. `text` says it to the officer."""

    name: str
    of: str
    times: int
    hours: int
    least_yen: int
    most_yen: int
    text: dict[str, str]


@dataclass(frozen=True)
class Duties:
    """What the issuer owes: half of an unused balance above `deposit_above_yen`, and word to who rests `dormant_months`."""

    deposit_above_yen: int
    dormant_months: int


@dataclass(frozen=True)
class Event:
    """A charge or a payment."""

    at: datetime
    yen: int


@dataclass(frozen=True)
class Finding:
    """What a rule found of one resident: the first and the last, how many and how much."""

    first_at: datetime
    last_at: datetime
    times: int
    sum_yen: int


@cache
def _manifest() -> dict[str, Any]:
    return loads(files("sanpo.services.cash").joinpath("manifest.toml").read_text(encoding="utf-8"))


@cache
def duties() -> Duties:
    return Duties(**_manifest()["oversight"])


@cache
def alert_rules() -> tuple[Rule, ...]:
    return tuple(Rule(**rule) for rule in _manifest()["alerts"])


def find(events: Sequence[Event], rule: Rule) -> Finding | None:
    """The longest run of what the rule looks for within its hours; of equally long ones the first. `events` are one
    resident's, in order of time."""
    fitting = [event for event in events if rule.least_yen <= event.yen <= rule.most_yen]
    best: Sequence[Event] = ()
    start = 0
    for end, event in enumerate(fitting):
        while event.at - fitting[start].at > timedelta(hours=rule.hours):
            start += 1
        if end + 1 - start > len(best):
            best = fitting[start : end + 1]
    if len(best) < rule.times:
        return None
    return Finding(best[0].at, best[-1].at, len(best), sum(event.yen for event in best))


def deposit_of(unused_yen: int, above_yen: int) -> int:
    """What has to be deposited: half of the whole, not less, where the unused balance is more than the sum that is free
    (資金決済法第14条第1項)."""
    return -(-unused_yen // 2) if unused_yen > above_yen else 0


def is_base_day(day: date) -> bool:
    return (day.month, day.day) in BASE_DAYS


def base_day_before(day: date) -> date:
    """The last base day before this day."""
    days = [date(year, month, number) for year in (day.year - 1, day.year) for month, number in BASE_DAYS]
    return max(each for each in days if each < day)


def due_day_of(base_day: date) -> date:
    """The last of the two months that begin on the day after (前払式支払手段に関する内閣府令)."""
    after = base_day + timedelta(days=1)
    return after.replace(month=after.month + 2) - timedelta(days=1)


def months_before(moment: datetime, months: int) -> datetime:
    """The same day so many months ago, or the last of that month."""
    place = moment.year * 12 + moment.month - 1 - months
    first = moment.replace(year=place // 12, month=place % 12 + 1, day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(moment.day, last.day))

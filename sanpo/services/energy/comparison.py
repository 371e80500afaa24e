"""Comparison with similar homes that agreed to it: a question to the clean room like anybody else's, and recorded so.

Similar is the same kind of dwelling and of heating; where too few of those agreed, the same heating alone (it decides
most), then the same dwelling alone. The period is whole weeks, the same for everybody, so that answers about slightly
different periods cannot be subtracted from each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from sanpo.cleanroom import Answer, Question, ask, read_question
from sanpo.consent import Draft, PublishedAgreement, list_agreements, publish_agreement
from sanpo.ground.actors import Actor, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, Kind
from sanpo.services.energy.actions import find_home
from sanpo.services.energy.curves import HALF_HOURS, Day, average_day, monday_of, rounded
from sanpo.services.energy.model import HOMES, READINGS, UNKNOWN, Home
from sanpo.services.energy.store import SQL

SERVICE = System("service:energy")
WEEKS = 4
KEPT = timedelta(days=1)
YEARS = 3
TOO_FEW = "cleanroom.too_few_subjects"


class State(StrEnum):
    """What came of a comparison. The words under `energy.comparison.<value>` say what would help."""

    READY = "ready"
    NO_WEEK = "no_week"
    NO_HOME = "no_home"
    NO_AGREEMENT = "no_agreement"
    TOO_FEW = "too_few"
    NOT_NOW = "not_now"


@dataclass(frozen=True)
class Group:
    """Homes that count as similar. An empty value stands for any."""

    dwelling_type: str
    heating_type: str


@dataclass(frozen=True)
class Period:
    """Whole weeks of local days, both ends belonging to it."""

    first_day: date
    last_day: date


@dataclass(frozen=True)
class Comparison:
    """Own and similar homes' energy of an average day, Wh for each half hour. `homes` agreed and were counted; `group`
    is whom they are similar by, and `widened` whether that is less than dwelling and heating."""

    state: State
    period: Period | None = None
    group: Group | None = None
    widened: bool = False
    homes: int = 0
    own_wh: tuple[int | None, ...] = ()
    similar_wh: tuple[int | None, ...] = ()
    agreement_id: str | None = None

    @property
    def own_day_wh(self) -> int:
        return sum(value or 0 for value in self.own_wh)

    @property
    def similar_day_wh(self) -> int:
        return sum(value or 0 for value in self.similar_wh)

    @property
    def difference_percent(self) -> int:
        """By how much the own home is above (or, negative, below) the similar ones."""
        if not self.similar_day_wh:
            return 0
        sign = 1 if self.own_day_wh >= self.similar_day_wh else -1
        return sign * rounded(abs(self.own_day_wh - self.similar_day_wh) * 100, self.similar_day_wh)


def comparison_draft(today: date) -> Draft:
    """The service's agreement as a draft that runs from today for three years."""
    text = files("sanpo.services.energy").joinpath("agreements/comparison.json").read_bytes()
    term = {"first_day": today, "last_day": today + timedelta(days=365 * YEARS), "grant_days": 365}
    return msgspec.convert({**msgspec.json.decode(text), "term": term}, Draft)


def publish_comparison(city: City, actor: Actor, organisation_id: str) -> PublishedAgreement:
    """Publishes the comparison as an agreement of this organisation (the city hall). An officer then approves it."""
    officer = require_officer(actor)
    draft = comparison_draft(city.now().astimezone(city.settings.zone).date())
    return publish_agreement(city, officer, draft, organisation_id=organisation_id)


def compare(city: City, actor: Actor, days: Sequence[Day]) -> Comparison:
    """The resident's home beside similar ones. What stands in the way is a state, not an error."""
    period = last_weeks(days)
    home = find_home(city, actor)
    agreement = _agreement(city)
    if period is None:
        return Comparison(State.NO_WEEK)
    groups = similar_groups(home)
    if not groups:
        return Comparison(State.NO_HOME, period)
    if agreement is None:
        return Comparison(State.NO_AGREEMENT, period)
    own = average_day([day for day in days if period.first_day <= day.day <= period.last_day])
    outcome = Comparison(State.TOO_FEW, period, groups[0], own_wh=own, agreement_id=agreement.agreement_id)
    for place, group in enumerate(groups):
        found = _similar(city, agreement, group, period)
        if isinstance(found, State):
            outcome = replace(outcome, state=found)
            continue
        homes, profile = found
        widened = place > 0
        return replace(outcome, state=State.READY, group=group, widened=widened, homes=homes, similar_wh=profile)
    return outcome


def similar_groups(home: Home | None) -> list[Group]:
    """The groups to try, the narrowest first; none where neither dwelling nor heating is known."""
    if home is None:
        return []
    dwelling, heating = (
        value if value not in (UNKNOWN, "other") else "" for value in (home.dwelling_type, home.heating_type)
    )
    wanted = [Group(dwelling, heating), Group("", heating), Group(dwelling, "")]
    return [group for place, group in enumerate(wanted) if group != Group("", "") and group not in wanted[:place]]


def last_weeks(days: Sequence[Day]) -> Period | None:
    """The last four weeks, Monday to Sunday, that the readings reach the end of; fewer where they begin later."""
    if not days:
        return None
    newest = days[-1]
    sunday = monday_of(newest.day + timedelta(days=1) if newest.is_whole else newest.day) - timedelta(days=1)
    whole = sorted({monday_of(day.day) for day in days if day.day <= sunday})
    complete = [monday for monday in whole if monday >= days[0].day]
    if not complete:
        return None
    return Period(max(complete[0], sunday - timedelta(days=7 * WEEKS - 1)), sunday)


def question_of(group: Group, period: Period) -> Question:
    """What is asked: energy and readings for each half hour of the day, over the group's homes and the period."""

    def condition(op: str, column: str, value: str) -> dict[str, Any]:
        return {"op": op, "term": {"column": column}, "value": value}

    after = period.last_day + timedelta(days=1)
    parts = [condition(">=", "start_at", period.first_day.isoformat()), condition("<", "start_at", after.isoformat())]
    for column, value in (("dwelling_type", group.dwelling_type), ("heating_type", group.heating_type)):
        if value:
            parts.append(condition("=", column, value))
    return read_question(
        {
            "dataset": READINGS,
            "dimensions": [{"column": "start_at", "bucket": "half_hour", "as": "half_hour"}],
            "measures": [
                {"function": "sum", "column": "energy_wh", "as": "energy"},
                {"function": "count", "as": "quarters"},
            ],
            "filter": {"op": "and", "parts": parts},
        }
    )


def profile_of(answer: Answer) -> tuple[int | None, ...]:
    """The average half hour of one home, Wh: two average quarters; None where the cell is suppressed."""
    profile: list[int | None] = [None] * HALF_HOURS
    for row in answer.rows:
        half_hour, energy, quarters = row.values
        if isinstance(half_hour, int) and isinstance(energy, int) and isinstance(quarters, int) and quarters:
            profile[half_hour] = rounded(2 * energy, quarters)
    return tuple(profile)


def _agreement(city: City) -> PublishedAgreement | None:
    """The newest agreement in force that covers the comparison."""
    today = city.now().astimezone(city.settings.zone).date()
    for agreement in list_agreements(city, SERVICE, state="approved", service="energy"):
        covers = {"start_at", "energy_wh"} <= agreement.columns_of(READINGS)
        covers = covers and {"dwelling_type", "heating_type"} <= agreement.columns_of(HOMES)
        if covers and agreement.runs_on(today):
            return agreement
    return None


def _similar(
    city: City, agreement: PublishedAgreement, group: Group, period: Period
) -> tuple[int, tuple[int | None, ...]] | State:
    """Homes and their average day, from what was asked within the last day or by asking; or why there is none."""
    key = {
        "agreement_id": agreement.agreement_id,
        "dwelling_type": group.dwelling_type,
        "heating_type": group.heating_type,
        "first_day": period.first_day,
        "last_day": period.last_day,
    }
    with city.transaction(SERVICE) as tx:
        kept = tx.one(SQL.comparison, **key, not_before=tx.now - KEPT)
    if kept is not None:
        return kept.homes, tuple(kept.profile_wh)
    try:
        answer = ask(city, SERVICE, agreement.agreement_id, question_of(group, period))
    except DomainError as error:
        if error.code == TOO_FEW:
            return State.TOO_FEW
        if error.kind in (Kind.UNAVAILABLE, Kind.TOO_MANY):
            return State.NOT_NOW
        raise
    profile = profile_of(answer)
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.keep_comparison, **key, now=tx.now, homes=answer.subjects, profile_wh=Jsonb(profile))
    return answer.subjects, profile

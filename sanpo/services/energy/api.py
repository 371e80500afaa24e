"""Doors for programs: a resident's own figures and readings. Nobody else's can be asked for here."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.ground.web import problem_responses
from sanpo.services.energy.comparison import compare
from sanpo.services.energy.curves import Day, always_on, average_day, monday_of, months_of, week_of
from sanpo.services.energy.tariff import cost_of_month, example_tariff
from sanpo.services.energy.usage import read_days, readings_csv
from sanpo.services.energy.view import AVERAGE_DAYS, chosen_day

TAGS = ["energy"]


@dataclass(frozen=True)
class DayCurve:
    """A local day; `half_hours_wh` from 00:00, null where there is no reading."""

    day: date
    energy_wh: int
    half_hours_wh: list[int | None]


@dataclass(frozen=True)
class Curve:
    """A day, its week from Monday, and the average of all days of the last four weeks."""

    shown: DayCurve
    week: list[DayCurve]
    average_wh: list[int | None]


@dataclass(frozen=True)
class AlwaysOnFigures:
    power_w: int
    energy_wh: int
    share_permille: int
    days: int


@dataclass(frozen=True)
class MonthFigures:
    """`cost_yen` is an example under the tariff named; `days` of `days_in_month` have readings."""

    month: str
    energy_wh: int
    days: int
    days_in_month: int
    cost_yen: int


@dataclass(frozen=True)
class ComparisonFigures:
    """`state` is ready, or says why there is none. `homes` agreed and were counted."""

    state: str
    homes: int
    own_day_wh: int
    similar_day_wh: int
    difference_percent: int


@dataclass(frozen=True)
class Summary:
    first_day: date
    last_day: date
    always_on: AlwaysOnFigures | None
    months: list[MonthFigures]
    tariff: dict[str, str]
    comparison: ComparisonFigures


@get("/api/energy/me/curve", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_curve(city: City, actor: Actor, day: date | None = None) -> Curve:
    """Half-hour curve of a day (default: the last whole one) and of its week."""
    days = _days(city, actor)
    shown = chosen_day(days, day)
    week = week_of(days, monday_of(shown.day))
    return Curve(_curve(shown), [_curve(each) for each in week], list(average_day(days[-AVERAGE_DAYS:])))


@get("/api/energy/me/summary", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_summary(city: City, actor: Actor) -> Summary:
    """Always-on share, months with their cost under the example tariff, comparison with similar homes."""
    days = _days(city, actor)
    on, tariff = always_on(days[-AVERAGE_DAYS:]), example_tariff()
    months = [
        MonthFigures(
            f"{month.first_day:%Y-%m}",
            month.energy_wh,
            month.days,
            month.days_in_month,
            cost_of_month(tariff, month.energy_wh).total_yen,
        )
        for month in months_of(days)
    ]
    found = compare(city, actor, days)
    return Summary(
        first_day=days[0].day,
        last_day=days[-1].day,
        always_on=None if on is None else AlwaysOnFigures(on.power_w, on.energy_wh, on.share_permille, on.days),
        months=months,
        tariff=dict(tariff.name),
        comparison=ComparisonFigures(
            str(found.state), found.homes, found.own_day_wh, found.similar_day_wh, found.difference_percent
        ),
    )


@get(
    "/api/energy/me/readings.csv",
    sync_to_thread=True,
    tags=TAGS,
    media_type="text/csv",
    responses=problem_responses(401, 403),
)
def get_readings(city: City, actor: Actor) -> Response[bytes]:
    """All of one's own readings, in the form that `sanpo energy import` reads."""
    headers = {"Content-Disposition": 'attachment; filename="readings.csv"', "Cache-Control": "no-store"}
    return Response(readings_csv(city, require(actor, Resident)), media_type="text/csv", headers=headers)


def _days(city: City, actor: Actor) -> list[Day]:
    days = read_days(city, require(actor, Resident))
    if not days:
        raise NotFound(what="readings")
    return days


def _curve(day: Day) -> DayCurve:
    return DayCurve(day.day, day.energy_wh, list(day.half_hours))


handlers: list[Any] = [get_curve, get_summary, get_readings]

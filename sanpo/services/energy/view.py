"""The energy page's figures as the portal's charts take them, in the reader's words. Pure.

A chart is a dict {title, unit, x, series, summary}; the portal draws it and fills the table that stands beside it.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from sanpo.services.energy.comparison import Comparison
from sanpo.services.energy.curves import HALF_HOURS, Day, average_day, monday_of, rounded, week_of
from sanpo.services.energy.tariff import MonthCost

Translate = Callable[..., str]
Chart = dict[str, Any]
TIMES = [f"{slot // 2:02d}:{slot % 2 * 30:02d}" for slot in range(HALF_HOURS)]
HEATMAP_DAYS = 28
AVERAGE_DAYS = 28


def kwh(energy_wh: int) -> str:
    """`12.3`, rounded to tenths."""
    tenths = rounded(energy_wh, 100)
    return f"{tenths // 10:,}.{tenths % 10}"


def chosen_day(days: Sequence[Day], wanted: date | None) -> Day:
    """The day wanted, or the one before it that has readings; without a wish the last whole day."""
    if wanted is not None:
        return next((day for day in reversed(days) if day.day <= wanted), days[0])
    return next((day for day in reversed(days) if day.is_whole), days[-1])


def neighbours(days: Sequence[Day], day: Day) -> tuple[date | None, date | None]:
    """The days with readings before and after it."""
    place = days.index(day)
    earlier = days[place - 1].day if place else None
    return earlier, days[place + 1].day if place + 1 < len(days) else None


def day_chart(t: Translate, days: Sequence[Day], day: Day) -> Chart:
    """One day beside the average of the four weeks before it."""
    before = [other for other in days if day.day - timedelta(days=AVERAGE_DAYS) <= other.day < day.day]
    series = [{"name": day_label(t, day.day), "data": _kwh_of(day.half_hours)}]
    if before:
        series.append({"name": t("energy.day.average"), "data": _kwh_of(average_day(before))})
    known = [(value, slot) for slot, value in enumerate(day.half_hours) if value is not None]
    most, slot = max(known, key=lambda pair: (pair[0], -pair[1]))
    summary = t("energy.day.summary", total=kwh(day.energy_wh), time=TIMES[slot], most=f"{most / 1000:.2f}")
    return _chart(t("energy.day.title", day=day_label(t, day.day)), t("energy.unit.half_hour"), TIMES, series, summary)


def week_chart(t: Translate, days: Sequence[Day], day: Day) -> Chart:
    """The week of a day, half hour by half hour, beside the week before."""
    monday = monday_of(day.day)
    this, last = (week_of(days, monday - timedelta(days=back)) for back in (0, 7))
    names = [weekday(t, number) for number in range(7)]
    x = [f"{name} {time}" for name in names for time in TIMES]
    series = [{"name": t("energy.week.this", day=day_label(t, monday)), "data": _week_data(this)}]
    if any(other.quarters for other in last):
        series.append({"name": t("energy.week.before"), "data": _week_data(last)})
    summary = t("energy.week.summary", total=kwh(sum(other.energy_wh for other in this)))
    return _chart(t("energy.week.title"), t("energy.unit.half_hour"), x, series, summary)


def heatmap_chart(t: Translate, days: Sequence[Day]) -> Chart:
    """The last four weeks: a row for each day, a column for each half hour."""
    first = days[-1].day - timedelta(days=HEATMAP_DAYS - 1)
    series = [{"name": day_label(t, day.day), "data": _kwh_of(day.half_hours)} for day in days if day.day >= first]
    return _chart(
        t("energy.heatmap.title"), t("energy.unit.half_hour"), TIMES, series, t("energy.heatmap.summary", n=len(series))
    )


def comparison_chart(t: Translate, comparison: Comparison) -> Chart:
    """An average day at home beside one of similar homes."""
    series = [
        {"name": t("energy.comparison.own"), "data": _kwh_of(comparison.own_wh)},
        {"name": t("energy.comparison.similar"), "data": _kwh_of(comparison.similar_wh)},
    ]
    difference = comparison.difference_percent
    key = "same" if difference == 0 else "more" if difference > 0 else "less"
    summary = t(
        f"energy.comparison.{key}",
        own=kwh(comparison.own_day_wh),
        similar=kwh(comparison.similar_day_wh),
        percent=abs(difference),
    )
    return _chart(t("energy.comparison.chart"), t("energy.unit.half_hour"), TIMES, series, summary)


def step_rows(t: Translate, cost: MonthCost) -> list[list[str]]:
    """How a month's bill is made up: basic charge, each step, levy, total."""
    rows = [[t("energy.cost.basic"), "", "", yen(cost.basic_yen)]]
    for part in cost.steps:
        label = t("energy.cost.step", above=part.step.above_kwh)
        rows.append([label, kwh(part.energy_wh), sen(part.step.sen_per_kwh), sen(part.exact // 1000)])
    rows.append([t("energy.cost.levy"), kwh(cost.energy_wh), "", yen(cost.levy_yen)])
    rows.append([t("energy.cost.total"), kwh(cost.energy_wh), "", yen(cost.total_yen)])
    return rows


def yen(amount: int) -> str:
    return f"{amount:,}"


def sen(hundredths: int) -> str:
    """Hundredths of a yen as yen with two decimals."""
    return f"{hundredths // 100:,}.{hundredths % 100:02d}"


def day_label(t: Translate, day: date) -> str:
    """`4/1 (水)`."""
    return t("energy.format.day", month=day.month, day=day.day, weekday=weekday(t, day.weekday()))


def weekday(t: Translate, number: int) -> str:
    return t(f"energy.weekday.{number}")


def _week_data(week: Sequence[Day]) -> list[float | None]:
    return [value for day in week for value in _kwh_of(day.half_hours)]


def _kwh_of(values: Sequence[int | None]) -> list[float | None]:
    return [None if value is None else value / 1000 for value in values]


def _chart(title: str, unit: str, x: list[str], series: list[dict[str, Any]], summary: str) -> Chart:
    return {"title": title, "unit": unit, "x": x, "series": series, "summary": summary}

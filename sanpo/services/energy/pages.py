"""The resident's energy page."""

from datetime import date
from functools import partial
from typing import Any

from litestar import Request, Response, get

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.problems import language_of
from sanpo.ground.web import render
from sanpo.services.energy import view
from sanpo.services.energy.comparison import compare
from sanpo.services.energy.curves import always_on, months_of
from sanpo.services.energy.tariff import cost_of_month, example_tariff
from sanpo.services.energy.usage import read_days

Web = Request[Any, Any, Any]


@get("/energy", sync_to_thread=True, include_in_schema=False)
def get_energy(request: Web, city: City, actor: Actor, day: date | None = None) -> Response[str]:
    """One's own curves, always-on share, cost, and the comparison. `day` chooses the day and week that are shown."""
    days = read_days(city, require(actor, Resident))
    if not days:
        return render(request, "energy/none.html")
    lang = language_of(request)
    t = partial(city.words.text, lang)
    shown = view.chosen_day(days, day)
    earlier, later = view.neighbours(days, shown)
    tariff = example_tariff()
    months = [(month, cost_of_month(tariff, month.energy_wh)) for month in reversed(months_of(days))]
    comparison = compare(city, actor, days)
    return render(
        request,
        "energy/page.html",
        shown=shown,
        first=days[0].day,
        last=days[-1].day,
        earlier=earlier,
        later=later,
        day_chart=view.day_chart(t, days, shown),
        week_chart=view.week_chart(t, days, shown),
        heatmap_chart=view.heatmap_chart(t, days),
        always_on=always_on(days[-view.AVERAGE_DAYS :]),
        months=months,
        steps=view.step_rows(t, months[0][1]),
        tariff_name=tariff.name[lang],
        comparison=comparison,
        comparison_chart=view.comparison_chart(t, comparison) if comparison.homes else None,
        view=view,
    )


handlers: list[Any] = [get_energy]

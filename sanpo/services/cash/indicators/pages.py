"""Pages of the indicators: the officer's dashboard, and a shop beside its street."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from litestar import Request, Response, get

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.web import render
from sanpo.services.cash import view
from sanpo.services.cash.indicators.asking import read_indicators, read_street
from sanpo.services.cash.indicators.model import Cell
from sanpo.services.cash.model import Shop
from sanpo.services.cash.shops import list_shops
from sanpo.services.cash.till.pages import open_till
from sanpo.services.cash.wallet.pages import words_of

Web = Request[Any, Any, Any]


@get("/cash/city", sync_to_thread=True, include_in_schema=False)
def get_city(request: Web, city: City, actor: Actor) -> Response[str]:
    """What the town's cash does: for an officer."""
    found = read_indicators(city, actor)
    t = words_of(request, city)
    shops = list_shops(city)
    return render(
        request,
        "cash/city.html",
        found=found,
        districts=_chart(t, t("cash.city.districts"), found.districts),
        weeks=_chart(t, t("cash.city.weeks"), found.weeks),
        shops=shops,
        by_district=_counted(shops),
        features=_features(t, shops),
        last_day=found.period.end_day - timedelta(days=1),
        view=view,
    )


@get("/cash/till/{shop_id:str}/street", sync_to_thread=True, include_in_schema=False)
def get_street(request: Web, city: City, actor: Actor, shop_id: str) -> Response[str]:
    """A shop beside its district, week by week: for its staff."""
    shop = open_till(city, actor, shop_id)
    found = read_street(city, actor, shop_id)
    t = words_of(request, city)
    rows = [
        [week.strftime(t("portal.format.day")), view.money(t, own), _percent(t, mine), _percent(t, theirs)]
        for week, own, mine, theirs in zip(
            found.period.weeks,
            found.own_yen,
            found.own_percent,
            found.street_percent or [None] * len(found.own_yen),
            strict=True,
        )
    ]
    return render(request, "cash/street.html", shop=shop, found=found, rows=rows)


def _percent(t: view.Translate, value: int | None) -> str:
    return t("cash.city.withheld_short") if value is None else f"{value} %"


def _counted(shops: Sequence[Any]) -> list[tuple[str, int, int]]:
    """Each district with its shops, and those of them that are open."""
    districts = sorted({shop.district for shop in shops})
    return [
        (
            name,
            sum(shop.district == name for shop in shops),
            sum(shop.district == name and shop.state == "open" for shop in shops),
        )
        for name in districts
    ]


def _features(t: view.Translate, shops: Sequence[Shop]) -> dict[str, Any] | None:
    """The shops whose place is known as GeoJSON (RFC 7946); None where there is none."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [shop.longitude, shop.latitude]},
            "properties": {
                "name": shop.local_name,
                "text": t(f"cash.shop.state.{shop.state}"),
                "href": f"/cash/shops/{shop.shop_id}",
            },
        }
        for shop in shops
        if shop.longitude is not None
    ]
    return {"type": "FeatureCollection", "features": features} if features else None


def _chart(t: view.Translate, title: str, cells: Sequence[Cell]) -> view.Chart | None:
    """A bar for each total that may be told; None where there is none."""
    told = [cell for cell in cells if cell.yen is not None]
    if not told:
        return None
    most = max(told, key=lambda cell: cell.yen or 0)
    withheld = len(cells) - len(told)
    summary = t("cash.city.summary", most=most.name, yen=view.money(t, most.yen or 0))
    if withheld:
        summary += " " + t("cash.city.withheld", n=withheld)
    data = [cell.yen for cell in cells]
    return {
        "title": title,
        "unit": t("cash.unit.yen"),
        "x": [cell.name for cell in cells],
        "series": [{"name": title, "data": data}],
        "summary": summary,
    }


handlers: list[Any] = [get_city, get_street]

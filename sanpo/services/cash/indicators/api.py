"""Doors of the indicators: the region's figures for an officer, a shop beside its street for its staff."""

from typing import Annotated, Any

from litestar import get
from litestar.params import PathParameter

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses
from sanpo.services.cash.indicators import asking
from sanpo.services.cash.indicators.model import Indicators, Street

TAGS = ["cash"]
_ShopId = Annotated[str, PathParameter(description="A shop, `shp_…`.", max_length=64)]


@get("/api/cash/indicators", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_indicators(city: City, actor: Actor) -> Indicators:
    """The last four whole weeks: totals of the books, and what those who agreed have spent by district and week."""
    return asking.read_indicators(city, actor)


@get("/api/cash/shops/{shop_id:str}/street", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_street(city: City, actor: Actor, shop_id: _ShopId) -> Street:
    """The shop's own sales beside the total of its district, where that tells of no other shop."""
    return asking.read_street(city, actor, shop_id)


handlers: list[Any] = [get_indicators, get_street]

"""Doors for a shop's settlements."""

from datetime import date
from typing import Annotated, Any

from litestar import get
from litestar.params import PathParameter, QueryParameter

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses
from sanpo.services.cash.settling import settling
from sanpo.services.cash.settling.model import Settlement

SHOP = "/api/cash/shops/{shop_id:str}"
TAGS = ["cash"]
ShopId = Annotated[str, PathParameter(description="A shop, `shp_…`.", max_length=64)]
Day = Annotated[date, QueryParameter(description="A day on the city's clock; both ends are in the period.")]


@get(f"{SHOP}/settlements", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_settlements(city: City, actor: Actor, shop_id: ShopId, since: Day, until: Day) -> list[Settlement]:
    """What the shop was paid, at most 400 days, the newest first; for the shop itself and for officers."""
    return settling.list_settlements(city, actor, shop_id, since, until)


handlers: list[Any] = [get_settlements]

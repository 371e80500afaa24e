"""Doors for programs: what a resident holds beside money."""

from datetime import datetime
from typing import Any

from litestar import Request, get
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import language_of, problem_responses
from sanpo.services.cash.benefits.holdings import benefits_of

PATH = "/api/cash"
TAGS = ["cash"]


class LotOut(Struct):
    """What is left of a lot, good until `expires_at` in the shops of `shop_ids`, or (none named) in all."""

    lot_id: str
    name: str
    left_yen: int
    granted_yen: int
    granted_at: datetime
    expires_at: datetime
    shop_ids: list[str]
    campaign_id: str | None
    agreement_id: str | None


class BenefitsOut(Struct):
    """`lots` in the order in which they are spent; `total_yen` is their sum."""

    total_yen: int
    lots: list[LotOut]


@get(f"{PATH}/me/benefits", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_benefits(request: Request[Any, Any, Any], city: City, actor: Actor) -> BenefitsOut:
    """The resident's own points and vouchers: what is left, and when it ends."""
    found, lang = benefits_of(city, actor), language_of(request)
    names = [name for name in LotOut.__struct_fields__ if name != "name"]
    lots = [LotOut(name=lot.name(lang), **{name: getattr(lot, name) for name in names}) for lot in found.lots]
    return BenefitsOut(found.total_yen, lots)


handlers: list[Any] = [get_benefits]

"""The page of what uses of data have paid a resident, and of the campaigns that look at payments: with a way out."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.web import render
from sanpo.services.cash import view
from sanpo.services.cash.benefits.giving import leave, offers_of
from sanpo.services.cash.benefits.payouts import paid_by_agreements


@get("/cash/paid", sync_to_thread=True, include_in_schema=False)
def get_paid(request: Request[Any, Any, Any], city: City, actor: Actor, done: str = "") -> Response[str]:
    """What each agreement has paid, and in which campaigns the resident takes part."""
    offers = offers_of(city, actor)
    return render(
        request,
        "cash/paid.html",
        paid=paid_by_agreements(city, actor),
        campaigns=[each.campaign for each in offers if each.is_claimed and each.campaign.rate_permille],
        done=done == "left",
        view=view,
    )


@post("/cash/campaigns/{campaign_id:str}/leave", sync_to_thread=True, include_in_schema=False)
def post_leave(city: City, actor: Actor, campaign_id: str) -> Redirect:
    """The resident takes part no longer."""
    leave(city, actor, campaign_id)
    return Redirect("/cash/paid?done=left", status_code=303)


handlers: list[Any] = [get_paid, post_leave]

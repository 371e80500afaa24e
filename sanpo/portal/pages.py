"""Public pages of the portal, and the page that shows every component."""

from typing import Any

from litestar import Request, Response, get

from sanpo.consent import list_agreements, list_offers
from sanpo.ground.actors import Actor, Resident
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.ground.problems import language_of
from sanpo.ground.web import render
from sanpo.portal.navigation import role_of
from sanpo.portal.styleguide import samples

Web = Request[Any, Any, Any]


@get("/", sync_to_thread=True, include_in_schema=False)
def get_front(request: Web, city: City, actor: Actor) -> Response[str]:
    """What Sanpo is, for everyone; for somebody who has signed in, what waits for them and where to go."""
    role = role_of(actor)
    if role is None:
        return render(request, "portal/front.html")
    return render(request, "portal/home.html", role=role, waiting=_waiting(city, actor))


@get("/accessibility", sync_to_thread=True, include_in_schema=False)
def get_accessibility(request: Web) -> Response[str]:
    """The statement on accessibility."""
    return render(request, "portal/accessibility.html")


@get("/portal/styleguide", sync_to_thread=True, include_in_schema=False)
def get_styleguide(request: Web, city: City) -> Response[str]:
    """Every component with made-up data. Raises `NotFound` outside demo and test."""
    if not city.settings.demo:
        raise NotFound(what="page")
    return render(request, "portal/styleguide.html", **samples(language_of(request)))


def _waiting(city: City, actor: Actor) -> int:
    """How many requests wait for a resident's answer, or how many agreements for an officer's."""
    if isinstance(actor, Resident):
        offers = list_offers(city, actor)
        return sum(o.state.value == "requested" and o.agreement.state == "approved" for o in offers)
    if role_of(actor) == "officer":
        return len(list_agreements(city, actor, state="proposed"))
    return 0


handlers = [get_front, get_accessibility, get_styleguide]

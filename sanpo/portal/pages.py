"""Public pages of the portal, and the page that shows every component."""

from typing import Any

from litestar import Request, Response, get

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.ground.problems import language_of
from sanpo.ground.web import render
from sanpo.portal.navigation import role_of
from sanpo.portal.styleguide import samples

Web = Request[Any, Any, Any]


@get("/", sync_to_thread=True, include_in_schema=False)
def get_front(request: Web, actor: Actor) -> Response[str]:
    """What Sanpo is, for everyone; for somebody who has signed in, where to go."""
    return render(request, "portal/front.html" if role_of(actor) is None else "portal/home.html")


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


handlers = [get_front, get_accessibility, get_styleguide]

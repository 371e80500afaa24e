"""Which places an actor can go to: the districts' own, and what each service's manifest adds. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from sanpo.ground.actors import Actor, Resident, Staff
from sanpo.ground.plugins import Plugins


@dataclass(frozen=True)
class Link:
    """One entry of the navigation. `key` names its word; `key`.text the sentence on the home page; `icon` its sign."""

    href: str
    key: str
    icon: str

    def is_here(self, path: str) -> bool:
        """True on the page itself and below it; the home page has nothing below it."""
        return path == self.href or (self.href != "/" and path.startswith(self.href + "/"))


HOME = Link("/", "portal.nav.home", "home")
# A phone's bar holds five at most.
PLACES: dict[str, tuple[Link, ...]] = {
    "resident": (
        HOME,
        Link("/consent", "portal.nav.consent", "consent"),
        Link("/returns", "portal.nav.uses", "uses"),
    ),
    "analyst": (
        HOME,
        Link("/consent/organisation", "portal.nav.agreements", "consent"),
        Link("/cleanroom", "portal.nav.questions", "question"),
    ),
    "officer": (
        HOME,
        Link("/consent/review", "portal.nav.review", "consent"),
    ),
}


def role_of(actor: Actor) -> str | None:
    """The key of `PLACES` for this actor; None for programs and for nobody."""
    if isinstance(actor, Resident):
        return "resident"
    return actor.role if isinstance(actor, Staff) else None


def service_links(plugins: Plugins) -> list[tuple[str, Link]]:
    """Role and link of each `[[navigation]]` table in the services' manifests: href, key, icon, for."""
    return [
        (entry["for"], Link(entry["href"], entry["key"], entry["icon"]))
        for service in plugins.services
        for entry in service.manifest.get("navigation", [])
    ]


def open_navigation(plugins: Plugins) -> Callable[[Actor], tuple[Link, ...]]:
    """The function that templates call as `navigation(actor)`; manifests are read once, here."""
    added = service_links(plugins)

    def navigation(actor: Actor) -> tuple[Link, ...]:
        role = role_of(actor)
        if role is None:
            return ()
        return (*PLACES[role], *(link for audience, link in added if audience == role))

    return navigation

"""Who is led where."""

from dataclasses import dataclass
from typing import Any

import pytest

from sanpo.ground.actors import Actor, Client, System
from sanpo.ground.plugins import Plugins, Service
from sanpo.portal.navigation import HOME, PLACES, Link, open_navigation
from tests.portal.reading import ACTORS


@dataclass(frozen=True)
class Bakery(Service):
    """A service that adds one place for residents."""

    @property
    def manifest(self) -> dict[str, Any]:
        return {"navigation": [{"for": "resident", "href": "/bakery", "key": "bakery.nav", "icon": "city"}]}


NAVIGATION = open_navigation(Plugins((Bakery("bakery", "bakery"),)))


@pytest.mark.parametrize("role", ["resident", "analyst", "officer"])
def test_everyone_inside_begins_at_home(role: str) -> None:
    assert NAVIGATION(ACTORS[role])[0] == HOME


@pytest.mark.parametrize("actor", [ACTORS["nobody"], System("jobs"), Client("cli_1", "org_1", 1)])
def test_programs_and_nobody_get_no_navigation(actor: Actor) -> None:
    assert NAVIGATION(actor) == ()


def test_service_adds_its_place_for_the_role_it_names_only() -> None:
    bakery = Link("/bakery", "bakery.nav", "city")
    assert NAVIGATION(ACTORS["resident"]) == (*PLACES["resident"], bakery)
    assert bakery not in NAVIGATION(ACTORS["officer"])


def test_representative_sees_the_same_places_as_the_resident() -> None:
    assert NAVIGATION(ACTORS["carer"]) == NAVIGATION(ACTORS["resident"])


@pytest.mark.parametrize(
    ("href", "path", "here"),
    [
        ("/", "/", True), ("/", "/consent", False), ("/consent", "/consent", True),
        ("/consent", "/consent/agreements/a", True), ("/consent", "/consents", False),
    ],
)  # fmt: skip
def test_link_is_here_on_its_page_and_below(href: str, path: str, here: bool) -> None:
    assert Link(href, "k", "home").is_here(path) is here

"""How the portal's tests look at a page: rendered without a database, read without a browser."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2

import sanpo
from sanpo.ground.actors import Actor, Anonymous, Resident, Staff
from sanpo.ground.html import open_templates
from sanpo.ground.plugins import Plugins
from sanpo.ground.words import Words, load_words
from sanpo.portal import open_navigation

PACKAGES = ("sanpo.ground", "sanpo.portal")
HOUSE = Path(sanpo.__file__).parent
ACTORS: dict[str, Actor] = {
    "nobody": Anonymous(),
    "resident": Resident("res_1", 1, "res_1", session_id="ses_1"),
    "carer": Resident("res_1", 1, "res_2", "carer", session_id="ses_2"),
    "analyst": Staff("stf_1", "org_1", 1, "analyst", session_id="ses_3"),
    "officer": Staff("stf_2", "org_2", 2, "officer", session_id="ses_4"),
}


@cache
def environment() -> jinja2.Environment:
    """The portal's templates, compiled once."""
    made = open_templates(["sanpo.portal"])
    made.globals["navigation"] = open_navigation(Plugins(()))
    return made


@cache
def catalogues() -> Words:
    return load_words(PACKAGES)


def context_of(*, lang: str = "ja", actor: str = "nobody", path: str = "/") -> dict[str, Any]:
    """What `render` gives to every page."""
    words = catalogues()

    def t(key: str, **fields: Any) -> str:
        return words.text(lang, key, **fields)

    def local_time(moment: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
        return "" if moment is None else moment.astimezone(UTC).strftime(form)

    return {
        "lang": lang, "t": t, "local_time": local_time, "actor": ACTORS[actor], "csrf_token": "token-of-this-session",
        "path": path, "city_name": "三方市", "demo": True, "asset": lambda name: f"/static/{name}",
    }  # fmt: skip


def show(template: str, *, lang: str = "ja", actor: str = "nobody", path: str = "/", **more: Any) -> str:
    """The page as text."""
    return environment().get_template(template).render(**context_of(lang=lang, actor=actor, path=path), **more)


def show_macro(call: str, *, lang: str = "ja", **more: Any) -> str:
    """What one component gives, e.g. `show_macro("ui.chip(state)", state="given")`."""
    source = '{% import "portal/macros.html" as ui with context %}{{ ' + call + " }}"
    return environment().from_string(source).render(**context_of(lang=lang), **more)


@dataclass
class Page(HTMLParser):
    """The tags of a page, and its text."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def ids(self) -> Counter[str]:
        return Counter(attributes["id"] for _, attributes in self.tags if "id" in attributes)

    @property
    def links(self) -> list[str]:
        return [attributes["href"] for attributes in self.all("a")]


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page

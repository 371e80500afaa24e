"""How a page is looked at: by axe-core, for what no reader should see, and for what the browser complained about."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page

AXE = Path(__file__).resolve().parent.parent.parent / ".cache" / "axe.min.js"
# `consent.page.thing` as text is a key without words; an instant in ISO form is a time that nobody put into words.
RAW_KEY = re.compile(
    r"(?<![/.\w])(?:portal|people|consent|returns|cleanroom|energy|lake|journal|cash)\.[a-z]+[._][a-z_.]+"
)
RAW_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
PHONE, DESK = (390, 844), (1280, 900)
Size = tuple[int, int]


@dataclass
class Reader:
    """Somebody at a browser: their page, how often they tapped, and what went wrong on the way."""

    page: Page
    examined: set[str]
    axe: bool = True
    taps: int = 0
    complaints: list[str] = field(default_factory=list)

    def fit(self, size: Size) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def leave(self) -> None:
        """Leaves the browser to the next person, who must not be taken for this one.

        Raises `AssertionError` where a script failed or broke the content policy on any page.
        """
        self.page.context.clear_cookies()
        complaints, self.complaints[:], self.taps = list(self.complaints), [], 0
        assert not complaints, complaints

    def open(self, url: str) -> None:
        """Goes to an address and looks at the page."""
        self.page.goto(url)
        self.look()

    def tap(self, target: Locator) -> None:
        """Taps what leads to another page, and looks at that page."""
        with self.page.expect_navigation():
            target.click()
        self.taps += 1
        self.look()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("main").get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("main").get_by_role("link", name=name).first

    def newest(self) -> Locator:
        """The first entry of the page's first list."""
        return self.page.get_by_role("main").get_by_role("listitem").first

    def look(self) -> None:
        """Raises `AssertionError` with every fault of the page that is shown."""
        markup, wide = self.page.evaluate(
            "[document.documentElement.outerHTML,"
            " document.documentElement.scrollWidth - document.documentElement.clientWidth]"
        )
        text = re.sub(r"(?s)<script.*?</script>|<[^>]*>", " ", markup)
        faults = [f"a key without words: {key}" for key in RAW_KEY.findall(text)]
        faults += [f"a time without words: {moment}" for moment in RAW_TIME.findall(text)]
        faults += [f"{wide}px wider than the screen"] if wide > 0 else []
        faults += [f"axe: {violation}" for violation in self.examine(markup)] if self.axe else []
        assert not faults, f"{self.page.url}: {faults}"

    def examine(self, markup: str) -> list[str]:
        """What axe-core finds, which takes its time: a page of the same form and size as one before is passed over."""
        form = f"{self.page.viewport_size} " + re.sub(r"[0-9a-zA-Z_+/-]{20,}|\d+", "…", markup)
        if form in self.examined:
            return []
        found = violations(self.page)
        if not found:
            self.examined.add(form)
        return found


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Everything axe-core finds, its best practices included."""
    page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)"
    )
    return [f"{one['id']} ({one['help']}): {[node['html'][:200] for node in one['nodes'][:3]]}" for one in found]


def read_along(context: BrowserContext, examined: set[str]) -> Reader:
    """A reader in this context. What the console calls an error is a fault; a refused page has its own test."""
    reader = Reader(context.new_page(), examined)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            reader.complaints.append(f"console: {message.text}")

    reader.page.on("console", on_console)
    reader.page.on("pageerror", lambda error: reader.complaints.append(f"script: {error}"))
    return reader

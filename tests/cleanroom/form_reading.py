"""What a browser would send of a form that stands on a page, and what the page says about it."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class _Form(HTMLParser):
    """Reads the controls of one form: as a browser does, without buttons, disabled controls and disabled choices."""

    form_id: str
    sent: dict[str, str] = field(default_factory=dict)
    inside: bool = False
    select: str | None = None
    options: list[tuple[str, bool, bool]] = field(default_factory=list)
    area: str | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("id") == self.form_id or not self.form_id
        if not self.inside:
            return
        if tag == "option":
            self.options.append((given["value"], "selected" in given, "disabled" in given))
        elif "disabled" in given or "name" not in given:
            return
        elif tag == "select":
            self.select, self.options = given["name"], []
        elif tag == "textarea":
            self.area = given["name"]
            self.sent[self.area] = ""
        elif tag == "input" and (given["type"] != "checkbox" or "checked" in given):
            self.sent[given["name"]] = given["value"]

    def handle_data(self, data: str) -> None:
        if self.inside and self.area is not None:
            self.sent[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "textarea":
            self.area = None
        elif tag == "select" and self.select is not None:
            chosen = next((one for one in self.options if one[1]), None)
            first = next((one for one in self.options if not one[2]), None)
            found = chosen or first
            if found is not None and not found[2]:
                self.sent[self.select] = found[0]
            self.select = None


def controls(page: str, form_id: str = "live") -> dict[str, str]:
    """Name and value of everything that the form would send."""
    form = _Form(form_id)
    form.feed(page)
    return form.sent


def sql_of(page: str) -> str:
    """The SQL of the page's preview."""
    found = re.search(r'<pre class="built-sql"[^>]*><code>(.*?)</code>', page, re.DOTALL)
    assert found is not None, "no SQL on the page"
    return html.unescape(found[1])


def told(page: str, place: str) -> str:
    """The faults that stand beside a row or part, without markup."""
    found = re.search(rf'<div class="row-faults" id="{re.escape(place)}-faults">(.*?)</div>', page, re.DOTALL)
    return "" if found is None else " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1])).split())


def options(page: str, control: str) -> dict[str, bool]:
    """The choices of a select, and whether each can be chosen."""
    found = re.search(rf'<select[^>]* id="{re.escape(control)}"[^>]*>(.*?)</select>', page, re.DOTALL)
    assert found is not None, control
    made = re.findall(r'<option value="([^"]*)"([^>]*)>', found[1])
    return {html.unescape(value): "disabled" not in rest for value, rest in made}

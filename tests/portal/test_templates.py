"""Every page of the portal, for every kind of reader in both languages; and rules that hold for all templates."""

import json
import re
from typing import Any

import pytest

from sanpo.portal.styleguide import samples
from tests.portal.reading import ACTORS, HOUSE, context_of, environment, read, show, show_macro

PAGES = ("front", "home", "accessibility", "styleguide", "error")
TEMPLATES = sorted(HOUSE.rglob("templates/**/*.html"))


def page_context(name: str, lang: str) -> dict[str, Any]:
    if name == "styleguide":
        return samples(lang)
    if name == "home":
        return {"role": "resident", "waiting": 1}
    if name == "error":
        return {"status": 404, "title": "T", "detail": "D", "code": "ground.not_found"}
    return {}


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound(name: str, actor: str, lang: str) -> None:
    html = show(f"portal/{name}.html", lang=lang, actor=actor, **page_context(name, lang))
    page = read(html)
    assert page.all("html") == [{"lang": lang}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert [one for one, count in page.ids.items() if count > 1] == []
    fragments = {link[1:] for link in page.links if link.startswith("#") and len(link) > 1}
    assert fragments <= page.ids.keys()
    fields = [a["id"] for tag in ("input", "select", "textarea") for a in page.all(tag) if "id" in a]
    assert set(fields) <= {label.get("for") for label in page.all("label")}
    described = {part for _, a in page.tags for part in a.get("aria-describedby", "").split()}
    assert described <= page.ids.keys()
    assert not re.findall(r"\b(?:portal|ground)\.[a-z_.]+(?<!\.not_found)\b", page.text), "a key without words"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_template_has_nothing_that_the_content_policy_forbids(template: Any) -> None:
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:", source)
    for script in re.findall(r"<script\b[^>]*>", source):
        assert " src=" in script or 'type="application/json"' in script


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_form_that_changes_something_carries_the_session_token(template: Any) -> None:
    source = template.read_text(encoding="utf-8")
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", source, flags=re.S | re.I):
        assert "ui.csrf()" in form


def test_shell_offers_sign_in_to_nobody_and_sign_out_to_those_inside() -> None:
    outside, inside = show("portal/front.html"), show("portal/home.html", actor="resident", role="resident", waiting=0)
    assert "/people/sign-in" in outside
    assert "/people/sign-out" not in outside
    assert '<form method="post" action="/people/sign-out">' in inside
    assert 'name="csrf_token" value="token-of-this-session"' in inside


def test_language_switch_comes_back_to_the_same_page() -> None:
    assert "/language/en?next=/consent/a%3Fb" in read(show("portal/front.html", path="/consent/a?b")).links
    assert "/language/ja?next=/" in read(show("portal/front.html", lang="en")).links


def test_shell_says_so_when_somebody_acts_for_another() -> None:
    assert "支援する方として" in show("portal/home.html", actor="carer", role="resident", waiting=1)
    assert "支援する方として" not in show("portal/home.html", actor="resident", role="resident", waiting=0)


def test_navigation_marks_the_place_where_the_reader_is() -> None:
    page = read(
        show("portal/home.html", actor="resident", path="/consent/agreements/agr_1", role="resident", waiting=0)
    )
    assert [a["href"] for a in page.all("a") if "aria-current" in a] == ["/consent"]


def test_error_page_leads_to_sign_in_when_nobody_is_signed_in() -> None:
    html = show("portal/error.html", path="/energy", status=401, title="T", detail="D", code="ground.not_signed_in")
    assert "/people/sign-in?next=/energy" in read(html).links


def test_error_page_of_a_crash_shows_no_detail() -> None:
    html = show("portal/error.html", status=500, title="T", detail="psycopg said no", code="ground.crash")
    assert "psycopg" not in html
    assert "ground.crash" in html


def test_chart_island_cannot_close_its_script() -> None:
    evil = "</script><script>alert(1)</script>"
    data = {"title": evil, "unit": "kWh", "x": ["0"], "series": [{"name": evil, "data": [1, None][:1]}]}
    html = show_macro("ui.figure_chart('curve', data, 'x')", data=data)
    assert "<script>alert" not in html
    island = re.search(r'<script type="application/json">(.*?)</script>', html, flags=re.S)
    assert island is not None
    assert json.loads(island[1]) == data


def test_map_keeps_what_stands_there_and_its_island_cannot_close_its_script() -> None:
    evil = "</script><script>alert(1)</script>'"
    shown = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": evil}}]}
    call = "{% call ui.figure_map(title, shown) %}<b>kept</b>{% endcall %}"
    source = '{% import "portal/macros.html" as ui with context %}' + call
    html = environment().from_string(source).render(**context_of(), title=evil, shown=shown)
    assert "<b>kept</b>" in html
    assert "<script>alert" not in html
    page = read(html)
    stage = next(each for each in page.all("div") if "data-map" in each)
    assert json.loads(stage["data-words"])["Map.Title"] == evil
    island = re.search(r'<script type="application/json">(.*?)</script>', html, flags=re.S)
    assert island is not None
    assert json.loads(island[1]) == shown


def test_chart_table_has_every_number_and_a_dash_for_a_missing_one() -> None:
    data = {"title": "t", "unit": "kWh", "x": ["a", "b"], "series": [{"name": "one", "data": [1.25, None]}]}
    columns = read(show_macro("ui.figure_chart('bars', data, 'x')", data=data)).text
    grid = read(show_macro("ui.figure_chart('heatmap', data, 'x')", data=data)).text
    for text in (columns, grid):
        assert "1.25" in text
        assert "–" in text


@pytest.mark.parametrize(
    "call",
    [
        "ui.notice('info', evil)",
        "ui.button(evil, name='x', value=evil)",
        "ui.field('f', evil, value=evil, error=evil)",
        "ui.facts([(evil, evil)])",
        "ui.table([evil], [[evil]], evil)",
        "ui.copy(evil)",
        "ui.card_link(evil, evil, '/', 'home')",
        "ui.gains({'text': evil}, {'text': evil}, {'text': evil}, names={'city': evil})",
        "ui.page_head(evil, evil, evil)",
        "ui.button('x', confirm={'title': evil, 'body': evil, 'yes': evil, 'no': evil})",
    ],
)
def test_component_escapes_what_it_is_given(call: str) -> None:
    evil = '"><img src=x>'
    html = show_macro(call, evil=evil)
    assert "<img" not in html
    assert "&lt;img" in html


def test_gain_without_a_measured_value_shows_none() -> None:
    html = show_macro("ui.gains({'text': 'a', 'value': 0, 'unit': '円'}, {'text': 'b', 'value': none}, {'text': 'c'})")
    assert html.count("gain-value") == 1
    assert ">0 <small>円</small>" in html

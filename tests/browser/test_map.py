"""The map that moves, in a real browser: what it draws, its points as links; and what stays where it cannot be drawn."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Sit
from tests.browser.eyes import DESK, PHONE, Size
from tests.browser.running import RunningCity

pytestmark = [pytest.mark.browser, pytest.mark.long]

PAGE = "/broker/entities?type=https%3A%2F%2Fsmartdatamodels.org%2FdataModel.Weather%2FWeatherObserved"


@pytest.mark.parametrize("size", [pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk")])
def test_map_draws_points_that_lead_to_their_pages(running: RunningCity, sit: Sit, size: Size) -> None:
    reader = sit(size)
    page, asked = reader.page, set[str]()
    page.on("request", lambda request: asked.add(request.url))
    page.goto(running.url(PAGE))
    stage = page.locator("[data-map]")
    expect(stage).to_have_attribute("data-ready", "drawn")
    expect(page.locator(".map-instead")).to_be_hidden()
    reader.look()
    assert all(url.startswith((running.url("/"), "data:")) for url in asked), asked

    points = stage.get_by_role("link")
    assert points.count() == page.get_by_role("table").get_by_role("row").count() - 1
    page.get_by_role("button", name="拡大する").click()
    first = points.first
    first.focus()
    expect(first).to_be_in_viewport()
    name = first.get_attribute("aria-label") or ""
    with page.expect_navigation():
        first.press("Enter")
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def test_picture_stays_without_script_and_without_webgl(running: RunningCity, sit: Sit) -> None:
    plain = sit(PHONE, script=False).page
    plain.goto(running.url(PAGE))
    expect(plain.locator(".map-instead svg")).to_be_visible()

    page = sit(PHONE).page.context.new_page()
    page.add_init_script(
        "if (location.pathname === '/broker/entities') HTMLCanvasElement.prototype.getContext = () => null"
    )
    page.goto(running.url(PAGE))
    expect(page.locator("[data-map][data-ready]")).to_be_hidden()
    expect(page.locator(".map-instead svg")).to_be_visible()
    page.close()


def test_other_pages_do_not_fetch_the_map(running: RunningCity, sit: Sit) -> None:
    page, asked = sit(PHONE).page, list[str]()

    def note(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_()

    page.route(re.compile("/static/"), note)
    page.goto(running.url("/broker"))
    page.wait_for_load_state("networkidle")
    assert asked
    assert [url for url in asked if "/map" in url] == []

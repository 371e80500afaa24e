"""The builder and the multiplication in a real browser: the preview follows the choices, at a desk and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Sit
from tests.browser.eyes import DESK, PHONE, Reader, Size
from tests.browser.running import RunningCity
from tests.browser.test_journey import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("size", [pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk")])
def test_analyst_builds_a_question_and_sees_what_would_be_refused(running: RunningCity, sit: Sit, size: Size) -> None:
    analyst = sit(size)
    sign_in(analyst, running.link_for(running.analyst_id))
    analyst.open(running.url("/cleanroom"))
    analyst.tap(analyst.link("質問を組み立てる"))
    page, verdict = analyst.page, analyst.page.get_by_role("status").first
    page.select_option("#agreement", label="夜間割引プランの設計")
    page.get_by_role("button", name="この契約の例から始める").click()
    sql = page.locator("#preview code")
    expect(sql).to_have_text(re.compile("^select dwelling_type, heating_type, count"))
    expect(verdict).to_have_text("このまま尋ねられます。")
    expect(page.locator("#dimensions-0-column option[value=area]")).to_be_disabled()

    # A choice that the rule does not know: said at once, beside the choice and in the preview.
    page.select_option("#dimensions-0-column", "start_at")
    expect(page.locator("#dimensions-0-faults")).to_contain_text("時刻「start_at」のままでは")
    expect(verdict).to_have_text("直すところが1つあります。")
    page.get_by_role("link", name="分ける 1").click()
    expect(page.locator("#dimensions-0-way")).to_be_in_viewport()
    analyst.look()
    page.select_option("#dimensions-0-way", "hour")
    expect(verdict).to_have_text("このまま尋ねられます。")

    # A row more: the reader goes on in it; what is being written is not overwritten; a row less: the others move up.
    page.get_by_role("button", name="条件を足す").click()
    expect(page.locator("#filters-0-column")).to_be_focused()
    page.select_option("#filters-0-column", "dwelling_type")
    page.locator("select#filters-0-value").select_option("detached")
    expect(sql).to_contain_text("where dwelling_type = 'detached'")
    page.get_by_role("button", name="分ける 1 を消す").click()
    expect(sql).to_have_text(re.compile("^select heating_type, count"))
    expect(page.locator("#dimensions-0-column")).to_have_value("heating_type")
    page.fill("#limit", "9")
    page.locator("#totals").check()
    expect(sql).to_contain_text(re.compile(r"group by cube \(heating_type\) limit 9$"))
    analyst.look()

    analyst.tap(page.get_by_role("button", name="質問する"))
    expect(page.get_by_role("heading", name="答え", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("合計")
    analyst.tap(page.get_by_role("button", name="組み立て画面で直す"))
    expect(page.locator("#totals")).to_be_checked()
    expect(page.locator("#limit")).to_have_value("9")
    in_english(analyst, running)


def in_english(analyst: Reader, running: RunningCity) -> None:
    """Longer words have room, and none is left in Japanese but the city's own names."""
    analyst.tap(analyst.page.get_by_role("link", name="English"))
    for path in ("/cleanroom/builder", "/cleanroom/multiplications"):
        analyst.open(running.url(path))
        assert re.findall("[ぁ-ヿ]+", analyst.page.get_by_role("main").inner_text()) == [], path
    analyst.tap(analyst.page.get_by_role("link", name="日本語"))


def test_builder_works_without_script(running: RunningCity, sit: Sit) -> None:
    page = sit(PHONE, script=False).page
    page.goto(running.link_for(running.analyst_id))
    page.get_by_role("main").get_by_role("button", name="サインインする").click()
    page.goto(running.url("/cleanroom/builder"))
    page.select_option("#dimensions-0-column", "start_at")
    page.get_by_role("button", name="確かめる").last.click()
    expect(page.locator("#dimensions-0-faults")).to_contain_text("時刻「start_at」のままでは")
    page.get_by_role("button", name="分ける 1 を消す").click()
    page.get_by_role("button", name="集計を足す").click()
    expect(page.locator("#measures-2-function")).to_be_focused()
    page.select_option("#measures-2-function", "subjects")
    page.get_by_role("button", name="確かめる").last.click()
    expect(page.locator("#preview")).to_contain_text("このまま尋ねられます。")
    page.get_by_role("button", name="質問する").click()
    expect(page.get_by_role("heading", name="答え", exact=True)).to_be_visible()

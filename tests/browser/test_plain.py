"""What must work without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Sit
from tests.browser.eyes import PHONE
from tests.browser.running import RunningCity

pytestmark = [pytest.mark.browser, pytest.mark.long]


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def test_resident_agrees_reads_and_withdraws_without_script(running: RunningCity, sit: Sit) -> None:
    page = sit(PHONE, script=False).page
    page.goto(running.link_for(running.residents[20].resident_id))
    press(page, "サインインする")

    page.goto(running.url("/consent"))
    page.get_by_role("link", name="冬の朝夕の電力ピークを減らす研究").click()
    state = page.locator(".page-head .chip").inner_text()
    press(page, "同意をやめる" if state == "同意中" else "同意する")
    press(page, "同意する" if state == "同意中" else "同意をやめる")
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("これまでの経過")

    page.goto(running.url("/energy"))
    day = page.get_by_role("region", name="1日の使い方")
    day.get_by_text("数字を表で見る").click()
    expect(day.get_by_role("table").get_by_role("row")).to_have_count(49)
    assert page.locator("canvas").count() == 0

    page.goto(running.url("/returns"))
    expect(page.get_by_role("link", name="証明を保存").first).to_be_visible()

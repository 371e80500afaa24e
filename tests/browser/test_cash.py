"""Paying in a real browser: a resident's phone, a shop's till, and the way back of the money."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import segno
from playwright.sync_api import Browser, expect

from sanpo.ground.ids import new_id
from sanpo.services.cash import charge
from sanpo.services.cash.paying import code_of_bill
from sanpo.services.cash.shops import list_shops, printable_code
from tests.browser.conftest import FLAGS, Sit
from tests.browser.eyes import DESK, PHONE, Reader, Size, read_along
from tests.browser.running import RunningCity

pytestmark = pytest.mark.browser
SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk")]


class Counter:
    """A resident and whoever stands at the till of the demo's first shop."""

    def __init__(self, running: RunningCity, sit: Sit, size: Size, *, place: int, axe: bool = False) -> None:
        self.running = running
        self.shop = list_shops(running.city)[0]
        charge(running.city, running.residents[place], new_id("chg"), 5_000)
        self.resident, self.clerk = sit(size, axe=axe), sit(size, axe=axe)
        self.enter(self.resident, running.residents[place].resident_id)
        self.enter(self.clerk, running.clerk_id)

    def enter(self, reader: Reader, holder_id: str) -> None:
        reader.open(self.running.link_for(holder_id))
        reader.tap(reader.button("サインインする"))

    def open_till(self) -> None:
        self.clerk.open(self.running.url(f"/cash/till/{self.shop.shop_id}"))


def test_resident_pays_by_number_and_is_given_back_some(running: RunningCity, sit: Sit) -> None:
    at = Counter(running, sit, PHONE, place=30)
    at.resident.open(running.url("/cash"))
    at.resident.tap(at.resident.link("支払う"))
    at.resident.page.get_by_label("お店の番号").fill(at.shop.merchant)
    at.resident.tap(at.resident.button("次へ進む"))
    at.resident.page.get_by_label("金額（円）").fill("640")
    at.resident.tap(at.resident.button("確認へ進む"))
    pay = at.resident.button("640円を支払う")
    confirmed = at.resident.page.url
    pay.dblclick()
    expect(at.resident.page.get_by_role("status").filter(has_text="支払いました")).to_be_visible()
    at.resident.look()
    receipt = at.resident.page.url.split("?")[0]
    at.resident.page.goto(confirmed)
    assert at.resident.page.url == receipt, "the way back leads to the receipt"

    at.clerk.open(running.url(f"/cash/till/{at.shop.shop_id}/day"))
    at.clerk.tap(at.clerk.page.locator(".ledger a").filter(has_text="640円").first)
    assert at.clerk.page.url == receipt
    at.clerk.tap(at.clerk.link("返金する"))
    at.clerk.page.get_by_label("返す金額").fill("140")
    at.clerk.button("返金する").click()
    at.clerk.tap(at.clerk.page.get_by_role("dialog").get_by_role("button", name="返金する"))
    expect(at.clerk.page.get_by_role("status").filter(has_text="返金しました")).to_be_visible()
    at.resident.open(receipt)
    expect(at.resident.page.get_by_role("main")).to_contain_text("一部返金済み")


def test_till_hears_of_the_payment_by_itself(running: RunningCity, sit: Sit) -> None:
    at = Counter(running, sit, PHONE, place=31)
    at.resident.open(running.url("/cash"))
    at.resident.tap(at.resident.button("自分のコードを見せる"))
    expect(at.resident.page.get_by_role("timer")).to_contain_text("残り 4:")
    digits = at.resident.page.locator(".digits").inner_text()

    at.open_till()
    at.clerk.page.get_by_text("品目を入力する", exact=True).click()
    at.clerk.page.get_by_role("group", name="1品目").get_by_label("品目", exact=True).fill("ブレンドコーヒー")
    at.clerk.page.get_by_role("group", name="1品目").get_by_label("単価").fill("480")
    at.clerk.tap(at.clerk.button("お客さまのコードを読む"))
    at.clerk.page.get_by_label("お客さまの番号").fill(digits)
    at.clerk.tap(at.clerk.button("480円を受け取る"))
    expect(at.clerk.page.get_by_role("status").filter(has_text="受け取りました")).to_be_visible()
    expect(at.resident.page.get_by_role("status").filter(has_text="支払いました")).to_be_visible()
    expect(at.resident.page.get_by_role("main")).to_contain_text("ブレンドコーヒー")

    at.open_till()
    at.clerk.page.get_by_label("金額（円・税込み）").fill("220")
    at.clerk.tap(at.clerk.button("コードを見せて受け取る"))
    bill = at.clerk.page.url.rsplit("/", 1)[1]
    at.resident.open(running.url(f"/cash/pay?code={_bill_payload(running, bill)}"))
    at.resident.tap(at.resident.button("220円を支払う"))
    expect(at.clerk.page.get_by_role("status").filter(has_text="受け取りました")).to_be_visible()


@pytest.mark.long
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_pages_of_cash_have_no_fault(running: RunningCity, sit: Sit, size: Size, language: str) -> None:
    at = Counter(running, sit, size, place=0, axe=True)
    shop = f"/cash/till/{at.shop.shop_id}"
    for reader in (at.resident, at.clerk):
        reader.open(running.url(f"/language/{language}?next=/"))
    for path in (
        "/cash",
        "/cash/charge",
        "/cash/pay",
        "/cash/pay?code=x",
        "/cash/code",
        f"/cash/pay?code={at.shop.merchant}",
    ):
        at.resident.open(running.url(path))
    at.resident.open(f"{at.resident.page.url}&yen=500")
    at.resident.open(f"{at.resident.page.url}&yen=150000")
    at.resident.open(running.url("/cash"))
    at.resident.tap(at.resident.page.locator(".ledger a").first)
    at.resident.open(running.url("/cash"))
    at.resident.tap(at.resident.page.locator(".doors form button"))
    for path in ("", "/day", "/poster", "/invoices"):
        at.clerk.open(running.url(shop + path))
    at.clerk.open(running.url(shop + "/invoices"))
    if at.clerk.page.locator(".ledger a").count():  # where the weeks that were built reach into the month before
        at.clerk.tap(at.clerk.page.locator(".ledger a").first)
    for step in ("read", "show"):
        at.clerk.open(running.url(shop))
        at.clerk.page.locator("#yen").fill("300")
        at.clerk.tap(at.clerk.page.locator(f"button[value={step}]"))
    at.clerk.open(running.url(shop))
    at.clerk.tap(at.clerk.page.locator("button[value=show]"))
    at.clerk.open(running.url("/cash/till"))
    officer = sit(size, axe=True)
    at.enter(officer, running.officer_id)
    officer.open(running.url(f"/language/{language}?next=/cash/shops"))
    officer.tap(officer.page.locator(".ledger a").first)


@pytest.mark.long
def test_code_on_the_wall_is_printed_on_one_sheet_of_a5(running: RunningCity, sit: Sit) -> None:
    at = Counter(running, sit, DESK, place=33)
    at.clerk.open(running.url(f"/cash/till/{at.shop.shop_id}/poster"))
    pdf = at.clerk.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    box = re.search(rb"/MediaBox\s*\[0 0 ([0-9.]+) ([0-9.]+)\]", pdf)
    assert box
    assert [round(float(side) / 72 * 25.4) for side in box.groups()] == [148, 210]


@pytest.fixture
def filmed(chromium: str, browser: Browser, running: RunningCity, tmp_path: Path) -> Iterator[Browser]:
    """A browser whose camera sees the first shop's code."""
    film = tmp_path / "code.y4m"
    film.write_bytes(_film(printable_code(list_shops(running.city)[0])))
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    launched = browser.browser_type.launch(executable_path=chromium, args=[*FLAGS, *camera])
    yield launched
    launched.close()


# A browser's own detector, as far as this page asks it anything; Chromium on Linux has none.
DETECTOR = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect(video) { return video.videoWidth ? [{ rawValue: "%s" }] : []; }
};
"""


@pytest.mark.long
@pytest.mark.parametrize("has_detector", [False, True], ids=["jsqr", "own detector"])
def test_camera_reads_the_code_on_the_wall(running: RunningCity, filmed: Browser, *, has_detector: bool) -> None:
    context = filmed.new_context(locale="ja-JP", permissions=["camera"])
    if has_detector:
        context.add_init_script(DETECTOR % printable_code(list_shops(running.city)[0]))
    reader = read_along(
        context,
        set(),
    )
    reader.axe = False
    reader.fit(PHONE)
    reader.open(running.link_for(running.residents[32].resident_id))
    reader.tap(reader.button("サインインする"))
    reader.open(running.url("/cash/pay"))
    reader.button("カメラで読み取る").click()
    reader.page.wait_for_url(re.compile("/cash/pay/pay_"))
    expect(reader.page.get_by_role("main")).to_contain_text(list_shops(running.city)[0].local_name)
    reader.leave()
    context.close()


def _bill_payload(running: RunningCity, bill_id: str) -> str:
    """What the till's picture says: read from the database, as a camera would from the screen."""
    with psycopg.connect(running.city.settings.database_owner_url) as conn:
        row = conn.execute("select amount_yen from cash.bills where bill_id = %s", (bill_id,)).fetchone()
    assert row
    return quote(str(code_of_bill(list_shops(running.city)[0], bill_id, row[0])))


def _film(payload: str, *, side: int = 640, frames: int = 10) -> bytes:
    """A film of the code in YUV4MPEG2, grey (4:2:0 with empty colour planes), as Chromium's false camera plays it."""
    modules = [list(row) for row in segno.make(payload, error="m", micro=False, encoding="utf-8").matrix_iter(border=6)]
    scale = side // len(modules)
    edge = (side - scale * len(modules)) // 2
    light = bytearray()
    for y in range(side):
        row = modules[(y - edge) // scale] if edge <= y < edge + scale * len(modules) else None
        for x in range(side):
            dark = row is not None and edge <= x < edge + scale * len(modules) and row[(x - edge) // scale]
            light.append(16 if dark else 235)
    frame = b"FRAME\n" + bytes(light) + bytes([128]) * (side * side // 2)
    return f"YUV4MPEG2 W{side} H{side} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * frames

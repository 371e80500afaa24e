"""The loop of DESIGN §1 in a real browser, in Japanese, on a phone and at a desk.

`make test` walks it once, on a phone; `make test-long` has axe-core look at every page besides, at both sizes.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Sit
from tests.browser.eyes import DESK, PHONE, Reader, Size
from tests.browser.running import RunningCity

pytestmark = pytest.mark.browser
SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk")]
AVERAGE = "SELECT avg(energy_wh) AS wh FROM energy.readings"
PEOPLE = "SELECT count(DISTINCT subject_no) AS people FROM energy.readings"


class Visit(NamedTuple):
    """Who goes through the loop: the place of the resident among those with a meter, whose ten neighbours come after, and
    at what they look. Two visits share no more than the guard between answers lets pass: nobody."""

    name: str
    giver: int
    size: Size
    axe: bool


FIRST = Visit("電話", 0, PHONE, axe=False)
VISITS = [
    pytest.param(FIRST, id="phone"),
    pytest.param(Visit("調べる電話", 20, PHONE, axe=True), id="phone-axe", marks=pytest.mark.long),
    pytest.param(Visit("調べる机", 40, DESK, axe=True), id="desk-axe", marks=pytest.mark.long),
]


class Journey:
    """A resident, an officer and a company's analyst, each at a browser of the same size."""

    def __init__(self, running: RunningCity, sit: Sit, visit: Visit) -> None:
        self.running = running
        self.title = f"昼の電気を使う料金の設計（{visit.name}）"
        self.giver = running.residents[visit.giver]
        self.neighbours = running.residents[visit.giver + 1 : visit.giver + 11]
        self.resident, self.analyst, self.officer = (sit(visit.size, axe=visit.axe) for _ in range(3))
        holders = (self.giver.resident_id, running.analyst_id, running.officer_id)
        # The demo's first visitors come with the links that it printed.
        self.links = running.printed_links()[:3] if visit is FIRST else [running.link_for(one) for one in holders]

    def publish(self) -> None:
        """The analyst writes the next agreement over the last one, as the form offers it."""
        self.analyst.open(self.running.url("/consent/organisation"))
        draft = self.analyst.page.get_by_label("契約の下書き")
        text = json.loads(draft.input_value())
        text["title"] = {"ja": self.title, "en": "Design of a midday tariff"}
        draft.fill(json.dumps(text, ensure_ascii=False))
        self.analyst.tap(self.analyst.button("公開して審査に出す"))
        expect(self.analyst.page.get_by_text("市の審査を待っています")).to_be_visible()

    def approve(self) -> str:
        self.officer.open(self.running.url("/consent/review"))
        entry = self.officer.page.get_by_role("listitem").filter(has=self.officer.page.get_by_text(self.title))
        entry.get_by_label("理由・メモ").fill("三方の利益を確かめました")
        self.officer.tap(entry.get_by_role("button", name="承認する"))
        return self.running.newest_agreement()

    def write_question(self, sql: str = AVERAGE) -> None:
        self.analyst.open(self.running.url("/cleanroom"))
        self.analyst.page.get_by_label("どの契約").select_option(label=self.title)
        self.analyst.page.get_by_label("質問（SQL）").fill(sql)

    def ask(self) -> None:
        """Asks what stands in the form, which keeps it."""
        self.analyst.tap(self.analyst.button("質問する"))


@pytest.mark.parametrize("visit", VISITS)
def test_whole_loop(running: RunningCity, sit: Sit, visit: Visit, tmp_path: Path) -> None:
    journey = Journey(running, sit, visit)
    resident, analyst = journey.resident, journey.analyst
    to_resident, to_analyst, to_officer = journey.links
    sign_in(analyst, to_analyst)
    sign_in(journey.officer, to_officer)
    journey.publish()
    agreement_id = journey.approve()

    # The resident is told at home that something waits, and reads it.
    sign_in(resident, to_resident)
    expect(resident.page.get_by_text(re.compile("お願いが .* 件届いています"))).to_be_visible()
    resident.tap(resident.link("読む"))

    # From the list, two taps: open the request, agree.
    resident.taps = 0
    resident.tap(resident.link(journey.title))
    for words in ("三方よし", "だれが", "何のために", "どのデータを", "いつまで", "やめると"):
        expect(resident.page.get_by_role("main")).to_contain_text(words)
    resident.tap(resident.button("同意する"))
    assert resident.taps <= 2
    expect(resident.page.get_by_role("status").filter(has_text="同意しました")).to_be_visible()
    resident.tap(resident.page.get_by_role("status").get_by_role("link", name="控えを見る"))
    check_receipt(resident, journey.title)

    # Nine have agreed: refused, and the refusal says what would pass. Eleven: answered.
    running.agree(agreement_id, journey.neighbours[:8])
    journey.write_question()
    journey.ask()
    expect(analyst.page.get_by_role("alert")).to_contain_text("10人に満たない")
    running.agree(agreement_id, journey.neighbours[8:])
    journey.ask()
    expect(analyst.page.get_by_role("main")).to_contain_text("11人のデータから集計しました")

    # The resident sees the use at once, and checks its proof with the public key alone.
    check_use(resident, running)
    check_proof(resident, tmp_path)

    # After the withdrawal the next question does not count them, and what the recipient was told is shown. The same average
    # of ten would tell theirs by subtraction: that is refused, and says so.
    resident.open(running.url(f"/consent/agreements/{agreement_id}"))
    resident.tap(resident.button("同意をやめる"))
    expect(resident.page.get_by_role("status").filter(has_text="同意をやめました")).to_be_visible()
    expect(resident.page.get_by_role("main")).to_contain_text("相手の確認待ち")
    journey.ask()
    expect(analyst.page.get_by_role("alert")).to_contain_text("引き算")
    journey.write_question(PEOPLE)
    journey.ask()
    expect(analyst.page.get_by_role("main")).to_contain_text("10人のデータから集計しました")
    resident.open(running.url("/returns"))
    expect(resident.newest()).to_contain_text("あなたを含まない")
    check_own_energy(resident, running)


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES)
def test_other_pages_are_sound(running: RunningCity, sit: Sit, size: Size) -> None:
    """What the loop does not pass: the public pages, a refused one, one that is not there, and one's own."""
    reader = sit(size)
    for path in ("/", "/people/sign-in", "/accessibility", "/portal/styleguide", "/no/such/page", "/returns"):
        reader.open(running.url(path))
    sign_in(reader, running.link_for(running.residents[15].resident_id))
    for path in ("/people/me", "/people/act-for", "/consent/review"):
        reader.open(running.url(path))
    # English words are longer: the phone shows where they have no room.
    reader.tap(reader.page.get_by_role("link", name="English"))
    for path in ("/consent", "/returns"):
        reader.open(running.url(path))
        assert re.findall("[ぁ-ヿ]+", reader.page.get_by_role("main").inner_text()) == [], path


def sign_in(reader: Reader, link: str) -> None:
    reader.open(link)
    reader.tap(reader.button("サインインする"))
    expect(reader.page.get_by_role("button", name="サインアウト")).to_be_visible()


def check_receipt(resident: Reader, title: str) -> None:
    main = resident.page.get_by_role("main")
    for words in (title, "本人", "三方電力", "年"):
        expect(main).to_contain_text(words)
    with resident.page.expect_download() as started:
        main.get_by_role("link", name="控えを保存").click()
    receipt = json.loads(started.value.path().read_text(encoding="utf-8"))
    assert receipt["record"]["dpv:hasConsentStatus"] == "dpv:ConsentGiven"


def check_use(resident: Reader, running: RunningCity) -> None:
    resident.open(running.url("/returns"))
    use = resident.newest()
    for words in ("三方電力", "あなたを含む", "ほかの 10 人とまとめて", "組織の報告待ち", "1 件の集計"):
        expect(use).to_contain_text(words)


def check_proof(resident: Reader, tmp_path: Path) -> None:
    """The proof of the newest use, saved from the page; the command that the page gives is run on it."""
    save = resident.newest().get_by_role("link", name="証明を保存")
    for _ in range(20):  # the proof is there once the journal has been sealed, about every second
        if save.is_visible():
            break
        resident.page.wait_for_timeout(200)
        resident.page.reload()
    with resident.page.expect_download() as started:
        save.click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    command = resident.page.locator("code", has_text="sanpo verify").inner_text().split()
    assert command[:3] == ["sanpo", "verify", file.name]
    checked = subprocess.run(
        [sys.executable, "-m", *command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(checked.stdout)["included"] is True


def check_own_energy(resident: Reader, running: RunningCity) -> None:
    resident.open(running.url("/energy"))
    main = resident.page.get_by_role("main")
    for title in ("1日の使い方", "1週間の使い方", "4週間をひと目で", "似た家との比較"):
        region = main.get_by_role("region", name=title)
        expect(region.locator("figure canvas").first).to_be_visible()
    for words in ("ずっとついている電気", "月ごとの電気の量と電気代", "軒の平均です"):
        expect(main).to_contain_text(words)

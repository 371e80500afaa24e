"""The pages of cash through HTTP, as they are without script."""

import re
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.ground.clock import FixedClock
from sanpo.ground.ids import new_id
from sanpo.services.cash import paying, shops
from sanpo.services.cash.benefits.campaigns import create_campaign, open_campaign
from sanpo.services.cash.benefits.giving import Gift, give
from sanpo.services.cash.benefits.model import CampaignDraft
from sanpo.services.cash.drawing import draw_code
from sanpo.services.cash.model import Line
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.oversight.suspending import suspend_wallet
from sanpo.services.cash.settling.invoices import issue_invoices
from sanpo.services.cash.settling.settling import settle
from sanpo.services.cash.tables import BOM
from sanpo.services.cash.till.form import SaleIsUnclear, read_sale
from tests.journeys.town import Make, sign_in
from tests.services.cash.conftest import Town
from tests.world import OPERATOR

LINES = [Line("コーヒー", "drink", 2, 450, 100), Line("豆", "food", 1, 1080, 80)]


@pytest.fixture
def aya(town: Town, client: Make) -> TestClient[Any]:
    return sign_in(town.city, client, town.aya.resident_id)


@pytest.fixture
def clerk(town: Town, client: Make) -> TestClient[Any]:
    return sign_in(town.city, client, town.world.staff(town.world.company, "analyst").staff_id)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's last form."""
    form = page.rsplit("<form", 1)[1] if page.count("<form") else page
    found = re.findall(r'<input type="hidden" name="([a-z_0-9]+)" value="([^"]*)">', form)
    return {name: value.replace("&amp;", "&") for name, value in found if name != "csrf_token"}


def confirmation(http: TestClient[Any], town: Town, yen: str) -> tuple[str, str]:
    """Address and page of the confirmation, by the shop's typed number."""
    typed = http.get("/cash/pay", params={"code": town.cafe.merchant})
    assert "いくら支払いますか" in typed.text
    page = http.get(typed.url.path, params={"code": shops.printable_code(town.cafe), "yen": yen})
    return typed.url.path, page.text


def test_wallet_shows_balance_payments_and_spending(town: Town, aya: TestClient[Any]) -> None:
    code = paying.show_code(town.city, town.aya).code
    assert town.take(code, 1980, lines=LINES) is Outcome.DONE
    assert town.pay(town.aya, 300) is Outcome.DONE
    page = aya.get("/cash").text
    assert "7,720円" in page
    assert "七日町カフェ" in page
    assert "合計2,280円。いちばん多いのは食料品で1,080円です。" in page
    assert "品目の記録なし" in page
    earlier = aya.get("/cash?month=2020-01-01").text
    assert "この月の支払いはありません" in earlier
    aya.get("/language/en")
    assert "¥7,720" in aya.get("/cash").text


def test_wallet_pages_through_older_payments(town: Town, aya: TestClient[Any]) -> None:
    for yen in range(101, 113):
        assert town.pay(town.aya, yen) is Outcome.DONE
        assert isinstance(town.city.clock, FixedClock)
        town.city.clock.advance(seconds=1)
    first = aya.get("/cash").text
    assert "112円" in first
    assert "102円" not in first
    older = re.search(r'href="(/cash\?before=[^"]+)"', first)
    assert older
    second = aya.get(older[1].split("#")[0]).text
    assert "102円" in second
    assert "112円" not in second


def test_charge_is_made_once_and_says_that_the_bank_is_a_test(town: Town, aya: TestClient[Any]) -> None:
    page = aya.get("/cash/charge").text
    assert "これは試験用の銀行です" in page
    form = {**hidden(page), "yen": "3000", "other": ""}
    for _ in range(2):
        assert "チャージしました" in aya.post("/cash/charge", data=form).text
    assert town.yen(town.aya) == 13_000
    form = {**hidden(aya.get("/cash/charge").text), "yen": "3000", "other": "２，５００円"}
    aya.post("/cash/charge", data=form)
    assert town.yen(town.aya) == 15_500
    refused = aya.post("/cash/charge", data={"charge_id": new_id("chg"), "yen": "", "other": "999999"})
    assert refused.status_code == 422
    assert "財布に入れられる金額を超えています" in refused.text
    empty = aya.post("/cash/charge", data={"charge_id": new_id("chg"), "yen": "", "other": "たくさん"})
    assert "金額を数字で入力してください" in empty.text


def test_payment_by_typed_number_is_confirmed_and_made_once(town: Town, aya: TestClient[Any]) -> None:
    address, page = confirmation(aya, town, "1,200")
    assert "七日町カフェ" in page
    assert "8,800円" in page, "what is left is told before"
    form = hidden(page)
    for _ in range(2):
        done = aya.post(address, data=form)
        assert "支払いました" in done.text
        assert done.url.path == address.replace("/cash/pay/", "/cash/payments/")
    assert town.yen(town.aya) == 8_800
    again = aya.get(address, params={"code": form["code"], "yen": "1200"})
    assert again.url.path.startswith("/cash/payments/"), "the way back leads to the receipt, not to a second payment"


def test_reload_of_the_confirmation_keeps_the_payments_id(town: Town, aya: TestClient[Any]) -> None:
    typed = aya.get("/cash/pay", params={"code": town.cafe.merchant})
    assert aya.get(str(typed.url)).url.path == typed.url.path


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("こんにちは", "支払い用のコードとして読めませんでした"),
        ("1111111111111", "このまちにありません"),
        ("00020101021126190015jp.or.elsewhere52045812530339258025JP5904CAFE6005JAPAN6304", "読めませんでした"),
    ],
)
def test_code_that_cannot_be_paid_is_said_in_words(aya: TestClient[Any], code: str, said: str) -> None:
    page = aya.get("/cash/pay", params={"code": code})
    assert page.status_code == 422
    assert said in page.text


def test_camera_is_allowed_only_where_codes_are_read(aya: TestClient[Any]) -> None:
    assert "camera=(self)" in aya.get("/cash/pay").headers["permissions-policy"]
    assert "camera=()" in aya.get("/cash").headers["permissions-policy"]


def test_too_large_a_payment_is_not_offered_and_refused_in_words(town: Town, aya: TestClient[Any]) -> None:
    address, page = confirmation(aya, town, "20000")
    assert "残高が足りません" in page
    assert "あと10,000円必要です" in page
    refused = aya.post(address, data={"code": shops.printable_code(town.cafe), "yen": "20000"})
    assert refused.status_code == 409
    assert "支払われていません" in refused.text
    assert "チャージしてから" in refused.text


def test_every_outcome_has_words_and_what_to_do_next(town: Town) -> None:
    for lang in ("ja", "en"):
        for outcome in Outcome:
            assert town.city.words.has(lang, f"cash.outcome.{outcome.value}")
            assert town.city.words.has(lang, f"cash.next.{outcome.value}")


def test_shown_code_is_taken_at_the_till_and_its_page_leads_on(
    town: Town, aya: TestClient[Any], clerk: TestClient[Any]
) -> None:
    shown = aya.post("/cash/code").text
    digits = re.search(r'class="digits">([0-9 ]+)<', shown)
    asks = re.search(r'hx-get="([^"]+)"', shown)
    assert digits
    assert asks
    waiting = aya.get(asks[1], headers={"hx-request": "true"})
    assert (waiting.status_code, waiting.headers.get("hx-redirect")) == (204, None)

    sale = {"yen": "", "item_1": "コーヒー", "quantity_1": "2", "price_1": "450", "tax_1": "100", "category_1": "drink"}
    page = clerk.post(f"/cash/till/{town.cafe.shop_id}", data={**sale, "step": "read"}).text
    form = {**hidden(page), "code": digits[1]}
    for _ in range(2):
        taken = clerk.post(f"/cash/till/{town.cafe.shop_id}/take", data=form)
        assert "受け取りました" in taken.text
        assert "コーヒー" in taken.text
    assert town.yen(town.aya) == 9_100
    led = aya.get(asks[1], headers={"hx-request": "true"}).headers["hx-redirect"]
    receipt = aya.get(led).text
    assert "支払いました" in receipt
    assert "うち消費税（10 %対象 900円）" in receipt
    assert "81円" in receipt

    wide = digits[1].translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert clerk.post(f"/cash/till/{town.cafe.shop_id}/take", data={**form, "code": wide}).status_code == 200

    used = clerk.post(f"/cash/till/{town.cafe.shop_id}/take", data={**form, "payment_id": new_id("pay")})
    assert used.status_code == 409
    assert "使用済みです" in used.text


def test_bill_waits_until_it_is_paid(town: Town, aya: TestClient[Any], clerk: TestClient[Any]) -> None:
    bill = clerk.post(f"/cash/till/{town.cafe.shop_id}", data={"yen": "880", "step": "show"})
    assert "支払いを待っています" in bill.text
    assert "<svg" in bill.text
    assert clerk.get(f"{bill.url.path}/paid", headers={"hx-request": "true"}).status_code == 204
    assert clerk.get(f"{bill.url.path}/paid").url.path == bill.url.path

    shop = town.cafe
    payload = str(paying.code_of_bill(shop, bill.url.path.rsplit("/", 1)[1], 880))
    page = aya.get("/cash/pay", params={"code": payload})
    assert "880円を支払う" in page.text
    paid = aya.post(page.url.path, data=hidden(page.text))
    assert "支払いました" in paid.text

    led = clerk.get(f"{bill.url.path}/paid", headers={"hx-request": "true"}).headers["hx-redirect"]
    assert "受け取りました" in clerk.get(led).text
    assert "受け取りました" in clerk.get(bill.url.path).text, "without script a reload tells it"


def test_bill_whose_time_is_over_says_so(town: Town, clerk: TestClient[Any], aya: TestClient[Any]) -> None:
    bill = clerk.post(f"/cash/till/{town.cafe.shop_id}", data={"yen": "880", "step": "show"})
    payload = str(paying.code_of_bill(town.cafe, bill.url.path.rsplit("/", 1)[1], 880))
    assert isinstance(town.city.clock, FixedClock)
    town.city.clock.advance(minutes=16)
    assert "期限が過ぎました" in clerk.get(bill.url.path).text
    page = aya.get("/cash/pay", params={"code": payload})
    refused = aya.post(page.url.path, data=hidden(page.text))
    assert "新しいコードを読み取ってください" in refused.text


def test_till_keeps_what_was_filled_in_and_says_what_is_missing(town: Town, clerk: TestClient[Any]) -> None:
    address = f"/cash/till/{town.cafe.shop_id}"
    assert "1円以上の金額か" in clerk.post(address, data={"yen": "", "step": "show"}).text
    more = clerk.post(address, data={"item_1": "豆", "price_1": "1080", "step": "more"}).text
    assert 'value="豆"' in more
    assert 'name="item_6"' in more
    assert (
        "品目の合計と違います"
        in clerk.post(address, data={"yen": "5", "item_1": "豆", "price_1": "1080", "step": "show"}).text
    )
    assert "名前と単価" in clerk.post(address, data={"item_1": "豆", "step": "show"}).text


def test_sale_of_the_form_is_read_as_people_write() -> None:
    sale = read_sale(
        {"item_2": "パン", "price_2": "￥１，２００", "quantity_2": "２", "tax_2": "80", "category_2": "food"}
    )
    assert (sale.amount_yen, sale.lines) == (2400, (Line("パン", "food", 2, 1200, 80),))
    with pytest.raises(SaleIsUnclear):
        read_sale({"item_1": "パン", "price_1": "100", "tax_1": "55"})


def test_refund_is_made_once_and_shows_in_the_day(town: Town, clerk: TestClient[Any], aya: TestClient[Any]) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 1000, payment_id=payment_id) is Outcome.DONE
    address = f"/cash/till/{town.cafe.shop_id}/refunds/{payment_id}"
    form = {**hidden(clerk.get(address).text), "yen": "400"}
    for _ in range(2):
        assert "返金しました" in clerk.post(address, data=form).text
    assert town.yen(town.aya) == 9_400
    too_much = clerk.post(address, data={"refund_id": new_id("rfd"), "yen": "601"})
    assert "支払われた金額より多くは返せません" in too_much.text
    day = clerk.get(f"/cash/till/{town.cafe.shop_id}/day").text
    assert "返金 400円" in day
    assert "600円" in day
    assert "一部返金済み" in aya.get(f"/cash/payments/{payment_id}").text
    assert aya.get(address).status_code == 403


def test_day_is_told_by_hour_and_as_a_file(town: Town, client: Make) -> None:
    first, second = new_id("pay"), new_id("pay")
    town.pay(town.aya, 500, payment_id=first)
    town.city.clock.advance(hours=2)  # type: ignore[attr-defined]
    town.pay(town.aya, 700, payment_id=second)
    local = town.city.now().astimezone(town.city.settings.zone)
    clerk = sign_in(town.city, client, town.world.staff(town.world.company, "analyst").staff_id)
    page = clerk.get(f"/cash/till/{town.cafe.shop_id}/day?day={local.date()}").text
    assert f"いちばん多かったのは{local.hour}時台で700円です" in page
    file = clerk.get(f"/cash/till/{town.cafe.shop_id}/day.csv?day={local.date()}")
    assert file.headers["content-type"].startswith("text/csv")
    rows = file.text.removeprefix(BOM).splitlines()
    assert rows[0] == "time,kind,payment_id,amount_yen,way"
    assert rows[2] == f"{local.isoformat(timespec='seconds')},sale,{second},700,static"
    empty = clerk.get(f"/cash/till/{town.cafe.shop_id}/day?day={local.date() - timedelta(days=3)}").text
    assert "この日の売上はありません" in empty


def test_receipt_comes_as_plain_text(town: Town, aya: TestClient[Any]) -> None:
    payment_id = new_id("pay")
    code = paying.show_code(town.city, town.aya).code
    town.take(code, 1980, payment_id, lines=LINES)
    text = aya.get(f"/cash/payments/{payment_id}/receipt.txt").text
    assert "コーヒー  450円 × 2  900円  (10 %)" in text
    assert "うち消費税（8 %対象 1,080円）  80円" in text
    assert payment_id in text


def test_pages_are_for_their_own_people_only(town: Town, client: Make, aya: TestClient[Any]) -> None:
    payment_id = new_id("pay")
    town.pay(town.aya, 300, payment_id=payment_id)
    ben = sign_in(town.city, client, town.ben.resident_id)
    other = sign_in(town.city, client, town.world.staff(town.world.university, "analyst").staff_id)
    till = f"/cash/till/{town.cafe.shop_id}"
    receipt = f"/cash/payments/{payment_id}"
    assert [ben.get(receipt).status_code, other.get(receipt).status_code] == [404, 404]
    for path in (
        "",
        "/day",
        "/day.csv?day=2026-01-01",
        "/poster",
        f"/refunds/{payment_id}",
        "/bills/bil_1",
        "/bills/bil_1/paid",
    ):
        assert other.get(till + path).status_code == 403, path
        assert aya.get(till + path).status_code == 403, path
    for path in ("/cash", "/cash/pay", "/cash/charge", "/cash/code", receipt):
        assert client().get(path).status_code == 401, path
    for path in ("/cash", "/cash/pay", "/cash/charge", "/cash/code"):
        assert other.get(path).status_code == 403, path
    assert other.get("/cash/till").status_code == 200
    assert "お店がまだ登録されていません" in other.get("/cash/till").text


def test_staff_of_one_shop_come_to_its_till_at_once(town: Town, clerk: TestClient[Any]) -> None:
    assert clerk.get("/cash/till").url.path == f"/cash/till/{town.cafe.shop_id}"
    poster = clerk.get(f"/cash/till/{town.cafe.shop_id}/poster").text
    assert "統一QR" in poster
    assert " ".join(re.findall(".{1,4}", town.cafe.merchant)) in poster


def test_picture_of_a_code_breaks_no_content_policy(town: Town) -> None:
    drawn = str(draw_code(shops.printable_code(town.cafe)))
    assert drawn.startswith("<svg")
    assert "style" not in drawn
    assert "<script" not in drawn


def campaign(town: Town, **more: Any) -> str:
    """An open one of the city's money; returns its id."""
    today = town.city.now().astimezone(town.city.settings.zone).date()
    names = {"name_ja": "くらし応援券", "name_en": "Voucher"}
    days = {"first_day": today, "last_day": today + timedelta(days=30)}
    made = create_campaign(town.city, OPERATOR, CampaignDraft(**names, **days, budget_yen=100_000, **more))
    open_campaign(town.city, OPERATOR, made.campaign_id)
    return made.campaign_id


def test_voucher_shows_in_the_wallet_and_pays_first(town: Town, aya: TestClient[Any], clerk: TestClient[Any]) -> None:
    given = campaign(town, amount_yen=3000, shop_ids=[town.cafe.shop_id])
    give(town.city, OPERATOR, given, Gift(residents=[town.aya.resident_id]))
    page = aya.get("/cash").text
    assert "くらし応援券" in page
    assert "ほかにポイント・商品券が3,000円あります" in page
    assert "使えるお店：七日町カフェ" in page
    address, confirm = confirmation(aya, town, "12500")
    assert "ポイント・商品券から" in confirm
    assert "9,500円" in confirm, "what the wallet gives"
    assert "500円" in confirm, "what is left in it"
    receipt = aya.post(address, data=hidden(confirm)).text
    assert "ポイント・商品券から" in receipt
    assert town.yen(town.aya) == 500
    assert "ポイント・商品券から" not in clerk.get(address.replace("/pay/", "/payments/")).text, (
        "not the shop's to know"
    )


def test_campaign_is_claimed_on_the_wallet_once(town: Town, aya: TestClient[Any]) -> None:
    given = campaign(town, amount_yen=1000, by_claim=True)
    assert "1,000円を受け取れます" in aya.get("/cash").text
    assert "申し込みました" in aya.post(f"/cash/campaigns/{given}/claim").text
    assert "すでに申し込んでいます" in aya.post(f"/cash/campaigns/{given}/claim").text
    assert "まちのどのお店でも" in aya.get("/cash").text


def test_officer_registers_suspends_and_reopens_a_shop(town: Town, client: Make, aya: TestClient[Any]) -> None:
    officer = sign_in(town.city, client, town.world.officer.staff_id)
    assert "七日町カフェ" in officer.get("/cash/shops").text
    form = {
        "organisation_id": town.world.university.organisation_id,
        "local_name": "大学生協",
        "name": "COOP",
        "category": "5411",
        "district": "城北",
        "merchant": "",
    }
    assert "「業種の番号」を確かめて" in officer.post("/cash/shops", data={**form, "category": "54"}).text
    for unknown in ("org_1", new_id("org")):
        kept = officer.post("/cash/shops", data={**form, "organisation_id": unknown})
        assert "「受け取る組織の番号」を確かめて" in kept.text
        assert 'value="大学生協"' in kept.text
    made = officer.post("/cash/shops", data=form)
    assert "登録しました" in made.text
    shop = shops.list_shops(town.city)[-1]
    assert (shop.local_name, shop.state) == ("大学生協", "open")
    assert officer.get(f"/cash/till/{shop.shop_id}/poster").status_code == 200

    assert "理由を書いてください" in officer.post(made.url.path, data={"state": "suspended", "reason": " "}).text
    assert "停止しました" in officer.post(made.url.path, data={"state": "suspended", "reason": "届け出の確認中"}).text
    asked = aya.get("/cash/pay", params={"code": shop.merchant})
    page = aya.get(f"{asked.url}&yen=100").text
    assert "いま支払いを受け付けていません" in page
    assert "届け出の確認中" in page
    assert "再開しました" in officer.post(made.url.path, data={"state": "open"}).text


def test_register_of_shops_is_for_officers(town: Town, clerk: TestClient[Any], aya: TestClient[Any]) -> None:
    for path in ("/cash/shops", f"/cash/shops/{town.cafe.shop_id}"):
        assert [clerk.get(path).status_code, aya.get(path).status_code] == [403, 403]
        assert [http.post(path, data={"state": "closed", "reason": "x"}).status_code for http in (clerk, aya)] == [
            403,
            403,
        ]


def test_invoice_is_a_page_for_the_shop_and_for_officers(town: Town, client: Make) -> None:
    assert town.pay(town.aya, 5000) is Outcome.DONE
    paid_on = town.city.now().astimezone(town.city.settings.zone).date()
    clock = town.city.clock
    assert isinstance(clock, FixedClock)
    clock.advance(days=1)
    settle(town.city, OPERATOR)
    clock.advance(days=31)
    settle(town.city, OPERATOR)
    [invoice] = issue_invoices(town.city, OPERATOR, paid_on)
    clerk = sign_in(town.city, client, town.world.staff(town.world.company, "analyst").staff_id)
    officer = sign_in(town.city, client, town.world.officer.staff_id)
    other = sign_in(town.city, client, town.world.staff(town.world.university, "analyst").staff_id)
    for http in (clerk, officer):
        listed = http.get(f"/cash/till/{town.cafe.shop_id}/invoices").text
        assert f"/cash/invoices/{invoice.invoice_id}" in listed
        page = http.get(f"/cash/invoices/{invoice.invoice_id}").text
        assert "七日町カフェ 御中" in page
        assert "100円" in page, "two per cent of 5,000 yen"
        assert "うち消費税（10 %対象 100円）" in page
        assert "9円" in page
        file = re.search(r'href="(/api/cash/shops/[^"]+/statement/csv[^"]+)"', page)
        assert file
        assert http.get(file[1].replace("&amp;", "&")).status_code == 200
    assert other.get(f"/cash/till/{town.cafe.shop_id}/invoices").status_code == 403
    assert other.get(f"/cash/invoices/{invoice.invoice_id}").status_code == 404


def test_payment_from_a_stopped_wallet_says_where_to_ask(town: Town, aya: TestClient[Any]) -> None:
    suspend_wallet(town.city, OPERATOR, town.aya.resident_id, "本人確認中")
    assert "本人確認中" in aya.get("/cash").text
    address, confirm = confirmation(aya, town, "100")
    assert "市の窓口に問い合わせてください" in aya.post(address, data=hidden(confirm)).text


def test_old_receipt_is_not_shown_as_a_new_payment(town: Town, client: Make) -> None:
    payment_id = new_id("pay")
    town.pay(town.aya, 300, payment_id=payment_id)
    aya = sign_in(town.city, client, town.aya.resident_id)
    clerk = sign_in(town.city, client, town.world.staff(town.world.company, "analyst").staff_id)
    receipt = f"/cash/payments/{payment_id}"
    assert "支払いました" in aya.get(f"{receipt}?done=paid").text
    assert "受け取りました" in clerk.get(f"{receipt}?done=taken").text
    for done in ("taken", "refunded"):
        assert 'role="status"' not in aya.get(f"{receipt}?done={done}").text, "not the payer's to say"
    assert "返金しました" not in clerk.get(f"{receipt}?done=refunded").text
    assert isinstance(town.city.clock, FixedClock)
    town.city.clock.advance(minutes=4)
    assert "支払いました" not in aya.get(f"{receipt}?done=paid").text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_day_beyond_all_reach_shows_the_nearest(
    town: Town, aya: TestClient[Any], clerk: TestClient[Any], day: str
) -> None:
    till = f"/cash/till/{town.cafe.shop_id}"
    assert aya.get("/cash", params={"month": day}).status_code == 200
    assert clerk.get(f"{till}/day", params={"day": day}).status_code == 200
    assert clerk.get(f"{till}/day.csv", params={"day": day}).status_code == 200


def test_code_that_was_taken_is_found_since_a_moment_without_an_offset(town: Town, aya: TestClient[Any]) -> None:
    assert town.take(paying.show_code(town.city, town.aya).code, 500) is Outcome.DONE
    found = aya.get("/cash/code/paid", params={"since": "2000-01-01T00:00:00"}, follow_redirects=False)
    assert (found.status_code, found.headers["location"][:15]) == (303, "/cash/payments/")


@pytest.mark.parametrize("name", ["item_²", "item_" + "9" * 5_000, "item_x"])
def test_field_of_the_till_that_is_none_is_passed_over(name: str) -> None:
    assert read_sale({name: "x", "yen": "300"}).amount_yen == 300

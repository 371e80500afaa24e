"""Wallet, charging, receipts."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.ground.problems import language_of
from sanpo.ground.web import render
from sanpo.services.cash import view
from sanpo.services.cash.asking import read_yen
from sanpo.services.cash.benefits.campaigns import list_campaigns
from sanpo.services.cash.benefits.giving import claim
from sanpo.services.cash.benefits.holdings import benefits_of
from sanpo.services.cash.benefits.model import Campaign
from sanpo.services.cash.model import MOST_YEN, rules
from sanpo.services.cash.oversight.suspending import find_news
from sanpo.services.cash.records.model import Receipt
from sanpo.services.cash.records.reading import day_in_reach, read_receipt, read_spending
from sanpo.services.cash.shops import list_shops
from sanpo.services.cash.wallets import balance_yen, charge, list_payments

Web = Request[Any, Any, Any]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LATEST = 10
SHOPS_TO_TRY = 3
FRESH = timedelta(minutes=3)
CHARGES_YEN = (1_000, 3_000, 5_000, 10_000)


@get("/cash", sync_to_thread=True, include_in_schema=False)
def get_wallet(
    request: Web, city: City, actor: Actor, month: date | None = None, before: datetime | None = None, done: str = ""
) -> Response[str]:
    """What is in the wallet, what to do with it, the latest payments, and on what a month's money went."""
    t = words_of(request, city)
    today = city.now().astimezone(city.settings.zone).date()
    spending = read_spending(city, actor, day_in_reach(city, month))
    payments = list_payments(city, actor, before=before, limit=LATEST + 1)
    return render(
        request,
        "cash/wallet.html",
        balance_yen=balance_yen(city, actor),
        benefits=benefits_of(city, actor),
        campaigns=open_to_claim(city),
        shops={shop.shop_id: shop.local_name for shop in list_shops(city)},
        payments=payments[:LATEST],
        older=payments[LATEST - 1].paid_at if len(payments) > LATEST else None,
        is_newest=before is None,
        spending=spending,
        spending_chart=view.spending_chart(t, spending) if spending.by_category else None,
        month_before=spending.first - timedelta(days=1),
        month_after=None if spending.first == today.replace(day=1) else spending.first + timedelta(days=31),
        done=done if done in ("charged", "claimed", "claimed_before") else "",
        news=find_news(city, actor),
        to_try=list_shops(city)[:SHOPS_TO_TRY] if city.settings.mode == "demo" else [],
        view=view,
    )


@get("/cash/charge", sync_to_thread=True, include_in_schema=False)
def get_charge(request: Web, city: City, actor: Actor) -> Response[str]:
    """How much to put into the wallet."""
    return _charge_page(request, city, actor, new_id("chg"))


@post("/cash/charge", sync_to_thread=True, include_in_schema=False)
def post_charge(request: Web, city: City, actor: Actor, data: Form) -> Response[str] | Redirect:
    """Charges once, however often the form is sent."""
    charge_id = data.get("charge_id", "")
    yen = read_yen(data.get("other", "").strip() or data.get("yen", ""))
    if yen is None or not 1 <= yen <= MOST_YEN:
        return _charge_page(request, city, actor, charge_id, "cash.charge.amount_missing")
    outcome = charge(city, actor, charge_id, yen)
    if outcome.is_good:
        return Redirect("/cash?done=charged", status_code=303)
    return _charge_page(request, city, actor, charge_id, f"cash.outcome.{outcome.value}")


@post("/cash/campaigns/{campaign_id:str}/claim", sync_to_thread=True, include_in_schema=False)
def post_claim(city: City, actor: Actor, campaign_id: str) -> Redirect:
    """What a campaign gives is asked for, once."""
    given = claim(city, actor, campaign_id)
    return Redirect(f"/cash?done={'claimed' if given.residents else 'claimed_before'}#benefits", status_code=303)


@get("/cash/payments/{payment_id:str}", sync_to_thread=True, include_in_schema=False)
def get_receipt(request: Web, city: City, actor: Actor, payment_id: str, done: str = "") -> Response[str]:
    """A payment as its receipt, for who paid and for who was paid; right after it was made it says so."""
    receipt = read_receipt(city, actor, payment_id)
    t = words_of(request, city)
    return render(
        request,
        "cash/receipt.html",
        receipt=receipt,
        paid=receipt.payment,
        rows=view.line_rows(t, list(receipt.lines)),
        is_shop=not isinstance(actor, Resident),
        done=_just_done(city, actor, receipt, done),
        view=view,
    )


@get("/cash/payments/{payment_id:str}/receipt.txt", sync_to_thread=True, include_in_schema=False)
def get_receipt_text(request: Web, city: City, actor: Actor, payment_id: str) -> Response[str]:
    """The receipt as plain text."""
    receipt = read_receipt(city, actor, payment_id)
    lang, t = language_of(request), words_of(request, city)

    def moment(at: datetime) -> str:
        return at.astimezone(city.settings.zone).strftime(t("portal.format.moment"))

    refunds = [
        f"{t('cash.receipt.refunded')}  {moment(one.refunded_at)}  -{view.money(t, one.amount_yen)}"
        for one in receipt.refunds
    ]
    paid_at = moment(receipt.payment.paid_at)
    name = city.settings.city_name(lang)
    text = view.receipt_text(t, receipt, city_name=name, paid_at=paid_at, refunds=refunds)
    return Response(text, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


def open_to_claim(city: City) -> list[Campaign]:
    """Campaigns that a resident may ask for today."""
    today = city.now().astimezone(city.settings.zone).date()
    return [one for one in list_campaigns(city, "open") if one.by_claim and one.is_open_on(today)]


def words_of(request: Web, city: City) -> Callable[..., str]:
    """The words of the reader's language."""
    return partial(city.words.text, language_of(request))


def _just_done(city: City, actor: Actor, receipt: Receipt, done: str) -> str:
    """What the page may say was done: only while it is fresh, so that no old receipt is shown to a shop as a new payment."""
    moments = {"refunded": [one.refunded_at for one in receipt.refunds]}
    latest = max(moments.get(done, [receipt.payment.paid_at]), default=datetime.min.replace(tzinfo=UTC))
    allowed = ("paid",) if isinstance(actor, Resident) else ("taken", "refunded")
    return done if done in allowed and city.now() - latest < FRESH else ""


def _charge_page(request: Web, city: City, actor: Actor, charge_id: str, problem: str = "") -> Response[str]:
    require(actor, Resident)
    return render(
        request,
        "cash/charge.html",
        status=422 if problem else 200,
        charge_id=charge_id,
        choices=CHARGES_YEN,
        balance_yen=balance_yen(city, actor),
        limit_yen=rules().wallet_limit_yen,
        is_test=city.settings.mode != "production",
        problem=problem,
        view=view,
    )


handlers: list[Any] = [get_wallet, get_charge, post_charge, post_claim, get_receipt, get_receipt_text]

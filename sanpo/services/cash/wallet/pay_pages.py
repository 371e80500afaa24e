"""Paying: by the shop's code, scanned or typed, and by the code that a resident shows.

A payment's id is made when the confirmation is first shown and stays in its address: two taps, a reload and a way back all
name the same payment, which is made once.
"""

from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter
from litestar.response import Redirect

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, NotFound
from sanpo.ground.ids import check_id, new_id
from sanpo.ground.problems import language_of
from sanpo.ground.web import render
from sanpo.services.cash import view
from sanpo.services.cash.asking import Asked, on_city_clock, read_code, read_yen
from sanpo.services.cash.benefits.holdings import benefits_of, usable_yen
from sanpo.services.cash.drawing import draw_code
from sanpo.services.cash.emv import MAX_CHARACTERS, QrIsNotJpqr
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.paying import get_payment, pay, show_code
from sanpo.services.cash.wallets import balance_yen, list_payments

Web = Request[Any, Any, Any]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Code = Annotated[str, QueryParameter(max_length=2 * MAX_CHARACTERS)]
SCANS = {"Permissions-Policy": "camera=(self), geolocation=(), microphone=()"}
"""Sent by the pages that read a code with the camera; all others forbid it."""


@get("/cash/pay", sync_to_thread=True, include_in_schema=False)
def get_pay(request: Web, city: City, actor: Actor, code: Code = "") -> Response[str] | Redirect:
    """Where a code is scanned or typed; what was read goes on to the confirmation of a new payment."""
    require(actor, Resident)
    if not code.strip():
        return _scan_page(request)
    try:
        asked = read_code(city, code)
    except DomainError as error:
        return _scan_page(request, typed=code, problem=_told(request, city, error))
    return Redirect(f"/cash/pay/{new_id('pay')}", query_params={"code": asked.payload}, status_code=303)


@get("/cash/pay/{payment_id:str}", sync_to_thread=True, include_in_schema=False)
def get_confirm(
    request: Web, city: City, actor: Actor, payment_id: str, code: Code = "", yen: str = ""
) -> Response[str] | Redirect:
    """Whom and how much, before money moves; a payment that was made already shows its receipt."""
    require(actor, Resident)
    check_id("pay", payment_id)
    try:
        get_payment(city, actor, payment_id)
        return Redirect(f"/cash/payments/{payment_id}", status_code=303)
    except NotFound:
        pass
    try:
        asked = read_code(city, code)
    except DomainError as error:
        return _scan_page(request, problem=_told(request, city, error))
    amount = asked.amount_yen if asked.amount_yen is not None else read_yen(yen)
    if not amount:
        problem = "cash.pay.amount_missing" if yen else ""
        return _page(request, "cash/amount.html", asked, payment_id=payment_id, problem=problem)
    by_benefits = min(amount, usable_yen(benefits_of(city, actor), asked.shop.shop_id))
    return _page(
        request,
        "cash/confirm.html",
        asked,
        payment_id=payment_id,
        yen=amount,
        benefits_yen=by_benefits,
        money_yen=amount - by_benefits,
        balance_yen=balance_yen(city, actor),
        change=f"/cash/pay/{payment_id}" if asked.amount_yen is None else None,
    )


@post("/cash/pay/{payment_id:str}", sync_to_thread=True, include_in_schema=False)
def post_pay(request: Web, city: City, actor: Actor, payment_id: str, data: Form) -> Response[str] | Redirect:
    """Pays; sent again it shows what became of it the first time."""
    outcome = pay(city, actor, payment_id, data.get("code", ""), read_yen(data.get("yen", "")))
    if outcome.is_good:
        return Redirect(f"/cash/payments/{payment_id}?done=paid", status_code=303)
    return render(request, "cash/refused.html", status=409, outcome=outcome, back="/cash/pay")


@get("/cash/code", sync_to_thread=True, include_in_schema=False)
def get_code(request: Web, actor: Actor) -> Response[str]:
    """What showing a code is, and the button that makes one."""
    require(actor, Resident)
    return render(request, "cash/code.html", shown=None)


@post("/cash/code", sync_to_thread=True, include_in_schema=False)
def post_code(request: Web, city: City, actor: Actor) -> Response[str]:
    """A new code to show to a till; the one before ends."""
    since = city.now()
    shown = show_code(city, actor)
    return render(
        request,
        "cash/code.html",
        shown=shown,
        since=since,
        picture=draw_code(shown.code),
        digits=view.grouped(shown.code),
    )


def lead_on(request: Web, payment_id: str | None, done: str, waiting: str) -> Response[None] | Redirect:
    """For a page that waits for a payment: leads to its receipt once it was made. A link does the same without script."""
    address = f"/cash/payments/{payment_id}?done={done}" if payment_id else None
    if request.headers.get("hx-request") != "true":
        return Redirect(address or waiting, status_code=303)
    return Response(None, status_code=204, headers={"HX-Redirect": address} if address else {})


@get("/cash/code/paid", sync_to_thread=True, include_in_schema=False)
def get_code_paid(request: Web, city: City, actor: Actor, since: datetime) -> Response[None] | Redirect:
    """Asked by the page that shows a code: once a till has taken it, leads to the receipt."""
    latest = next((one for one in list_payments(city, actor, limit=1) if one.way == "code"), None)
    is_new = latest is not None and latest.paid_at >= on_city_clock(city, since)
    return lead_on(request, latest.payment_id if latest and is_new else None, "paid", "/cash/code")


def _told(request: Web, city: City, error: DomainError) -> str:
    """Without tags and numbers, which help nobody at a till."""
    match error:
        case NotFound():
            key = f"cash.outcome.{Outcome.SHOP_NOT_FOUND.value}"
        case QrIsNotJpqr():
            key = "cash.pay.not_jpqr"
        case _:
            key = "cash.pay.no_code"
    return city.words.text(language_of(request), key)


def _scan_page(request: Web, *, typed: str = "", problem: str = "") -> Response[str]:
    page = render(request, "cash/pay.html", status=422 if problem else 200, typed=typed, problem=problem)
    page.headers.update(SCANS)
    return page


def _page(request: Web, template: str, asked: Asked, **more: Any) -> Response[str]:
    return render(request, template, asked=asked, view=view, **more)


handlers: list[Any] = [get_pay, get_confirm, post_pay, get_code, post_code, get_code_paid]

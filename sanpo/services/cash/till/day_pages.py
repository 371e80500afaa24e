"""A shop's day: what it sold and gave back, refunds, the file for its books, and the code that hangs on its wall."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.ground.web import render
from sanpo.services.cash import view
from sanpo.services.cash.asking import read_yen
from sanpo.services.cash.drawing import draw_code
from sanpo.services.cash.paying import refund
from sanpo.services.cash.records.model import ShopDay
from sanpo.services.cash.records.reading import day_in_reach, read_day, read_receipt
from sanpo.services.cash.settling.model import terms
from sanpo.services.cash.settling.settling import check_reader, list_settlements
from sanpo.services.cash.shops import get_shop, printable_code
from sanpo.services.cash.tables import to_csv
from sanpo.services.cash.till.pages import open_till
from sanpo.services.cash.wallet.pages import words_of

Web = Request[Any, Any, Any]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
SHOWN = 100
COLUMNS = ("time", "kind", "payment_id", "amount_yen", "way")


@get("/cash/till/{shop_id:str}/day", sync_to_thread=True, include_in_schema=False)
def get_day(request: Web, city: City, actor: Actor, shop_id: str, day: date | None = None) -> Response[str]:
    """The sales of a day, its refunds and its hours."""
    shop = open_till(city, actor, shop_id)
    today = city.now().astimezone(city.settings.zone).date()
    shown = read_day(city, actor, shop, day_in_reach(city, day))
    t, zone = words_of(request, city), city.settings.zone
    return render(
        request,
        "cash/day.html",
        shop=shop,
        day=shown,
        sales=shown.sales[:SHOWN],
        chart=view.hours_chart(t, shown, zone) if shown.sales else None,
        settlement=next(iter(list_settlements(city, actor, shop_id, shown.day, shown.day)), None),
        closing_hour=terms().closing_hour,
        before=shown.day - timedelta(days=1),
        after=shown.day + timedelta(days=1) if shown.day < today else None,
        view=view,
    )


@get("/cash/till/{shop_id:str}/day.csv", sync_to_thread=True, include_in_schema=False)
def get_day_file(city: City, actor: Actor, shop_id: str, day: date) -> Response[bytes]:
    """The same for the shop's books: a row for each sale and refund, in the order in which they were."""
    shown = read_day(city, actor, open_till(city, actor, shop_id), day_in_reach(city, day))
    table = to_csv(COLUMNS, sorted(_rows(shown, city)), bom=True)
    headers = {"Content-Disposition": f'attachment; filename="sales-{shown.day}.csv"', "Cache-Control": "no-store"}
    return Response(table, media_type="text/csv; charset=utf-8", headers=headers)


@get("/cash/till/{shop_id:str}/refunds/{payment_id:str}", sync_to_thread=True, include_in_schema=False)
def get_refund(request: Web, city: City, actor: Actor, shop_id: str, payment_id: str) -> Response[str]:
    """How much of a sale to give back: all that is left of it, or less."""
    return _refund_page(request, city, actor, shop_id, payment_id, refund_id=new_id("rfd"))


@post("/cash/till/{shop_id:str}/refunds/{payment_id:str}", sync_to_thread=True, include_in_schema=False)
def post_refund(
    request: Web, city: City, actor: Actor, shop_id: str, payment_id: str, data: Form
) -> Response[str] | Redirect:
    """Gives back once, however often the form is sent."""
    refund_id, yen = data.get("refund_id", ""), read_yen(data.get("yen", ""))
    if not yen:
        return _refund_page(
            request, city, actor, shop_id, payment_id, refund_id=refund_id, problem="cash.refund.amount_missing"
        )
    outcome = refund(city, actor, refund_id, payment_id, yen)
    if outcome.is_good:
        return Redirect(f"/cash/payments/{payment_id}?done=refunded", status_code=303)
    problem = f"cash.outcome.{outcome.value}"
    return _refund_page(request, city, actor, shop_id, payment_id, refund_id=refund_id, problem=problem)


@get("/cash/till/{shop_id:str}/poster", sync_to_thread=True, include_in_schema=False)
def get_poster(request: Web, city: City, actor: Actor, shop_id: str) -> Response[str]:
    """The shop's code to print on A5 and hang up; for officers too, who register shops."""
    check_reader(city, actor, shop_id)
    shop = get_shop(city, shop_id)
    picture = draw_code(printable_code(shop))
    return render(request, "cash/poster.html", shop=shop, picture=picture, merchant=view.grouped(shop.merchant))


def _rows(day: ShopDay, city: City) -> Iterator[list[Any]]:
    def clock(moment: Any) -> str:
        return str(moment.astimezone(city.settings.zone).isoformat(timespec="seconds"))

    for sale in day.sales:
        yield [clock(sale.paid_at), "sale", sale.payment_id, sale.amount_yen, sale.way]
    for one in day.refunds:
        yield [clock(one.refunded_at), "refund", one.payment_id, -one.amount_yen, ""]


def _refund_page(
    request: Web, city: City, actor: Actor, shop_id: str, payment_id: str, *, refund_id: str, problem: str = ""
) -> Response[str]:
    shop = open_till(city, actor, shop_id)
    receipt = read_receipt(city, actor, payment_id)
    return render(
        request,
        "cash/refund.html",
        status=422 if problem else 200,
        shop=shop,
        receipt=receipt,
        left_yen=receipt.payment.amount_yen - receipt.payment.refunded_yen,
        refund_id=refund_id,
        problem=problem,
        view=view,
    )


handlers: list[Any] = [get_day, get_day_file, get_refund, post_refund, get_poster]

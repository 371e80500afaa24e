"""The till: what is to be paid, by the till's code or by the customer's."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sanpo.ground.actors import Actor, Staff, require
from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.ground.web import render
from sanpo.services.cash import view
from sanpo.services.cash.asking import read_digits
from sanpo.services.cash.drawing import draw_code
from sanpo.services.cash.model import Shop
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.paying import make_bill, take
from sanpo.services.cash.records.reading import read_bill
from sanpo.services.cash.shops import check_till, get_shop, list_shops
from sanpo.services.cash.till import form
from sanpo.services.cash.wallet.pay_pages import SCANS, lead_on

Web = Request[Any, Any, Any]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/cash/till", sync_to_thread=True, include_in_schema=False)
def get_tills(request: Web, city: City, actor: Actor) -> Response[str] | Redirect:
    """The shops at whose till the actor may stand; one alone opens at once."""
    shops = list_shops(city, require(actor, Staff).organisation_no)
    if len(shops) == 1:
        return Redirect(f"/cash/till/{shops[0].shop_id}", status_code=303)
    return render(request, "cash/tills.html", shops=shops)


@get("/cash/till/{shop_id:str}", sync_to_thread=True, include_in_schema=False)
def get_till(request: Web, city: City, actor: Actor, shop_id: str) -> Response[str]:
    """An empty form."""
    return _form_page(request, open_till(city, actor, shop_id), {})


@post("/cash/till/{shop_id:str}", sync_to_thread=True, include_in_schema=False)
def post_till(request: Web, city: City, actor: Actor, shop_id: str, data: Form) -> Response[str] | Redirect:
    """Goes on with what was filled in: more rows, the till's code, or the customer's."""
    shop = open_till(city, actor, shop_id)
    if data.get("step") == "more":
        return _form_page(request, shop, data, more=form.MORE_ROWS)
    try:
        sale = form.read_sale(data)
    except form.SaleIsUnclear as unclear:
        return _form_page(request, shop, data, problem=unclear.key)
    if data.get("step") == "read":
        return _read_page(request, shop, data, sale, payment_id=new_id("pay"))
    code = make_bill(city, actor, shop_id, sale.amount_yen, sale.lines)
    reference = next(each.find("01") for each in code.objects if each.tag == "62")
    return Redirect(f"/cash/till/{shop_id}/bills/bil_{reference}", status_code=303)


@post("/cash/till/{shop_id:str}/take", sync_to_thread=True, include_in_schema=False)
def post_take(request: Web, city: City, actor: Actor, shop_id: str, data: Form) -> Response[str] | Redirect:
    """Takes the payment by the customer's code; sent again it takes nothing more."""
    shop = open_till(city, actor, shop_id)
    try:
        sale = form.read_sale(data)
    except form.SaleIsUnclear as unclear:
        return _form_page(request, shop, data, problem=unclear.key)
    payment_id = data.get("payment_id", "")
    code = read_digits(data.get("code", ""))
    outcome = take(city, actor, payment_id, shop_id, code, sale.amount_yen, sale.lines)
    if outcome.is_good:
        return Redirect(f"/cash/payments/{payment_id}?done=taken", status_code=303)
    return _read_page(request, shop, data, sale, payment_id=payment_id, outcome=outcome)


@get("/cash/till/{shop_id:str}/bills/{bill_id:str}", sync_to_thread=True, include_in_schema=False)
def get_bill(request: Web, city: City, actor: Actor, shop_id: str, bill_id: str) -> Response[str] | Redirect:
    """The code of a bill for the customer to scan; once it is paid, the receipt."""
    shop = open_till(city, actor, shop_id)
    bill = read_bill(city, actor, shop, bill_id)
    if bill.payment_id:
        return Redirect(f"/cash/payments/{bill.payment_id}?done=taken", status_code=303)
    return render(
        request,
        "cash/bill.html",
        shop=shop,
        bill=bill,
        is_over=bill.expires_at <= city.now(),
        picture=draw_code(bill.payload),
        merchant=view.grouped(shop.merchant),
        view=view,
    )


@get("/cash/till/{shop_id:str}/bills/{bill_id:str}/paid", sync_to_thread=True, include_in_schema=False)
def get_bill_paid(request: Web, city: City, actor: Actor, shop_id: str, bill_id: str) -> Response[None] | Redirect:
    """Asked by the page that shows a bill: once it is paid, leads to the receipt."""
    bill = read_bill(city, actor, open_till(city, actor, shop_id), bill_id)
    return lead_on(request, bill.payment_id, "taken", f"/cash/till/{shop_id}/bills/{bill_id}")


def open_till(city: City, actor: Actor, shop_id: str) -> Shop:
    """The shop, for its own staff. Raises `NotFound`, `NotSignedIn`, `NotPermitted`."""
    shop = get_shop(city, shop_id)
    check_till(actor, shop)
    return shop


def _form_page(request: Web, shop: Shop, data: dict[str, str], *, more: int = 0, problem: str = "") -> Response[str]:
    rows = form.rows_of(data)
    empty = dict.fromkeys(form.FIELDS, "")
    return render(
        request,
        "cash/till.html",
        status=422 if problem else 200,
        shop=shop,
        yen=data.get("yen", ""),
        rows=[*rows, *[empty] * min(more, form.MOST_ROWS - len(rows))],
        has_lines=bool(more) or any(row["item"] or row["price"] for row in rows),
        rates=form.RATES_PERMILLE,
        problem=problem,
        view=view,
    )


def _read_page(
    request: Web, shop: Shop, data: dict[str, str], sale: form.Sale, *, payment_id: str, outcome: Outcome | None = None
) -> Response[str]:
    page = render(
        request,
        "cash/take.html",
        status=409 if outcome else 200,
        shop=shop,
        sale=sale,
        kept=form.kept(data),
        payment_id=payment_id,
        outcome=outcome,
        view=view,
    )
    page.headers.update(SCANS)
    return page


handlers: list[Any] = [get_tills, get_till, post_till, post_take, get_bill, get_bill_paid]

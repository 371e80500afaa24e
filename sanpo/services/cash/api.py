"""Doors for programs: a resident's wallet, a shop's till. What became of a payment is told as an outcome and in words."""

from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses
from sanpo.services.cash import paying, shops, wallets
from sanpo.services.cash.answering import BOOKS, Booked, answer
from sanpo.services.cash.asking import on_city_clock
from sanpo.services.cash.benefits import api as benefits_api
from sanpo.services.cash.indicators import api as indicators_api
from sanpo.services.cash.model import Line, Payment, Shop
from sanpo.services.cash.oversight import api as oversight_api
from sanpo.services.cash.records import api as records_api
from sanpo.services.cash.requests import api as requests_api
from sanpo.services.cash.settling import api as settling_api
from sanpo.services.cash.slips import api as slips_api

PATH = "/api/cash"
TAGS = ["cash"]
_ShopId = Annotated[str, PathParameter(description="A shop, `shp_…`.", max_length=64)]
_PaymentId = Annotated[str, PathParameter(description="A payment, `pay_…`.", max_length=64)]
_Limit = Annotated[int, QueryParameter(ge=1, le=500, description="Payments at most.")]
_Moment = Annotated[datetime, QueryParameter(description="A moment; without an offset, on the city's clock.")]


class WalletOut(Struct):
    balance_yen: int


class ShopOut(Struct):
    """`merchant` is the shop's number in the unified code, `category` ISO 18245; `reason` says why it is not open."""

    shop_id: str
    merchant: str
    name: str
    local_name: str
    category: str
    district: str
    state: str
    reason: str
    registration: str
    longitude: float | None
    latitude: float | None


class PayloadOut(Struct):
    """What is drawn as a QR code."""

    payload: str


class ChargeBody(Struct):
    """`charge_id` (`chg_…`) is chosen by who asks: sent again, it charges nothing."""

    charge_id: str
    amount_yen: int


class PayBody(Struct):
    """`payload` as scanned; `amount_yen` where it leaves that open. `payment_id` (`pay_…`) is chosen by who asks."""

    payment_id: str
    payload: str
    amount_yen: int | None = None


class BillBody(Struct):
    """`lines` come to `amount_yen`, or there are none."""

    amount_yen: int
    lines: list[Line] = []


class TakeBody(BillBody, kw_only=True):
    """`code` as the resident shows it."""

    payment_id: str
    code: str


class RefundBody(Struct):
    """`refund_id` (`rfd_…`) is chosen by who asks."""

    refund_id: str
    payment_id: str
    amount_yen: int


@get(f"{PATH}/me", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_wallet(city: City, actor: Actor) -> WalletOut:
    """The resident's own wallet."""
    return WalletOut(wallets.balance_yen(city, actor))


@get(f"{PATH}/me/payments", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_payments(city: City, actor: Actor, before: _Moment | None = None, limit: _Limit = 50) -> list[Payment]:
    """The resident's own payments, the newest first."""
    moment = None if before is None else on_city_clock(city, before)
    return wallets.list_payments(city, actor, before=moment, limit=limit)


@post(f"{PATH}/me/charges", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_charge(request: Request[Any, Any, Any], city: City, actor: Actor, data: ChargeBody) -> Response[Booked]:
    """Puts money from the bank into the resident's own wallet."""
    return answer(request, wallets.charge(city, actor, data.charge_id, data.amount_yen))


@post(f"{PATH}/me/payments", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_payment(request: Request[Any, Any, Any], city: City, actor: Actor, data: PayBody) -> Response[Booked]:
    """Pays the shop whose code was scanned."""
    return answer(request, paying.pay(city, actor, data.payment_id, data.payload, data.amount_yen))


@post(f"{PATH}/me/codes", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def post_code(city: City, actor: Actor) -> paying.Shown:
    """A code to show at a till, once; it ends the one before."""
    return paying.show_code(city, actor)


@get(f"{PATH}/payments/{{payment_id:str}}", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 404))
def get_payment(city: City, actor: Actor, payment_id: _PaymentId) -> Payment:
    """A payment, for who paid it or was paid."""
    return paying.get_payment(city, actor, payment_id)


@post(f"{PATH}/refunds", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_refund(request: Request[Any, Any, Any], city: City, actor: Actor, data: RefundBody) -> Response[Booked]:
    """Gives back a payment or part of it, by the shop."""
    return answer(request, paying.refund(city, actor, data.refund_id, data.payment_id, data.amount_yen))


@get(f"{PATH}/shops", sync_to_thread=True, tags=TAGS, responses=problem_responses())
def get_shops(city: City) -> list[ShopOut]:
    """All shops, for everybody."""
    return [shop_out(shop) for shop in shops.list_shops(city)]


@get(f"{PATH}/shops/{{shop_id:str}}/code", sync_to_thread=True, tags=TAGS, responses=problem_responses(404))
def get_code(city: City, shop_id: _ShopId) -> PayloadOut:
    """The code that hangs in the shop: the payer says how much."""
    return PayloadOut(shops.printable_code(shops.get_shop(city, shop_id)))


@get(f"{PATH}/shops/{{shop_id:str}}/sales", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_sales(
    city: City, actor: Actor, shop_id: _ShopId, since: _Moment, until: _Moment, limit: _Limit = 500
) -> list[Payment]:
    """A shop's own sales from `since` to before `until`, the newest first; who paid is not told."""
    return paying.list_sales(city, actor, shop_id, on_city_clock(city, since), on_city_clock(city, until), limit)


@post(f"{PATH}/shops/{{shop_id:str}}/bills", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def post_bill(city: City, actor: Actor, shop_id: _ShopId, data: BillBody) -> PayloadOut:
    """A code for one payment of this amount, which the till shows."""
    return PayloadOut(str(paying.make_bill(city, actor, shop_id, data.amount_yen, data.lines)))


@post(f"{PATH}/shops/{{shop_id:str}}/payments", sync_to_thread=True, status_code=200, tags=TAGS, responses=BOOKS)
def post_take(
    request: Request[Any, Any, Any], city: City, actor: Actor, shop_id: _ShopId, data: TakeBody
) -> Response[Booked]:
    """Takes a payment at the till by the code that a resident shows."""
    outcome = paying.take(city, actor, data.payment_id, shop_id, data.code, data.amount_yen, data.lines)
    return answer(request, outcome)


def shop_out(shop: Shop) -> ShopOut:
    return ShopOut(**{name: getattr(shop, name) for name in ShopOut.__struct_fields__})


handlers: list[Any] = [
    get_wallet,
    get_payments,
    post_charge,
    post_payment,
    post_code,
    get_payment,
    post_refund,
    get_shops,
    get_code,
    get_sales,
    post_bill,
    post_take,
    *settling_api.handlers,
    *oversight_api.handlers,
    *benefits_api.handlers,
    *slips_api.handlers,
    *requests_api.handlers,
    *records_api.handlers,
    *indicators_api.handlers,
]

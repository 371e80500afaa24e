"""Doors for receipts."""

from typing import Annotated, Any

from litestar import get
from litestar.params import PathParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses
from sanpo.services.cash.model import Line, Payment
from sanpo.services.cash.records.model import Refund
from sanpo.services.cash.records.reading import read_receipt

_PaymentId = Annotated[str, PathParameter(description="A payment, `pay_…`.", max_length=64)]


class TaxOut(Struct):
    """What lines of one rate came to, and the consumption tax inside it, cut to whole yen once for the rate."""

    tax_permille: int
    amount_yen: int
    tax_yen: int


class ReceiptOut(Struct):
    """`registration` is the shop's number for qualified invoices, or empty. Without `lines` the till named none.
    `benefits_yen` of it were points and vouchers; told to who paid only."""

    payment: Payment
    registration: str
    lines: list[Line]
    taxes: list[TaxOut]
    refunds: list[Refund]
    benefits_yen: int


@get(
    "/api/cash/payments/{payment_id:str}/receipt",
    sync_to_thread=True,
    tags=["cash"],
    responses=problem_responses(401, 404),
)
def get_receipt(city: City, actor: Actor, payment_id: _PaymentId) -> ReceiptOut:
    """A payment's receipt with lines and taxes by rate, for who paid it or was paid."""
    found = read_receipt(city, actor, payment_id)
    taxes = [TaxOut(part.permille, part.amount_yen, part.tax_yen) for part in found.taxes]
    return ReceiptOut(found.payment, found.registration, [*found.lines], taxes, [*found.refunds], found.benefits_yen)


handlers: list[Any] = [get_receipt]

"""Doors for a shop's settlements, statement and invoices."""

from datetime import date, datetime
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import language_of, problem_responses
from sanpo.services.cash.settling import invoices, settling, statements
from sanpo.services.cash.settling.model import Settlement

SHOP = "/api/cash/shops/{shop_id:str}"
TAGS = ["cash"]
ShopId = Annotated[str, PathParameter(description="A shop, `shp_…`.", max_length=64)]
_ERRORS = problem_responses(401, 403, 404, 429)
_InvoiceId = Annotated[str, PathParameter(description="An invoice, `inv_…`.", max_length=64)]
_Bom = Annotated[bool, QueryParameter(description="With a byte order mark, for spreadsheets that need it.")]
Day = Annotated[date, QueryParameter(description="A day on the city's clock; both ends are in the period.")]


@get(f"{SHOP}/settlements", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_settlements(city: City, actor: Actor, shop_id: ShopId, since: Day, until: Day) -> list[Settlement]:
    """What the shop was paid, at most 400 days, the newest first; for the shop itself and for officers."""
    return settling.list_settlements(city, actor, shop_id, since, until)


class StatementOut(Struct):
    """The lines add up from `opening_yen` to `closing_yen`, the balances of the ledger."""

    shop_id: str
    since: datetime
    until: datetime
    opening_yen: int
    closing_yen: int
    lines: list[statements.Line]


class InvoiceOut(Struct):
    """An invoice with the days on which something was charged."""

    invoice: invoices.Invoice
    days: list[invoices.Day]


@get(f"{SHOP}/statement", sync_to_thread=True, tags=TAGS, responses=_ERRORS)
def get_statement(city: City, actor: Actor, shop_id: ShopId, since: Day, until: Day) -> StatementOut:
    """Every movement of the shop's account in whole days."""
    found = statements.make_statement(city, actor, shop_id, since, until)
    return StatementOut(shop_id, found.since, found.until, found.opening_yen, found.closing_yen, found.lines)


@get(f"{SHOP}/statement/csv", sync_to_thread=True, tags=TAGS, media_type="text/csv", responses=_ERRORS)
def get_statement_csv(
    request: Request[Any, Any, Any],
    city: City,
    actor: Actor,
    shop_id: ShopId,
    since: Day,
    until: Day,
    bom: _Bom = False,
) -> Response[bytes]:
    """As `statement`, as a table in the reader's language."""
    found = statements.make_statement(city, actor, shop_id, since, until)
    body = statements.statement_csv(city, found, language_of(request), bom=bom)
    return _file(body, f"{shop_id}_{since}_{until}.csv")


@get(f"{SHOP}/invoices", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_invoices(city: City, actor: Actor, shop_id: ShopId) -> list[invoices.Invoice]:
    """The shop's invoices for fees, the newest first."""
    return invoices.list_invoices(city, actor, shop_id)


@get("/api/cash/invoices/{invoice_id:str}", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 404))
def get_invoice(city: City, actor: Actor, invoice_id: _InvoiceId) -> InvoiceOut:
    """One invoice with its days."""
    return InvoiceOut(*invoices.get_invoice(city, actor, invoice_id))


@get(
    "/api/cash/invoices/{invoice_id:str}/csv",
    sync_to_thread=True,
    tags=TAGS,
    media_type="text/csv",
    responses=problem_responses(401, 404),
)
def get_invoice_csv(city: City, actor: Actor, invoice_id: _InvoiceId, bom: _Bom = False) -> Response[bytes]:
    """The days of an invoice as a table."""
    _, days = invoices.get_invoice(city, actor, invoice_id)
    return _file(invoices.invoice_csv(days, bom=bom), f"{invoice_id}.csv")


def _file(body: bytes, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(body, media_type="text/csv", headers=headers)


handlers: list[Any] = [
    get_settlements,
    get_statement,
    get_statement_csv,
    get_invoices,
    get_invoice,
    get_invoice_csv,
]

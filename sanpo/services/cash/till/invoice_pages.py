"""What a shop was charged: its invoices, each as a page to print, and the movements of a month for its books."""

from calendar import monthrange
from typing import Any

from litestar import Request, Response, get

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.web import render
from sanpo.services.cash import view
from sanpo.services.cash.settling.invoices import get_invoice, list_invoices
from sanpo.services.cash.shops import get_shop

Web = Request[Any, Any, Any]


@get("/cash/till/{shop_id:str}/invoices", sync_to_thread=True, include_in_schema=False)
def get_invoices(request: Web, city: City, actor: Actor, shop_id: str) -> Response[str]:
    """A shop's invoices, the newest first, for the shop itself and for officers."""
    found = list_invoices(city, actor, shop_id)
    return render(request, "cash/invoices.html", shop=get_shop(city, shop_id), invoices=found, view=view)


@get("/cash/invoices/{invoice_id:str}", sync_to_thread=True, include_in_schema=False)
def get_invoice_page(request: Web, city: City, actor: Actor, invoice_id: str) -> Response[str]:
    """One invoice with its days."""
    invoice, days = get_invoice(city, actor, invoice_id)
    last = invoice.month.replace(day=monthrange(invoice.month.year, invoice.month.month)[1])
    return render(request, "cash/invoice.html", invoice=invoice, days=days, last=last, view=view)


handlers: list[Any] = [get_invoices, get_invoice_page]

"""Pages of cash: the resident's (wallet), the shop's (till), the officer's (office)."""

from typing import Any

from sanpo.services.cash.benefits import pages as benefits_pages
from sanpo.services.cash.indicators import pages as indicator_pages
from sanpo.services.cash.office import pages as office_pages
from sanpo.services.cash.till import day_pages, invoice_pages
from sanpo.services.cash.till import pages as till_pages
from sanpo.services.cash.wallet import pages as wallet_pages
from sanpo.services.cash.wallet import pay_pages

rooms = (
    wallet_pages,
    pay_pages,
    till_pages,
    day_pages,
    invoice_pages,
    office_pages,
    benefits_pages,
    indicator_pages,
)
handlers: list[Any] = [handler for room in rooms for handler in room.handlers]

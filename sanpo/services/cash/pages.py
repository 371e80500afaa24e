"""Pages of cash: the resident's (wallet) and the shop's (till)."""

from typing import Any

from sanpo.services.cash.till import day_pages
from sanpo.services.cash.till import pages as till_pages
from sanpo.services.cash.wallet import pages as wallet_pages
from sanpo.services.cash.wallet import pay_pages

handlers: list[Any] = [*wallet_pages.handlers, *pay_pages.handlers, *till_pages.handlers, *day_pages.handlers]

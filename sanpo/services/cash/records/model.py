"""Nouns of the records, and what follows from them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from sanpo.services.cash.model import Line, Payment

HOURS = 24


@dataclass(frozen=True)
class Refund:
    """What was given back of `payment_id`."""

    payment_id: str
    amount_yen: int
    refunded_at: datetime


@dataclass(frozen=True)
class TaxPart:
    """Lines of one rate: what they came to, and the consumption tax inside it."""

    permille: int
    amount_yen: int

    @property
    def tax_yen(self) -> int:
        """Cut to whole yen once for each rate, not line by line, as a qualified invoice has it."""
        return self.amount_yen * self.permille // (1000 + self.permille)


@dataclass(frozen=True)
class Receipt:
    """A payment with all that is known of it. Without lines the till said nothing of what was bought;
    without a `registration` the shop issues no qualified invoices."""

    payment: Payment
    lines: Sequence[Line]
    refunds: Sequence[Refund]
    registration: str
    benefits_yen: int = 0
    """What of it was paid by points and vouchers; told to who paid only."""

    @property
    def taxes(self) -> list[TaxPart]:
        """By rate, the highest first."""
        amounts: dict[int, int] = defaultdict(int)
        for line in self.lines:
            amounts[line.tax_permille] += line.quantity * line.unit_price_yen
        return [TaxPart(permille, amounts[permille]) for permille in sorted(amounts, reverse=True)]


@dataclass(frozen=True)
class Spending:
    """What a resident spent in the month from `first`, by category, the most first."""

    first: date
    by_category: Sequence[tuple[str, int]]
    refunded_yen: int

    @property
    def total_yen(self) -> int:
        return sum(yen for _, yen in self.by_category) - self.refunded_yen


@dataclass(frozen=True)
class ShopDay:
    """A shop's sales of one day, the newest first, and what it gave back on that day."""

    day: date
    sales: Sequence[Payment]
    refunds: Sequence[Refund]

    @property
    def sales_yen(self) -> int:
        return sum(sale.amount_yen for sale in self.sales)

    @property
    def refunds_yen(self) -> int:
        return sum(refund.amount_yen for refund in self.refunds)

    def by_hour(self, zone: tzinfo) -> list[int]:
        """Yen taken in each hour on the city's clock."""
        hours = [0] * HOURS
        for sale in self.sales:
            hours[sale.paid_at.astimezone(zone).hour] += sale.amount_yen
        return hours


@dataclass(frozen=True)
class Bill:
    """A bill as its till sees it. `payload` is drawn as the code; `payment_id` says that it was paid, and by what."""

    bill_id: str
    amount_yen: int
    lines: Sequence[Line]
    payload: str
    expires_at: datetime
    payment_id: str | None

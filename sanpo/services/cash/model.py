"""Nouns of the cash service and its pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from tomllib import loads
from typing import Any

import msgspec

from sanpo.services.cash.errors import AmountIsInvalid, LinesDoNotAddUp

YEN_LEDGER = 392
WALLET, SHOP, BANK = 1, 2, 3
"""Codes of accounts."""
CHARGE, PAYMENT, REFUND = 1, 2, 3
"""Codes of transfers."""
MOST_YEN = 10**12
FIRST_DAY = date(2000, 1, 1)
"""Nothing was paid in a city before: what asks for an earlier day is mistaken."""
MAX_LINES, MAX_PIECES, MAX_NAME = 500, 1_000_000, 200


@dataclass(frozen=True)
class Shop:
    """A shop. `merchant` is its number in the unified code, `category` ISO 18245, `registration` (`T` and 13 digits, or
    nothing) that for qualified invoices; where it stands is in degrees (WGS 84)."""

    shop_no: int
    shop_id: str
    organisation_no: int
    merchant: str
    name: str
    local_name: str
    category: str
    district: str
    state: str
    reason: str
    registration: str
    longitude: float | None = None
    latitude: float | None = None


class Line(msgspec.Struct, frozen=True):
    """What was sold: `quantity` pieces at `unit_price_yen` each, tax included."""

    item: str
    category: str
    quantity: int
    unit_price_yen: int
    tax_permille: int = 100


@dataclass(frozen=True)
class Payment:
    """A payment that was made."""

    payment_id: str
    shop_id: str
    shop_name: str
    amount_yen: int
    refunded_yen: int
    way: str
    paid_at: datetime


@dataclass(frozen=True)
class Rules:
    """The city's limits, in yen, minutes and days; from the service's manifest. What agreements pay is good for
    `return_months`."""

    wallet_limit_yen: int
    payment_limit_yen: int
    day_limit_yen: int
    month_limit_yen: int
    code_minutes: int
    bill_minutes: int
    return_months: int
    slip_limit_yen: int
    slip_reserve_yen: int
    slip_days: int
    slip_grace_days: int
    slip_clock_minutes: int
    request_days: int


@cache
def rules() -> Rules:
    manifest: dict[str, Any] = loads(files("sanpo.services.cash").joinpath("manifest.toml").read_text(encoding="utf-8"))
    return Rules(**manifest["rules"])


def number_of(kind: str, key: object) -> int:
    """The ledger's id of what the service knows by `key`: the same key gives the same id, on every machine."""
    return int.from_bytes(sha256(f"cash/{kind}/{key}".encode()).digest()[:15]) + 1


def check_amount(yen: int) -> int:
    """Raises `AmountIsInvalid`."""
    if isinstance(yen, bool) or not isinstance(yen, int) or not 1 <= yen <= MOST_YEN:
        raise AmountIsInvalid(given=str(yen)[:30], limit=MOST_YEN)
    return yen


def check_lines(lines: Sequence[Line], amount_yen: int) -> None:
    """Raises `LinesDoNotAddUp`, also where one is no sale. Without lines nothing is said of what was bought."""
    total = sum(line.quantity * line.unit_price_yen for line in lines)
    if lines and (total != amount_yen or not all(map(_is_sale, lines)) or len(lines) > MAX_LINES):
        raise LinesDoNotAddUp(amount_yen=amount_yen, lines_yen=total)


def _is_sale(line: Line) -> bool:
    named = all(1 <= len(name) <= MAX_NAME and name.isprintable() for name in (line.item, line.category))
    return named and 0 < line.quantity <= MAX_PIECES and line.unit_price_yen >= 0 and 0 <= line.tax_permille <= 1000

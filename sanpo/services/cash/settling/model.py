"""What a settlement is, what a shop pays, and which day is settled. Pure; the rates are data of the service's manifest."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from tomllib import loads
from typing import Any

FEES, PAYOUTS = 21, 22
"""Codes of accounts: what the city earned, and what is on its way to the shops' banks."""
PAYOUT, FEE, FEE_BACK = 21, 22, 23
"""Codes of transfers."""


@dataclass(frozen=True)
class Tier:
    """What shops pay that took less than `last_year_below_yen` in the calendar year before (None: all others)."""

    rate_permille: int
    last_year_below_yen: int | None = None
    most_yen_a_year: int | None = None


@dataclass(frozen=True)
class Terms:
    """When shops are settled, and what they pay for it."""

    closing_hour: int
    registration: str
    """The city's number as issuer of qualified invoices (登録番号), or nothing."""
    tax_permille: int
    payer: dict[str, str]
    """The city's account at its bank, or empty texts."""
    tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Sums:
    """What is known of a shop before it is settled, in yen. The year is the calendar year of the day that is settled.

    `brought` is what the last settlement carried over; `taken` and `refunded` are what came after it. `year` is what was
    taken less what was given back in the year's settlements so far, `year_fee` what they have cost, `last_year` as `year`,
    of the year before.
    """

    brought: int
    taken: int
    refunded: int
    year: int
    year_fee: int
    last_year: int


@dataclass(frozen=True)
class Shares:
    """How a settlement divides what there is. A negative `fee` is given back; a negative `carried` is what the shop owes."""

    fee: int
    payout: int
    carried: int


@dataclass(frozen=True)
class Settlement:
    """What one shop was paid for one day."""

    settlement_id: str
    shop_id: str
    day: date
    brought_yen: int
    taken_yen: int
    refunded_yen: int
    fee_yen: int
    payout_yen: int
    carried_yen: int
    settled_at: datetime


@cache
def terms() -> Terms:
    manifest: dict[str, Any] = loads(files("sanpo.services.cash").joinpath("manifest.toml").read_text(encoding="utf-8"))
    return Terms(**manifest["settling"], tiers=tuple(Tier(**tier) for tier in manifest["fees"]))


def tier_for(last_year_yen: int, tiers: Sequence[Tier]) -> Tier:
    """The first tier that the shop's last calendar year is below. A new shop took nothing then. What a shop pays in a year
    is so known on its first day, and no sale changes the rate of those before it."""
    return next(t for t in tiers if t.last_year_below_yen is None or last_year_yen < t.last_year_below_yen)


def fee_of_year(turnover_yen: int, tier: Tier) -> int:
    """The fee for what a shop took in a year, net of what it gave back. The fraction of a yen is dropped once, from the sum:
    how sales are spread over the days changes nothing."""
    fee = max(0, turnover_yen) * tier.rate_permille // 1000
    return fee if tier.most_yen_a_year is None else min(fee, tier.most_yen_a_year)


def tax_in(yen: int, permille: int) -> int:
    """The consumption tax that a sum includes; the fraction of a yen is dropped."""
    tax = abs(yen) * permille // (1000 + permille)
    return tax if yen >= 0 else -tax


def is_registration(number: str) -> bool:
    """Whether this is T and a corporate number, whose first digit checks the others (法人番号の指定等に関する省令 第2条)."""
    if not re.fullmatch("T[1-9][0-9]{12}", number):
        return False
    digits = [int(digit) for digit in reversed(number[2:])]
    return int(number[1]) == 9 - sum(digit * (1 + place % 2) for place, digit in enumerate(digits)) % 9


def divide(sums: Sums, tiers: Sequence[Tier]) -> Shares:
    """What of a settlement is the city's, what the shop is paid, and what it still owes.

    The fee is what the year costs now less what it has cost so far, so that refunds give theirs back.
    """
    tier = tier_for(sums.last_year, tiers)
    fee = fee_of_year(sums.year + sums.taken - sums.refunded, tier) - sums.year_fee
    left = sums.brought + sums.taken - sums.refunded - fee
    return Shares(fee, max(0, left), min(0, left))


def last_closing(now: datetime, closing_hour: int) -> datetime:
    """When the closing hour struck last; its date is the day that is settled. In the zone of `now`."""
    closing = now.replace(hour=closing_hour, minute=0, second=0, microsecond=0)
    return closing if now >= closing else closing - timedelta(days=1)

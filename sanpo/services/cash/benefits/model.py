"""Nouns of the benefits and their pure rules: which lots pay first, when they end, what a payment earns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

from sanpo.ledger import Account, AccountFlag, Transfer, TransferFlag
from sanpo.services.cash.benefits.errors import CampaignIsInvalid
from sanpo.services.cash.model import MOST_YEN, YEN_LEDGER, number_of

BENEFITS, FUNDER, CAMPAIGN, PAYOUTS = 10, 11, 12, 13
"""Codes of accounts."""
GIFT, RETURNED, BUDGET, DEPOSIT, PAYOUT, DRAWN = 10, 11, 12, 13, 14, 15
"""Codes of transfers; `RETURNED` goes to the funder, `DRAWN` from a resident's benefits through their wallet, or back."""
PAYOUTS_ACCOUNT = number_of("payouts", "")
MOST_DAYS = 3660
_LIMITED = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)


class CampaignDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer says of a campaign: `amount_yen` for each resident, or `rate_permille` of what each pays in money, up
    to `cap_yen` in all. Days are the city's and inclusive.

    What it gives is good for `valid_days` days after, or (0) until its last day; in `shop_ids`, or everywhere. With
    `by_claim` residents ask for it themselves. The budget is the city's money or that of `organisation_id`.
    """

    name_ja: str
    name_en: str
    budget_yen: int
    first_day: date
    last_day: date
    amount_yen: int = 0
    rate_permille: int = 0
    cap_yen: int = 0
    valid_days: int = 0
    by_claim: bool = False
    shop_ids: list[str] = []
    organisation_id: str = ""


@dataclass(frozen=True)
class Campaign:
    """A campaign as the city keeps it. `organisation_no` is None where the money is the city's."""

    campaign_no: int
    campaign_id: str
    organisation_no: int | None
    name_ja: str
    name_en: str
    amount_yen: int
    rate_permille: int
    cap_yen: int
    budget_yen: int
    left_yen: int
    first_day: date
    last_day: date
    valid_days: int
    by_claim: bool
    state: str
    shop_ids: list[str]

    def is_open_on(self, day: date) -> bool:
        return self.state == "open" and self.first_day <= day <= self.last_day

    def expires_at(self, now: datetime, zone: tzinfo) -> datetime:
        """The end of the day until which what is given now is good."""
        last = now.astimezone(zone).date() + timedelta(days=self.valid_days) if self.valid_days else self.last_day
        return end_of(last, zone)


@dataclass(frozen=True)
class Part:
    """So much of a lot."""

    lot_no: int
    yen: int


def check_campaign(draft: CampaignDraft, today: date) -> None:
    """Raises `CampaignIsInvalid`."""
    if not (0 < len(draft.name_ja.strip()) <= 60 and 0 < len(draft.name_en.strip()) <= 60):
        raise CampaignIsInvalid(field="name", problem="must be 1 to 60 characters in both languages")
    if not 0 < draft.budget_yen <= MOST_YEN:
        raise CampaignIsInvalid(field="budget_yen", problem=f"must be from 1 to {MOST_YEN}")
    if not draft.first_day <= draft.last_day or not today <= draft.last_day <= today + timedelta(days=MOST_DAYS):
        raise CampaignIsInvalid(field="last_day", problem="is before the first day, past, or more than ten years ahead")
    if not 0 <= draft.valid_days <= MOST_DAYS:
        raise CampaignIsInvalid(field="valid_days", problem=f"must be from 0 to {MOST_DAYS}")
    if (draft.amount_yen > 0) == (draft.rate_permille > 0) or draft.amount_yen < 0:
        raise CampaignIsInvalid(field="amount_yen", problem="or rate_permille must be given, one of them")
    if draft.amount_yen > draft.budget_yen:
        raise CampaignIsInvalid(field="amount_yen", problem="is above the budget")
    if not 0 <= draft.rate_permille <= 1000 or (draft.rate_permille > 0) != (0 < draft.cap_yen <= MOST_YEN):
        raise CampaignIsInvalid(
            field="rate_permille", problem="must be from 1 to 1000, with a cap_yen for each resident"
        )


def end_of(day: date, zone: tzinfo) -> datetime:
    """The moment at which a local day is over."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def take_first(lots: Iterable[Part], yen: int) -> list[Part]:
    """What is taken of each lot, in their order, until it comes to `yen` or nothing is left."""
    taken = []
    for lot in lots:
        part = min(lot.yen, yen)
        if part <= 0:
            break
        taken.append(Part(lot.lot_no, part))
        yen -= part
    return taken


def funder_account(organisation_no: int | None) -> int:
    """The account from which an organisation, or (None) the city, funds benefits, and to which the unspent goes back."""
    return number_of("funder", "" if organisation_no is None else organisation_no)


def campaign_account(campaign_no: int) -> int:
    return number_of("campaign", campaign_no)


def benefits_account(subject_no: int) -> int:
    return number_of("benefits", subject_no)


def city_accounts() -> list[Account]:
    """Requests for the accounts that every city has: its own as a funder, and what is to be paid out for uses."""
    return [Account(funder_account(None), YEN_LEDGER, FUNDER), limited_account(PAYOUTS_ACCOUNT, PAYOUTS)]


def benefits_accounts(subject_nos: Iterable[int]) -> list[Account]:
    """Requests for the accounts of these residents."""
    return [Account(benefits_account(no), YEN_LEDGER, BENEFITS, _LIMITED, subject_no=no) for no in subject_nos]


def limited_account(account_id: int, code: int, organisation_no: int | None = None) -> Account:
    """A request for an account that cannot give more than it has."""
    return Account(account_id, YEN_LEDGER, code, _LIMITED, organisation_no=organisation_no)


def move(transfer_id: int, debit: int, credit: int, yen: int, code: int) -> Transfer:
    return Transfer(transfer_id, debit, credit, yen, YEN_LEDGER, code)


def chained(transfers: Sequence[Transfer]) -> list[Transfer]:
    """The same transfers, all of which are made or none."""
    linked = int(TransferFlag.LINKED)
    return [msgspec.structs.replace(each, flags=each.flags | linked) for each in transfers[:-1]] + [*transfers[-1:]]

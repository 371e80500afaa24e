"""What a campaign has is given: by an officer to all, to an area or to those named, or to who asks for it; once to each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from sanpo.ground.actors import Actor, Resident, require, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.ledger import Transfer, create_accounts_in, post_in
from sanpo.people import list_subjects
from sanpo.services.cash.benefits.campaigns import check_made, get_campaign, list_campaigns, lock_campaign, not_open
from sanpo.services.cash.benefits.errors import BudgetIsSpent, CampaignIsInvalid, CampaignIsNotToBeClaimed
from sanpo.services.cash.benefits.model import (
    GIFT,
    Campaign,
    benefits_account,
    benefits_accounts,
    campaign_account,
    move,
)
from sanpo.services.cash.benefits.store import SQL
from sanpo.services.cash.model import number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.wallets import SERVICE, booked

AT_ONCE = 2000
"""Residents of one transaction: nobody waits for long for an account that all of them share."""


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a campaign is given: the residents named (`res_…`), those of an area, or everybody.

    For another `occasion` a resident gets the amount again; `amount_yen` where this time it is another.
    """

    residents: list[str] = []
    area: str = ""
    everyone: bool = False
    occasion: str = ""
    amount_yen: int = 0


@dataclass(frozen=True)
class Given:
    """How many residents got it now, and how many had it before."""

    residents: int
    before: int
    yen: int


@dataclass(frozen=True)
class Offered:
    """A campaign as a resident finds it: to be asked for, or theirs already."""

    campaign: Campaign
    is_claimed: bool


def give(
    city: City, actor: Actor, campaign_id: str, gift: Gift, told: Callable[[int, int], None] = lambda done, of: None
) -> Given:
    """Gives a campaign's amount, or makes residents take part where it gives a rate. Repeated, it goes on where it stopped.

    `told` hears how far it has come. Raises `NotFound` for the campaign or a resident, `CampaignIsNotOpen`, `BudgetIsSpent`,
    `CampaignIsInvalid`.
    """
    officer = require_officer(actor)
    campaign = get_campaign(city, campaign_id)
    _check_gift(campaign, gift)
    subject_nos = list_subjects(city, officer, named=gift.residents or None, area=gift.area or None)
    yen = gift.amount_yen or campaign.amount_yen
    _check_budget(city, campaign, gift.occasion, subject_nos, yen)
    given = 0
    for start in range(0, len(subject_nos), AT_ONCE):
        given += _give(city, campaign_id, gift.occasion, subject_nos[start : start + AT_ONCE], gift.amount_yen)
        told(min(start + AT_ONCE, len(subject_nos)), len(subject_nos))
    return Given(given, len(subject_nos) - given, given * yen)


def claim(city: City, actor: Actor, campaign_id: str) -> Given:
    """A resident asks for what a campaign gives, or to take part in it; once, again it changes nothing.

    Raises `NotFound`, `CampaignIsNotOpen`, `CampaignIsNotToBeClaimed`, `BudgetIsSpent`.
    """
    resident = require(actor, Resident)
    campaign = get_campaign(city, campaign_id)
    if not campaign.by_claim:
        raise CampaignIsNotToBeClaimed
    given = _give(city, campaign_id, "", [resident.subject_no], 0)
    if campaign.rate_permille and not given:
        with city.transaction(SERVICE) as tx:
            given = tx.execute(SQL.come_back, campaign_no=campaign.campaign_no, subject_no=resident.subject_no)
    return Given(given, 1 - given, given * campaign.amount_yen)


def leave(city: City, actor: Actor, campaign_id: str) -> None:
    """A resident no longer takes part in a campaign that gives a rate; what was earned stays. Again it changes nothing.

    Raises `NotFound`.
    """
    resident = require(actor, Resident)
    campaign = get_campaign(city, campaign_id)
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.leave, campaign_no=campaign.campaign_no, subject_no=resident.subject_no, at=tx.now)


def offers_of(city: City, actor: Actor) -> list[Offered]:
    """The campaigns that are open today and can be asked for, or that the resident has: the oldest first."""
    resident = require(actor, Resident)
    today = city.now().astimezone(city.settings.zone).date()
    with city.transaction(resident) as tx:
        claimed = {row.campaign_no for row in tx.all(SQL.claimed, subject_no=resident.subject_no)}
    found = [
        Offered(each, each.campaign_no in claimed) for each in list_campaigns(city, "open") if each.is_open_on(today)
    ]
    return [each for each in found if each.is_claimed or each.campaign.by_claim]


def _give(city: City, campaign_id: str, occasion: str, subject_nos: Sequence[int], amount_yen: int) -> int:
    """In one transaction; returns how many had not had it."""
    given = 0

    def work(tx: Transaction) -> Outcome:
        nonlocal given
        campaign = lock_campaign(tx, campaign_id)
        if not campaign.is_open_on(tx.now.astimezone(tx.city.settings.zone).date()):
            raise not_open(campaign)
        if campaign.rate_permille:
            given = tx.execute(
                SQL.insert_claims, campaign_no=campaign.campaign_no, subject_nos=list(subject_nos), at=tx.now
            )
        else:
            gifts = grant(tx, campaign, occasion, subject_nos, amount_yen or campaign.amount_yen)
            check_made(post_in(tx, gifts))
            given = len(gifts)
        return Outcome.DONE

    booked(city, work)
    return given


def grant(tx: Transaction, campaign: Campaign, occasion: str, subject_nos: Sequence[int], yen: int) -> list[Transfer]:
    """Lots for those who have none of this occasion, from a locked campaign; gives back the transfers, not yet posted."""
    zone = tx.city.settings.zone
    rows = tx.all(
        SQL.insert_gifts,
        lot_ids=[new_id("lot") for _ in subject_nos],
        subject_nos=list(subject_nos),
        campaign_no=campaign.campaign_no,
        organisation_no=campaign.organisation_no,
        occasion=occasion,
        is_bound=bool(campaign.shop_ids),
        yen=yen,
        at=tx.now,
        expires_at=campaign.expires_at(tx.now, zone),
    )
    if len(rows) * yen > campaign.left_yen:
        raise BudgetIsSpent(needed_yen=len(rows) * yen, left_yen=campaign.left_yen)
    tx.execute(SQL.take_from_budget, campaign_no=campaign.campaign_no, yen=len(rows) * yen)
    create_accounts_in(tx, benefits_accounts(row.subject_no for row in rows))
    source = campaign_account(campaign.campaign_no)
    return [move(number_of("gift", row.lot_no), source, benefits_account(row.subject_no), yen, GIFT) for row in rows]


def _check_gift(campaign: Campaign, gift: Gift) -> None:
    if sum((bool(gift.residents), bool(gift.area), gift.everyone)) != 1:
        raise CampaignIsInvalid(field="residents", problem="or area or everyone must be given, one of them")
    if len(gift.occasion) > 40:
        raise CampaignIsInvalid(field="occasion", problem="must be at most 40 characters")
    if gift.amount_yen < 0 or (gift.amount_yen and campaign.rate_permille):
        raise CampaignIsInvalid(field="amount_yen", problem="must be above 0, in a campaign that gives an amount")


def _check_budget(city: City, campaign: Campaign, occasion: str, subject_nos: list[int], yen: int) -> None:
    """Nobody gets anything where it does not suffice for all. What others take meanwhile may still end it half-way."""
    with city.transaction(SERVICE) as tx:
        number = campaign.campaign_no
        missing = tx.get(SQL.count_without_gift, subject_nos=subject_nos, campaign_no=number, occasion=occasion).missing
    if not campaign.rate_permille and missing * yen > campaign.left_yen:
        raise BudgetIsSpent(needed_yen=missing * yen, left_yen=campaign.left_yen)

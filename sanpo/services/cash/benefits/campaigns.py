"""Campaigns: planned by an officer, opened with their budget, ended; what is left of the budget goes back to the funder."""

from dataclasses import dataclass
from typing import Any

from sanpo.ground.actors import Actor, Anonymous, Client, Staff, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import check_id, new_id
from sanpo.ledger import Outcome as Posted
from sanpo.ledger import create_accounts_in, post_in
from sanpo.people import get_organisation
from sanpo.services.cash.benefits.errors import CampaignIsInvalid, CampaignIsNotOpen, FundsDoNotSuffice
from sanpo.services.cash.benefits.model import (
    BUDGET,
    CAMPAIGN,
    RETURNED,
    Campaign,
    CampaignDraft,
    campaign_account,
    check_campaign,
    funder_account,
    limited_account,
    move,
)
from sanpo.services.cash.benefits.store import SQL
from sanpo.services.cash.model import number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.wallets import SERVICE, booked


@dataclass(frozen=True)
class Figures:
    """What became of a campaign's money so far: given to residents, held by them, spent, gone back to the funder."""

    residents: int
    granted_yen: int
    held_yen: int
    spent_yen: int
    returned_yen: int


def create_campaign(city: City, actor: Actor, draft: CampaignDraft) -> Campaign:
    """A campaign that gives nothing yet. Raises `CampaignIsInvalid`, `NotFound` for the organisation."""
    officer = require_officer(actor)
    check_campaign(draft, city.now().astimezone(city.settings.zone).date())
    campaign_id = new_id("cmp")
    with city.transaction(officer) as tx:
        organisation = get_organisation(tx, draft.organisation_id) if draft.organisation_id else None
        row = tx.get(
            SQL.insert_campaign,
            campaign_id=campaign_id,
            organisation_no=organisation.organisation_no if organisation else None,
            name_ja=draft.name_ja.strip(),
            name_en=draft.name_en.strip(),
            amount_yen=draft.amount_yen,
            rate_permille=draft.rate_permille,
            cap_yen=draft.cap_yen,
            budget_yen=draft.budget_yen,
            first_day=draft.first_day,
            last_day=draft.last_day,
            valid_days=draft.valid_days,
            by_claim=draft.by_claim,
            at=tx.now,
        )
        shop_ids = set(draft.shop_ids)
        if tx.execute(SQL.insert_campaign_shops, campaign_no=row.campaign_no, shop_ids=list(shop_ids)) < len(shop_ids):
            raise CampaignIsInvalid(field="shop_ids", problem="name a shop that is not there")
    return get_campaign(city, campaign_id)


def open_campaign(city: City, actor: Actor, campaign_id: str) -> Campaign:
    """Puts the budget aside from the funder's account; from its first day on it can be given. Open already, it stays so.

    Raises `NotFound`, `CampaignIsNotOpen` after its end, `FundsDoNotSuffice` where an organisation has not paid in as much.
    """
    require_officer(actor)

    def work(tx: Transaction) -> Outcome:
        campaign = lock_campaign(tx, campaign_id)
        if campaign.state == "open":
            return Outcome.EXISTS
        if campaign.state == "ended":
            raise not_open(campaign)
        account, funder = campaign_account(campaign.campaign_no), funder_account(campaign.organisation_no)
        create_accounts_in(tx, [limited_account(account, CAMPAIGN)])
        transfer = move(number_of("budget", campaign_id), funder, account, campaign.budget_yen, BUDGET)
        [posted] = post_in(tx, [transfer])
        if posted in (Posted.EXCEEDS_CREDITS, Posted.DEBIT_ACCOUNT_NOT_FOUND):
            raise FundsDoNotSuffice(needed_yen=campaign.budget_yen)
        check_made([posted])
        _set(tx, campaign, "open", campaign.budget_yen)
        return Outcome.DONE

    booked(city, work)
    return get_campaign(city, campaign_id)


def end_campaign(city: City, actor: Actor, campaign_id: str) -> Campaign:
    """Ends it: what is left of the budget goes back to the funder, what was given stays good. Raises `NotFound`."""
    require_officer(actor)
    booked(city, lambda tx: _end(tx, campaign_id))
    return get_campaign(city, campaign_id)


def end_past_campaigns(city: City) -> int:
    """Ends the open campaigns whose last day is over; returns how many."""
    today = city.now().astimezone(city.settings.zone).date()
    over = city.db.read_all(SQL.campaigns_over, today=today)
    for row in over:
        booked(city, lambda tx, campaign_id=row.campaign_id: _end(tx, campaign_id))  # type: ignore[misc]
    return len(over)


def list_campaigns(city: City, state: str | None = None) -> list[Campaign]:
    """All campaigns, or those in a state, the oldest first. Public."""
    return [_campaign(row) for row in city.db.read_all(SQL.campaigns, state=state)]


def get_campaign(city: City, campaign_id: str) -> Campaign:
    """Raises `NotFound`. Public."""
    row = city.db.read(SQL.campaign, campaign_id=check_id("cmp", campaign_id))
    if row is None:
        raise NotFound(what="campaign")
    return _campaign(row)


def figures_of(city: City, actor: Actor, campaign_id: str) -> Figures:
    """What became of its money, for an officer and for the organisation that funds it. Raises `NotPermitted`, `NotFound`."""
    campaign = get_campaign(city, campaign_id)
    if not may_see_money_of(actor, campaign.organisation_no):
        raise NotPermitted(needed="officer")
    with city.transaction(SERVICE) as tx:
        row = tx.get(SQL.figures, campaign_no=campaign.campaign_no)
    spent_yen = row.granted_yen - row.held_yen - row.returned_yen
    return Figures(row.residents, row.granted_yen, row.held_yen, spent_yen, row.returned_yen)


def lock_campaign(tx: Transaction, campaign_id: str) -> Campaign:
    """The campaign, which nobody else changes until the transaction ends. Raises `NotFound`."""
    row = tx.one(SQL.lock_campaign, campaign_id=check_id("cmp", campaign_id))
    if row is None:
        raise NotFound(what="campaign")
    return _campaign(row)


def not_open(campaign: Campaign) -> CampaignIsNotOpen:
    return CampaignIsNotOpen(state=campaign.state, first_day=campaign.first_day, last_day=campaign.last_day)


def check_made(posted: list[Posted]) -> None:
    """The service asked only for what it may, so that anything else is a fault of its own. Raises `ValueError`."""
    wrong = {each.value for each in posted if not each.is_done}
    if wrong:
        raise ValueError(f"the ledger answers {', '.join(sorted(wrong))}")


def _end(tx: Transaction, campaign_id: str) -> Outcome:
    campaign = lock_campaign(tx, campaign_id)
    if campaign.state == "ended":
        return Outcome.EXISTS
    if campaign.state == "open" and campaign.left_yen:
        account, funder = campaign_account(campaign.campaign_no), funder_account(campaign.organisation_no)
        check_made(post_in(tx, [move(number_of("rest", campaign_id), account, funder, campaign.left_yen, RETURNED)]))
    _set(tx, campaign, "ended", 0)
    return Outcome.DONE


def _set(tx: Transaction, campaign: Campaign, state: str, left_yen: int) -> None:
    tx.execute(SQL.set_campaign_state, campaign_no=campaign.campaign_no, state=state, left_yen=left_yen)


def may_see_money_of(actor: Actor, organisation_no: int | None) -> bool:
    """An officer, the city itself, and the organisation's own staff and programs. Raises `NotSignedIn`."""
    match actor:
        case Anonymous():
            raise NotSignedIn
        case Staff(role="officer") | System():
            return True
        case Staff() | Client():
            return actor.organisation_no == organisation_no
        case _:
            return False


def _campaign(row: Any) -> Campaign:
    return Campaign(**{name: getattr(row, name) for name in Campaign.__dataclass_fields__})

"""Doors for programs: what a resident holds beside money, campaigns, and the funds of organisations."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from litestar import Request, delete, get, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import language_of, problem_responses
from sanpo.services.cash.benefits import campaigns, funds, giving
from sanpo.services.cash.benefits.holdings import benefits_of
from sanpo.services.cash.benefits.model import Campaign, CampaignDraft
from sanpo.services.cash.benefits.payouts import PaidByAgreement, paid_by_agreements

PATH = "/api/cash"
CAMPAIGN = f"{PATH}/campaigns/{{campaign_id:str}}"
TAGS = ["cash"]
_CampaignId = Annotated[str, PathParameter(description="A campaign, `cmp_…`.", max_length=64)]
_State = Annotated[
    Literal["draft", "open", "ended"] | None, QueryParameter(name="state", description="Only those in this state.")
]
_Officer = problem_responses(401, 403, 404, 409)


class LotOut(Struct):
    """What is left of a lot, good until `expires_at` in the shops of `shop_ids`, or (none named) in all."""

    lot_id: str
    name: str
    left_yen: int
    granted_yen: int
    granted_at: datetime
    expires_at: datetime
    shop_ids: list[str]
    campaign_id: str | None
    agreement_id: str | None


class BenefitsOut(Struct):
    """`lots` in the order in which they are spent; `total_yen` is their sum."""

    total_yen: int
    lots: list[LotOut]


class CampaignOut(Struct):
    """A campaign gives each resident `amount_yen`, or `rate_permille` of what each pays in money up to `cap_yen`, good in the
    shops of `shop_ids`, or (none named) in all. With `by_claim` residents ask for it. `left_yen` of the budget are left."""

    campaign_id: str
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


class OfferOut(CampaignOut, kw_only=True):
    """A campaign that the resident has (`is_claimed`) or can ask for."""

    is_claimed: bool


class DepositBody(Struct):
    """`deposit_id` (`dep_…`) is chosen by who asks: sent again, it books nothing."""

    deposit_id: str
    organisation_id: str
    amount_yen: int


class WithdrawalBody(Struct):
    """`withdrawal_id` (`wdr_…`) is chosen by who asks: sent again, it books nothing."""

    withdrawal_id: str
    organisation_id: str
    amount_yen: int


class FundsOut(Struct):
    organisation_id: str
    funds_yen: int


@get(f"{PATH}/me/benefits", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_benefits(request: Request[Any, Any, Any], city: City, actor: Actor) -> BenefitsOut:
    """The resident's own points and vouchers: what is left, and when it ends."""
    found, lang = benefits_of(city, actor), language_of(request)
    names = [name for name in LotOut.__struct_fields__ if name != "name"]
    lots = [LotOut(name=lot.name(lang), **{name: getattr(lot, name) for name in names}) for lot in found.lots]
    return BenefitsOut(found.total_yen, lots)


@get(f"{PATH}/me/returns", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_returns(city: City, actor: Actor) -> list[PaidByAgreement]:
    """What each agreement has paid the resident for uses, in points."""
    return paid_by_agreements(city, actor)


@get(f"{PATH}/campaigns", sync_to_thread=True, tags=TAGS, responses=problem_responses())
def get_campaigns(city: City, in_state: _State = None) -> list[CampaignOut]:
    """Campaigns, the oldest first, for everybody."""
    return [campaign_out(each) for each in campaigns.list_campaigns(city, in_state)]


@get(CAMPAIGN, sync_to_thread=True, tags=TAGS, responses=problem_responses(404))
def get_campaign(city: City, campaign_id: _CampaignId) -> CampaignOut:
    """A campaign, for everybody."""
    return campaign_out(campaigns.get_campaign(city, campaign_id))


@post(f"{PATH}/campaigns", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def post_campaign(city: City, actor: Actor, data: CampaignDraft) -> CampaignOut:
    """A new campaign, which gives nothing yet; by an officer."""
    return campaign_out(campaigns.create_campaign(city, actor, data))


@post(f"{CAMPAIGN}/open", sync_to_thread=True, status_code=200, tags=TAGS, responses=_Officer)
def post_open(city: City, actor: Actor, campaign_id: _CampaignId) -> CampaignOut:
    """Puts the campaign's budget aside, so that it can be given; by an officer."""
    return campaign_out(campaigns.open_campaign(city, actor, campaign_id))


@post(f"{CAMPAIGN}/end", sync_to_thread=True, status_code=200, tags=TAGS, responses=_Officer)
def post_end(city: City, actor: Actor, campaign_id: _CampaignId) -> CampaignOut:
    """Ends it; what is left of the budget goes back. By an officer."""
    return campaign_out(campaigns.end_campaign(city, actor, campaign_id))


@post(f"{CAMPAIGN}/gifts", sync_to_thread=True, status_code=200, tags=TAGS, responses=_Officer)
def post_gift(city: City, actor: Actor, campaign_id: _CampaignId, data: giving.Gift) -> giving.Given:
    """Gives it to residents; those who had it get nothing again. By an officer."""
    return giving.give(city, actor, campaign_id, data)


@post(f"{CAMPAIGN}/claims", sync_to_thread=True, status_code=200, tags=TAGS, responses=_Officer)
def post_claim(city: City, actor: Actor, campaign_id: _CampaignId) -> giving.Given:
    """A resident asks for what the campaign gives, or to take part in it."""
    return giving.claim(city, actor, campaign_id)


@delete(f"{CAMPAIGN}/claims", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def delete_claim(city: City, actor: Actor, campaign_id: _CampaignId) -> None:
    """A resident takes part no longer in a campaign that gives a rate; what was earned stays."""
    giving.leave(city, actor, campaign_id)


@get(f"{PATH}/me/campaigns", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403))
def get_offers(city: City, actor: Actor) -> list[OfferOut]:
    """The campaigns of today that the resident has or can ask for."""
    names = CampaignOut.__struct_fields__
    found = giving.offers_of(city, actor)
    return [
        OfferOut(is_claimed=each.is_claimed, **{name: getattr(each.campaign, name) for name in names}) for each in found
    ]


@get(f"{CAMPAIGN}/figures", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404))
def get_figures(city: City, actor: Actor, campaign_id: _CampaignId) -> campaigns.Figures:
    """What became of its money, for an officer and the organisation that funds it."""
    return campaigns.figures_of(city, actor, campaign_id)


@post(f"{PATH}/deposits", sync_to_thread=True, status_code=200, tags=TAGS, responses=_Officer)
def post_deposit(city: City, actor: Actor, data: DepositBody) -> FundsOut:
    """Books what an organisation has paid in to fund benefits; by an officer."""
    left = funds.deposit(city, actor, data.deposit_id, data.organisation_id, data.amount_yen)
    return FundsOut(data.organisation_id, left)


@post(f"{PATH}/withdrawals", sync_to_thread=True, status_code=200, tags=TAGS, responses=_Officer)
def post_withdrawal(city: City, actor: Actor, data: WithdrawalBody) -> FundsOut:
    """Books what an organisation was paid back of its funds; by an officer."""
    left = funds.withdraw(city, actor, data.withdrawal_id, data.organisation_id, data.amount_yen)
    return FundsOut(data.organisation_id, left)


@get(
    f"{PATH}/funds/{{organisation_id:str}}", sync_to_thread=True, tags=TAGS, responses=problem_responses(401, 403, 404)
)
def get_funds(
    city: City,
    actor: Actor,
    organisation_id: Annotated[str, PathParameter(description="An organisation, `org_…`.", max_length=64)],
) -> FundsOut:
    """What is left of an organisation's funds, for an officer and for itself."""
    return FundsOut(organisation_id, funds.funds_yen(city, actor, organisation_id))


def campaign_out(campaign: Campaign) -> CampaignOut:
    return CampaignOut(**{name: getattr(campaign, name) for name in CampaignOut.__struct_fields__})


handlers: list[Any] = [
    get_benefits,
    get_returns,
    get_campaigns,
    get_campaign,
    post_campaign,
    post_open,
    post_end,
    post_gift,
    post_claim,
    delete_claim,
    get_offers,
    get_figures,
    post_deposit,
    post_withdrawal,
    get_funds,
]

"""Campaigns: who gets what once, from a budget that is never exceeded, and what goes back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import DomainError, NotFound, NotPermitted
from sanpo.people import NewResident, register_residents
from sanpo.services.cash.benefits.campaigns import (
    create_campaign,
    end_campaign,
    end_past_campaigns,
    figures_of,
    get_campaign,
    list_campaigns,
    open_campaign,
)
from sanpo.services.cash.benefits.errors import (
    BudgetIsSpent,
    CampaignIsInvalid,
    CampaignIsNotOpen,
    CampaignIsNotToBeClaimed,
    FundsDoNotSuffice,
)
from sanpo.services.cash.benefits.expiring import expire_lots
from sanpo.services.cash.benefits.giving import Gift, claim, give
from tests.services.cash.benefits.conftest import Giving
from tests.world import OPERATOR


def test_draft_gives_nothing_until_it_is_opened_with_its_budget(giving: Giving) -> None:
    campaign = create_campaign(giving.city, OPERATOR, giving.draft(by_claim=True))
    with pytest.raises(CampaignIsNotOpen):
        claim(giving.city, giving.town.aya, campaign.campaign_id)
    assert (campaign.state, giving.campaign_yen(campaign), giving.city_gave_yen) == ("draft", 0, 0)
    for _ in range(2):
        assert open_campaign(giving.city, OPERATOR, campaign.campaign_id).state == "open"
    assert (giving.campaign_yen(campaign), giving.city_gave_yen) == (1_000_000, 1_000_000)
    assert [each.campaign_id for each in list_campaigns(giving.city, "open")] == [campaign.campaign_id]


def test_each_of_an_area_gets_it_once_and_again_for_another_occasion(giving: Giving) -> None:
    new = [NewResident(f"名{n}", f"ナ{n}", f"港{n}番地", "港", birth_year=1950) for n in range(3)]
    register_residents(giving.city, OPERATOR, new)
    campaign_id = giving.open(amount_yen=100, budget_yen=10_000).campaign_id

    def given(**gift: Any) -> tuple[int, int, int]:
        found = give(giving.city, OPERATOR, campaign_id, Gift(**gift))
        return found.residents, found.before, found.yen

    assert [given(area="港"), given(area="港"), given(everyone=True)] == [(3, 0, 300), (0, 3, 0), (2, 3, 200)]
    assert given(residents=[giving.town.aya.resident_id], occasion="清掃", amount_yen=50) == (1, 0, 50)
    assert given(area="山") == (0, 0, 0)
    assert giving.lots(giving.town.aya) == [100, 50]
    figures = figures_of(giving.city, OPERATOR, campaign_id)
    assert (figures.residents, figures.granted_yen, figures.held_yen, figures.spent_yen) == (5, 550, 550, 0)
    assert get_campaign(giving.city, campaign_id).left_yen == 9_450
    giving.check_books()


def test_nobody_gets_anything_where_the_budget_is_not_enough_for_all(giving: Giving) -> None:
    campaign_id = giving.open(amount_yen=100, budget_yen=150).campaign_id
    with pytest.raises(BudgetIsSpent) as error:
        give(giving.city, OPERATOR, campaign_id, Gift(everyone=True))
    assert error.value.fields == {"needed_yen": 200, "left_yen": 150}
    assert giving.lots(giving.town.aya) == []


def test_budget_is_never_exceeded_where_all_claim_at_once(giving: Giving) -> None:
    campaign = giving.open(amount_yen=100, budget_yen=550, by_claim=True)
    people = giving.town.world.residents(12)

    def ask(place: int) -> bool:
        try:
            return claim(giving.city, people[place % 12], campaign.campaign_id).residents == 1
        except BudgetIsSpent:
            return False

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(ask, range(36)))  # each asks three times
    assert sum(got) == 5
    assert sorted(sum(giving.lots(who)) for who in people) == [0] * 7 + [100] * 5
    assert (giving.campaign_yen(campaign), get_campaign(giving.city, campaign.campaign_id).left_yen) == (50, 50)
    giving.check_books()


def test_rate_is_never_above_the_budget_where_all_pay_at_once(giving: Giving) -> None:
    campaign = giving.open(amount_yen=0, rate_permille=500, cap_yen=1_000, budget_yen=250, by_claim=True)
    people = giving.town.world.residents(6)
    for who in people:
        claim(giving.city, who, campaign.campaign_id)
        giving.town.charge(who, 1_000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda who: giving.pay(who, 200), people * 2))
    assert sum(sum(giving.lots(who)) for who in people) + giving.campaign_yen(campaign) <= 250
    assert giving.campaign_yen(campaign) == get_campaign(giving.city, campaign.campaign_id).left_yen == 0
    giving.check_books()


def test_end_gives_back_the_unspent_and_what_was_given_stays_good(giving: Giving, clock: FixedClock) -> None:
    campaign = giving.open(amount_yen=400, budget_yen=1_000, days=3, by_claim=True)
    claim(giving.city, giving.town.aya, campaign.campaign_id)
    for _ in range(2):
        assert end_campaign(giving.city, OPERATOR, campaign.campaign_id).state == "ended"
    assert (giving.campaign_yen(campaign), giving.city_gave_yen) == (0, 400)
    for fails in (claim, open_campaign):
        with pytest.raises(CampaignIsNotOpen):
            fails(giving.city, giving.town.ben if fails is claim else OPERATOR, campaign.campaign_id)
    giving.pay(giving.town.aya, 150)
    clock.advance(days=4)
    assert expire_lots(giving.city) == 1
    assert (giving.lots(giving.town.aya), giving.city_gave_yen) == ([], 150)
    figures = figures_of(giving.city, OPERATOR, campaign.campaign_id)
    assert (figures.granted_yen, figures.held_yen, figures.spent_yen, figures.returned_yen) == (400, 0, 150, 250)
    giving.check_books()


def test_campaign_that_ends_while_all_claim_gives_or_gives_back_each_yen(giving: Giving) -> None:
    campaign = giving.open(amount_yen=100, budget_yen=2_000, by_claim=True)
    people = giving.town.world.residents(16)

    def act(place: int) -> int:
        if place == 8:
            end_campaign(giving.city, OPERATOR, campaign.campaign_id)
            return 0
        try:
            return claim(giving.city, people[place], campaign.campaign_id).yen
        except CampaignIsNotOpen:
            return 0

    with ThreadPoolExecutor(8) as pool:
        given = sum(pool.map(act, range(16)))
    assert given == sum(sum(giving.lots(who)) for who in people) == giving.city_gave_yen
    assert giving.campaign_yen(campaign) == 0
    giving.check_books()


def test_campaign_ends_by_itself_after_its_last_day(giving: Giving, clock: FixedClock) -> None:
    campaign = giving.open(days=1, by_claim=True, valid_days=10)
    claim(giving.city, giving.town.aya, campaign.campaign_id)
    clock.advance(days=1, hours=14)
    assert end_past_campaigns(giving.city) == 0
    clock.advance(hours=1)
    with pytest.raises(CampaignIsNotOpen):
        claim(giving.city, giving.town.ben, campaign.campaign_id)
    assert [end_past_campaigns(giving.city) for _ in range(2)] == [1, 0]
    assert (giving.city_gave_yen, giving.lots(giving.town.aya)) == (1_000, [1_000])


def test_campaign_before_its_first_day_gives_nothing(giving: Giving, clock: FixedClock) -> None:
    campaign = giving.open(by_claim=True)
    late = create_campaign(giving.city, OPERATOR, giving.draft(by_claim=True))
    assert late.first_day == campaign.first_day
    clock.advance(days=-1)
    with pytest.raises(CampaignIsNotOpen):
        claim(giving.city, giving.town.aya, campaign.campaign_id)


def test_what_the_city_gives_is_not_claimed(giving: Giving) -> None:
    with pytest.raises(CampaignIsNotToBeClaimed):
        claim(giving.city, giving.town.aya, giving.open().campaign_id)


def test_organisation_without_funds_gives_nothing(giving: Giving) -> None:
    organisation = giving.town.world.university.organisation_id
    campaign = create_campaign(giving.city, OPERATOR, giving.draft(organisation_id=organisation))
    with pytest.raises(FundsDoNotSuffice):
        open_campaign(giving.city, OPERATOR, campaign.campaign_id)
    assert get_campaign(giving.city, campaign.campaign_id).state == "draft"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name_en": " "}),
        ("budget_yen", {"budget_yen": 0}),
        ("last_day", {"days": -1}),
        ("last_day", {"last_day": date.max}),
        ("valid_days", {"valid_days": -1}),
        ("amount_yen", {"amount_yen": 0}),
        ("amount_yen", {"rate_permille": 10, "cap_yen": 1}),
        ("amount_yen", {"amount_yen": 1_000_001}),
        ("rate_permille", {"amount_yen": 0, "rate_permille": 10}),
        ("rate_permille", {"amount_yen": 0, "rate_permille": 1001, "cap_yen": 1}),
    ],
)
def test_campaign_that_cannot_be_is_refused(giving: Giving, field: str, change: dict[str, Any]) -> None:
    days = {"days": change["days"]} if "days" in change else {}
    draft = replace(giving.draft(**days), **{name: value for name, value in change.items() if name != "days"})
    with pytest.raises(CampaignIsInvalid) as error:
        create_campaign(giving.city, OPERATOR, draft)
    assert error.value.fields["field"] == field
    assert list_campaigns(giving.city) == []


@pytest.mark.parametrize(
    "gift",
    [{}, {"area": "港", "everyone": True}, {"everyone": True, "occasion": "x" * 41}, {"area": "港", "amount_yen": -1}],
)
def test_gift_that_cannot_be_is_refused(giving: Giving, gift: dict[str, Any]) -> None:
    with pytest.raises(CampaignIsInvalid):
        give(giving.city, OPERATOR, giving.open().campaign_id, Gift(**gift))


def test_residents_and_others_plan_and_give_nothing(giving: Giving) -> None:
    city, campaign = giving.city, giving.open()
    for actor in (giving.town.aya, giving.town.till):
        for forbidden in (
            lambda who: create_campaign(city, who, giving.draft()),
            lambda who: open_campaign(city, who, campaign.campaign_id),
            lambda who: end_campaign(city, who, campaign.campaign_id),
            lambda who: give(city, who, campaign.campaign_id, Gift(everyone=True)),
            lambda who: figures_of(city, who, campaign.campaign_id),
        ):
            with pytest.raises(NotPermitted):
                forbidden(actor)


def test_campaign_resident_or_shop_that_is_not_there_is_told(giving: Giving) -> None:
    city = giving.city
    for missing in ("cmp_" + "0" * 26, "cmp_1"):
        with pytest.raises(DomainError):
            get_campaign(city, missing)
    with pytest.raises(NotFound):
        give(city, OPERATOR, giving.open().campaign_id, Gift(residents=["res_" + "0" * 26]))
    with pytest.raises(CampaignIsInvalid):
        create_campaign(city, OPERATOR, replace(giving.draft(), shop_ids=["shp_none"]))

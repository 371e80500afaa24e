"""The region's figures come from those who agreed, in totals of enough of them; a shop's street tells of no other shop."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from sanpo.consent import Decision, PublishedAgreement, approve_agreement, decide
from sanpo.ground.actors import Client, Resident
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotPermitted
from sanpo.ground.ids import new_id
from sanpo.journal import list_entries
from sanpo.people import NewOrganisation, register_organisation
from sanpo.services.cash import paying, shops, wallets
from sanpo.services.cash.flow import flow_purchases
from sanpo.services.cash.indicators.asking import publish_indicators, read_indicators, read_street
from sanpo.services.cash.indicators.model import Cell, State, Totals, in_percent, may_be_compared
from sanpo.services.cash.model import Shop
from sanpo.services.cash.outcomes import Outcome
from tests.world import OPERATOR, World

MANY, FEW = 12, 3


@dataclass(frozen=True)
class Region:
    world: World
    residents: list[Resident]
    busy: list[Shop]
    quiet: Shop
    agreement: PublishedAgreement
    till: Client

    @property
    def city(self) -> City:
        return self.world.city

    def agree(self, residents: list[Resident]) -> None:
        for resident in residents:
            decide(self.city, resident, self.agreement.agreement_id, Decision.GIVE)

    def buy(self, resident: Resident, shop: Shop, yen: int) -> None:
        code = shops.printable_code(shop)
        assert paying.pay(self.city, resident, new_id("pay"), code, yen) is Outcome.DONE


def open_shop(city: City, owner: str, name: str, district: str) -> Shop:
    return shops.register_shop(city, OPERATOR, shops.ShopDraft(owner, name, name, "5812", district))


@pytest.fixture
def region(city: City, clock: FixedClock) -> Region:
    """A busy district of five shops where twelve buy in each of two weeks, and a quiet one where three do."""
    world = World(city)
    company = world.company.organisation_id
    others = [
        register_organisation(city, OPERATOR, NewOrganisation(f"店{n}", f"Shop {n}", "company", "shop@example.jp"))
        for n in range(1, 5)
    ]
    owners = [company, *(each.organisation_id for each in others)]
    busy = [open_shop(city, owner, f"SHOP {n}", "七日町") for n, owner in enumerate(owners)]
    quiet = open_shop(city, company, "FAR", "湯川")
    published = publish_indicators(city, OPERATOR, world.hall.organisation_id)
    agreement = approve_agreement(city, world.officer, published.agreement_id)
    region = Region(world, world.residents(MANY), busy, quiet, agreement, world.client(world.company))
    for resident in region.residents:
        assert wallets.charge(city, resident, new_id("chg"), 50_000) is Outcome.DONE
    for week in range(2):
        for place, resident in enumerate(region.residents):
            region.buy(resident, busy[place % 5], 1000 * (week + 1))
        for resident in region.residents[:FEW]:
            region.buy(resident, quiet, 500)
        clock.advance(seconds=timedelta(weeks=1).total_seconds())
    clock.advance(seconds=timedelta(weeks=1).total_seconds())
    return region


def shown(cells: tuple[Cell, ...]) -> dict[str, int | None]:
    return {cell.name: cell.yen for cell in cells}


def test_without_an_agreement_or_enough_who_agreed_only_the_books_are_told(region: Region) -> None:
    flow_purchases(region.city)
    found = read_indicators(region.city, OPERATOR)
    assert (found.districts_state, found.districts) == (State.TOO_FEW, ())
    assert (found.weeks_state, found.weeks) == (State.TOO_FEW, ())
    assert found.totals.spent_yen == MANY * 3000 + FEW * 2 * 500
    assert found.totals.held_yen == MANY * 50_000 - found.totals.spent_yen


def test_district_of_too_few_is_not_told_not_even_by_subtraction(region: Region) -> None:
    """Twelve in one district and three in another: the weeks' totals are told, so neither district's can be."""
    region.agree(region.residents)
    flow_purchases(region.city)
    found = read_indicators(region.city, OPERATOR)
    assert (found.weeks_state, found.residents) == (State.SHOWN, MANY)
    weeks = [yen for yen in shown(found.weeks).values() if yen is not None]
    assert sum(weeks) == found.totals.spent_yen
    assert (found.districts_state, found.districts) == (State.TOO_FEW, ())


def test_only_those_who_agreed_are_counted_and_each_use_is_in_the_journal(region: Region) -> None:
    region.agree(region.residents[:11])
    flow_purchases(region.city)
    before = len(list_entries(region.city))
    found = read_indicators(region.city, OPERATOR)
    assert found.residents == 11
    asked = len(list_entries(region.city)) - before
    assert asked == 1  # the weeks; that of the districts was refused
    assert read_indicators(region.city, OPERATOR) == found
    assert len(list_entries(region.city)) - before == asked  # kept for a day: no use more


def test_shop_sees_itself_beside_its_street(region: Region) -> None:
    region.agree(region.residents)
    flow_purchases(region.city)
    street = read_street(region.city, region.till, region.busy[0].shop_id)
    assert street.state is State.SHOWN
    assert [yen for yen in street.own_yen if yen] == [3000, 6000]
    assert [percent for percent in street.own_percent if percent] == [100, 200]
    assert [percent for percent in street.street_percent if percent] == [100, 200]


def test_street_of_few_shops_is_not_shown(region: Region) -> None:
    region.agree(region.residents)
    flow_purchases(region.city)
    street = read_street(region.city, region.till, region.quiet.shop_id)
    assert (street.state, street.street_percent) == (State.TOO_FEW_SHOPS, ())


def test_street_where_all_but_one_shop_have_one_owner_is_not_shown(region: Region) -> None:
    owners = [region.world.company] * 4 + [region.world.university]
    street = [open_shop(region.city, owner.organisation_id, f"ROW {n}", "大町") for n, owner in enumerate(owners)]
    for resident, shop in zip(region.residents, street, strict=False):
        region.buy(resident, shop, 1_000)
    region.agree(region.residents)
    assert read_street(region.city, region.till, street[0].shop_id).state is State.TOO_FEW_SHOPS


def test_street_is_not_shown_where_too_few_agreed(region: Region) -> None:
    region.agree(region.residents[:4])
    flow_purchases(region.city)
    street = read_street(region.city, region.till, region.busy[0].shop_id)
    assert (street.state, street.street_percent) == (State.TOO_FEW, ())


def test_others_see_neither(region: Region) -> None:
    with pytest.raises(NotPermitted):
        read_indicators(region.city, region.residents[0])
    with pytest.raises(NotPermitted):
        read_street(region.city, region.world.client(region.world.university), region.busy[0].shop_id)


@pytest.mark.parametrize(
    ("sales", "may"),
    [
        ([100, 100, 100, 100], True),
        ([100, 100, 100], False),  # two others: a shop that subtracts itself is left with two
        ([100, 100, 100, 0], False),  # one has sold nothing
        ([1000, 500, 50, 50], True),
        ([1000, 500, 50, 49], False),  # the second would know the first to within 10 %
        ([], False),
    ],
)
def test_street_is_compared_only_where_no_shop_can_be_worked_out(sales: list[int], may: bool) -> None:
    assert may_be_compared(sales) is may


def test_figures_of_nothing_are_none() -> None:
    totals = Totals(0, 0, 0, 0, 0, 0)
    assert (totals.turns, totals.leaving_percent) == (None, None)
    assert in_percent([0, None, 0]) == (None, None, None)
    assert in_percent([None, 50, None, 75]) == (None, 100, None, 150)

"""Shops: what an officer registers, who else may, and the code that hangs in the shop."""

from dataclasses import replace
from typing import Any

import pytest

from sanpo.ground.actors import Anonymous
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.services.cash import emv, shops, wallets
from sanpo.services.cash.errors import ShopIsInvalid, TopUpIsUnavailable
from sanpo.services.cash.shops import ShopDraft
from tests.services.cash.conftest import Town
from tests.world import OPERATOR

DRAFT = ShopDraft("", "SAKE NO TAKINO", "滝野酒店", "5921", "大町")


def test_registered_shop_has_a_number_and_a_printable_code(town: Town) -> None:
    found = shops.list_shops(town.city)
    assert [shop.local_name for shop in found] == ["七日町カフェ"]
    code = emv.parse(shops.printable_code(found[0]))
    assert (code.is_dynamic, code.amount) == (False, None)
    assert emv.jpqr_account(code).merchant == found[0].merchant
    other = shops.register_shop(town.city, OPERATOR, replace(DRAFT, organisation_id=town.till.organisation_id))
    assert other.merchant != found[0].merchant
    assert shops.list_shops(town.city, town.till.organisation_no) == [*found, other]
    assert shops.list_shops(town.city, town.other.organisation_no) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "滝野"}, "name"),
        ({"name": "X" * 26}, "name"),
        ({"local_name": ""}, "local_name"),
        ({"local_name": "滝野\x00酒店"}, "local_name"),
        ({"category": "sake"}, "category"),
        ({"district": ""}, "district"),
        ({"merchant": "123"}, "merchant"),
    ],
)
def test_shop_that_cannot_be_is_refused_with_the_field(town: Town, changes: Any, field: str) -> None:
    with pytest.raises(ShopIsInvalid) as caught:
        shops.register_shop(town.city, OPERATOR, replace(DRAFT, organisation_id=town.till.organisation_id, **changes))
    assert caught.value.fields["field"] == field
    assert len(shops.list_shops(town.city)) == 1


def test_number_of_another_shop_is_refused(town: Town) -> None:
    draft = replace(DRAFT, organisation_id=town.till.organisation_id, merchant=town.cafe.merchant)
    with pytest.raises(ShopIsInvalid):
        shops.register_shop(town.city, OPERATOR, draft)


def test_only_an_officer_registers_and_suspends(town: Town) -> None:
    for actor, error in ((town.till, NotPermitted), (town.aya, NotPermitted), (Anonymous(), NotSignedIn)):
        with pytest.raises(error):
            shops.register_shop(town.city, actor, DRAFT)
        with pytest.raises(error):
            shops.set_shop_state(town.city, actor, town.cafe.shop_id, "closed", "x")


def test_suspension_needs_a_reason_and_a_shop(town: Town) -> None:
    for state, reason in (("suspended", " "), ("shut", "x")):
        with pytest.raises(ShopIsInvalid):
            shops.set_shop_state(town.city, OPERATOR, town.cafe.shop_id, state, reason)
    with pytest.raises(NotFound):
        shops.set_shop_state(town.city, OPERATOR, "shp_none", "closed", "x")
    assert shops.set_shop_state(town.city, OPERATOR, town.cafe.shop_id, "closed", "閉店").reason == "閉店"


def test_production_has_no_bank_until_one_is_connected(city: City) -> None:
    production = replace(city, settings=replace(city.settings, mode="production"))
    with pytest.raises(TopUpIsUnavailable):
        wallets.bank_of(production)

"""Receipts: what was bought, the tax by rate, and the number under which the shop issues qualified invoices."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.ground.ids import new_id
from sanpo.services.cash import paying, shops
from sanpo.services.cash.errors import ShopIsInvalid
from sanpo.services.cash.model import Line
from sanpo.services.cash.outcomes import Outcome
from tests.journeys.town import sign_in
from tests.services.cash.conftest import Town
from tests.services.cash.test_doors import Make
from tests.world import OPERATOR

REGISTRATION = "T1234567890123"


def shop_with(town: Town, registration: str) -> shops.Shop:
    draft = shops.ShopDraft(town.till.organisation_id, "BAKERY", "パン屋", "5462", "大町", registration=registration)
    return shops.register_shop(town.city, OPERATOR, draft)


@pytest.fixture
def aya(town: Town, client: Make) -> TestClient[Any]:
    return sign_in(town.city, client, town.aya.resident_id)


def test_receipt_has_lines_taxes_by_rate_refunds_and_the_registration_number(
    town: Town, aya: TestClient[Any], client: Make
) -> None:
    shop, payment_id = shop_with(town, REGISTRATION), new_id("pay")
    # Three breads of ¥99 at 8 % hold ¥22 of tax; cut line by line it would be ¥21.
    lines = [Line(f"パン{number}", "food", 1, 99, 80) for number in range(3)] + [Line("袋", "other", 1, 5, 100)]
    bill = paying.make_bill(town.city, town.till, shop.shop_id, 302, lines)
    assert town.pay(town.aya, None, str(bill), payment_id) is Outcome.DONE
    assert paying.refund(town.city, town.till, new_id("rfd"), payment_id, 99) is Outcome.DONE
    address = f"/api/cash/payments/{payment_id}/receipt"
    found = aya.get(address).json()
    assert (found["registration"], found["payment"]["amount_yen"], len(found["lines"])) == (REGISTRATION, 302, 4)
    assert found["taxes"] == [
        {"tax_permille": 100, "amount_yen": 5, "tax_yen": 0},
        {"tax_permille": 80, "amount_yen": 297, "tax_yen": 22},
    ]
    assert [refund["amount_yen"] for refund in found["refunds"]] == [99]
    assert REGISTRATION in aya.get(f"/cash/payments/{payment_id}").text
    assert REGISTRATION in aya.get(f"/cash/payments/{payment_id}/receipt.txt").text
    ben = sign_in(town.city, client, town.ben.resident_id)
    assert ben.get(address).status_code == 404
    assert client().get(address).status_code == 401


def test_receipt_of_a_shop_without_a_number_shows_none(town: Town, aya: TestClient[Any]) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 100, payment_id=payment_id) is Outcome.DONE
    found = aya.get(f"/api/cash/payments/{payment_id}/receipt").json()
    assert (found["registration"], found["lines"], found["taxes"], found["refunds"]) == ("", [], [], [])
    assert "登録番号" not in aya.get(f"/cash/payments/{payment_id}").text


@pytest.mark.parametrize("registration", ["1234567890123", "T123", "t1234567890123", "T１２３４５６７８９０１２３"])
def test_registration_number_that_is_none_is_refused(town: Town, registration: str) -> None:
    with pytest.raises(ShopIsInvalid):
        shop_with(town, registration)

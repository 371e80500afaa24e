"""Invoices for fees: once for each shop and month, the sum of its settlements, with the tax that they include."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.ground.actors import Anonymous
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.services.cash.errors import MonthIsNotSettled
from sanpo.services.cash.settling.invoices import (
    get_invoice,
    invoice_csv,
    issue_due_invoices,
    issue_invoices,
    list_invoices,
)
from sanpo.services.cash.settling.model import is_registration, tax_in
from tests.services.cash.settling.conftest import Market
from tests.world import OPERATOR

APRIL = date(2026, 4, 1)


def settled_april(market: Market) -> Any:
    """Two days with fees of 100 and 40 yen; the invoice."""
    for day, yen in (("2026-04-01", 5_000), ("2026-04-30", 2_000)):
        market.at(day)
        market.sell(yen)
        market.at(day, 22)
        market.settle()
    [found] = issue_invoices(market.town.city, OPERATOR, APRIL)
    return found


def test_invoice_is_the_sum_of_its_month_with_the_tax_that_it_includes(market: Market) -> None:
    found = settled_april(market)
    assert (found.month, found.fee_yen, found.tax_permille, found.tax_yen) == (APRIL, 140, 100, 12)
    assert (found.shop_name, found.issuer) == ("七日町カフェ", market.town.city.settings.city_name_ja)
    town = market.town
    assert list_invoices(town.city, town.till, town.cafe.shop_id) == [found]
    same, days = get_invoice(town.city, town.till, found.invoice_id)
    assert (same, [day.fee_yen for day in days]) == (found, [100, 40])
    assert invoice_csv(days).decode() == "day,turnover_yen,fee_yen\r\n2026-04-01,5000,100\r\n2026-04-30,2000,40\r\n"


def test_invoices_are_made_once_and_by_the_duty_when_the_month_is_settled(market: Market) -> None:
    city, shop_id = market.town.city, market.town.cafe.shop_id
    market.sell(5_000)
    market.at("2026-04-01", 22)
    market.settle()
    market.at("2026-05-01", 8)
    issue_due_invoices(city)
    with pytest.raises(MonthIsNotSettled):
        issue_invoices(city, OPERATOR, APRIL)
    market.settle()
    for _ in range(2):
        issue_due_invoices(city)
        assert [one.fee_yen for one in list_invoices(city, market.town.till, shop_id)] == [100]
    assert issue_invoices(city, OPERATOR, APRIL) == list_invoices(city, OPERATOR, shop_id)


def test_invoice_of_another_shop_is_not_there(market: Market) -> None:
    town, found = market.town, settled_april(market)
    for actor, error in ((town.other, NotFound), (town.aya, NotFound), (Anonymous(), NotSignedIn)):
        with pytest.raises(error):
            get_invoice(town.city, actor, found.invoice_id)
    assert get_invoice(town.city, town.world.officer, found.invoice_id)[0] == found
    with pytest.raises(NotPermitted):
        list_invoices(town.city, town.other, town.cafe.shop_id)
    with pytest.raises(NotPermitted):
        issue_invoices(town.city, town.till, APRIL)


@given(st.integers(-(10**9), 10**9))
def test_tax_is_a_tenth_of_what_is_left_without_it(fee: int) -> None:
    tax = tax_in(fee, 100)
    assert abs(tax) * 11 <= abs(fee) < (abs(tax) + 1) * 11
    assert tax * fee >= 0


@pytest.mark.parametrize(
    ("number", "is_valid"),
    [
        ("T7000012050002", True),
        ("T8000012050002", False),
        ("T7000012050003", False),
        ("7000012050002", False),
        ("T700001205000", False),
        ("", False),
    ],
)
def test_registration_number_carries_its_check_digit(number: str, is_valid: bool) -> None:
    assert is_registration(number) is is_valid

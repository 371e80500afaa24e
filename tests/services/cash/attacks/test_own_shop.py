"""A shop that pays itself.

What can be known: an organisation has no wallet, so its staff and programs cannot pay; an account cannot pay itself. Who
works in a shop and pays there as a resident is a customer: whether they are the same person the city does not keep. That
gains nothing: what a payment earned, its refund takes back.
"""

import pytest

from sanpo.ground.errors import NotPermitted
from sanpo.ground.ids import new_id, new_number
from sanpo.ledger import Outcome as Posted
from sanpo.ledger import Transfer, post
from sanpo.services.cash import paying, shops, wallets
from sanpo.services.cash.model import PAYMENT, YEN_LEDGER, number_of
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.attacks.conftest import nothing_moves
from tests.services.cash.conftest import Town


def test_organisation_of_a_shop_cannot_pay_charge_or_show_a_code(town: Town) -> None:
    payload = shops.printable_code(town.cafe)
    with nothing_moves(town):
        for who in (town.till, town.world.staff(town.world.company, "analyst"), town.world.officer):
            with pytest.raises(NotPermitted):
                paying.pay(town.city, who, new_id("pay"), payload, 100)
            with pytest.raises(NotPermitted):
                wallets.charge(town.city, who, new_id("chg"), 100)
            with pytest.raises(NotPermitted):
                paying.show_code(town.city, who)


def test_account_of_a_shop_cannot_pay_itself(town: Town) -> None:
    shop = number_of("shop", town.cafe.shop_no)
    with nothing_moves(town):
        told = post(town.city, [Transfer(new_number(), shop, shop, 100, YEN_LEDGER, PAYMENT)])
        assert told == [Posted.ACCOUNTS_MUST_BE_DIFFERENT]


def test_shop_cannot_take_by_a_code_of_its_own_making(town: Town) -> None:
    with nothing_moves(town):
        assert town.take("1234567890123456", 100) is Outcome.CODE_NOT_FOUND


def test_paying_and_giving_back_in_a_circle_gains_nothing(town: Town) -> None:
    for _ in range(5):
        payment_id = new_id("pay")
        assert town.pay(town.aya, 9_000, payment_id=payment_id) is Outcome.DONE
        assert paying.refund(town.city, town.till, new_id("rfd"), payment_id, 9_000) is Outcome.DONE
    assert (town.yen(town.aya), town.till_yen) == (10_000, 0)

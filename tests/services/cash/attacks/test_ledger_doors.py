"""The ledger's doors tell a shop, and a resident who pays another, nothing of whose money it was."""

from sanpo.ground.actors import Actor
from sanpo.ground.ids import new_id
from sanpo.ledger.reading import get_transfer, list_newest
from sanpo.services.cash.model import number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.requests.answering import accept
from sanpo.services.cash.requests.asking import ask, list_requests
from tests.services.cash.conftest import Town


def sides(town: Town, actor: Actor, account: int) -> list[tuple[int, int]]:
    made = [each.kept.transfer for each in list_newest(town.city, actor, account)]
    return [(each.debit_account_id, each.credit_account_id) for each in made]


def test_shop_does_not_see_from_its_account_that_the_same_resident_came_twice(town: Town) -> None:
    till, payment_id = number_of("shop", town.cafe.shop_no), new_id("pay")
    assert town.pay(town.aya, 100) is Outcome.DONE
    assert town.pay(town.aya, 200, payment_id=payment_id) is Outcome.DONE
    assert sides(town, town.till, till) == [(0, till), (0, till)]
    assert get_transfer(town.city, town.till, number_of("payment", payment_id)).transfer.debit_account_id == 0
    wallet = number_of("wallet", town.aya.subject_no)
    assert sides(town, town.aya, wallet)[:2] == [(wallet, till), (wallet, till)]


def test_who_pays_a_request_does_not_see_whose_wallet_it_went_to(town: Town) -> None:
    assert ask(town.city, town.ben, new_id("req"), [300]) is Outcome.DONE
    [share] = list_requests(town.city, town.ben)[0].shares
    assert accept(town.city, town.aya, share.code) is Outcome.DONE
    asker, payer = (number_of("wallet", who.subject_no) for who in (town.ben, town.aya))
    assert sides(town, town.aya, payer)[0] == (payer, 0)
    assert sides(town, town.ben, asker)[0] == (0, asker)

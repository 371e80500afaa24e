"""Requests between residents: each outcome, that money moves once, and that a code is all that anybody needs to know."""

from collections import Counter
from functools import partial

import pytest

from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotFound, NotPermitted
from sanpo.ground.ids import new_id
from sanpo.services.cash.errors import AmountIsInvalid
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.oversight.suspending import reopen_wallet, suspend_wallet
from sanpo.services.cash.requests.answering import accept, decline, look
from sanpo.services.cash.requests.asking import ask, list_given, list_requests, split, withdraw
from sanpo.services.cash.requests.errors import RequestIsInvalid
from tests.ledger.books import check_sums
from tests.services.cash.attacks.conftest import at_once
from tests.services.cash.conftest import Town
from tests.world import OPERATOR


def asked_by_ben(town: Town, *amounts: int) -> list[str]:
    """Ben asks; returns the codes."""
    assert ask(town.city, town.ben, new_id("req"), amounts, "お昼") is Outcome.DONE
    return [share.code for share in list_requests(town.city, town.ben)[0].shares]


def states(town: Town) -> list[str]:
    return [share.state for share in list_requests(town.city, town.ben)[0].shares]


def test_request_is_paid_once_by_who_holds_its_code(town: Town) -> None:
    [code] = asked_by_ben(town, 800)
    asked = look(town.city, town.aya, code)
    assert (asked.amount_yen, asked.note, asked.state) == (800, "お昼", "open")
    assert accept(town.city, town.aya, code) is Outcome.DONE
    assert accept(town.city, town.aya, code.upper()) is Outcome.EXISTS
    assert (town.yen(town.aya), town.yen(town.ben), states(town)) == (9_200, 800, ["paid"])
    [given] = list_given(town.city, town.aya)
    assert (given.amount_yen, given.note, list_given(town.city, town.ben)) == (800, "お昼", [])
    check_sums(town.city)


def test_request_sent_again_asks_once(town: Town) -> None:
    request_id = new_id("req")
    assert ask(town.city, town.ben, request_id, [500, 500]) is Outcome.DONE
    assert ask(town.city, town.ben, request_id, [500, 500]) is Outcome.EXISTS
    for who, amounts in ((town.ben, [500, 501]), (town.ben, [500]), (town.aya, [500, 500])):
        assert ask(town.city, who, request_id, amounts) is Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    assert len(list_requests(town.city, town.ben)) == 1
    assert list_requests(town.city, town.aya) == []


def test_each_share_is_answered_once_and_by_one(town: Town) -> None:
    [carol] = town.world.residents(1)
    paid, refused = asked_by_ben(town, 300, 400)
    assert accept(town.city, town.aya, paid) is Outcome.DONE
    assert decline(town.city, town.aya, refused) is Outcome.DONE
    assert decline(town.city, town.aya, refused) is Outcome.EXISTS
    for verb in (accept, decline):
        assert verb(town.city, carol, paid) is Outcome.REQUEST_IS_ANSWERED
        assert verb(town.city, carol, refused) is Outcome.REQUEST_IS_ANSWERED
        assert verb(town.city, town.ben, paid) is Outcome.REQUEST_IS_OWN
        assert verb(town.city, carol, "a" * 24) is Outcome.REQUEST_NOT_FOUND
    assert decline(town.city, town.aya, paid) is Outcome.REQUEST_IS_ANSWERED
    assert states(town) == ["paid", "declined"]
    with pytest.raises(NotFound):
        look(town.city, carol, "a" * 24)


def test_request_is_taken_back_before_it_is_paid(town: Town) -> None:
    first, second = asked_by_ben(town, 300, 400)
    request_id = list_requests(town.city, town.ben)[0].request_id
    assert accept(town.city, town.aya, first) is Outcome.DONE
    assert withdraw(town.city, town.aya, request_id) is Outcome.REQUEST_NOT_FOUND
    assert withdraw(town.city, town.ben, request_id) is Outcome.DONE
    assert withdraw(town.city, town.ben, request_id) is Outcome.EXISTS
    for verb in (accept, decline):
        assert verb(town.city, town.aya, second) is Outcome.REQUEST_IS_WITHDRAWN
    assert (states(town), town.yen(town.ben)) == (["paid", "withdrawn"], 300)
    [paid] = asked_by_ben(town, 100)
    assert accept(town.city, town.aya, paid) is Outcome.DONE
    request_id = list_requests(town.city, town.ben)[0].request_id
    assert withdraw(town.city, town.ben, request_id) is Outcome.REQUEST_IS_ANSWERED


def test_request_ends_after_its_days(town: Town, clock: FixedClock) -> None:
    [code] = asked_by_ben(town, 300)
    clock.advance(days=rules().request_days, seconds=-1)
    assert look(town.city, town.aya, code).state == "open"
    clock.advance(seconds=1)
    assert (look(town.city, town.aya, code).state, states(town)) == ("over", ["over"])
    for verb in (accept, decline):
        assert verb(town.city, town.aya, code) is Outcome.REQUEST_IS_OVER
    assert town.yen(town.aya) == 10_000


def test_request_is_paid_when_there_is_money(town: Town) -> None:
    [code] = asked_by_ben(town, 10_001)
    assert accept(town.city, town.aya, code) is Outcome.NOT_ENOUGH_MONEY
    assert states(town) == ["open"]
    town.charge(town.aya, 1)
    assert accept(town.city, town.aya, code) is Outcome.DONE


def test_what_is_given_counts_as_spent_and_wallets_hold_no_more_than_they_may(town: Town) -> None:
    limits = rules()
    day = limits.day_limit_yen
    assert ask(town.city, town.ben, new_id("req"), [limits.payment_limit_yen + 1]) is Outcome.ABOVE_PAYMENT_LIMIT
    town.charge(town.aya, limits.wallet_limit_yen - 10_000)
    half, too_much = asked_by_ben(town, day // 2, day // 2 + 1)
    assert accept(town.city, town.aya, half) is Outcome.DONE
    town.charge(town.aya, day // 2)
    assert accept(town.city, town.aya, too_much) is Outcome.ABOVE_DAY_LIMIT
    assert town.pay(town.aya, day // 2 + 1) is Outcome.ABOVE_DAY_LIMIT
    town.charge(town.ben, limits.wallet_limit_yen - day // 2)
    [code] = asked_by_ben(town, 1)
    assert accept(town.city, town.aya, code) is Outcome.REQUEST_CANNOT_BE_RECEIVED
    assert town.pay(town.ben, 1) is Outcome.DONE
    assert accept(town.city, town.aya, code) is Outcome.DONE


def test_wallet_that_is_stopped_neither_gives_nor_gets(town: Town) -> None:
    [code] = asked_by_ben(town, 100)
    told = {town.aya: Outcome.WALLET_IS_SUSPENDED, town.ben: Outcome.REQUEST_CANNOT_BE_RECEIVED}
    for who, outcome in told.items():
        suspend_wallet(town.city, OPERATOR, who.resident_id, "確認中")
        assert accept(town.city, town.aya, code) is outcome
        reopen_wallet(town.city, OPERATOR, who.resident_id, "済み")
    assert accept(town.city, town.aya, code) is Outcome.DONE


def test_payment_is_split_and_the_rest_stays_with_who_paid(town: Town) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 1_000, payment_id=payment_id) is Outcome.DONE
    assert split(town.city, town.aya, new_id("req"), payment_id, 3) is Outcome.DONE
    [request] = list_requests(town.city, town.aya)
    assert [share.amount_yen for share in request.shares] == [333, 333]
    town.charge(town.ben, 500)
    assert accept(town.city, town.ben, request.shares[0].code) is Outcome.DONE
    assert (town.yen(town.aya), town.yen(town.ben)) == (9_333, 167)
    with pytest.raises(NotFound):
        split(town.city, town.ben, new_id("req"), payment_id, 3)
    for people in (1, 0, -1, 32, 2_000):
        with pytest.raises(RequestIsInvalid):
            split(town.city, town.aya, new_id("req"), payment_id, people)


def test_request_that_is_none_is_refused(town: Town) -> None:
    for amounts, note in (([], ""), ([1] * 31, ""), ([1], "x" * 61), ([1], "a\nb"), ([1], "\x00")):
        with pytest.raises(RequestIsInvalid):
            ask(town.city, town.aya, new_id("req"), amounts, note)
    for yen in (0, -1, 10**13):
        with pytest.raises(AmountIsInvalid):
            ask(town.city, town.aya, new_id("req"), [100, yen])
    with pytest.raises(NotPermitted):
        ask(town.city, town.till, new_id("req"), [100])
    with pytest.raises(NotPermitted):
        accept(town.city, town.till, "a" * 24)


def test_share_wanted_by_many_at_once_is_paid_once_and_two_who_pay_each_other_do_not_block(town: Town) -> None:
    town.charge(town.ben, 1_000)
    for _ in range(10):
        [to_ben] = asked_by_ben(town, 10)
        assert ask(town.city, town.aya, new_id("req"), [10]) is Outcome.DONE
        to_aya = list_requests(town.city, town.aya)[0].shares[0].code
        calls = [partial(accept, town.city, town.aya, to_ben), partial(accept, town.city, town.ben, to_aya)] * 3
        assert Counter(at_once(calls)) == {Outcome.DONE: 2, Outcome.EXISTS: 4}
    assert (town.yen(town.aya), town.yen(town.ben)) == (10_000, 1_000)
    check_sums(town.city)

"""Statements page by key, moments of the past stay as they were, and nobody sees what is not theirs."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from sanpo.ground.actors import Actor, Anonymous
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.ledger import Account, AccountFlag, Balance, Transfer, TransferFlag, create_accounts, post
from sanpo.ledger.errors import AccountNotFound, TransferNotFound
from sanpo.ledger.model import LineKey, Trial
from sanpo.ledger.posting import expire_pending
from sanpo.ledger.reading import (
    balance_at,
    get_account,
    get_transfer,
    list_accounts,
    list_newest,
    list_own_accounts,
    list_statement,
    trial_balance,
    walk_statement,
)
from tests.conftest import START
from tests.world import OPERATOR

KEPT, BARE, POINTS = 1, 2, 3
HOUR = timedelta(hours=1)


@pytest.fixture
def day(bank: City, clock: FixedClock) -> City:
    """Twelve hours with a transfer at each: t1 … t12 of 1 … 12 yen from BARE to KEPT, every third one back."""
    create_accounts(bank, [Account(KEPT, 1, 1, AccountFlag.HISTORY), Account(BARE, 1, 2), Account(POINTS, 2, 2)])
    for hour in range(1, 13):
        clock.advance(hours=1)
        sides = (KEPT, BARE) if hour % 3 == 0 else (BARE, KEPT)
        post(bank, [Transfer(hour, *sides, hour, 1, 1)])
    return bank


def pages(city: City, account: int, size: int) -> Iterator[list[int]]:
    after = LineKey(START, 0)
    while lines := list_statement(city, OPERATOR, account, after=after, limit=size):
        yield [line.kept.transfer.transfer_id for line in lines]
        after = lines[-1].key


def test_statement_pages_hold_every_transfer_once_in_order(day: City) -> None:
    for account in (KEPT, BARE):
        for size in (1, 5, 12, 100):
            assert [number for page in pages(day, account, size) for number in page] == list(range(1, 13))
    newest = list_newest(day, OPERATOR, KEPT, limit=3)
    assert [line.kept.transfer.transfer_id for line in newest] == [12, 11, 10]
    older = list_newest(day, OPERATOR, KEPT, before=newest[-1].key, limit=100)
    assert [line.kept.transfer.transfer_id for line in older] == list(range(9, 0, -1))


def test_statement_of_a_period_holds_its_beginning_and_not_its_end(day: City) -> None:
    lines = list(walk_statement(day, OPERATOR, KEPT, since=START + 3 * HOUR, until=START + 6 * HOUR))
    assert [line.kept.transfer.transfer_id for line in lines] == [3, 4, 5]
    assert [line.side for line in lines] == ["debit", "credit", "credit"]


def test_lines_carry_the_running_balance_where_history_is_kept(day: City) -> None:
    lines = list_statement(day, OPERATOR, KEPT)
    balances = [line.balance for line in lines if line.balance is not None]
    assert len(balances) == 12
    for (line, before), after in zip(pairwise(zip(lines, balances, strict=True)), balances[1:], strict=False):
        assert after != before, line
    sums = [b.credits_posted - b.debits_posted for b in balances]
    signed = [-n if n % 3 == 0 else n for n in range(1, 13)]
    assert sums == [sum(signed[: n + 1]) for n in range(12)]
    assert {line.balance for line in list_statement(day, OPERATOR, BARE)} == {None}


def test_balance_of_the_past_is_the_same_with_and_without_history(day: City) -> None:
    for hours in range(14):
        for minutes in (-1, 0, 1):
            at = START + hours * HOUR + timedelta(minutes=minutes)
            kept, bare = balance_at(day, OPERATOR, KEPT, at), balance_at(day, OPERATOR, BARE, at)
            assert kept == Balance(0, bare.credits_posted, 0, bare.debits_posted)
            done = [n for n in range(1, 13) if START + n * HOUR <= at]
            assert kept.credits_posted == sum(n for n in done if n % 3)


def test_kinds_of_lines_say_what_became_of_a_reservation(bank: City, clock: FixedClock) -> None:
    create_accounts(bank, [Account(1, 1, 1), Account(2, 1, 1)])
    post(bank, [Transfer(n, 1, 2, 5, 1, 1, TransferFlag.PENDING, timeout_s=60) for n in (1, 2, 3)])
    post(bank, [Transfer(4, pending_id=1, amount=2, flags=4), Transfer(5, pending_id=2, flags=8)])
    clock.advance(seconds=60)
    assert expire_pending(bank) == 1
    assert expire_pending(bank) == 0
    lines = list_statement(bank, OPERATOR, 1)
    assert [line.kind for line in lines] == ["pending"] * 3 + ["posted", "voided", "expired"]


def test_trial_balance_adds_up_now_and_then(day: City) -> None:
    back = sum(n for n in range(1, 13) if n % 3 == 0)
    forth = sum(range(1, 13)) - back
    assert trial_balance(day, OPERATOR) == [
        Trial(1, 1, 1, 0, back, 0, forth),
        Trial(1, 2, 1, 0, forth, 0, back),
        Trial(2, 2, 1, 0, 0, 0, 0),
    ]
    assert trial_balance(day, OPERATOR, START + 2 * HOUR)[0] == Trial(1, 1, 1, 0, 0, 0, 3)
    assert trial_balance(day, OPERATOR, START - HOUR) == []


def test_accounts_are_seen_by_their_holders_and_not_by_others(world: Any, bank: City) -> None:
    mine, theirs = world.residents(2)
    shop = world.client(world.company)
    create_accounts(
        bank,
        [
            Account(1, 1, 1, subject_no=mine.subject_no),
            Account(2, 1, 1, organisation_no=world.company.organisation_no),
            Account(3, 1, 1),
        ],
    )
    post(bank, [Transfer(10, 1, 2, 5, 1, 1), Transfer(11, 2, 3, 5, 1, 1)])
    seen: dict[str, tuple[Actor, set[int]]] = {
        "resident": (mine, {1}),
        "other": (theirs, set()),
        "shop": (shop, {2}),
        "officer": (world.officer, {3}),
        "nobody": (Anonymous(), set()),
        "operator": (OPERATOR, {1, 2, 3}),
    }
    for actor, accounts in seen.values():
        for number in (1, 2, 3):
            if number in accounts:
                assert get_account(bank, actor, number).account_id == number
                assert balance_at(bank, actor, number, bank.now()) == get_account(bank, actor, number).balance
            else:
                for read in (get_account, list_statement, list_newest):
                    with pytest.raises(AccountNotFound):
                        read(bank, actor, number)
    assert [each.account_id for each in list_own_accounts(bank, mine)] == [1]
    assert [each.account_id for each in list_own_accounts(bank, shop)] == [2]
    assert list_own_accounts(bank, theirs) == []
    with pytest.raises(NotSignedIn):
        list_own_accounts(bank, Anonymous())
    assert get_transfer(bank, mine, 10).transfer.amount == get_transfer(bank, shop, 10).transfer.amount == 5
    for actor, number in ((mine, 11), (theirs, 10), (Anonymous(), 10), (OPERATOR, 99), (OPERATOR, 0)):
        with pytest.raises(TransferNotFound):
            get_transfer(bank, actor, number)


def test_list_of_all_accounts_and_trial_balance_are_for_officers(world: Any, day: City) -> None:
    assert [each.account_id for each in list_accounts(day, world.officer, ledger=1)] == [KEPT, BARE]
    assert [each.account_id for each in list_accounts(day, world.officer, after=KEPT, limit=1)] == [BARE]
    (resident,) = world.residents(1)
    with pytest.raises(NotPermitted):
        list_accounts(day, resident)
    with pytest.raises(NotSignedIn):
        trial_balance(day, Anonymous())

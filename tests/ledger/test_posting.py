"""Posting under concurrency and inside others' transactions; what the database itself refuses."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from sanpo.ground.actors import Client, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotPermitted
from sanpo.ledger import (
    Account,
    AccountFlag,
    Ledger,
    LedgerIsBusy,
    Outcome,
    Transfer,
    TransferFlag,
    create_accounts,
    open_ledger,
    post,
    post_in,
)
from sanpo.ledger.actions import list_ledgers
from sanpo.ledger.errors import BatchIsTooLong, LedgerExists, LedgerIsInvalid
from tests.ledger.books import balance_of, check_sums
from tests.ledger.conftest import POINTS, YEN
from tests.world import OPERATOR

CITY, SHOP, A, B = 100, 101, 1, 2
LIMITED = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
WHO = System("test")


def transfer(number: int, debit: int, credit: int, amount: int, flags: int = 0, **more: int) -> Transfer:
    return Transfer(number, debit, credit, amount, 1, 1, flags, **more)


@pytest.fixture
def town(bank: City) -> City:
    create_accounts(
        bank, [Account(CITY, 1, 1), Account(SHOP, 1, 2), Account(A, 1, 3, LIMITED), Account(B, 1, 3, LIMITED)]
    )
    return bank


def at_once(*calls: Callable[[], object]) -> list[object]:
    """The results of the calls, each on a thread of its own, begun together."""
    barrier, results = threading.Barrier(len(calls)), [object()] * len(calls)

    def run(place: int) -> None:
        barrier.wait()
        results[place] = calls[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_race_of_two_phones_for_the_last_yen_has_one_winner(town: City) -> None:
    for number in range(1, 11):
        post(town, [transfer(number, CITY, A, 1)])
        results = at_once(*(lambda n=n: post(town, [transfer(n, A, SHOP, 1)]) for n in (100 + number, 200 + number)))
        assert sorted(result[0].value for result in results) == ["created", "exceeds_credits"]  # type: ignore[index]
    check_sums(town)


def test_race_of_two_transactions_for_the_last_yen_has_one_winner(town: City) -> None:
    """As two processes would: not joined by the combiner."""
    post(town, [transfer(1, CITY, A, 1)])

    def pay(number: int) -> list[Outcome]:
        with town.transaction(WHO) as tx:
            return post_in(tx, [transfer(number, A, SHOP, 1)])

    results = at_once(lambda: pay(2), lambda: pay(3))
    assert sorted(result[0].value for result in results) == ["created", "exceeds_credits"]  # type: ignore[index]


def test_request_sent_by_many_at_once_is_booked_once(town: City) -> None:
    def pay() -> list[Outcome]:
        with town.transaction(WHO) as tx:
            return post_in(tx, [transfer(7, CITY, SHOP, 5)])

    results = at_once(*[pay] * 4, *[lambda: post(town, [transfer(7, CITY, SHOP, 5)])] * 4)
    assert sorted(result[0].value for result in results) == ["created"] + ["exists"] * 7  # type: ignore[index]
    assert balance_of(town, SHOP).credits_posted == 5


def test_pending_transfer_is_resolved_by_one_of_many(town: City) -> None:
    post(town, [transfer(1, CITY, SHOP, 9, TransferFlag.PENDING)])

    def end(number: int, flag: TransferFlag) -> list[Outcome]:
        with town.transaction(WHO) as tx:
            return post_in(tx, [Transfer(number, flags=flag, pending_id=1)])

    flags = [TransferFlag.POST_PENDING, TransferFlag.VOID_PENDING] * 3
    results = at_once(*(lambda n=n, f=f: end(n, f) for n, f in enumerate(flags, 2)))
    assert [result[0] for result in results].count(Outcome.CREATED) == 1  # type: ignore[index]
    check_sums(town)


def test_crossing_batches_do_not_wait_for_each_other(town: City) -> None:
    def cross(first: int, debit: int, credit: int) -> set[Outcome]:
        told = set[Outcome]()
        for number in range(20):
            with town.transaction(WHO) as tx:
                told |= set(post_in(tx, [transfer(first + number, debit, credit, 1)]))
        return told

    assert at_once(lambda: cross(1000, CITY, SHOP), lambda: cross(2000, SHOP, CITY)) == [{Outcome.CREATED}] * 2
    check_sums(town)


def test_many_threads_on_one_account_add_up(town: City) -> None:
    def pay(first: int) -> None:
        for number in range(25):
            assert post(town, [transfer(first + number, CITY, SHOP, 1)]) == [Outcome.CREATED]

    at_once(*(lambda n=n: pay(1000 * n) for n in range(1, 9)))
    assert balance_of(town, SHOP).credits_posted == 200
    check_sums(town)


def test_one_call_that_is_no_batch_fails_alone(town: City) -> None:
    def broken() -> object:
        try:
            return post(town, [None])  # type: ignore[list-item]
        except AttributeError as error:
            return type(error)

    calls = [broken, *(lambda n=n: post(town, [transfer(n, CITY, SHOP, 1)]) for n in range(1, 8))]
    results = at_once(*calls)
    assert results == [AttributeError, *[[Outcome.CREATED]] * 7]


def test_transfer_is_made_with_the_transaction_that_it_belongs_to_or_not_at_all(town: City) -> None:
    with pytest.raises(ZeroDivisionError), town.transaction(WHO) as tx:
        assert post_in(tx, [transfer(1, CITY, SHOP, 5)]) == [Outcome.CREATED]
        raise ZeroDivisionError
    assert balance_of(town, SHOP).credits_posted == 0
    assert post(town, [transfer(1, CITY, SHOP, 5)]) == [Outcome.CREATED]


def test_transaction_that_is_in_the_way_is_told_and_nothing_is_booked(town: City) -> None:
    """One id for two transfers between other accounts, at the same time: the one who comes second must try again."""
    create_accounts(town, [Account(3, 1, 1), Account(4, 1, 1)])
    with pytest.raises(LedgerIsBusy), town.transaction(WHO) as late:
        late.execute("set local lock_timeout = '10s'")
        books = threading.Thread(target=lambda: post(town, [transfer(1, CITY, SHOP, 5)]))
        original = late.get

        def slow(sql: str, **params: object) -> object:
            books.start()
            books.join()
            return original(sql, **params)

        late.get = slow  # type: ignore[method-assign]
        post_in(late, [transfer(1, 3, 4, 5)])
    assert balance_of(town, 3).debits_posted == 0
    assert post(town, [transfer(1, 3, 4, 5)]) == [Outcome.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID]


def test_batch_of_the_longest_length_is_booked_and_a_longer_one_is_refused(town: City) -> None:
    batch = [transfer(number, CITY, SHOP, 1) for number in range(1, 8191)]
    assert set(post(town, batch)) == {Outcome.CREATED}
    assert balance_of(town, SHOP).credits_posted == 8190
    with pytest.raises(BatchIsTooLong):
        post(town, [*batch, batch[0]])
    with pytest.raises(BatchIsTooLong):
        create_accounts(town, [Account(1, 1, 1)] * 8191)
    assert post(town, []) == []


def test_moments_of_an_account_never_go_back_when_a_clock_does(town: City, clock: FixedClock) -> None:
    post(town, [transfer(1, CITY, SHOP, 1)])
    clock.advance(hours=-1)
    post(town, [transfer(2, CITY, SHOP, 1)])
    with town.transaction(WHO) as tx:
        rows = tx.all("select at from ledger.transfers order by transfer_no")
    assert rows[0].at == rows[1].at


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger.transfers set amount = 0",
        "delete from ledger.transfers",
        "delete from ledger.accounts",
        "update ledger.accounts set debits_posted = -1",
        "update ledger.accounts set debits_posted = credits_posted + 1 where code = 3",
        "insert into ledger.transfers (transfer_no, transfer_id, debit_account_no, credit_account_no, amount, at, ledger,"
        " code, flags) select 1, transfer_id, 1, 2, 3, at, 1, 1, 0 from ledger.transfers",
    ],
)
def test_database_refuses_what_would_break_a_rule(town: City, statement: str) -> None:
    post(town, [transfer(1, CITY, SHOP, 5)])
    with psycopg.connect(town.settings.database_owner_url) as conn, pytest.raises(psycopg.errors.IntegrityError):
        conn.execute(statement)


def test_ledger_is_opened_once_by_an_officer(bank: City) -> None:
    open_ledger(bank, OPERATOR, YEN)
    assert list_ledgers(bank) == [YEN, POINTS]
    with pytest.raises(LedgerExists):
        open_ledger(bank, OPERATOR, Ledger(1, "EUR", 2, "Euro"))
    for wrong in (Ledger(0, "JPY", 0, ""), Ledger(3, "yen", 0, ""), Ledger(3, "JPY", 6, "")):
        with pytest.raises(LedgerIsInvalid):
            open_ledger(bank, OPERATOR, wrong)
    with pytest.raises(NotPermitted):
        open_ledger(bank, Client("cli_x", "org_x", 1), YEN)

"""What every attack on the cash must leave as it was."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TypeVar

import pytest

from sanpo.ground.actors import System
from sanpo.services.cash.wallets import BANK_ACCOUNT
from tests.ledger.books import balance_of, check_sums
from tests.services.cash.conftest import Town

T = TypeVar("T")
BOOKED = (
    "select (select coalesce(sum(amount_yen), 0) from cash.charges)::bigint as charged,"
    " (select coalesce(sum(amount_yen - refunded_yen), 0) from cash.payments)::bigint as paid,"
    " (select count(*) from cash.payments) as payments"
)

PAID_BILLS = "select bill_id, payment_id from cash.bills where payment_id is not null order by 1"
USED_CODES = "select code_sha256, payment_id from cash.codes where payment_id is not null order by 1"


def check_books(town: Town) -> None:
    """The ledger is whole, and holds what the service's own rows say: charged = in wallets + paid to shops."""
    check_sums(town.city)
    with town.city.transaction(System("cash")) as tx:
        booked = tx.get(BOOKED)
    bank = balance_of(town.city, BANK_ACCOUNT)
    assert bank.debits_posted - bank.credits_posted == booked.charged
    assert town.till_yen == booked.paid
    assert town.yen(town.aya) + town.yen(town.ben) + town.till_yen == booked.charged


@contextmanager
def nothing_moves(town: Town) -> Iterator[None]:
    """Neither money nor a row: balances and payments are afterwards what they were before."""
    before = _standing(town)
    yield
    assert _standing(town) == before
    check_books(town)


def _standing(town: Town) -> tuple[object, ...]:
    with town.city.transaction(System("cash")) as tx:
        rows = tuple(tx.get(BOOKED)), tx.all(PAID_BILLS), tx.all(USED_CODES)
    return (*rows, town.yen(town.aya), town.yen(town.ben), town.till_yen)


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Each call in a thread of its own, all let go at the same moment."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture(autouse=True)
def books_are_whole(town: Town) -> Iterator[None]:
    """After every attack: nothing lost, nothing made."""
    yield
    check_books(town)

"""Two that wait for each other: one is taken back whole, asked again, and done."""

import threading
import time

import pytest

from sanpo.ground.actors import System
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_number
from sanpo.ledger import LedgerIsBusy, Transfer, post_in
from sanpo.services.cash.model import PAYMENT, YEN_LEDGER, number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.wallets import booked, post_chain
from tests.services.cash.conftest import Town

LOCK = "select pg_advisory_xact_lock(770077)"
LONGER_THAN_THE_DEADLOCK_TIMEOUT_S = 1.3


def test_deadlock_is_told_as_busy_and_the_service_asks_again(town: Town) -> None:
    shop, wallet = number_of("shop", town.cafe.shop_no), number_of("wallet", town.aya.subject_no)
    first_holds, second_holds = threading.Event(), threading.Event()
    attempts: list[str] = []

    def first() -> None:
        """Holds the lock, then wants the accounts: it begins to wait last, so it is the one that PostgreSQL takes back."""

        def work(tx: Transaction) -> Outcome:
            tx.execute(LOCK)
            first_holds.set()
            second_holds.wait(10)
            if not attempts:
                time.sleep(LONGER_THAN_THE_DEADLOCK_TIMEOUT_S)
            attempts.append("begun")
            try:
                return post_chain(tx, [Transfer(number_of("test", 1), wallet, shop, 10, YEN_LEDGER, PAYMENT)])
            except LedgerIsBusy:
                attempts.append("busy")
                raise

        assert booked(town.city, work) is Outcome.DONE

    def second() -> None:
        with town.city.transaction(System("cash")) as tx:
            first_holds.wait(10)
            post_in(tx, [Transfer(new_number(), wallet, shop, 20, YEN_LEDGER, PAYMENT)])
            second_holds.set()
            tx.execute(LOCK)
            raise ZeroDivisionError  # taken back, so that the service's rows and the ledger agree

    thread = threading.Thread(target=first)
    thread.start()
    with pytest.raises(ZeroDivisionError):
        second()
    thread.join(20)
    assert attempts == ["begun", "busy", "begun"]
    assert town.till_yen == 10
    back = Transfer(number_of("test", 2), shop, wallet, 10, YEN_LEDGER, PAYMENT)
    assert booked(town.city, lambda tx: post_chain(tx, [back])) is Outcome.DONE

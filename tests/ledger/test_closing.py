"""A closed day stays as it was: its figures stand in the journal, and what comes late is booked later."""

import threading
from datetime import date, timedelta
from hashlib import sha256

import psycopg
import pytest

from sanpo.ground.actors import Anonymous, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotSignedIn
from sanpo.journal import list_entries
from sanpo.ledger import Account, Outcome, Transfer, TransferFlag, create_accounts, post, post_in
from sanpo.ledger.closing import close_day, close_yesterday, differing, end_of, list_closes
from sanpo.ledger.errors import DayIsBeforeTheLastClose, DayIsNotClosed, DayIsNotOver
from sanpo.ledger.reading import list_statement
from tests.world import OPERATOR

DAY = date(2026, 4, 1)  # the clock stands at 09:00 in Tokyo


@pytest.fixture
def shop(bank: City) -> City:
    create_accounts(bank, [Account(1, 1, 1), Account(2, 1, 1), Account(3, 2, 1)])
    post(bank, [Transfer(1, 1, 2, 70, 1, 1), Transfer(2, 2, 1, 7, 1, 1, TransferFlag.PENDING)])
    return bank


def test_close_fixes_the_figures_and_puts_them_into_the_journal(shop: City, clock: FixedClock) -> None:
    with pytest.raises(DayIsNotOver):
        close_day(shop, OPERATOR, DAY)
    clock.advance(hours=16)  # 01:00 of the next day
    post(shop, [Transfer(3, 1, 2, 5, 1, 1), Transfer(4, pending_id=2, amount=7, flags=4)])
    yen, points = close_day(shop, OPERATOR, DAY)
    lines = f"{1:032x}|0|70|7|0\n{2:032x}|7|0|0|70\n"
    assert (yen.accounts, yen.transfers, yen.debits_pending, yen.debits_posted) == (2, 2, 7, 70)
    assert (yen.credits_pending, yen.credits_posted) == (7, 70)
    assert yen.accounts_sha256 == sha256(lines.encode()).hexdigest()
    assert (points.ledger, points.accounts, points.debits_posted) == (2, 1, 0)
    (entry,) = [each for each in list_entries(shop) if each.kind == "ledger.close"]
    body = entry.body
    assert entry.entry_id == yen.entry_id == points.entry_id
    assert body["day"] == "2026-04-01"
    assert body["ledgers"][0]["debits_posted"] == "70"
    assert body["ledgers"][0]["accounts_sha256"] == yen.accounts_sha256
    assert list_closes(shop) == [yen, points]
    assert differing(shop, DAY) == []


def test_close_again_is_the_same_and_days_are_closed_in_order(shop: City, clock: FixedClock) -> None:
    clock.advance(days=3)
    with pytest.raises(DayIsNotClosed):
        differing(shop, DAY)
    second = close_day(shop, OPERATOR, DAY + timedelta(days=1))
    assert close_day(shop, OPERATOR, DAY + timedelta(days=1)) == second
    with pytest.raises(DayIsBeforeTheLastClose):
        close_day(shop, OPERATOR, DAY)
    assert len([each for each in list_entries(shop) if each.kind == "ledger.close"]) == 1
    with pytest.raises(NotSignedIn):
        close_day(shop, Anonymous(), DAY)


def test_nothing_is_booked_into_a_closed_day_whatever_the_clock_says(shop: City, clock: FixedClock) -> None:
    clock.advance(hours=16)
    close_day(shop, OPERATOR, DAY)
    clock.advance(hours=-3)  # a clock an hour and more off
    assert post(shop, [Transfer(9, 1, 2, 5, 1, 1)]) == [Outcome.CREATED]
    assert list_statement(shop, OPERATOR, 1)[-1].kept.at == end_of(shop, DAY)
    assert differing(shop, DAY) == []


def test_close_waits_for_a_transaction_that_posts(shop: City, clock: FixedClock) -> None:
    clock.advance(hours=14, minutes=59)
    closer = threading.Thread(target=lambda: close_day(shop, OPERATOR, DAY))
    with shop.transaction(System("test")) as tx:
        post_in(tx, [Transfer(9, 1, 2, 5, 1, 1)])  # at 23:59
        clock.advance(minutes=2)
        closer.start()
        closer.join(0.2)
        assert closer.is_alive()
    closer.join()
    assert list_closes(shop)[0].debits_posted == 75
    assert differing(shop, DAY) == []


def test_duty_closes_yesterday_once(shop: City, clock: FixedClock) -> None:
    clock.advance(days=1)
    close_yesterday(shop)
    close_yesterday(shop)
    assert [(each.day, each.ledger) for each in list_closes(shop)] == [(DAY, 1), (DAY, 2)]
    assert list_closes(shop, before=DAY) == []


def test_check_finds_what_was_changed_in_a_closed_day(shop: City, clock: FixedClock) -> None:
    clock.advance(days=1)
    close_day(shop, OPERATOR, DAY)
    with psycopg.connect(shop.settings.database_owner_url) as conn:  # past every rule of the ledger
        conn.execute("set session_replication_role = replica")
        conn.execute("update ledger.transfers set amount = 60 where amount = 70")
        conn.execute("update ledger.accounts set debits_posted = 60 where debits_posted = 70")
    assert differing(shop, DAY) == [1]

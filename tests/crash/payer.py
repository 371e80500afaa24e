"""The process that pays and is killed: threads that post batches, each of which its seed, thread and number tell."""

import os
import random
import threading
from itertools import count
from multiprocessing.connection import Connection

import msgspec
import psycopg

from sanpo import app
from sanpo.ground.config import Settings
from sanpo.ground.errors import DomainError
from sanpo.ledger import Account, AccountFlag, Transfer, TransferFlag, post
from tests.crash.worker import Paid

BANK, SHOP, WALLETS, THREADS = 1, 2, range(10, 30), 3
ACCOUNTS = [Account(BANK, 1, 1), Account(SHOP, 1, 2, AccountFlag.HISTORY)] + [
    Account(number, 1, 3, AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | number % 2 * AccountFlag.HISTORY)
    for number in WALLETS
]


def batch_of(seed: int, thread: int, number: int) -> list[Transfer]:
    """Charges, payments, chains, reservations and what becomes of them; the same each time it is asked for."""
    chance = random.Random(f"{seed} {thread} {number}")
    first = ((seed << 8 | thread) << 32 | number) << 8
    wallet, other = chance.sample(WALLETS, 2)

    def move(place: int, debit: int, credit: int, amount: int, flags: int = 0, timeout_s: int = 0) -> Transfer:
        return Transfer(first + place, debit, credit, amount, 1, 1, flags, timeout_s=timeout_s)

    match chance.randrange(5):
        case 0:
            return [move(1, BANK, wallet, chance.randint(1, 500))]
        case 1:
            return [move(1, wallet, SHOP, chance.randint(1, 200))]
        case 2:
            linked = TransferFlag.LINKED
            return [
                move(1, wallet, other, chance.randint(1, 100), linked),
                move(2, other, SHOP, chance.randint(1, 100)),
            ]
        case 3:
            end = chance.choice((TransferFlag.POST_PENDING, TransferFlag.VOID_PENDING))
            reserved = chance.randint(1, 100)
            amount = chance.randint(0, reserved) if end is TransferFlag.POST_PENDING else 0
            return [
                move(1, wallet, SHOP, reserved, TransferFlag.PENDING, chance.choice((0, 3600))),
                Transfer(first + 2, amount=amount, flags=end, pending_id=first + 1),
            ]
        case _:
            return [move(place, BANK, chance.choice(WALLETS), 1) for place in range(1, 40)]


def run_payments(settings: Settings, say: Connection, seed: int) -> None:
    """Pays for ever, or until the database is gone; says each batch aloud when it is acknowledged."""
    city, mouth = app.open_city(settings, pool=THREADS + 1), threading.Lock()

    def pay(thread: int) -> None:
        try:
            for number in count():
                outcomes = post(city, batch_of(seed, thread, number))
                said = msgspec.json.encode(Paid(seed, thread, number, [each.value for each in outcomes]))
                with mouth:
                    say.send_bytes(said)
        except (DomainError, psycopg.Error, OSError):
            os._exit(3)

    for thread in range(1, THREADS):
        threading.Thread(target=pay, args=(thread,), daemon=True).start()
    pay(0)

"""Kill -9 of who pays, of the database, or of one of its processes, at any point of the load, more than two hundred times.

Every acknowledged transfer is there, once, with its amount; what was not acknowledged can be sent again; the sum is zero and
no limit is broken.
"""

import random
import time
from collections.abc import Callable

import pytest

from sanpo.ground.city import City
from sanpo.ledger import Ledger, Outcome, create_accounts, open_ledger, post
from tests.crash.payer import ACCOUNTS, THREADS, batch_of, run_payments
from tests.crash.scene import Scene, Worker
from tests.crash.test_kill import end
from tests.crash.worker import Acknowledgement, Paid
from tests.ledger.books import check_sums
from tests.world import OPERATOR

pytestmark = pytest.mark.long

PAYER_ROUNDS, DATABASE_ROUNDS, BACKEND_ROUNDS = 120, 45, 45
LONGEST_LIFE_S = 0.5
DONE = (Outcome.CREATED.value, Outcome.EXISTS.value)
FOUND = "select transfer_id, amount from ledger.transfers where transfer_id = any (%(ids)s::uuid[])"


@pytest.fixture(scope="module")
def town(scene: Scene) -> Scene:
    with scene.city() as city:
        open_ledger(city, OPERATOR, Ledger(1, "JPY", 0, "円"))
        create_accounts(city, ACCOUNTS)
    return scene


def at_work(town: Scene, seed: int) -> Worker:
    worker = Worker(run_payments, town.settings, seed)
    assert worker.first.wait(60)
    assert worker.said, "the payer ended before it had paid anything"
    return worker


def check(town: Scene, seed: int, said: list[Acknowledgement]) -> None:
    """The books after a death: all that was acknowledged, and a retry of it and of what came next moves nothing twice."""
    paid = [each for each in said if isinstance(each, Paid)]
    with town.city() as city:
        amounts = {
            request.transfer_id: request.amount
            for each in paid
            for request, outcome in zip(batch_of(seed, each.thread, each.number), each.outcomes, strict=True)
            if outcome in DONE and not request.flags & 8
        }
        with city.transaction(OPERATOR) as tx:
            rows = tx.all(FOUND, ids=[f"{number:032x}" for number in amounts])
        assert {row.transfer_id.int: row.amount for row in rows} == amounts
        assert len(rows) == len(amounts)
        check_sums(city)
        send_again(city, seed, paid)
        check_sums(city)


def send_again(city: City, seed: int, paid: list[Paid]) -> None:
    for thread in range(THREADS):
        mine = [each for each in paid if each.thread == thread]
        for each in mine[-5:]:
            again = post(city, batch_of(seed, thread, each.number))
            for outcome, before in zip(again, each.outcomes, strict=True):
                assert outcome is not Outcome.CREATED, "paid twice"
                assert (outcome is Outcome.EXISTS) == (before in DONE)
        after = mine[-1].number + 1 if mine else 0
        first = post(city, batch_of(seed, thread, after))
        second = post(city, batch_of(seed, thread, after))
        assert [each.is_done for each in first] == [each.is_done for each in second]
        assert Outcome.CREATED not in second


def rounds(town: Scene, first_seed: int, count: int, kill: Callable[[Worker, random.Random], None]) -> None:
    for seed in range(first_seed, first_seed + count):
        chance = random.Random(seed)
        worker = at_work(town, seed)
        time.sleep(chance.uniform(0, LONGEST_LIFE_S))
        kill(worker, chance)
        check(town, seed, worker.said)


def test_payer_killed_by_chance_loses_nothing_and_pays_nothing_twice(town: Scene) -> None:
    rounds(town, 1_000, PAYER_ROUNDS, lambda worker, _: worker.kill())


def test_database_killed_by_chance_loses_nothing_and_pays_nothing_twice(town: Scene) -> None:
    def kill(worker: Worker, _: random.Random) -> None:
        town.kill_database()
        end(town, [worker])

    rounds(town, 2_000, DATABASE_ROUNDS, kill)


def test_one_database_process_killed_by_chance_loses_nothing_and_pays_nothing_twice(town: Scene) -> None:
    def kill(worker: Worker, chance: random.Random) -> None:
        town.kill_backend(chance)
        end(town, [worker])

    rounds(town, 3_000, BACKEND_ROUNDS, kill)


def test_check_notices_what_a_crash_could_have_done(town: Scene) -> None:
    """The test of the tests: a transfer that is lost, and a sum that is off, fail it."""
    worker = at_work(town, 4_000)
    time.sleep(0.3)
    worker.kill()
    check(town, 4_000, worker.said)
    lost = Paid(4_000, 0, 10**6, [Outcome.CREATED.value] * len(batch_of(4_000, 0, 10**6)))
    with pytest.raises(AssertionError):
        check(town, 4_000, [*worker.said, lost])
    with town.owner() as conn:
        for harm, repair in (
            ("debits_posted = debits_posted + 1", "debits_posted = debits_posted - 1"),
            ("credits_pending = credits_pending + 1", "credits_pending = credits_pending - 1"),
        ):
            conn.execute(f"update ledger.accounts set {harm} where code = 1")
            with pytest.raises(AssertionError):
                check(town, 4_000, worker.said)
            conn.execute(f"update ledger.accounts set {repair} where code = 1")
    check(town, 4_000, worker.said)

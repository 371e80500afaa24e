"""How long do residents' withdrawals wait for what an answer pays, when it pays 10,000 residents?

From its last look at the grants until its commit a release holds withdrawals up. `taken_ms` is what the payment adds to that
time as it is: one transfer out of the asker's funds, the residents' parts by a job afterwards. Alternative in the same run:
every resident gets a lot and a transfer in the releasing transaction itself (`each_ms`). Commits are durable.
"""

import argparse
import time

import numpy as np
from harness import fresh_city, percentile, report

from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.ground.payouts import Payout
from sanpo.services.cash.benefits.funds import deposit
from sanpo.services.cash.benefits.payouts import distribute, give_returns, pay_out
from sanpo.services.cash.benefits.store import SQL
from sanpo.services.cash.wallets import SERVICE
from tests.world import OPERATOR, World  # type: ignore[import-not-found]

SLICE = 8000


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--residents", type=int, default=10_000)
    options.add_argument("--uses", type=int, default=15)
    given = options.parse_args()
    with fresh_city() as city:
        world = World(city)
        subjects = [each.subject_no for each in world.residents(given.residents)]
        payer = world.university
        deposit(city, OPERATOR, new_id("dep"), payer.organisation_id, 10**11)
        flags = np.zeros(subjects[-1] + 1, dtype=np.uint8)
        flags[subjects] = 1
        bits = np.packbits(flags, bitorder="little").tobytes()

        def payout(number: int) -> Payout:
            return Payout(number, 1, payer.organisation_no, 2, bits, len(subjects), len(subjects))

        taken = [_timed(city, payout(number), []) for number in range(1, given.uses + 1)]
        began = time.perf_counter()
        count = distribute(city)
        distributing_s = time.perf_counter() - began
        # The same residents under another agreement: accounts are open, lots are new; then again: lots are there.
        each = [_timed(city, payout(1000 + number), subjects) for number in range(5)]
    report(
        "paid_returns",
        {"residents": len(subjects), "uses": given.uses},
        {
            "taken_ms": percentile(taken, 0.5) * 1000,
            "taken_p95_ms": percentile(taken, 0.95) * 1000,
            "each_ms": percentile(each, 0.5) * 1000,
            "distributed_per_s": count / distributing_s,
        },
    )


def _timed(city: City, payout: Payout, at_once: list[int]) -> float:
    """Seconds from the first statement of the payment to the end of the commit."""
    with city.transaction(SERVICE) as tx:
        began = time.perf_counter()
        pay_out(tx, payout)
        for start in range(0, len(at_once), SLICE):
            give_returns(tx, payout, at_once[start : start + SLICE])
        if at_once:
            tx.execute(SQL.go_on_with_payout, entry_no=payout.entry_no, next_subject=2**31 - 1, paid_at=tx.now)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

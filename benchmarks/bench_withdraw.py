"""How long does a withdrawal take over HTTP while questions run, and does any later answer still count the resident?

Each race: one resident withdraws over HTTP, at a random moment of the questions that a second process asks without
pause. Afterwards the journal's sealed sets say whose rows each answer counted. The promise: 100 ms at the 95th
percentile, and no row of a resident in any answer that starts after the withdrawal was acknowledged. Baseline in the
same run: the same withdrawals while nobody asks.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import psycopg
from harness import Wire, fresh_city, percentile, report, served

from sanpo.consent import PublishedAgreement
from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.ground.csrf import csrf_token
from sanpo.people import make_sign_in_link
from sanpo.people.sign_in import sign_in_with_link
from tests.crash.scene import LONG_TERM, Worker
from tests.crash.worker import Answered, Loop, run_questions
from tests.journeys.town import fill_lake
from tests.world import SIMULATOR, World

STEADY, WARM_UP, ROWS_OF_ONE = 20, 20, 8


@dataclass(frozen=True)
class Withdrawal:
    """One race: who left, when it was acknowledged (CLOCK_MONOTONIC), how long the call took."""

    subject_no: int
    acknowledged_ns: int
    took_ms: float


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--races", type=int, default=1000)
    options.add_argument("--baseline", type=int, default=200, help="withdrawals while nobody asks")
    options.add_argument("--longest-pause-ms", type=float, default=40, help="between two withdrawals")
    given = options.parse_args()
    with fresh_city() as city:
        world = World(city)
        agreement = world.agreement(term=LONG_TERM)
        residents = world.residents(STEADY + WARM_UP + given.baseline + given.races)
        fill_lake(city, [resident.subject_no for resident in residents], steps=ROWS_OF_ONE)
        world.give(agreement, residents)
        asker = Loop(city.settings, agreement.agreement_id, world.client(world.university, agreement), ())
        calls = [(each.subject_no, _headers(city, each)) for each in residents[STEADY:]]
        pause_s = given.longest_pause_ms / 1000
        with served(city.settings):
            leave(city, agreement, calls[:WARM_UP], 0)
            alone = leave(city, agreement, calls[WARM_UP : WARM_UP + given.baseline], pause_s)
            questions = Worker(run_questions, asker)
            questions.first.wait(60)
            races = leave(city, agreement, calls[WARM_UP + given.baseline :], pause_s)
            time.sleep(0.5)
            questions.kill()
        answers = [said for said in questions.said if isinstance(said, Answered)]
        figures = _figures(city, races, answers)
    report(
        "withdraw",
        {
            "residents": len(residents),
            "answers": len(answers),
            "http_workers": city.settings.http_workers,
            "longest_pause_ms": given.longest_pause_ms,
        },
        {
            **figures,
            "p50_without_questions_ms": percentile([each.took_ms for each in alone], 0.5),
            "p95_without_questions_ms": percentile([each.took_ms for each in alone], 0.95),
        },
    )


def leave(
    city: City, agreement: PublishedAgreement, calls: Sequence[tuple[int, dict[str, str]]], longest_pause_s: float
) -> list[Withdrawal]:
    """One after another, over one connection, each at a random moment."""
    wire, chance, left = Wire(city.settings.port), random.Random(1), []
    for subject_no, headers in calls:
        time.sleep(chance.uniform(0, longest_pause_s))
        began = time.monotonic_ns()
        path = f"/api/consent/grants/{agreement.agreement_id}"
        status, body = wire.call("POST", path, headers, b'{"decision":"withdraw"}')
        ended = time.monotonic_ns()
        if status != 200 or b'"withdrawn"' not in body:
            sys.exit(f"a withdrawal failed: {status} {body[:200]!r}")
        left.append(Withdrawal(subject_no, ended, (ended - began) / 1e6))
    return left


def _figures(city: City, races: list[Withdrawal], answers: list[Answered]) -> dict[str, float]:
    counted = _counted(city)
    late = sum(
        race.acknowledged_ns < answer.started_ns and race.subject_no in counted[answer.entry_id]
        for race in races
        for answer in answers
    )
    gone = [race.acknowledged_ns for race in races]
    under_way = sum(any(a.started_ns < at < a.ended_ns for a in answers) for at in gone)
    gaps_ms = [(second.started_ns - first.ended_ns) / 1e6 for first, second in pairwise(answers)]
    return {
        "p50_ms": percentile([race.took_ms for race in races], 0.5),
        "p95_ms": percentile([race.took_ms for race in races], 0.95),
        "rows_after_withdrawal": late * ROWS_OF_ONE,
        "races": len(races),
        "races_with_a_question_under_way": under_way,
        "longest_gap_between_answers_ms": max(gaps_ms, default=0.0),
    }


def _counted(city: City) -> dict[str, set[int]]:
    """Whose rows each answer counted, as the journal sealed it."""
    with psycopg.connect(city.settings.database_owner_url) as conn:
        rows = conn.execute("select entry_id, bits from journal.use_subjects join journal.entries using (entry_no)")
        return {
            entry_id: set(np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")).tolist())
            for entry_id, bits in rows
        }


def _headers(city: City, resident: Resident) -> dict[str, str]:
    token = sign_in_with_link(city, make_sign_in_link(city, SIMULATOR, resident.resident_id).token).token
    return {
        "Cookie": f"sanpo={token}",
        "X-CSRF-Token": csrf_token(city.keys, token),
        "Content-Type": "application/json",
    }


if __name__ == "__main__":
    main()

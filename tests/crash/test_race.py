"""Withdrawals against questions of another process: no answer that starts after a withdrawal counts the resident."""

import random
import time

import numpy as np
import pytest

from sanpo.consent import Decision, decide
from sanpo.ground.actors import Resident
from tests.crash.scene import Scene, Worker
from tests.crash.worker import Answered, run_questions

pytestmark = pytest.mark.long

RACES = 300
LONGEST_PAUSE_S = 0.03


def test_answer_that_starts_after_a_withdrawal_never_counts_the_resident(scene: Scene) -> None:
    leaving = scene.more_residents(RACES)
    askers = [Worker(run_questions, scene.of()) for _ in range(2)]
    assert all(asker.first.wait(60) for asker in askers)
    withdrawn_ns = withdraw_one_by_one(scene, leaving)
    time.sleep(0.3)
    for asker in askers:
        asker.kill()
    answers = [said for asker in askers for said in asker.said if isinstance(said, Answered)]
    counted = contributors(scene)

    late = [
        (answer.entry_id, subject_no)
        for answer in answers
        for subject_no, gone_ns in withdrawn_ns.items()
        if gone_ns < answer.started_ns and subject_no in counted[answer.entry_id]
    ]
    assert late == [], f"{len(late)} of {len(answers)} answers count somebody who had withdrawn before they started"
    assert uses_released_after_leaving(scene) == 0

    # The race was one: many left while a question was under way, and nearly all were counted until they left.
    under_way = sum(any(a.started_ns < gone < a.ended_ns for a in answers) for gone in withdrawn_ns.values())
    assert under_way > RACES / 15, under_way
    was_in = sum(any(subject_no in counted[a.entry_id] for a in answers) for subject_no in withdrawn_ns)
    assert was_in > RACES * 0.9, was_in


def withdraw_one_by_one(scene: Scene, residents: list[Resident]) -> dict[int, int]:
    """When each resident's withdrawal was acknowledged, by CLOCK_MONOTONIC, ns."""
    chance = random.Random(7)
    acknowledged: dict[int, int] = {}
    with scene.city() as city:
        for resident in residents:
            time.sleep(chance.uniform(0, LONGEST_PAUSE_S))
            decide(city, resident, scene.agreement.agreement_id, Decision.WITHDRAW)
            acknowledged[resident.subject_no] = time.monotonic_ns()
    return acknowledged


def contributors(scene: Scene) -> dict[str, set[int]]:
    """Whose rows each use counted, as the journal sealed it."""
    with scene.owner() as conn:
        rows = conn.execute(
            "select e.entry_id, u.bits from journal.use_subjects u join journal.entries e using (entry_no)"
        )
        return {
            entry_id: set(np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")).tolist())
            for entry_id, bits in rows
        }


def uses_released_after_leaving(scene: Scene) -> int:
    """Uses that count a resident and stand in the journal behind that resident's withdrawal: also those under way when
    the withdrawal came. Each waits for the other's commit, so that the journal's order is the order of release."""
    with scene.owner() as conn:
        row = conn.execute(
            "select count(*) from consent.grant_events g join journal.entries w using (entry_id)"
            " join journal.use_subjects u on u.entry_no > w.entry_no and u.universe > g.subject_no"
            " where g.state = 'withdrawn' and get_bit(u.bits, g.subject_no) = 1"
        ).fetchone()
    assert row is not None
    return int(row[0])

"""Kill -9 of a worker or of the database at any point of the loop: what was acknowledged is there, once, and whole."""

import random
import signal
import time
from itertools import count

import pytest

from tests.crash.books import check_books
from tests.crash.scene import Scene, Worker
from tests.crash.worker import Acknowledgement, Answered, Decided, run_by_chance, run_script

pytestmark = pytest.mark.long

WORKER_ROUNDS, DATABASE_ROUNDS, BACKEND_ROUNDS = 8, 8, 6
LONGEST_LIFE_S = 0.6


class Tally:
    """What has been acknowledged in all rounds, and how much each death may have swallowed."""

    def __init__(self) -> None:
        self.said: list[Acknowledgement] = []
        self.unsaid = 0

    def add(self, workers: list[Worker]) -> None:
        for worker in workers:
            self.said += worker.said
            self.unsaid += 1


@pytest.fixture(scope="module")
def tally() -> Tally:
    return Tally()


def test_worker_killed_before_each_statement_and_after_each_commit_loses_nothing(scene: Scene, tally: Tally) -> None:
    """Every moment of: give, ask, sequence, withdraw, ask. A round for each, on a resident who has decided nothing yet."""
    for at in count(1):
        worker = Worker(run_script, scene.of(scene.wavering[at - 1]), at)
        code = worker.wait()
        tally.add([worker])
        check_books(scene, tally.said, unsaid=tally.unsaid)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert at > 30, "each statement of the loop was a moment to die at"
    assert [type(said) for said in worker.said].count(Answered) == 2
    assert [said.state for said in worker.said if isinstance(said, Decided)] == ["given", "withdrawn"]


@pytest.mark.parametrize("round_no", range(WORKER_ROUNDS))
def test_worker_killed_by_chance_loses_nothing(scene: Scene, tally: Tally, round_no: int) -> None:
    chance = random.Random(round_no)
    workers = pair(scene, round_no)
    time.sleep(chance.uniform(0, LONGEST_LIFE_S))
    for worker in workers:
        worker.kill()
    tally.add(workers)
    check_books(scene, tally.said, unsaid=tally.unsaid)


@pytest.mark.parametrize("round_no", range(DATABASE_ROUNDS))
def test_database_killed_by_chance_loses_nothing(scene: Scene, tally: Tally, round_no: int) -> None:
    chance = random.Random(100 + round_no)
    workers = pair(scene, 100 + round_no)
    time.sleep(chance.uniform(0, LONGEST_LIFE_S))
    scene.kill_database()
    end(scene, workers)
    tally.add(workers)
    check_books(scene, tally.said, unsaid=tally.unsaid)


@pytest.mark.parametrize("round_no", range(BACKEND_ROUNDS))
def test_one_database_process_killed_by_chance_loses_nothing(scene: Scene, tally: Tally, round_no: int) -> None:
    chance = random.Random(200 + round_no)
    workers = pair(scene, 200 + round_no)
    time.sleep(chance.uniform(0, LONGEST_LIFE_S))
    scene.kill_backend(chance)
    end(scene, workers)
    tally.add(workers)
    check_books(scene, tally.said, unsaid=tally.unsaid)


@pytest.mark.parametrize(
    ("harm", "repair"),
    [
        (f"update consent.granted_chunks set bits = set_bit(bits, {bit}, 1 - get_bit(bits, {bit}))",) * 2
        for bit in (1, 2047)
    ]
    + [
        (
            "alter table returns.accruals rename to kept; create table returns.accruals (like returns.kept)",
            "drop table returns.accruals; alter table returns.kept rename to accruals",
        ),
        (
            "update consent.grants set state = 'expired' where subject_no = 1",
            "update consent.grants set state = 'given' where subject_no = 1",
        ),
        (
            "update journal.entry_subjects set subject_no = -subject_no where subject_no = 2",
            "update journal.entry_subjects set subject_no = -subject_no where subject_no = -2",
        ),
    ],
)
def test_books_notice_harm(scene: Scene, tally: Tally, harm: str, repair: str) -> None:
    """The test of the tests: what a crash could have done to the records fails them."""
    if not tally.said:
        pytest.skip("the rounds above did not run")
    with scene.owner() as conn:
        conn.execute(harm)
        with pytest.raises(AssertionError):
            check_books(scene, tally.said, unsaid=tally.unsaid)
        conn.execute(repair)
    check_books(scene, tally.said, unsaid=tally.unsaid)
    lost = Decided("evt_lost", "ent_lost", 1, "given")
    with pytest.raises(AssertionError, match="lost"):
        check_books(scene, [*tally.said, lost], unsaid=tally.unsaid)


def pair(scene: Scene, seed: int) -> list[Worker]:
    """Two workers on the same few residents, both at work."""
    loop = scene.of(*scene.wavering[:6])
    workers = [Worker(run_by_chance, loop, 2 * seed + place) for place in range(2)]
    for worker in workers:
        assert worker.first.wait(60)
        assert worker.said, "the worker ended before it had done anything"
    return workers


def end(scene: Scene, workers: list[Worker]) -> None:
    """Ends who goes on. The loss of the database reached a worker as an error in the middle of its work, or not at all:
    between two statements it takes another connection, which waits until the database is back."""
    time.sleep(0.2)
    for worker in workers:
        if worker.process.is_alive():
            worker.kill()
    assert {worker.wait() for worker in workers} <= {3, -signal.SIGKILL}
    scene.wait_until_ready()  # the database may have noticed the death of one of its processes only now

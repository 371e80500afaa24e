"""The sequencer: every committed entry gets one place, in batches that may die anywhere."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.jobs import Registry
from sanpo.journal import SubjectSet, append, audit, latest_checkpoint, list_entries, sequence, store, verifier_key
from sanpo.journal.jobs import jobs
from sanpo.journal.note import is_signed_by, parse_note, parse_tree_head
from sanpo.journal.sequencer import sequence_all

OPERATOR = System("operator")


def write(city: City, count: int = 1, **columns: Any) -> list[int]:
    with city.transaction(OPERATOR) as tx:
        return [append(tx, kind="note", body={"n": n}, **columns).entry_no for n in range(count)]


def places(city: City) -> dict[int, int | None]:
    return {entry.entry_no: entry.leaf_index for entry in list_entries(city, limit=200)}


def test_checkpoint_is_signed_for_all_committed_entries_and_none_when_nothing_waits(city: City) -> None:
    assert sequence(city) is None
    numbers = write(city, 5)
    checkpoint = sequence(city)
    assert checkpoint == latest_checkpoint(city)
    assert checkpoint is not None
    head = parse_tree_head(parse_note(checkpoint.note).text)
    assert (head.origin, head.size, head.root) == (city.settings.journal_origin, 5, checkpoint.root)
    assert is_signed_by(parse_note(checkpoint.note), verifier_key(city))
    assert str(verifier_key(city)) == city.keys.vkey(city.settings.journal_origin)
    assert places(city) == dict(zip(numbers, range(5), strict=True))
    assert sequence(city) is None


def test_places_go_on_over_batches_and_are_never_given_again(city: City) -> None:
    write(city, 300)
    sizes = []
    while checkpoint := sequence(city, max_entries=70):
        sizes.append(checkpoint.size)
    assert sizes == [70, 140, 210, 280, 300]
    report = audit(city)
    assert (report.entries, report.checkpoints, report.waiting) == (300, 5, 0)


def test_batch_ends_when_its_sealed_sets_are_enough_work(city: City, people: Callable[..., SubjectSet]) -> None:
    for universe in (5000, 1000, 1000, 1000):
        write(city, subjects=people(1, universe=universe))
    sizes = []
    while checkpoint := sequence(city, max_slots=2048):
        sizes.append(checkpoint.size)
    assert sizes == [1, 3, 4]


def test_entry_that_commits_late_comes_in_a_later_batch(city: City) -> None:
    """Its number is lower than those already in the tree, its place is not."""
    inside, go = threading.Event(), threading.Event()
    late: list[int] = []

    def slow() -> None:
        with city.transaction(OPERATOR) as tx:
            late.append(append(tx, kind="note", body={}).entry_no)
            inside.set()
            assert go.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert inside.wait(10)
    [early] = write(city)
    sequence(city)
    go.set()
    thread.join()
    sequence(city)
    assert late[0] < early
    assert places(city) == {early: 0, late[0]: 1}
    audit(city)


def test_batch_leaves_nothing_when_the_sequencer_dies_in_it(
    city: City, people: Callable[..., SubjectSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(city, 3)
    before = sequence(city)
    write(city, 300)
    write(city, subjects=people(1, universe=10))
    for step in ("update_block_roots", "find_tiles", "put_in_tree", "upsert_tiles", "insert_checkpoint"):
        work = getattr(store, step)

        def die(*args: Any, work: Any = work, **kwargs: Any) -> None:
            work(*args, **kwargs)
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(store, step, die)
            with pytest.raises(KeyboardInterrupt):
                sequence(city)
        assert latest_checkpoint(city) == before, step
        assert audit(city).waiting == 301, step
    again = sequence(city)
    assert again is not None
    assert again.size == 304
    assert audit(city).uses == 1


def test_worker_has_the_sequencer_as_a_duty_within_the_second(city: City) -> None:
    registry = Registry()
    jobs(registry)
    [duty] = registry.duties
    assert (duty.name, duty.every_s < 1) == ("journal.sequence", True)
    write(city, 3)
    duty.run(city)
    assert latest_checkpoint(city).size == 3


def test_second_sequencer_steps_back_while_one_is_at_work(city: City) -> None:
    write(city, 2)
    with city.transaction(System("journal")) as tx:
        assert store.lead(tx)
        assert sequence(city) is None
    assert sequence(city) is not None


def test_race_of_writers_and_sequencers_loses_and_doubles_nothing(city: City) -> None:
    writing = threading.Event()
    writing.set()
    failures: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                failures.append(error)

        return run

    def keep_sequencing() -> None:
        while writing.is_set():
            sequence(city, max_entries=7)

    writers = [threading.Thread(target=guarded(lambda: [write(city) for _ in range(40)])) for _ in range(4)]
    sequencers = [threading.Thread(target=guarded(keep_sequencing)) for _ in range(2)]
    for thread in (*writers, *sequencers):
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in sequencers:
        thread.join()
    sequence_all(city)
    assert failures == []
    found = places(city)
    assert len(found) == 160
    assert sorted(place for place in found.values() if place is not None) == list(range(160))
    assert audit(city).entries == 160

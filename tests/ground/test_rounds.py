"""Calls that wait share a round; each gets its own answer, and an error only where its round failed."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from sanpo.ground.rounds import Rounds


def test_call_alone_goes_alone() -> None:
    rounds: Rounds[int, int] = Rounds(10)
    assert [rounds.ask("key", number, lambda items: [2 * item for item in items]) for number in (1, 2)] == [2, 4]


def test_calls_that_wait_share_rounds_and_get_their_own_answers() -> None:
    rounds: Rounds[int, int] = Rounds(4)
    made: list[int] = []
    first_is_in, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        made.append(len(items))
        first_is_in.set()
        assert go_on.wait(10)
        return [2 * item for item in items]

    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(rounds.ask, "key", 0, work)
        assert first_is_in.wait(10)
        others = [pool.submit(rounds.ask, "key", number, work) for number in range(1, 9)]
        while len(rounds._lines["key"]) < 8:
            pass
        go_on.set()
        assert [each.result(10) for each in (first, *others)] == [2 * number for number in range(9)]
    assert made == [1, 4, 4]


def test_failed_round_fails_its_own_calls_only() -> None:
    rounds: Rounds[int, int] = Rounds(4)

    def work(items: Sequence[int]) -> list[int]:
        if 13 in items:
            raise ZeroDivisionError
        return list(items)

    with pytest.raises(ZeroDivisionError):
        rounds.ask("key", 13, work)
    assert rounds.ask("key", 12, work) == 12


def test_keys_do_not_wait_for_each_other() -> None:
    rounds: Rounds[int, int] = Rounds(4)
    assert rounds.ask("outer", 1, lambda items: [rounds.ask("inner", item, list) for item in items]) == 1

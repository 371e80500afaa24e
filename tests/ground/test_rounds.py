"""Calls that wait share a round; each gets its own answer, and an error only where its round failed."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from sanpo.ground.rounds import Rounds, _Call


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


def test_round_is_no_larger_than_it_may_be_but_takes_one_call_of_any_size() -> None:
    rounds: Rounds[str, int] = Rounds(5, size=len)
    made: list[list[str]] = []
    first_is_in, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[str]) -> list[int]:
        made.append(list(items))
        first_is_in.set()
        assert go_on.wait(10)
        return [len(item) for item in items]

    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(rounds.ask, "key", "a", work)]
        assert first_is_in.wait(10)
        for count, text in enumerate(("bb", "ccc", "dddddd", "e"), 1):
            asked.append(pool.submit(rounds.ask, "key", text, work))
            while len(rounds._lines["key"]) < count:
                pass
        go_on.set()
        assert [each.result(10) for each in asked] == [1, 2, 3, 6, 1]
    assert made == [["a"], ["bb", "ccc"], ["dddddd"], ["e"]]


def test_item_that_is_none_fails_alone() -> None:
    rounds: Rounds[object, int] = Rounds(5)
    outcomes: list[object] = []
    first_is_in, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[object]) -> list[int]:
        first_is_in.set()
        assert go_on.wait(10)
        return [len(item) for item in items]  # type: ignore[arg-type]

    def ask(item: object) -> None:
        try:
            outcomes.append(rounds.ask("key", item, work))
        except TypeError as error:
            outcomes.append(type(error))

    with ThreadPoolExecutor(3) as pool:
        pool.submit(ask, "a")
        assert first_is_in.wait(10)
        for item in (None, "bb"):
            pool.submit(ask, item)
        while len(rounds._lines["key"]) < 2:
            pass
        go_on.set()
    assert sorted(map(str, outcomes)) == sorted(map(str, [1, TypeError, 2]))


class Interrupted(threading.Event):
    """Whoever waits for it is interrupted, as by Ctrl-C."""

    def wait(self, timeout: float | None = None) -> bool:
        raise KeyboardInterrupt


def test_thread_that_is_interrupted_while_it_waits_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: Rounds[int, int] = Rounds(5)
    first_is_in, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        first_is_in.set()
        assert go_on.wait(10)
        return list(items)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(rounds.ask, "key", 1, work)
        assert first_is_in.wait(10)
        with monkeypatch.context() as only_here, pytest.raises(KeyboardInterrupt):
            only_here.setattr("sanpo.ground.rounds._Call", partial(_Call, woken=Interrupted()))
            rounds.ask("key", 2, work)
        second = pool.submit(rounds.ask, "key", 3, work)
        go_on.set()
        assert [first.result(10), second.result(10)] == [1, 3]
    assert rounds._lines == {}

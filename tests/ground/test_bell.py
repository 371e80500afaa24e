"""Bells: many pulls are few rings, none is lost, and a failure stops nothing."""

import threading
import time

import pytest

from sanpo.ground import bell
from sanpo.ground.bell import Bell, listen
from sanpo.ground.city import City


def test_many_pulls_are_few_rings_and_the_last_is_heard() -> None:
    pulls = 0
    seen: list[int] = []
    found = Bell(lambda: seen.append(pulls))
    for _ in range(2_000):
        pulls += 1
        found.pull()
    give_up = time.monotonic() + 10
    while not seen or seen[-1] != pulls:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    assert len(seen) < 200


def test_ring_that_fails_is_followed_by_others() -> None:
    rung = threading.Semaphore(0)

    def ring() -> None:
        rung.release()
        raise OSError

    found = Bell(ring)
    for _ in range(3):
        found.pull()
        assert rung.acquire(timeout=10)


def test_thread_of_a_bell_ends_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "LINGER_S", 0.0)
    threads = []
    found = Bell(lambda: threads.append(threading.current_thread()))
    for count in (1, 2):
        found.pull()
        while len(threads) < count:
            time.sleep(0.01)
        threads[-1].join(10)
        assert not threads[-1].is_alive()
    assert threads[0] is not threads[1]


def test_listener_hears_again_after_its_connection_was_lost(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "AGAIN_S", 0.01)
    stop, heard = threading.Event(), threading.Semaphore(0)
    thread = threading.Thread(target=listen, args=(city.db.url, {"test_bell": lambda said: heard.release()}, stop))
    thread.start()
    assert heard.acquire(timeout=10)  # it has begun
    with city.db.connection() as conn:
        conn.execute("select pg_notify('test_bell', '')")
        assert heard.acquire(timeout=10)
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and query like 'listen %test_bell%'"
        )
        assert heard.acquire(timeout=10)  # it has begun again
        conn.execute("select pg_notify('test_bell', '')")
        assert heard.acquire(timeout=10)
    stop.set()
    thread.join()

"""Questions under way: a few at once, ended by whoever asked, none left behind."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from sanpo.cleanroom import ask
from sanpo.cleanroom.engines import duckdb_engine
from sanpo.cleanroom.errors import QuestionIdIsTaken, QuestionScansTooMuch, QuestionWasEnded, TooManyQuestions
from sanpo.cleanroom.running import Places, end_question, under_way
from sanpo.ground.actors import Anonymous
from sanpo.ground.errors import NotFound, NotSignedIn
from sanpo.lake import Snapshot
from tests.cleanroom.cities import TOTAL, Metered, Walk


def test_question_without_a_place_is_asked_to_come_back() -> None:
    places = Places(slots=1, queue=0)
    with places.one(0.1), pytest.raises(TooManyQuestions) as refused, places.one(0.1):
        pytest.fail("two at once")
    assert refused.value.fields == {"at_once": 1, "retry_after_s": 1}
    assert refused.value.surface.status == 429
    with places.one(0.1):
        pass


def test_question_waits_for_a_place_and_gets_it() -> None:
    places, got = Places(slots=1, queue=1), threading.Event()

    def wait() -> None:
        with places.one(5):
            got.set()

    with places.one(1):
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.05)
        assert not got.is_set()
    waiting.join(5)
    assert got.is_set()


def test_question_that_waits_too_long_leaves_no_place_taken() -> None:
    places = Places(slots=1, queue=1)
    with places.one(1), pytest.raises(TooManyQuestions), places.one(0.02):
        pytest.fail("two at once")
    for _ in range(3):
        with places.one(0.1):
            pass


def test_question_is_ended_by_another_request_and_nothing_is_recorded(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.give(*range(20))

    class Endless:
        sql = "select count(*) from range(100000000000) a where a.range % 7 = $p0"
        params = {"p0": 3}
        far: dict[str, Snapshot] = {}

    monkeypatch.setattr(duckdb_engine, "to_statement", lambda plan: Endless)
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(ask(walk.city, walk.asker, None, TOTAL, question_id="mine"))
        except QuestionWasEnded as ended:
            outcome.append(ended)

    asking = threading.Thread(target=run)
    asking.start()
    end_when_begun(walk, "mine")
    asking.join(20)
    assert [type(each) for each in outcome] == [QuestionWasEnded]
    assert walk.entries("use") == []
    with pytest.raises(NotFound):
        end_question(walk.city, walk.asker, "mine")


def end_when_begun(walk: Walk, question_id: str) -> None:
    for _ in range(200):
        try:
            return end_question(walk.city, walk.asker, question_id)
        except NotFound:
            time.sleep(0.02)
    raise AssertionError("the question never began")


def test_question_of_another_organisation_cannot_be_ended(walk: Walk, metered: Metered) -> None:
    with under_way(walk.city, walk.asker, "mine"):
        with pytest.raises(NotFound):
            end_question(walk.city, metered.walk().asker, "mine")
        with pytest.raises(NotSignedIn):
            end_question(walk.city, Anonymous(), "mine")


def test_identifier_is_used_once_at_a_time(walk: Walk) -> None:
    with (
        under_way(walk.city, walk.asker, "twice"),
        pytest.raises(QuestionIdIsTaken),
        under_way(walk.city, walk.asker, "twice"),
    ):
        pytest.fail("both began")
    with under_way(walk.city, walk.asker, "twice"):
        pass


def test_question_that_would_read_too_much_is_refused_before_it_runs(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.give(*range(20))
    monkeypatch.setattr(duckdb_engine, "run", lambda *args: pytest.fail("the engine ran"))
    small = replace(walk.city, settings=replace(walk.city.settings, question_most_rows=100))
    with pytest.raises(QuestionScansTooMuch) as refused:
        ask(small, walk.asker, None, TOTAL)
    assert refused.value.fields == {"rows": 320, "most": 100, "dataset": "energy.readings"}


def test_answer_can_be_asked_again_as_of_its_snapshot(walk: Walk) -> None:
    walk.give(*range(20))
    first = walk.ask(TOTAL)
    again = ask(walk.city, walk.asker, None, TOTAL, as_of=first.snapshots)
    assert (again.rows, again.snapshots) == (first.rows, first.snapshots)

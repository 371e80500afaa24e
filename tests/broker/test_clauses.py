"""The published coverage by clause is that of the tests as they are."""

from tests.broker.clauses.record import FILE, ROOT, functions, read
from tests.broker.clauses.standard import CLAUSES, order
from tests.broker.reference_pages import PAGES

LONG = "tests/broker/conformance/test_published_openapi.py::test_generated_requests_get_documented_answers"


def test_page_of_clauses_is_current() -> None:
    for path, make in PAGES.items():
        assert (ROOT / path).read_text(encoding="utf-8") == make(), "run: make docs"


def test_record_names_tests_that_are_there_with_the_clauses_that_they_name() -> None:
    there = functions()
    stale = [
        test for test, shown in read().items() if {"named": shown["named"], "about": shown["about"]} != there.get(test)
    ]
    assert not stale, f"run: make clauses ({FILE.name})"


def test_every_conformance_test_is_in_the_record() -> None:
    wanted = functions("tests/broker/conformance").keys() - {LONG}
    assert not wanted - read().keys(), "run: make clauses"


def test_clauses_are_in_order() -> None:
    assert list(CLAUSES) == sorted(CLAUSES, key=order)

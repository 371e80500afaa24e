"""The published coverage by clause is that of the tests as they are."""

from tests.broker.clauses.record import ROOT, by_clause, functions, read
from tests.broker.clauses.standard import CLAUSES, named_in, order
from tests.broker.reference_pages import PAGES


def test_page_of_clauses_is_current() -> None:
    for path, make in PAGES.items():
        assert (ROOT / path).read_text(encoding="utf-8") == make(), "run: make docs; after new tests: make clauses"


def test_record_is_of_tests_that_are_there() -> None:
    there = functions()
    assert len(read().keys() & there.keys()) > 300
    counted = by_clause()["5.6.1"]
    assert counted["named"] <= counted["asked"] <= len(there)


def test_clauses_are_in_order() -> None:
    assert list(CLAUSES) == sorted(CLAUSES, key=order)


def test_clauses_that_a_text_names_are_found() -> None:
    assert named_in("§5.6.2 to §5.6.4, and §4.5.2.3") == ["4.5.2", "5.6.2", "5.6.3", "5.6.4"]
    assert named_in("RFC 8259 §3, §5.99") == []

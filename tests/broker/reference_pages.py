"""Writes the page of what the broker's tests have shown by clause, from the record that their run has kept."""

from collections.abc import Callable

from sanpo.broker.api import table
from tests.broker.clauses.record import by_clause, functions, read
from tests.broker.clauses.standard import CLAUSES, clause_of
from tests.cleanroom.tables import to_markdown

MADE = "<!-- Made by tests/broker/reference_pages.py from tests/broker/clauses/record.json; `make clauses`. -->"


def clauses_page() -> str:
    there, shown = functions(), by_clause()
    record = {test: kept for test, kept in read().items() if test in there}
    new = [test for test in there if "/conformance/" in test and test not in record]
    operations = {clause_of(each.clause) for each in table.operations}
    rows = []
    for clause, title in CLAUSES.items():
        told = shown[clause]
        asked = str(told["asked"]) if clause in operations else ""
        rows.append([clause, title, str(told["named"]), str(told["about"]), asked])
    bare = [clause for clause in CLAUSES if not shown[clause].total()]
    cases = sum(each["cases"] for each in record.values())
    parts = [
        MADE,
        "# NGSI-LD: tests by clause",
        f"Kept by runs of the tests of the broker: {len(record)} tests in {cases} cases, all of which passed; one that "
        "fails or is skipped is not counted. A test is counted for a clause of ETSI GS CIM 009 V1.9.1 where it names the "
        "clause, or one below it; where its file says that it is about the clause; and where it asks for the "
        "clause's operation, be it only to prepare something. How the broker stands to the suite of ETSI is told in "
        "[the page on that](ngsi-ld-conformance.md), its parameters in [that of its operations](ngsi-ld.md).",
        f"Tests of conformance that this run does not know, or that are long: {len(new)}. Clauses without a test: "
        f"{', '.join(bare) or 'none'}. Snapshots, which are optional, are not implemented.",
        to_markdown(
            ["clause", "about", "tests that name it", "tests in files about it", "tests that ask for it"], rows
        ),
    ]
    return "\n\n".join(parts) + "\n"


PAGES: dict[str, Callable[[], str]] = {"docs/reference/ngsi-ld-clauses.md": clauses_page}

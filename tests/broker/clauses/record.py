"""What the tests of the broker have shown, by clause: kept by the run itself (`pytest -p tests.broker.clauses.record`).

A test counts for the clauses that it names, for those that its file is about, and for those of the operations that it asks
for; what it asks for and that it passed, only a run can know. It is kept only where all its cases passed; one that failed or
was skipped is taken out.
"""

import ast
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sanpo.broker.ngsi_ld import serving
from sanpo.broker.ngsi_ld.calls import Reply
from sanpo.broker.ngsi_ld.routing import Operation
from tests.broker.clauses.standard import clause_of, named_in, order

FILE = Path(__file__).with_name("record.json")
ROOT = FILE.parents[3]
Record = dict[str, dict[str, Any]]
_asked: set[str] = set()
_shown: Record = {}
_failed: set[str] = set()
_first = serving._precondition


def read() -> Record:
    """By test (`tests/broker/test_x.py::test_y`): the clauses that it asked for, and how many cases passed."""
    kept: Record = json.loads(FILE.read_text(encoding="utf-8"))
    return kept


def pytest_configure() -> None:
    def observed(operation: Operation, headers: Mapping[str, str], body: bytes | None) -> Reply | None:
        _asked.add(operation.clause)
        return _first(operation, headers, body)

    serving._precondition = observed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    _asked.clear()
    try:
        yield
    finally:
        item.user_properties.append(("asked", [each for each in map(clause_of, sorted(_asked)) if each]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    test = report.nodeid.partition("[")[0]
    if not report.passed:
        _failed.add(test)
    elif report.when == "call":
        shown = _shown.setdefault(test, {"asked": [], "cases": 0})
        asked: Any = dict(report.user_properties)["asked"]
        shown["asked"] = sorted({*shown["asked"], *asked}, key=order)
        shown["cases"] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):
        return  # the controller of the workers gets all reports
    there = functions()
    kept = {test: shown for test, shown in {**read(), **_shown}.items() if test in there and test not in _failed}
    lines = [f"{json.dumps(test)}: {json.dumps(kept[test])}" for test in sorted(kept)]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def functions(folder: str = "tests/broker") -> dict[str, dict[str, list[str]]]:
    """Each test below a folder, by its name in the record: the clauses that it names itself, and those of its file."""
    found = {}
    for file in sorted((ROOT / folder).rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        module = ast.parse(text)
        about = named_in(ast.get_docstring(module) or "")
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                source = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
                name = f"{file.relative_to(ROOT).as_posix()}::{node.name}"
                found[name] = {"named": named_in(source), "about": about}
    return found


def by_clause() -> dict[str, Counter[str]]:
    """For each clause how many tests name it, are in a file about it, and ask for its operation."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    record = read()
    for test, told in functions().items():
        if test in record:
            for how, clauses in {**told, "asked": record[test]["asked"]}.items():
                for clause in clauses:
                    found[clause][how] += 1
    return found

"""One query, two deciders: rows that PostgreSQL finds are the entities that Python says fit."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from sanpo.broker.language.patterns import Pattern, read_pattern
from sanpo.broker.language.q.matching import matches_q
from sanpo.broker.language.q.model import (
    Compare,
    Flag,
    Number,
    Operator,
    Path,
    Query,
    Range,
    Text,
    Value,
    ValueList,
)
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.q.printing import print_q
from sanpo.broker.language.q.sql import compile_q
from tests.broker.language.conftest import Rows
from tests.broker.language.made import (
    EXAMPLES,
    MOMENTS,
    NAMES,
    NUMBERS,
    PATTERNS,
    TEXTS,
    TIMES,
    cities,
    queries,
)

_FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@given(city=cities(), query=queries)
@settings(max_examples=EXAMPLES, suppress_health_check=_FIXTURE)
def test_rows_found_are_the_entities_that_fit(rows: Rows, city: list[dict[str, Any]], query: Query) -> None:
    rows.keep(city)
    by_id = {doc["id"]: doc for doc in rows.docs}
    expected = [doc["id"] for doc in rows.docs if matches_q(query, doc, by_id.get)]
    assert rows.fitting(lambda parameters: compile_q(query, parameters, table="entities")) == expected


TARGETS: list[Any] = [
    *TEXTS, *NUMBERS, True, False, None, [], {}, [[1]], [["red"]], [1, "red"], ["blue", "red"], [None, True], [{"a": 1}],
    {"@value": 1}, {"@value": "red"}, {"@value": ["red"]}, {"@value": [["red"]]}, [{"@value": 1}], [[{"@value": 1}]],
    {"@type": "DateTime", "@value": "2026-01-01T00:00:00,5Z"}, ["2026-01-01T00:00:00.50Z"], {"@value": None},
]  # fmt: skip
LITERALS: list[Value] = [
    *map(Text, TEXTS), *map(Number, NUMBERS), *MOMENTS, Flag(True), Flag(False),
    Range(Number(0), Number(1.0)), Range(Text("a"), Text("red")), Range(MOMENTS[0], MOMENTS[1]),
    ValueList((Number(1), Text("red"))), ValueList((Flag(False), MOMENTS[1])), *(read_pattern(p, "q") for p in PATTERNS),
]  # fmt: skip


def _operators(literal: Value) -> list[Operator]:
    if isinstance(literal, Pattern):
        return ["~=", "!~="]
    return ["==", "!="] if isinstance(literal, Flag | Range | ValueList) else ["==", "!=", ">", "<", ">=", "<="]


@pytest.mark.parametrize(
    "kind", ["value", "json", "valueList", "languageMap", "object", "objectList", "vocab", "member"]
)
def test_every_value_compares_alike_with_every_literal(rows: Rows, kind: str) -> None:
    def instance(target: Any) -> dict[str, Any]:
        if kind == "member":
            return {"value": {"a": target}}
        return {kind: {"en": target} if kind == "languageMap" else target}

    rows.keep(
        [
            {"id": f"urn:x:{at}", "type": ["T"], "createdAt": TIMES[0], "modifiedAt": TIMES[0], "attrs": {"n": [made]}}
            for at, made in enumerate(map(instance, TARGETS))
        ]
    )
    path = Path(("n",), ("a",) if kind == "member" else ())
    fits = 0
    for literal in LITERALS:
        for operator in _operators(literal):
            query = Compare(path, operator, literal)
            expected = [doc["id"] for doc in rows.docs if matches_q(query, doc)]
            found = rows.fitting(lambda parameters, query=query: compile_q(query, parameters))  # type: ignore[misc]
            assert found == expected, print_q(query)
            fits += len(expected)
    assert fits > len(LITERALS)


@given(query=queries)
@settings(max_examples=EXAMPLES * 2)
def test_parse_gives_back_what_print_wrote(query: Query) -> None:
    for names in (NAMES, None):
        read = parse_q(print_q(query, names), NAMES)
        assert read == query
        assert repr(read) == repr(query)  # 1, 1.0 and true are equal but not the same literal

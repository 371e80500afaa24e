"""Types, scopes, identifiers, attributes and orderings: PostgreSQL and Python agree, print and parse are inverse."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.broker.language.condition import Parameters
from sanpo.broker.language.ids import compile_id_pattern, compile_ids, parse_id_pattern
from sanpo.broker.language.ordering import Ordering, OrderTerm, parse_order, print_order, sort_entities
from sanpo.broker.language.ordering_sql import compile_order
from sanpo.broker.language.patterns import read_pattern
from sanpo.broker.language.projection import (
    Projection,
    compile_attrs,
    matches_attrs,
    parse_projection,
    print_projection,
)
from sanpo.broker.language.q.model import Path
from sanpo.broker.language.scopes import (
    Scope,
    ScopeQuery,
    compile_scope_q,
    matches_scope_q,
    parse_scope_q,
    print_scope_q,
)
from sanpo.broker.language.type_selection import (
    TypeSelection,
    compile_types,
    matches_types,
    parse_types,
    print_types,
)
from tests.broker.language.conftest import Rows
from tests.broker.language.made import ATTRIBUTES, EXAMPLES, IDS, NAMES, TYPES, cities, members, plain_cities, system

_FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
agreeing = settings(max_examples=EXAMPLES, suppress_health_check=_FIXTURE)


def _choices(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.lists(of, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple)


selections = st.one_of(_choices(st.sampled_from(TYPES)).map(TypeSelection), st.just(TypeSelection(())))
levels = st.sampled_from(["Madrid", "Madrid2", "CompanyA", "Gardens", "North", "+"])
scopes = st.one_of(
    st.builds(Scope, st.lists(levels, min_size=1, max_size=3).map(tuple), st.booleans()), st.just(Scope((), True))
)
scope_queries = _choices(scopes).map(ScopeQuery)


@given(city=plain_cities(), selection=selections)
@agreeing
def test_rows_of_a_type_selection_are_the_entities_that_fit(
    rows: Rows, city: list[dict[str, Any]], selection: TypeSelection
) -> None:
    rows.keep(city)
    expected = [doc["id"] for doc in rows.docs if matches_types(selection, doc)]
    assert rows.fitting(lambda parameters: compile_types(selection, parameters)) == expected
    assert parse_types(print_types(selection, NAMES), NAMES) == selection
    assert parse_types(print_types(selection), NAMES) == selection


@given(city=plain_cities(), query=scope_queries)
@agreeing
def test_rows_of_a_scope_query_are_the_entities_that_fit(
    rows: Rows, city: list[dict[str, Any]], query: ScopeQuery
) -> None:
    rows.keep(city)
    expected = [doc["id"] for doc in rows.docs if matches_scope_q(query, doc)]
    assert rows.fitting(lambda parameters: compile_scope_q(query, parameters)) == expected
    assert parse_scope_q(print_scope_q(query)) == query


@given(city=plain_cities(), names=st.lists(st.sampled_from(ATTRIBUTES), min_size=1).map(tuple))
@agreeing
def test_rows_with_attributes_are_the_entities_that_have_one(
    rows: Rows, city: list[dict[str, Any]], names: tuple[str, ...]
) -> None:
    rows.keep(city)
    expected = [doc["id"] for doc in rows.docs if matches_attrs(names, doc)]
    assert rows.fitting(lambda parameters: compile_attrs(names, parameters)) == expected


@given(city=plain_cities(), ids=st.lists(st.sampled_from(IDS), min_size=1).map(tuple))
@agreeing
def test_rows_of_ids_are_those_entities(rows: Rows, city: list[dict[str, Any]], ids: tuple[str, ...]) -> None:
    rows.keep(city)
    assert rows.fitting(lambda parameters: compile_ids(ids, parameters)) == [
        d["id"] for d in rows.docs if d["id"] in ids
    ]


SUBJECTS = ["", "a", "A", "ab", "aab", "a\nb", "1", "a1", "é", "É", "一", "-", "]", "^", "\\", "a-b", "a.b", "x y", "_"]
PIECES = [
    *[
        "a",
        "b",
        "1",
        ".",
        "^",
        "$",
        "|",
        "é",
        "一",
        "-",
        r"\.",
        r"\\",
        r"\d",
        r"\w",
        r"\s",
        r"\W",
        r"\D",
        r"\S",
        "_",
        " ",
    ],
    *[
        "[ab]",
        "[^a]",
        "[a-c]",
        "[]]",
        "[^]]",
        "[-a]",
        "[a-]",
        r"[\]\\^-]",
        r"[\d-]",
        r"[a\-c]",
        r"[+\--/]",
        "[[:alpha:]]",
        "[[:punct:][:digit:]]",
    ],
    *["(a|b)", "(?:ab)", "(a*)", "()", "(a|)", "[.]", "[é-ü]", r"\n", r"[\n]"],
]
QUANTIFIERS = ["", "", "", "*", "+", "?", "{0}", "{2}", "{1,}", "{1,2}", "*?", "+?"]


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(QUANTIFIERS)), max_size=4))
@settings(max_examples=EXAMPLES * 2, suppress_health_check=_FIXTURE)
def test_pattern_finds_the_same_in_python_and_postgresql(rows: Rows, pieces: list[tuple[str, str]]) -> None:
    check_pattern(rows, "".join(piece + (times if piece not in "^$|" else "") for piece, times in pieces))


def test_each_piece_of_a_pattern_finds_the_same(rows: Rows) -> None:
    for piece in PIECES:
        for source in (piece, f"^{piece}$", f"a{piece}b"):
            check_pattern(rows, source)


def check_pattern(rows: Rows, source: str) -> None:
    pattern = read_pattern(source, "idPattern")
    found = rows.conn.execute(
        "select array_agg(s ~ %(p)s order by n), array_agg(to_jsonb(s) @@ %(j)s::jsonpath order by n)"
        " from unnest(%(s)s::text[]) with ordinality as u (s, n)",
        {"p": pattern.text, "j": f'$ like_regex {_json(pattern.text)} flag "s"', "s": SUBJECTS},
    ).fetchone()
    expected = [pattern.found_in(subject) for subject in SUBJECTS]
    assert found is not None
    assert found[0] == expected == found[1]
    if not re.search(r"\[\[:|\[\]|\[\^\]", source):  # Python's own engine, where it means the same
        plain = [re.search(source.replace("$", r"\Z"), s, re.DOTALL | re.ASCII) is not None for s in SUBJECTS]
        assert plain == expected


def _json(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def test_rows_of_an_id_pattern_are_the_entities_it_is_found_in(rows: Rows) -> None:
    rows.keep(
        [
            {"id": each, "type": ["T"], "createdAt": "2026-01-01Z", "modifiedAt": "2026-01-01Z", "attrs": {}}
            for each in IDS
        ]
    )
    assert rows.fitting(lambda p: compile_id_pattern(parse_id_pattern("Thing:[12]$"), p)) == IDS[1:3]
    assert rows.fitting(lambda p: compile_id_pattern(parse_id_pattern(".*"), p)) == IDS


@st.composite
def orderings(draw: st.DrawFn) -> Ordering:
    terms = []
    for _ in range(draw(st.integers(1, 2))):
        names = draw(st.lists(st.sampled_from(ATTRIBUTES), min_size=1, max_size=2))
        if draw(st.integers(0, 5)) == 0:
            names = [*names, draw(system)][draw(st.integers(0, 1)) :]
        path = draw(st.sampled_from([Path(("id",)), *[Path(tuple(names), draw(members))] * 6]))
        terms.append(OrderTerm(path, draw(st.sampled_from(["asc", "desc"]))))
    return Ordering(tuple(terms))


@given(city=cities(), ordering=orderings())
@agreeing
def test_rows_come_in_the_order_of_the_entities(rows: Rows, city: list[dict[str, Any]], ordering: Ordering) -> None:
    rows.keep(city)
    expected = [each["id"] for each in sort_entities(ordering, rows.docs)]
    parameters = Parameters()
    order = compile_order(ordering, parameters)
    assert order.exact
    assert rows.ordered(order.sql, parameters) == expected
    assert parse_order(print_order(ordering, NAMES), NAMES) == ordering


projections: st.SearchStrategy[Projection] = st.recursive(
    st.builds(
        Projection, st.lists(st.sampled_from(["id", "type", "scope", *ATTRIBUTES]), min_size=1, unique=True).map(tuple)
    ),
    lambda below: st.builds(
        lambda names, inner: Projection(("id", *names), ((names[-1], inner),)),
        st.lists(st.sampled_from(ATTRIBUTES), min_size=1, unique=True),
        below,
    ),
    max_leaves=3,
)


@given(projections)
@settings(max_examples=EXAMPLES)
def test_parse_gives_back_the_projection_that_print_wrote(projection: Projection) -> None:
    for names in (NAMES, None):
        assert parse_projection(print_projection(projection, names), NAMES) == projection


@pytest.mark.parametrize("bomb", ["(a*)*b", "(a+)+$", "(a|a)*b", "(.*a){20}", "(a?){50}a{50}", "(x+x+)+y"])
def test_pattern_that_would_explode_is_answered_in_time(rows: Rows, bomb: str) -> None:
    import time

    pattern, text = read_pattern(bomb, "q"), "a" * 20_000
    start = time.perf_counter()
    found = rows.conn.execute("select %s ~ %s", (text, pattern.text)).fetchone()
    assert found is not None
    assert found[0] == pattern.found_in(text)
    assert time.perf_counter() - start < 2  # a backtracking engine would take longer than the sun will shine

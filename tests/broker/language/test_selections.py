"""Types, scopes, orders, projections and times by table: what each form means, and what is refused where."""

from typing import Any

import pytest

from sanpo.broker.language.condition import Parameters
from sanpo.broker.language.errors import QueryIsMalformed, QueryIsTooComplex
from sanpo.broker.language.ids import parse_ids
from sanpo.broker.language.ordering import check_collation, parse_order, sort_entities
from sanpo.broker.language.ordering_sql import compile_order
from sanpo.broker.language.projection import omit, parse_attrs, parse_projection, pick
from sanpo.broker.language.scopes import compile_scope_q, matches_scope_q, parse_scope_q
from sanpo.broker.language.temporal import compile_temporal, matches_temporal, parse_temporal
from sanpo.broker.language.type_selection import matches_types, parse_types
from tests.broker.language.conftest import Rows
from tests.broker.language.made import BASE, NAMES, TIMES


def entity(number: int = 1, **members: Any) -> dict[str, Any]:
    made = {"id": f"urn:x:{number}", "type": [BASE + "Home", BASE + "Vehicle"], "createdAt": TIMES[0]}
    return made | {"modifiedAt": TIMES[0], "attrs": {}} | members


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("Home", True),
        ("House", False),
        ("House|Home", True),
        ("House,Home", True),
        ("(Home;Vehicle)", True),
        ("(Home;House)", False),
        ("(Home;House),Vehicle", True),
        (" ( Home ; Vehicle ) | House ", True),
        (f"<{BASE}Home>", True),
        ("*", True),
    ],
)
def test_type_selection_means_what_the_clause_says(text: str, fits: bool) -> None:
    assert matches_types(parse_types(text, NAMES), entity()) is fits


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("|", 1),
        ("Home|", 6),
        ("(Home", 6),
        ("Home;Vehicle", 5),
        ("((Home))", 2),
        ("Ho me", 4),
        ("Home)", 5),
        ("9a", 1),
    ],
)
def test_type_selection_outside_the_grammar_is_refused(text: str, position: int) -> None:
    with pytest.raises(QueryIsMalformed) as refused:
        parse_types(text, NAMES)
    assert refused.value.fields["position"] == position


GARDENS = "/Madrid/Gardens/North"


@pytest.mark.parametrize(
    ("text", "scopes", "fits"),
    [
        ("/Madrid", [GARDENS], False),
        ("/Madrid/#", [GARDENS], True),
        ("/Madrid/#", ["/Madrid"], True),
        ("/Madrid/#", ["/Madrid2"], False),
        ("/Madrid/Gardens/North/#", [GARDENS], True),
        ("/Madrid/+/North", [GARDENS], True),
        ("/Madrid/+", [GARDENS], False),
        ("/+/Gardens/#", [GARDENS], True),
        ("/#", [GARDENS], True),
        ("/#", [], False),
        ("(/Madrid/Gardens/North;/CompanyA)", [GARDENS, "/CompanyA"], True),
        ("(/Madrid/Gardens/North;/CompanyA)", [GARDENS], False),
        ("(/Madrid;/CompanyA)|CompanyB", ["/CompanyB"], True),
        ("(/Madrid;/CompanyA),CompanyB", ["/Madrid"], False),
        ("/東京/#", ["/東京/渋谷"], True),
    ],
)
def test_scope_query_means_what_the_clause_says(rows: Rows, text: str, scopes: list[str], fits: bool) -> None:
    query, asked = parse_scope_q(text), entity(**({"scope": scopes} if scopes else {}))
    rows.keep([asked])
    assert matches_scope_q(query, asked) is fits
    assert bool(rows.fitting(lambda parameters: compile_scope_q(query, parameters))) is fits


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("/", 2),
        ("/a//b", 4),
        ("/a/", 4),
        ("/a;/b", 3),
        ("(/a;/b", 7),
        ("/a/#/b", 5),
        ("/a+", 3),
        ("/a b", 4),
        ("/a-b", 2),
    ],
)
def test_scope_query_outside_the_grammar_is_refused(text: str, position: int) -> None:
    with pytest.raises(QueryIsMalformed) as refused:
        parse_scope_q(text)
    assert refused.value.fields["position"] == position


def test_ids_are_uris() -> None:
    assert parse_ids("urn:a:1, http://b/2,urn:a:1") == ("urn:a:1", "http://b/2")
    for text in ("", "nonsense", "urn:a:1,", "urn:a:1,,urn:a:2", "urn:a b"):
        with pytest.raises(QueryIsMalformed):
            parse_ids(text)
    with pytest.raises(QueryIsTooComplex):
        parse_ids(",".join(f"urn:a:{number}" for number in range(10_001)))


def valued(*values: Any) -> list[dict[str, Any]]:
    return [
        entity(at, attrs={} if value is ... else {BASE + "v": [{"type": "Property", "value": value}]})
        for at, value in enumerate(values)
    ]


MIXED = [
    ...,
    None,
    {"@type": "DateTime", "@value": "2026-01-01T00:00:00Z"},
    True,
    False,
    [1],
    {"a": 2},
    "b",
    "a",
    10,
    2.5,
]


def order_of(text: str, entities: list[dict[str, Any]]) -> list[int]:
    return [int(each["id"].rpartition(":")[2]) for each in sort_entities(parse_order(text, NAMES), entities)]


def test_kinds_of_value_are_ordered_as_the_clause_says(rows: Rows) -> None:
    mixed = valued(*MIXED)
    rows.keep(mixed)
    for text in ("v", "v;desc"):
        parameters = Parameters()
        found = rows.ordered(compile_order(parse_order(text, NAMES), parameters).sql, parameters)
        assert [int(each.rpartition(":")[2]) for each in found] == order_of(text, mixed)
    assert order_of("v", mixed) == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert order_of("v;desc", mixed) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 0]  # null and nothing stay last
    assert order_of("!v", mixed) == order_of("v;desc", mixed)


def test_order_takes_the_next_attribute_where_the_first_is_alike() -> None:
    one = {BASE + "v": [{"type": "Property", "value": {"city": "a", "n": 1}}]}
    two = {BASE + "v": [{"type": "Property", "value": {"city": "a", "n": 2}}]}
    three = {BASE + "v": [{"type": "Property", "value": {"city": "b"}}]}
    entities = [entity(1, attrs=one), entity(2, attrs=two), entity(3, attrs=three)]
    assert order_of("v[city],v[n];desc", entities) == [2, 1, 3]
    assert order_of("v[city];desc,id", entities) == [3, 1, 2]


@pytest.mark.parametrize(
    ("text", "position"),
    [("", 1), ("v;", 3), ("v;up", 3), ("v,", 3), ("v desc", 3), ("!v;asc", 4), ("v{w}", 1), ("v[", 3)],
)
def test_order_outside_the_grammar_is_refused(text: str, position: int) -> None:
    with pytest.raises(QueryIsMalformed) as refused:
        parse_order(text, NAMES)
    assert refused.value.fields["position"] == position


def test_collation_is_one_that_the_database_has() -> None:
    assert check_collation("ja", {"ja-x-icu"}) == "ja-x-icu"
    for tag in ("de", "!!nope", 'ja-x-icu" desc; --', ""):
        with pytest.raises(QueryIsMalformed):
            check_collation(tag, {"ja-x-icu"})


def test_root_order_puts_accents_and_case_after_letters_also_without_icu(rows: Rows) -> None:
    words = ["b", "a", "B", "á", "Á", "A", "ab", "か", "が", "き"]
    rows.keep(valued(*words))
    for direction in ("asc", "desc"):
        parameters = Parameters()
        by = check_collation("und", frozenset())
        order = compile_order(parse_order(f"v;{direction}", NAMES), parameters, collation=by)
        found = [words[int(each.rpartition(":")[2])] for each in rows.ordered(order.sql, parameters)]
        expected = ["a", "A", "á", "Á", "ab", "b", "B", "か", "が", "き"]
        assert found == (expected if direction == "asc" else expected[::-1])


WHOLE = entity(scope=["/a"], attrs={BASE + "speed": [{"value": 1}], BASE + "owner": [{"object": "urn:a:1"}]})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("id,type,speed", {"id", "type", "speed"}),
        ("speed|owner", {"speed", "owner"}),
        ("owner{name}", {"owner"}),
        ("id", {"id"}),
        ("nothing", set()),
    ],
)
def test_pick_keeps_these_members_only(text: str, kept: set[str]) -> None:
    assert members_of(pick(parse_projection(text, NAMES), WHOLE)) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("id,speed", {"type", "scope", "owner"}),
        ("owner{name},type", {"id", "scope", "speed", "owner"}),
        ("scope", None),
    ],
)
def test_omit_leaves_these_members_out(text: str, kept: set[str] | None) -> None:
    everything = {"id", "type", "scope", "speed", "owner"}
    assert members_of(omit(parse_projection(text, NAMES, parameter="omit"), WHOLE)) == (kept or everything - {"scope"})


def members_of(entity: dict[str, Any]) -> set[str]:
    return {key for key in ("id", "type", "scope") if key in entity} | {
        name.removeprefix(BASE) for name in entity["attrs"]
    }


def test_projection_says_what_to_show_of_linked_entities() -> None:
    projection = parse_projection("id,owner{name,city{mayor}},speed", NAMES)
    below = projection.below(BASE + "owner")
    assert projection.depth == 2
    assert below is not None
    assert below.attributes == (BASE + "name", BASE + "city")
    assert projection.below(BASE + "speed") is None
    assert parse_attrs("speed,owner,speed", NAMES) == (BASE + "speed", BASE + "owner")


@pytest.mark.parametrize(
    ("text", "position"),
    [("", 1), ("a,", 3), ("a{", 3), ("a{b", 4), ("a{b}}", 5), ("id{a}", 1), ("a;b", 2), ("a{}", 3)],
)
def test_projection_outside_the_grammar_is_refused(text: str, position: int) -> None:
    with pytest.raises(QueryIsMalformed) as refused:
        parse_projection(text, NAMES)
    assert refused.value.fields["position"] == position


MOMENTS = ["2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.500000Z", "2026-01-02T00:00:00.000000Z"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((None, None), [0, 1, 2]),
        (("before", "2026-01-01T00:00:00.5Z"), [0]),
        (("after", "2026-01-01T00:00:00.5Z"), [1, 2]),
        (("between", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), [0, 1]),
        (("between", "2026-01-01T00:00:00,5Z", "2026-01-03T00:00:00Z"), [1, 2]),
        (("after", "2026-01-01T00:00:00Z", None, "modifiedAt"), []),
    ],
)
def test_temporal_query_is_a_half_open_span(rows: Rows, asked: tuple[Any, ...], found: list[int]) -> None:
    query = parse_temporal(*asked)
    instances = [{"type": "Property", "value": 1, "observedAt": moment} for moment in MOMENTS]
    assert [at for at, each in enumerate(instances) if matches_temporal(query, each)] == found
    if query.time_property == "observedAt":
        parameters = Parameters()
        condition = compile_temporal(query, parameters, column="h.at")
        sql = f"select n - 1 from unnest(%(at)s::timestamptz[]) with ordinality as h (at, n) where {condition.sql}"
        assert [row[0] for row in rows.conn.execute(sql, {"at": MOMENTS, **parameters.values})] == found


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        (("around", "2026-01-01T00:00:00Z"), "timerel"),
        ((None, "2026-01-01T00:00:00Z"), "timerel"),
        (("after", None), "timeAt"),
        (("after", "2026-01-01"), "timeAt"),
        (("after", "2026-01-01T00:00:00"), "timeAt"),
        (("after", "2026-01-01T00:00:00+09:00"), "timeAt"),
        (("after", "2026-02-30T00:00:00Z"), "timeAt"),
        (("between", "2026-01-01T00:00:00Z", None), "endTimeAt"),
        (("between", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), "endTimeAt"),
        (("after", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), "endTimeAt"),
        (("after", "2026-01-01T00:00:00Z", None, "birthday"), "timeproperty"),
    ],
)
def test_temporal_query_outside_the_grammar_is_refused(asked: tuple[Any, ...], parameter: str) -> None:
    with pytest.raises(QueryIsMalformed) as refused:
        parse_temporal(*asked)
    assert refused.value.fields["parameter"] == parameter

"""NGSIv2's queries mean, over the same entities, what FIWARE-NGSI v2 says."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings

from sanpo.broker.errors import BrokerError
from sanpo.broker.language.errors import GeometryIsMalformed, QueryIsMalformed, QueryIsTooComplex
from sanpo.broker.language.geo import matches_geo
from sanpo.broker.language.q.matching import matches_q
from sanpo.broker.language.q.sql import compile_q
from sanpo.broker.language.v2 import parse_v2_geo, parse_v2_mq, parse_v2_q
from sanpo.broker.model import LOCATION
from tests.broker.language.conftest import Rows
from tests.broker.language.made import BASE, EXAMPLES, NAMES
from tests.broker.language.test_q import anything, prop

ROOM = {
    "id": "urn:ngsi-ld:Room:1",
    "type": [BASE + "Room"],
    "createdAt": "2026-01-01T00:00:00.000000Z",
    "modifiedAt": "2026-02-01T00:00:00.000000Z",
    "attrs": {
        BASE + "temperature": [
            {
                **prop(40.5, unitCode="CEL")[0],
                "attrs": {BASE + "accuracy": prop({"value": 0.9}), BASE + "place": prop("wall")},
            }
        ],
        BASE + "color": prop("red"),
        BASE + "number": prop("40"),
        BASE + "on": prop(True),
        BASE + "address": prop({"city": "Tokyo", "geo": {"zone": 3}, "a.b": 1}),
        BASE + "odd.name": prop("a,b"),
        BASE + "when": prop("2026-01-01T00:00:00.00Z"),
        BASE + "refStore": [{"type": "Relationship", "object": "urn:ngsi-ld:Store:1"}],
        LOCATION: [{"type": "GeoProperty", "value": {"type": "Point", "coordinates": [139.7, 35.6]}}],
    },
}

Q = """
temperature | yes
!temperature | no
!humidity | yes
temperature==40.5 | yes
temperature:40.5 | yes
temperature!=40.5 | no
temperature>40;temperature<41 | yes
temperature>40;color==blue | no
temperature==40..41 | yes
temperature==1,40.5 | yes
color==red | yes
color=='red' | yes
color==black,red | yes
color!=black,red | no
color>r | yes
color~=^re | yes
number==40 | no
number=='40' | yes
on==true | yes
on!=true | no
address.city==Tokyo | yes
address.geo.zone>=3 | yes
address.'a.b'==1 | yes
address.street | no
'odd.name'=='a,b' | yes
when==2026-01-01T00:00:00Z | yes
when<2026-01-02T00:00:00Z | yes
dateModified>2026-01-31T00:00:00Z | yes
dateCreated==2026-01-01T00:00:00Z | yes
refStore==urn:ngsi-ld:Store:1 | yes
refStore!=urn:ngsi-ld:Store:2 | yes
"""
MQ = """
temperature.accuracy | yes
temperature.accuracy.value==0.9 | yes
temperature.place==wall | yes
temperature.place!=wall | no
!temperature.depth | yes
temperature.unitCode==CEL | yes
temperature.dateModified==2026-01-01T00:00:00Z | yes
"""


def lines(table: str) -> list[tuple[str, bool]]:
    return [
        (text.strip(), said.strip() == "yes")
        for text, _, said in (one.rpartition("|") for one in table.split("\n") if one)
    ]


@pytest.mark.parametrize(("text", "fits"), lines(Q))
def test_simple_query_means_what_ngsiv2_says(text: str, fits: bool) -> None:
    assert matches_q(parse_v2_q(text, NAMES), ROOM) is fits


@pytest.mark.parametrize(("text", "fits"), lines(MQ))
def test_metadata_query_means_what_ngsiv2_says(text: str, fits: bool) -> None:
    assert matches_q(parse_v2_mq(text, NAMES), ROOM) is fits


def test_rows_say_the_same(rows: Rows) -> None:
    rows.keep([ROOM])
    for table, parse in ((Q, parse_v2_q), (MQ, parse_v2_mq)):
        for text, fits in lines(table):
            query = parse(text, NAMES)
            assert bool(rows.fitting(lambda parameters, query=query: compile_q(query, parameters))) is fits, text  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        *[("", 1), ("a;", 3), ("a==", 4), ("a==null", 4), ("a>true", 3), ("a==1..x", 4), ("a=1", 2), ("(a)", 1)],
        *[("a==1e999", 4), ("a~=", 4), ("a~=(", 2), ("a..b", 3)],
    ],
)
def test_simple_query_outside_the_grammar_is_refused(text: str, position: int) -> None:
    with pytest.raises(QueryIsMalformed) as refused:
        parse_v2_q(text, NAMES)
    assert refused.value.fields["position"] == position


def test_metadata_query_without_metadata_is_refused() -> None:
    with pytest.raises(QueryIsMalformed):
        parse_v2_mq("temperature>1", NAMES)


def test_query_of_too_many_statements_is_refused() -> None:
    for text in (";".join(["a"] * 201), "a==" + ",".join("1" * 501), "a" + ".b" * 11):
        with pytest.raises(QueryIsTooComplex):
            parse_v2_q(text, NAMES)


@pytest.mark.parametrize(
    ("georel", "geometry", "coords", "fits"),
    [
        ("near;maxDistance:1000", "point", "35.6,139.7", True),
        ("near;maxDistance:1000", "point", "35.6,139.8", False),
        ("near;maxDistance:10000;minDistance:1000", "point", "35.6,139.8", True),
        ("near;minDistance:10000;maxDistance:20000", "point", "35.6,139.8", False),
        ("coveredBy", "box", "35.5,139.6;35.7,139.8", True),
        ("coveredBy", "polygon", "35,139;36,139;36,140;35,140;35,139", True),
        ("disjoint", "polygon", "35,139;36,139;36,140;35,140;35,139", False),
        ("intersects", "line", "35.6,139.6;35.6,139.8", True),
        ("equals", "point", "35.6,139.7", True),
    ],
)
def test_geographical_query_means_what_ngsiv2_says(georel: str, geometry: str, coords: str, fits: bool) -> None:
    query = parse_v2_geo(georel, geometry, coords)
    assert query is not None
    assert matches_geo(query, ROOM) is fits


@pytest.mark.parametrize(
    ("georel", "geometry", "coords"),
    [
        ("near", "point", "1,2"),
        ("near;maxDistance:0", "point", "1,2"),
        ("near;maxDistance:1;maxDistance:2", "point", "1,2"),
        ("touches", "point", "1,2"),
        ("equals", "circle", "1,2"),
        ("equals", "point", "1,2;3,4"),
        ("equals", "point", "91,2"),
        ("equals", "point", "1"),
        ("equals", "point", "x,y"),
        ("equals", "line", "1,2"),
        ("equals", "polygon", "1,2;3,4;5,6;7,8"),
        ("equals", "point", None),
    ],
)
def test_geographical_query_outside_the_grammar_is_refused(georel: str, geometry: str, coords: str | None) -> None:
    with pytest.raises((QueryIsMalformed, GeometryIsMalformed)):
        parse_v2_geo(georel, geometry, coords)


@given(anything)
@settings(max_examples=EXAMPLES * 5)
def test_any_text_is_read_or_refused(text: str) -> None:
    readers: list[Any] = [
        lambda: parse_v2_q(text, NAMES),
        lambda: parse_v2_mq(text, NAMES),
        lambda: parse_v2_geo(text, "point", "1,2"),
        lambda: parse_v2_geo("equals", "line", text),
    ]
    for read in readers:
        with suppress(BrokerError):
            read()

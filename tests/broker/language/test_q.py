"""The grammar of `q` (clause 4.9): what each form means, what is refused and where, and that nothing else ever happens."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sanpo.broker.errors import BrokerError
from sanpo.broker.language.condition import Parameters
from sanpo.broker.language.errors import QueryIsMalformed, QueryIsTooComplex
from sanpo.broker.language.geo import parse_geo
from sanpo.broker.language.ids import parse_id_pattern, parse_ids
from sanpo.broker.language.ordering import check_collation, parse_order
from sanpo.broker.language.ordering_sql import compile_order
from sanpo.broker.language.projection import parse_attrs, parse_projection
from sanpo.broker.language.q.matching import matches_q
from sanpo.broker.language.q.model import attributes_of, link_depth
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.q.printing import print_q
from sanpo.broker.language.q.sql import compile_q
from sanpo.broker.language.scopes import parse_scope_q
from sanpo.broker.language.temporal import parse_temporal
from sanpo.broker.language.type_selection import parse_types
from tests.broker.language.conftest import Rows
from tests.broker.language.made import BASE, EXAMPLES, NAMES, TIMES


def prop(value: Any, **members: Any) -> list[dict[str, Any]]:
    return [{"type": "Property", "value": value, "modifiedAt": TIMES[0], **members}]


CAR = {
    "id": "urn:ngsi-ld:Car:1",
    "type": [BASE + "Car"],
    "createdAt": "2026-01-01T00:00:00.000000Z",
    "modifiedAt": "2026-02-01T00:00:00.000000Z",
    "attrs": {
        BASE + "speed": [
            *prop(55, observedAt="2017-12-24T12:00:00.000000Z", unitCode="KMH"),
            *prop(60, datasetId="urn:ngsi-ld:gps"),
        ],
        BASE + "brandName": prop("Mercedes"),
        BASE + "isParked": [
            {
                "type": "Relationship",
                "object": "urn:ngsi-ld:Parking:1",
                "attrs": {BASE + "since": prop("2026-01-01T00:00:00Z")},
            }
        ],
        BASE + "address": prop({"city": "Berlin", "geo": {"zone": 4}, "tags": ["a", "b"]}),
        BASE + "sensor": [{**prop(40)[0], "attrs": {BASE + "rawdata": prop({"airquality": {"particulate": 40}})}}],
        BASE + "colour": [{"type": "LanguageProperty", "languageMap": {"en": "red", "fr": ["rouge", "chat"]}}],
        BASE + "tags": prop(["blue", "red", 7, True]),
        BASE + "gender": [{"type": "VocabProperty", "vocab": BASE + "Male"}],
        BASE + "tickets": [{"type": "JsonProperty", "json": {"value": "Overstay 60 minutes"}}],
        BASE + "rows": prop([{"a": 1, "b": {"c": [{"d": 2}]}}]),
        BASE + "isOpen": prop(False),
        BASE + "built": prop({"@type": "Date", "@value": "2015-05-04"}),
        BASE + "tested": prop("2026-03-01T12:00:00.5Z"),
        BASE + "stops": [{"type": "ListRelationship", "objectList": [{"object": "urn:a:1"}, {"object": "urn:a:2"}]}],
        BASE + "readings": [{"type": "ListProperty", "valueList": [1, 2, 2]}],
    },
}
PARKING = {
    "id": "urn:ngsi-ld:Parking:1",
    "type": [BASE + "Parking"],
    "createdAt": TIMES[0],
    "modifiedAt": TIMES[0],
    "attrs": {
        BASE + "free": prop(12),
        BASE + "owner": [{"type": "Relationship", "object": "urn:ngsi-ld:City:1"}],
    },
}
CITY = {
    "id": "urn:ngsi-ld:City:1",
    "type": [BASE + "City"],
    "createdAt": TIMES[0],
    "modifiedAt": TIMES[0],
    "attrs": {BASE + "name": prop("Yaizu")},
}
STOP = CITY | {"id": "urn:a:2", "type": [BASE + "Stop"], "attrs": {BASE + "name": prop("Station")}}
WORLD = {each["id"]: each for each in (CAR, PARKING, CITY, STOP)}

MEANINGS = """
speed                                       | yes
altitude                                    | no
!altitude                                   | yes
!speed                                      | no
speed==55                                   | yes
speed==55.0                                 | yes
speed==60                                   | yes
speed!=55                                   | yes
speed>60                                    | no
speed>=60                                   | yes
speed<55                                    | no
speed<=55                                   | yes
speed=="55"                                 | no
speed!="55"                                 | yes
speed==50..56                               | yes
speed==61..70                               | no
speed!=50..61                               | no
speed==1,2,60                               | yes
speed!=55,60                                | no
altitude!=5                                 | no
brandName!="Mercedes"                       | no
brandName=="Audi","Mercedes"                | yes
brandName!="Audi","BMW"                     | yes
brandName>"M"                               | yes
brandName=="A".."N"                         | yes
brandName~="^Mer"                           | yes
brandName~=.*cedes                          | yes
brandName~=^(Audi|Mercedes)$                | yes
brandName!~="^Mer"                          | no
brandName!~="^Aud"                          | yes
speed~="5"                                  | no
speed!~="5"                                 | no
isParked=="urn:ngsi-ld:Parking:1"           | yes
isParked==urn:ngsi-ld:Parking:1             | yes
isParked!=urn:ngsi-ld:Parking:1             | no
isParked!=urn:ngsi-ld:Parking:2             | yes
isParked>urn                                | refused 10
isParked>"urn"                              | no
isParked~="urn"                             | no
isParked!~="xyz"                            | no
isParked.since==2026-01-01T00:00:00Z        | yes
stops==urn:a:2                              | yes
stops!=urn:a:2                              | no
stops==urn:a:3,urn:a:1                      | yes
address[city]=="Berlin"                     | yes
address[city]!="Berlin"                     | no
address[street]!="Berlin"                   | no
address[geo.zone]==4                        | yes
address[geo.zone.x]                         | no
address[tags]=="b"                          | yes
address[city]                               | yes
address["city"]                             | yes
address[city.length]                        | no
sensor.rawdata[airquality.particulate]==40  | yes
sensor.rawdata[airquality.particulate]>40   | no
rows[a]                                     | no
rows[a]==1                                  | no
rows[a]!=1                                  | no
rows[a]>0                                   | no
rows[b.c]                                   | no
address[tags.a]!=1                          | no
tickets[value]=="Overstay 60 minutes"       | yes
colour=="rouge"                             | yes
colour[*]=="rouge"                          | yes
colour[en]=="red"                           | yes
colour[en]=="rouge"                         | no
colour[fr]=="chat"                          | yes
colour[en]!="red"                           | no
colour[*]!="chat"                           | no
colour[de]!="rot"                           | no
colour[*]                                   | yes
colour~="^ch"                               | yes
tags=="red"                                 | yes
tags!="red"                                 | no
tags!="green"                               | yes
tags==7                                     | yes
tags==true                                  | yes
tags>5                                      | no
gender==Male                                | no
gender=="Male"                              | no
gender=="https://city.example/terms#Male"   | yes
gender!=https://city.example/terms#Male     | no
brandName==Mercedes                         | yes
brandName!=Mercedes                         | no
isOpen==false                               | yes
isOpen!=false                               | no
isOpen==0                                   | no
built==2015-05-04                           | yes
built<2015-05-05                            | yes
built<2015-05-04T00:00:00Z                  | no
tested==2026-03-01T12:00:00.500Z            | yes
tested==2026-03-01T12:00:00,5Z              | yes
tested>2026-03-01T12:00:00Z                 | yes
tested<2026-03-01T12:00:00.51Z              | yes
tested==2026-03-01T00:00:00Z..2026-03-02T00:00:00Z | yes
readings==2                                 | yes
readings==3                                 | no
speed.observedAt>=2017-12-24T12:00:00Z      | yes
speed.observedAt>2017-12-24T12:00:00Z       | no
speed.observedAt=="2017-12-24T12:00:00Z"    | yes
speed.observedAt!=2017-12-24T12:00:00Z      | no
speed.observedAt~="2017"                    | no
speed.unitCode=="KMH"                       | yes
speed.unitCode!="KMH"                       | no
speed.datasetId==urn:ngsi-ld:gps            | yes
speed.createdAt                             | no
createdAt<2026-01-02T00:00:00Z              | yes
modifiedAt==2026-02-01T00:00:00Z            | yes
modifiedAt!=2026-02-01T00:00:00Z            | no
modifiedAt>"2026-01-31T23:59:59.9Z"         | yes
modifiedAt>5                                | no
isParked{free}                              | yes
isParked{free}==12                          | yes
isParked{free}>12                           | no
isParked{Parking:free}==12                  | yes
isParked{City:free}==12                     | no
isParked{City,Parking:free}==12             | yes
isParked{Parking}.free==12                  | yes
isParked{owner{name}}=="Yaizu"              | yes
isParked{Parking:owner{City:name}}~="^Y"    | yes
isParked{owner{name}}!="Yaizu"              | no
stops{name}=="Station"                      | yes
stops{Stop:name}!="Station"                 | no
!isParked{free}                             | no
!isParked{height}                           | yes
speed{free}==12                             | no
((speed>50|rpm>3000);brandName=="Mercedes") | yes
speed>100;rpm>3000|brandName=="Mercedes"    | yes
speed>100;(rpm>3000|brandName=="Mercedes")  | no
( speed > 50 | rpm ) ; brandName == "x" , "Mercedes" | yes
<https://city.example/terms#speed>==55      | yes
tags=="x;y|z)","red"                        | yes
"""


def cases() -> list[tuple[str, str]]:
    lines = [line.rpartition("|") for line in MEANINGS.strip().splitlines()]
    return [(text.strip(), meaning.strip()) for text, _, meaning in lines]


@pytest.mark.parametrize(("text", "meaning"), cases())
def test_query_means_what_the_clause_says(text: str, meaning: str) -> None:
    if meaning.startswith("refused"):
        with pytest.raises(QueryIsMalformed) as refused:
            parse_q(text, NAMES)
        assert refused.value.fields["position"] == int(meaning.split()[1])
        return
    query = parse_q(text, NAMES)
    assert matches_q(query, CAR, WORLD.get) is (meaning == "yes")
    assert parse_q(print_q(query, NAMES), NAMES) == query


def test_rows_say_the_same_as_the_table(rows: Rows) -> None:
    rows.keep(list(WORLD.values()))
    for text, meaning in cases():
        if not meaning.startswith("refused"):
            query = parse_q(text, NAMES)
            found = rows.fitting(lambda parameters, query=query: compile_q(query, parameters, table="entities"))  # type: ignore[misc]
            assert (CAR["id"] in found) is (meaning == "yes"), text


REFUSED = """
                     | 1
;                    | 1
speed==              | 8
speed=55             | 6
speed==55;           | 11
speed==55)           | 10
(speed==55           | 11
speed==55 66         | 11
speed>true           | 7
speed>1..2           | 8
speed>1,2            | 8
speed==1..           | 11
speed==1.."a"        | 8
speed==true..false   | 8
speed==09            | 8
speed==+1            | 8
speed==.5            | 8
speed==2026-02-30    | 8
speed==2026-01-01T00:00:00 | 8
speed=="open         | 8
speed=="a\\qb"       | 8
speed==1e999         | 8
speed..x             | 6
speed.               | 7
speed[               | 7
speed[a              | 8
speed[a][b]          | 9
speed[a].b           | 9
speed{               | 7
speed{free           | 11
speed{free}}         | 12
observedAt{free}     | 1
id=="urn:a:1"        | 1
type==Car            | 1
5speed==1            | 1
speed~=              | 8
speed~="("           | 2
speed~="a(?=b)"      | 2
speed~="(a)\\1"      | 4
speed==<x>           | 8
speed==1;;speed      | 10
"""


@pytest.mark.parametrize("line", REFUSED.strip("\n").splitlines())
def test_query_outside_the_grammar_is_refused_at_its_place(line: str) -> None:
    text, _, position = line.rpartition("|")
    with pytest.raises(QueryIsMalformed) as refused:
        parse_q(text.strip(), NAMES)
    assert refused.value.fields["position"] == int(position)
    assert refused.value.fields["parameter"] == "q"
    assert refused.value.fields["accepted"]
    assert refused.value.surface.status == 400
    assert refused.value.surface.ngsi_ld.endswith("/BadRequestData")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 21 + "a" + ")" * 21,
        "(" * 10_000,
        ";".join(["a"] * 201),
        "a==" + ",".join(["1"] * 501),
        "a" + ".b" * 11,
        "a[" + ".".join(["b"] * 12) + "]",
        "a{" * 12 + "b" + "}" * 12,
        "a" * 20_000,
        'a~="' + "x" * 600 + '"',
        'a~="(x{1,200}){1,200}"',
        'a~="(x?){200}"',
        ";".join(['a~="x{200}"'] * 4),
        "a==" + ",".join(["2026-01-01"] * 101),
        'a~="' + "(" * 30 + "x" + ")" * 30 + '"',
    ],
)
def test_query_that_asks_too_much_is_refused(text: str) -> None:
    with pytest.raises(QueryIsTooComplex) as refused:
        parse_q(text, NAMES)
    assert refused.value.fields["most"]
    assert refused.value.surface.ngsi_ld.endswith("/TooComplexQuery")


def test_values_of_listed_attributes_are_expanded() -> None:
    for text in ("gender==Male", 'gender=="Male"', 'gender=="Female","Male"'):
        assert matches_q(parse_q(text, NAMES, expand_values=frozenset({BASE + "gender"})), CAR)


def test_attributes_and_depth_of_a_query_are_known() -> None:
    query = parse_q("speed>1;(isParked{owner{name}}|createdAt>2026-01-01T00:00:00Z);address[city]", NAMES)
    assert attributes_of(query) == {BASE + name for name in ("speed", "isParked", "address")}
    assert link_depth(query) == 2


SIGNS = st.text(alphabet=list("ab1.,;|()[]{}<>=!~\"'\\*+?#/:-_ %$é\x00\ud800\n"), max_size=30)
WORDS = [
    "a",
    "1",
    "..",
    "==",
    "!=",
    "~=",
    '"x"',
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    "|",
    ",",
    ".",
    "true",
    "2026-01-01",
    "near",
    "/",
    "#",
]
anything = st.one_of(SIGNS, st.lists(st.sampled_from(WORDS), max_size=12).map("".join), st.text(max_size=40))


@given(anything)
@settings(max_examples=EXAMPLES * 10)
@example("a~=[")
@example("a~=\\")
@example('a=="\\ud800"')
@example('a=="\\u0000"')
@example("a==1" + "0" * 5_000)
@example("a[\x85]")
def test_any_text_is_read_or_refused_as_the_broker_refuses(text: str) -> None:
    readers: list[Any] = [
        lambda: print_q(parse_q(text, NAMES)),
        lambda: compile_q(parse_q(text, NAMES), Parameters()),
        lambda: parse_types(text, NAMES),
        lambda: parse_scope_q(text),
        lambda: parse_ids(text),
        lambda: parse_id_pattern(text).found_in("a1"),
        lambda: compile_order(parse_order(text, NAMES), Parameters()),
        lambda: parse_order("a;dist-asc", NAMES, order_from=text),
        lambda: check_collation(text, frozenset({"ja-x-icu"})),
        lambda: parse_projection(text, NAMES),
        lambda: parse_attrs(text, NAMES),
        lambda: parse_temporal(text, text, text, text),
        lambda: parse_temporal("after", text),
        lambda: parse_geo(text, "Point", "[1,2]", NAMES),
        lambda: parse_geo("within", text, text, NAMES),
        lambda: parse_geo("within", "Point", "[1,2]", NAMES, geoproperty=text),
    ]
    for read in readers:
        with suppress(BrokerError):
            read()


INJECTIONS = [
    'a=="\'; drop table entities; --"',
    'a=="$.x[*] ? (1 == 1)"',
    'a=="\\") || (1 == 1) || (\\"" ',
    'a["\') or true --"]==1',
    'a["\\") || (1 == 1) || (\\""]',
    'a~="\\) || 1=1"',
    "<urn:x:'\")||(1==1)||(\"'>==1",
    "a==%(c0)s",
    'a=="%(c1)s"',
    'a=="%s%%"',
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_injected_text_is_inert(rows: Rows, text: str) -> None:
    rows.keep(
        [{"id": "urn:a:1", "type": ["T"], "createdAt": TIMES[0], "modifiedAt": TIMES[0], "attrs": {"x": prop(1)}}]
    )
    try:
        query = parse_q(text, NAMES)
    except QueryIsMalformed:
        return
    parameters = Parameters()
    condition = compile_q(query, parameters)
    assert condition.sql == "e.doc @@ %(c0)s::jsonpath"
    assert rows.fitting(lambda parameters: compile_q(query, parameters)) == []
    assert rows.conn.execute("select count(*) from entities").fetchone() == (1,)

"""SQL's face: parse and print are inverse, a refusal points at its place, and nothing else ever comes out."""
# ruff: noqa: E501 (tables)

import pytest
from hypothesis import HealthCheck, example, given, settings

from sanpo.cleanroom.errors import QuestionIsMalformed, QuestionNotInSubset
from sanpo.cleanroom.model import Measure, Order, Question, question_json, read_question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.printer import print_sql
from tests.cleanroom.questions import EXAMPLES, MARKS, any_questions
from tests.cleanroom.tables import rows_of

pytestmark = MARKS
GOOD = [
    "select area, hour(start_at) as h, count(*), avg(energy_wh) from energy.readings where start_at >= '2026-01-01'"
    " group by area, hour(start_at) order by h desc limit 10",
    "select date_trunc('week', start_at), count(distinct subject_no), quantile(energy_wh, 0.9) from energy.readings"
    " where (area in ('a', 'b') or not (occupants between 1 and 3)) and note is not null group by all",
    "select band(r.energy_wh, 10, 20.5), variance(w.temperature_c), correlation(r.energy_wh, w.temperature_c), b.rides"
    " from energy.readings as r join open.weather as w using (area, hour)"
    " join (select subject, count(*) as rides, sum(fare_yen) as fares from bus.rides group by subject) as b"
    " using (subject) where w.rain_mm > 0 and band(b.fares, 0, 500) = 1 group by cube (band(energy_wh, 10, 20.5), b.rides)",
]


@given(any_questions())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@example(Question(dataset="a.b", measures=(Measure(function="quantile", column="x", q=5e-324),)))
@example(
    Question(dataset="select.from", measures=(Measure(function="count", as_="order"),), order_by=(Order("order"),))
)
def test_parse_gives_back_what_print_wrote(question: Question) -> None:
    parsed = parse_sql(print_sql(question))
    assert parsed == question
    assert repr(parsed) == repr(question)  # 1, 1.0 and true are equal but not the same literal


@given(any_questions())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_json_gives_back_the_question_that_it_was_made_of(question: Question) -> None:
    assert read_question(question_json(question)) == question


@pytest.mark.parametrize("sql", GOOD)
def test_parse_reads_the_same_question_in_capitals_and_over_lines(sql: str) -> None:
    shouted = "".join(c if inside else c.upper() for c, inside in _inside_text(sql)).replace(" FROM ", "\nFROM\n\t")
    assert parse_sql(shouted) == parse_sql(sql)


def _inside_text(sql: str) -> list[tuple[str, bool]]:
    found, inside = [], False
    for letter in sql:
        inside ^= letter == "'"
        found.append((letter, inside))
    return found


SAME = """
| written                                                                  | means                                                                     |
| select median(e) from a.b                                                | select quantile(e, 0.5) from a.b                                          |
| select quantile_cont(e, 0.9) from a.b                                    | select quantile(e, 0.9) from a.b                                          |
| select count(distinct subject) from a.b                                  | select count(distinct subject_no) from a.b                                |
| select count(*), x from a.b group by x                                   | select x, count(*) from a.b group by x                                    |
| select x, count(*) from a.b group by 1                                   | select x, count(*) from a.b group by x                                    |
| select count(*), x as y from a.b group by y order by 1                   | select x as y, count(*) from a.b group by x order by "rows"               |
| select x, count(*) from a.b group by all                                 | select x, count(*) from a.b group by x                                    |
| select sum(e) from a.b order by sum(e) desc                              | select sum(e) from a.b order by sum_e desc                                |
| select count(*) from a.b where 5 < e                                     | select count(*) from a.b where e > 5                                      |
| select count(*) from a.b where e <> -1.5                                 | select count(*) from a.b where e != -1.5                                  |
| select count(*) from a.b where t > date '2026-01-01'                     | select count(*) from a.b where t > '2026-01-01'                           |
| select count(*) from a.b where t > timestamp '2026-01-01 12:00'          | select count(*) from a.b where t > '2026-01-01 12:00'                     |
| select count(*) from a.b where x not in (1, 2)                           | select count(*) from a.b where not (x in (1, 2))                          |
| select count(*) from a.b where x is not null                             | select count(*) from a.b where not (x is null)                            |
| select count(*) from a.b where x = 1 and y = 2 or z = 3                  | select count(*) from a.b where ((x = 1) and (y = 2)) or (z = 3)           |
| select /* why */ count(*) from a.b -- asked often                        | select count(*) from a.b                                                  |
| select sum(r.e) from a.b as r where r.x = 1                              | select sum(e) from a.b where x = 1                                        |
| select sum(b.e) from a.b                                                 | select sum(e) from a.b                                                    |
| select b.x as y, count(*) from a.b group by b.x order by b.x             | select x as y, count(*) from a.b group by x order by y                    |
| select count(distinct r.subject_no) from a.b r                           | select count(distinct subject_no) from a.b                                |
| select corr(e, w.t) from a.b inner join c.w using (hour)                 | select correlation(e, w.t) from a.b join c.w using (hour)                 |
| select avg(d.t) from a.b join c.d using (k1, k2) join e.f using (k1)     | select avg(d.t) from a.b join c.d using (k1, k2) join e.f using (k1)      |
| select x, y, count(*) from a.b group by cube (2, x)                      | select x, y, count(*) from a.b group by cube (x, y)                       |
| select band(e, -5, 0.5) as z, count(*) from a.b group by z               | select band(e, -5, 0.5) as z, count(*) from a.b group by band(e, -5, 0.5) |
| select avg(n) from a.b join (select sum(f) as n, s from c.d group by s) as b2 using (s) | select avg(n) from a.b join (select s, sum(f) as n from c.d group by s) as b2 using (s) |
"""


@pytest.mark.parametrize("row", rows_of(SAME), ids=lambda row: row["written"])
def test_parse_reads_other_spellings_as_the_canonical_one(row: dict[str, str]) -> None:
    assert print_sql(parse_sql(row["written"])) == row["means"]


REFUSED = """
| sql                                                             | line | column | found                          | suggestion                    |
| drop table people                                               | 1    | 1      | drop                           | select … from dataset         |
| with a as (select 1) select * from a                            | 1    | 1      | with                           | select … from dataset         |
| select count(*) from a.b; drop table c                          | 1    | 1      | select count(*) from a.b; drop | select … from dataset         |
| select *, count(*) from a.b                                     | 1    | 8      | *                              | column                        |
| select sum(x + 1) from a.b                                      | 1    | 12     | x + 1                          | column                        |
| select houre(t), count(*) from a.b group by all                 | 1    | 8      | houre(t)                       | hour(time)                    |
| select dayofweek(t), count(*) from a.b group by all             | 1    | 8      | dayofweek(t)                   | weekday(time)                 |
| select date_trunc('decade', t), count(*) from a.b group by all  | 1    | 19     | 'decade'                       | 'hour'                        |
| select count(x) from a.b                                        | 1    | 8      | count(x)                       | count(*)                      |
| select sum(distinct x) from a.b                                 | 1    | 21     | x                              | column                        |
| select quantile(x, 2) from a.b                                  | 1    | 20     | 2                              | quantile(column, 0.5)         |
| select count(*) over () from a.b                                | 1    | 8      | count(*)                       | column                        |
| select x, count(*) from a.b                                     | 1    | 8      | x, count(*) from a.b           | group by x                    |
| select x, count(*) from a.b group by y                          | 1    | 38     | y                              | group by x                    |
| select x from a.b group by x                                    | 1    | 8      | x from a.b group by x          | select …, count(*)            |
| select count(*) over (order by x) from a.b                      | 1    | 8      | count(*) over (order by x)     | column                        |
| select count(*) filter (where x = 1) from a.b                   | 1    | 8      | count(*) filter (where x = 1)  | column                        |
| select w.*, count(*) from a.b join c.w using (e)                | 1    | 8      | w.*                            | column                        |
| select a.b.x, count(*) from a.b group by all                    | 1    | 8      | a                              | column                        |
| select count(*) from a.b left join c.d using (e)                | 1    | 36     | c.d using (e)                  | using (hour)                  |
| select count(*) from a.b full outer join c.d using (e)          | 1    | 42     | c.d using (e)                  | using (hour)                  |
| select count(*) from a.b semi join c.d using (e)                | 1    | 36     | c.d using (e)                  | using (hour)                  |
| select count(*) from a.b cross join c.d                         | 1    | 37     | c.d                            | using (hour)                  |
| select count(*) from a.b natural join c.d                       | 1    | 39     | c.d                            | using (hour)                  |
| select count(*) from a.b asof join c.d using (e)                | 1    | 36     | c.d using (e)                  | using (hour)                  |
| select count(*) from a.b, c.d                                   | 1    | 27     | c.d                            | using (hour)                  |
| select count(*) from a.b join c.d on b.e = d.e                  | 1    | 38     | b.e = d.e                      | using (hour)                  |
| select count(*) from a.b join c.d on true                       | 1    | 31     | c.d                            | using (hour)                  |
| select count(*) from a.b join c.d                               | 1    | 31     | c.d                            | using (hour)                  |
| select count(*) from a.b join c.d using (w.e)                   | 1    | 42     | w                              | using (hour)                  |
| select count(*) from a.b join c.d using (e + 1)                 | 1    | 44     | +                              | select … from dataset         |
| select count(*) from a.b join c.d as w(x) using (e)             | 1    | 40     | x                              | using (hour)                  |
| select count(*) from a.b join c.b using (e)                     | 1    | 31     | c.b                            | as another_name using (e)     |
| select count(*) from a.b as w join c.d as w using (e)           | 1    | 36     | c.d as w                       | as another_name using (e)     |
| select count(*) from (select count(*) from a.b) as x            | 1    | 30     | count(*) from a.b              | from energy.readings          |
| select count(*) from a.b join (select * from c.d) as w using (e) | 1   | 39     | * from c.d                     | group by subject              |
| select count(*) from a.b join (select e from c.d group by e) as w using (e) | 1 | 39 | e from c.d group by e          | count(*) as rides             |
| select count(*) from a.b join (select e, count(*) from c.d group by e) as w using (e) | 1 | 42 | count(*)                       | e                             |
| select count(*) from a.b join (select count(*) as n from c.d group by e) as w using (e) | 1 | 39 | count(*) as n from c.d         | select e, … from c.d group by e |
| select count(*) from a.b join (select e, count(*) as n from c.d) as w using (e) | 1 | 39 | e, count(*) as n from c.d      | group by subject              |
| select count(*) from a.b join (select e, f, count(*) as n from c.d group by e, f) as w using (e) | 1 | 39 | e, f, count(*)                 | select e, … from c.d group by e |
| select count(*) from a.b join (select e, sum(x + 1) as n from c.d group by e) as w using (e) | 1 | 46 | x + 1                          | column                        |
| select count(*) from a.b join (select e, variance(x) as n from c.d group by e) as w using (e) | 1 | 42 | variance(x)                    | sum(column)                   |
| select count(*) from a.b join (select e, count(*) as n from c.d where x = 1 group by e) as w using (e) | 1 | 71 | x = 1                          | group by subject              |
| select count(*) from a.b join (select e, count(*) as n from (select 1) group by e) as w using (e) | 1 | 69 | 1                              | group by subject              |
| select count(*) from a.b union select count(*) from c.d         | 1    | 1      | select count(*) from a.b union | select … from dataset         |
| select x, count(*) from a.b group by rollup (x)                 | 1    | 46     | x                              | group by cube (x)             |
| select x, count(*) from a.b group by grouping sets ((x), ())    | 1    | 54     | x                              | group by cube (x)             |
| select x, y, count(*) from a.b group by cube (x)                | 1    | 47     | x                              | group by x, y                 |
| select x, y, count(*) from a.b group by cube (x), y             | 1    | 47     | x                              | group by cube (x, y)          |
| select x, count(*) from a.b group by x with cube                | 1    | 38     | x                              | group by cube (x)             |
| select width_bucket(x, 0, 9, 3), count(*) from a.b group by all | 1    | 8      | width_bucket(x, 0, 9, 3)       | band(column, 10, 20, 30)      |
| select case when x > 5 then 1 else 0 end, count(*) from a.b     | 1    | 18     | x > 5                          | band(column, 10, 20, 30)      |
| select band(x, 1, 'b'), count(*) from a.b group by all          | 1    | 19     | 'b'                            | band(column, 10, 20, 30)      |
| select band(x, 20, 10), count(*) from a.b group by all          | 1    | 20     | 10                             | band(column, 10, 20, 30)      |
| select band(x), count(*) from a.b group by all                  | 1    | 8      | band(x)                        | band(column, 10, 20, 30)      |
| select var_samp(x) from a.b                                     | 1    | 8      | var_samp(x)                    | variance(column)              |
| select stddev(x) from a.b                                       | 1    | 8      | stddev(x)                      | variance(column)              |
| select covar_samp(x, y) from a.b                                | 1    | 8      | covar_samp(x, y)               | correlation(column, other)    |
| select correlation(x) from a.b                                  | 1    | 8      | correlation(x)                 | correlation(column, other)    |
| select count(*) from b                                          | 1    | 22     | b                              | from energy.readings          |
| select count(*) from 'lake/readings.parquet'                    | 1    | 22     | 'lake/readings.parquet'        | from energy.readings          |
| select count(*) from read_parquet('x')                          | 1    | 22     | read_parquet('x')              | from energy.readings          |
| select count(*) from a.b where x like '%a%'                     | 1    | 32     | x like '%a%'                   | column >= 5                   |
| select count(*) from a.b where x = y                            | 1    | 36     | y                              | 'text'                        |
| select count(*) from a.b where x = null                         | 1    | 32     | x                              | column is null                |
| select count(*) from a.b where x in (select 1)                  | 1    | 45     | 1                              | column >= 5                   |
| select count(*) from a.b where x                                | 1    | 32     | x                              | column >= 5                   |
| select count(*) from a.b having count(*) > 1                    | 1    | 33     | count(*) > 1                   | select … from dataset         |
| select count(*) from a.b limit 0                                | 1    | 32     | 0                              | limit 1                       |
| select count(*) from a.b limit 5 offset 5                       | 1    | 41     | 5                              | select … from dataset         |
| select count(*) from a.b order by z                             | 1    | 35     | z                              | rows [desc]                   |
| select count(*) as "No" from a.b                                | 1    | 20     | "No"                           | small_letters_and_digits      |
| select count(*) from a.b where x = 'a                           | 1    | 1      | select count(*) from a.b where | select … from dataset         |
"""


@pytest.mark.parametrize("row", rows_of(REFUSED), ids=lambda row: row["sql"])
def test_parse_refuses_with_place_and_suggestion(row: dict[str, str]) -> None:
    with pytest.raises(QuestionNotInSubset) as refused:
        parse_sql(row["sql"])
    fields = refused.value.fields
    assert (fields["line"], fields["column"]) == (int(row["line"]), int(row["column"]))
    assert fields["found"].startswith(row["found"])
    assert fields["suggestion"].startswith(row["suggestion"]) or row["suggestion"] in fields["suggestion"]


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from a.b where x in ()",
        "select count(*) as from a.b",
        "select count(*) as",
        "select 5 as 'text' from a.b",
        "select count(*) from a.b where x between 1 and",
        "select count(*) from a.b where not",
        "select count(*) from a.b where x =",
        "select sum() from a.b",
        "select date_trunc('day'), count(*) from a.b group by all",
        "select count(distinct) from a.b",
        "select count(*) from a.b order by",
        "select count(*) from a.b group by",
        "select count(*) from a.b limit",
        "select count(*) from a.",
        "select",
    ],
)
def test_parse_refuses_a_statement_with_a_hole(sql: str) -> None:
    with pytest.raises(QuestionNotInSubset):
        parse_sql(sql)


def test_refusal_counts_lines_and_columns_in_a_long_statement() -> None:
    with pytest.raises(QuestionNotInSubset) as refused:
        parse_sql("select count(*)\nfrom a.b\nwhere 地区 = '港'\n  and x ~ 'y'")
    assert (refused.value.fields["line"], refused.value.fields["column"]) == (3, 7)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("select count(*), count(*) from a.b", "two columns of the answer are named rows"),
        ("select count(*) from a.b where x = 1e999", "not finite"),
        ("select count(*) from a.b where x = 99999999999999999999", "<= 9223372036854775807"),
        ("select count(*) from a.b where " + "not " * 20 + "x = 1", "deeper than 12"),
        ("select count(*) from a.b where x in (" + ", ".join(["1"] * 501) + ")", "more than 500 literals"),
        (f"select count(*) from a.b where x = '{'a' * 1001}'", "length <= 1000"),
        (f"select count(*) from a.b where x in ({', '.join(repr('b' * 900) for _ in range(25))})", "larger than 20000"),
        ("select count(*) from a.b where x = 'a\x00b'", "matching regex"),
    ],
)
def test_parse_refuses_a_question_that_is_out_of_bounds(sql: str, problem: str) -> None:
    with pytest.raises((QuestionIsMalformed, QuestionNotInSubset)) as refused:
        parse_sql(sql)
    if isinstance(refused.value, QuestionIsMalformed):
        assert problem in refused.value.fields["problem"]
    else:
        assert len(sql) > 20_000

"""SQL's face: parse and print are inverse, a refusal points at its place, and nothing else ever comes out."""
# ruff: noqa: E501 (tables)

import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sanpo.cleanroom.errors import QuestionIsMalformed, QuestionNotInSubset
from sanpo.cleanroom.model import Measure, Order, Question, question_json, read_question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.printer import print_sql
from tests.cleanroom.questions import EXAMPLES, LONG, MARKS, any_questions
from tests.cleanroom.tables import rows_of

pytestmark = MARKS
STATEMENTS = 100_000 if LONG else 1_500
SEED = 20260401
GOOD = [
    "select area, hour(start_at) as h, count(*), avg(energy_wh) from energy.readings where start_at >= '2026-01-01'"
    " group by area, hour(start_at) order by h desc limit 10",
    "select date_trunc('week', start_at), count(distinct subject_no), quantile(energy_wh, 0.9) from energy.readings"
    " where (area in ('a', 'b') or not (occupants between 1 and 3)) and note is not null group by all",
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
| select count(*) from a.b join c.d using (e)                     | 1    | 31     | c.d using (e)                  | select … from dataset         |
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


TOKENS = [
    *[
        "select",
        "from",
        "where",
        "group",
        "by",
        "order",
        "limit",
        "and",
        "or",
        "not",
        "in",
        "between",
        "is",
        "null",
        "true",
        "false",
        "as",
        "distinct",
        "all",
        "case",
        "when",
        "then",
        "end",
        "join",
        "using",
        "on",
        "union",
        "with",
        "over",
        "partition",
        "having",
        "exists",
        "any",
        "interval",
        "cast",
        "date",
        "timestamp",
        "desc",
        "asc",
        "nulls",
        "first",
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "quantile",
        "median",
        "hour",
        "half_hour",
        "weekday",
        "date_trunc",
        "area",
        "energy_wh",
        "start_at",
        "energy",
        "readings",
        "a",
        "b",
        "(",
        ")",
        "(",
        ")",
        ",",
        ",",
        ".",
        "*",
        "=",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        "+",
        "-",
        "/",
        "||",
        "::",
        ";",
        "[",
        "]",
        "{",
        "}",
        "?",
        "$1",
        "@",
        "#",
        "~",
        "->",
        "=>",
        "'",
        "''",
        '"',
        '"x"',
        "'day'",
        "'2026-01-01'",
        "1",
        "-1",
        "0.5",
        "1e9",
        "1e999",
        "0x1F",
        "/*",
        "*/",
        "--",
        "%",
        "^",
        "&",
        "|",
        "!",
        ":",
        "λ",
        "地区",
        "lateral",
    ],
    *["\\", "\n", "\t", "\x00", "\ud800", "\ufeff"],
]


def test_parser_gives_a_question_or_a_refusal_for_any_soup_of_tokens() -> None:
    chance = random.Random(SEED)
    answered = 0
    for number in range(STATEMENTS):
        words = chance.choices(TOKENS, k=chance.randint(0, 25))
        text = "".join(word + " " * chance.randint(0, 1) for word in words)
        answered += _is_answered(("select " if number % 2 else "") + text)
    assert answered < STATEMENTS


def test_parser_gives_a_question_or_a_refusal_for_any_damaged_question() -> None:
    chance = random.Random(SEED)
    answered = 0
    for _ in range(STATEMENTS):
        text = chance.choice(GOOD)
        for _ in range(chance.randint(1, 4)):
            at, end = sorted(chance.choices(range(len(text) + 1), k=2))
            text = text[:at] + chance.choice([*TOKENS, "", text[at:end]]) + text[min(end, at + 8) :]
        answered += _is_answered(text)
    assert 0 < answered < STATEMENTS


@given(st.text(max_size=60))
@settings(max_examples=EXAMPLES, deadline=None)
def test_parser_gives_a_question_or_a_refusal_for_any_text(text: str) -> None:
    _is_answered(text)
    _is_answered("select " + text)


@pytest.mark.parametrize(
    "text",
    [
        "select " + "(" * 5_000,
        "select " + "(" * 39 + "a" + ")" * 39 + " from a.b",
        "select " + "[" * 3_000,
        "select " + "not " * 3_999,
        "select " + "- " * 3_999,
        "select " + "case when " * 1_500,
        "select " + "{a:" * 1_200,
        "select " + "a." * 1_900,
        "select count(*) from a.b where " + " and ".join(["a = 1"] * 900),
        "select " + "x" * 30_000,
    ],
    ids=lambda text: text[:20],
)
def test_parser_refuses_pathological_statements_quickly(text: str) -> None:
    assert not _is_answered(text)


def _is_answered(text: str) -> bool:
    """Whether the text is a question; anything raised but a refusal fails the test."""
    try:
        question = parse_sql(text)
    except (QuestionNotInSubset, QuestionIsMalformed):
        return False
    assert parse_sql(print_sql(question)) == question
    return True

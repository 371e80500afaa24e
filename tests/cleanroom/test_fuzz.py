"""Whatever is written, the parser gives a question or a refusal; and no word of it reaches DuckDB's statement."""

import random
import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanpo.cleanroom import errors
from sanpo.cleanroom.engines.duckdb_sql import Statement, to_holdings, to_shares, to_statement
from sanpo.cleanroom.errors import QuestionIsMalformed, QuestionNotInSubset
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import Limits, Plan, datasets_used, make_plan
from sanpo.cleanroom.printer import print_sql
from sanpo.cleanroom.rules import check_types
from sanpo.lake import DatasetIsUnknown, Snapshot
from tests.chance import LONG, often
from tests.cleanroom.questions import EXAMPLES, MARKS
from tests.cleanroom.statements import Author, mutated, noise, soup
from tests.cleanroom.worlds import CATALOGUE, admission_of, scope_for

pytestmark = MARKS
STATEMENTS = often(600, 22_000)
SEEDS = [20260401 + part for part in range(5 if LONG else 1)]
"""In parts, so that workers can share them: 110,000 statements in the long suite."""
NOT_THERE = (
    DatasetIsUnknown,
    errors.ColumnIdentifiesPeople,
    errors.ColumnIsAmbiguous,
    errors.ColumnIsUnknown,
    errors.DatasetIsNotPersonal,
    errors.JoinIsAmbiguous,
    errors.JoinMultipliesRows,
    errors.JoinNeedsSubject,
    errors.KeyHasNoMatch,
    errors.KeyIsUnknown,
    errors.TimeNeedsBucket,
    errors.TypeDoesNotFit,
)
"""What a question can be refused for when its names and types are looked up."""
_OURS = """
select from join on where and or not in is null between group by limit as case when then else end filter having
read_parquet hive_partitioning false union_by_name true admitted
count sum avg min max abs corr var_samp quantile_cont bitstring_agg greatest least list_sum held s
hour minute isodow week month date date_trunc timestamp int double blob r h a b
"""
OURS = frozenset(_OURS.split())
"""Every word that an engine's statement may hold besides columns of the catalogue."""
NUMBERED = re.compile(r"(?:p|j|k|derived_)\d+|key \d+")
TEXTS = {f"'{unit}'" for unit in ("hour", "day", "week", "month", "quarter", "year")}
LEXEMES = re.compile(r"\$?\w+|\"[^\"]*\"|'[^']*'|[^\s\w]")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_statement_is_a_question_or_a_refusal_and_no_word_of_it_reaches_the_engine(
    capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    chance = random.Random(seed)
    author = Author(chance)
    writers: list[Callable[[], str]] = [
        lambda: author.statement(),
        *[lambda: mutated(chance, author.statement(), author.statement())] * 6,
        lambda: soup(chance),
        lambda: noise(chance),
    ]
    counts: Counter[str] = Counter()
    for number in range(STATEMENTS):
        writer = number % len(writers)
        text = writers[writer]()
        counts[found := outcome(text)] += 1
        assert writer != 0 or found != "refused", text
    if LONG:
        with capsys.disabled():
            print(f"\n{STATEMENTS} statements: {dict(counts)}")
    assert sum(counts.values()) == STATEMENTS
    assert min(counts[name] for name in ("refused", "not opened", "built")) > STATEMENTS // 200, counts


def outcome(text: str) -> str:
    """How far the text gets: `refused`, `not opened` (it names what is not there) or `built`. Anything else raises."""
    try:
        question = parse_sql(text)
    except (QuestionNotInSubset, QuestionIsMalformed):
        return "refused"
    printed = print_sql(question)
    assert parse_sql(printed) == question
    assert print_sql(parse_sql(printed)) == printed
    try:
        plan = plan_of(question)
    except NOT_THERE:
        return "not opened"
    for statement in statements_of(plan):
        assert_all_bound(statement)
    return "built"


def plan_of(question: Question) -> Plan:
    scope = scope_for(question)
    check_types(question, scope)
    used = {name: Snapshot(CATALOGUE[name], 1, (f"{name}.parquet",)) for name in datasets_used(question, scope)}
    clamps = {each.column: (0, 10) for each in question.measures if each.column is not None}
    return make_plan(question, scope, used, admission_of([1]), Limits(clamps, 2))


def statements_of(plan: Plan) -> list[Statement]:
    columns = [each.column for each in plan.question.measures if each.column is not None]
    return [to_statement(plan), to_holdings(plan), *(to_shares(plan, column) for column in columns)]


def assert_all_bound(statement: Statement) -> None:
    """Its words are the engine's own, its quoted names the catalogue's, its numbers places; all else is a parameter."""
    columns = {column.name for dataset in CATALOGUE.values() for column in dataset.columns}
    for lexeme in LEXEMES.findall(statement.sql):
        if lexeme.startswith('"'):
            assert lexeme[1:-1] in columns or NUMBERED.fullmatch(lexeme[1:-1]), lexeme
        elif lexeme.startswith("$"):
            assert lexeme[1:] in statement.params, lexeme
        elif lexeme.startswith("'"):
            assert lexeme in TEXTS, lexeme
        elif lexeme.isdigit():
            assert int(lexeme) <= 30, lexeme
        elif lexeme[0].isalnum() or lexeme[0] == "_":
            assert lexeme in OURS | columns or NUMBERED.fullmatch(lexeme), lexeme
        else:
            assert lexeme in set("(),.*/+=!<>:[]"), lexeme


@given(st.text(max_size=60))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_text_is_a_question_or_a_refusal(text: str) -> None:
    outcome(text)
    outcome("select " + text)


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
    assert outcome(text) == "refused"

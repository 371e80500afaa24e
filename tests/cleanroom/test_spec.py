"""Runs the specification tables: every case on both engines, every refusal by its rule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from sanpo.cleanroom import errors
from sanpo.cleanroom.engines import duckdb_engine, reference
from sanpo.cleanroom.errors import DatasetIsNotPersonal
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.rules import check_rule, check_types, limits_of
from sanpo.cleanroom.scope import Scope
from sanpo.consent import AnalysisRule
from sanpo.ground.errors import DomainError
from sanpo.lake import Dataset
from tests.cleanroom import spec_answers, spec_rules
from tests.cleanroom.tables import rows_of
from tests.cleanroom.worlds import (
    HOMES,
    PASSES,
    PUBLIC,
    READINGS,
    RIDES,
    WEATHER,
    Lake,
    released,
    scope_for,
    settings_for,
    write_lake,
)

MARK, TOTAL = "‥", "∑"


@dataclass(frozen=True)
class Case:
    """One block of `CASES`: what is asked and the table or the refusal that comes."""

    title: str
    sql: str
    minimum: int
    refused: str | None
    names: list[str]
    rows: list[list[str]]


def cases() -> list[Case]:
    return [_case(block.strip().splitlines()) for block in spec_answers.CASES.strip().split("\n\n")]


def _case(lines: list[str]) -> Case:
    title = " ".join(line.removeprefix("# ") for line in lines if line.startswith("#"))
    (sql,) = [line for line in lines if line.startswith("select")]
    minimum = next((int(line.split()[1]) for line in lines if line.startswith("minimum")), 1)
    refused = next((line.split()[1] for line in lines if line.startswith("refused")), None)
    table = rows_of("\n".join(line for line in lines if line.startswith("|"))) if refused is None else []
    return Case(title, sql, minimum, refused, list(table[0]) if table else [], [list(row.values()) for row in table])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return write_lake(
        tmp_path_factory.mktemp("spec"),
        _rows(READINGS, spec_answers.READINGS),
        _rows(HOMES, spec_answers.HOMES),
        weather=_rows(WEATHER, spec_answers.WEATHER),
        rides=_rows(RIDES, spec_answers.RIDES),
        passes=_rows(PASSES, spec_answers.PASSES),
    )


def _rows(dataset: Dataset, table: str) -> list[dict[str, Any]]:
    types = {column.name: column.type for column in dataset.columns}
    return [{name: _READ[types[name]](text) if text else None for name, text in row.items()} for row in rows_of(table)]


_READ: dict[str, Callable[[str], Any]] = {
    "int32": int,
    "int64": int,
    "float64": float,
    "text": str,
    "bool": {"true": True, "false": False}.get,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
}


@pytest.mark.parametrize("engine", ["reference", "duckdb"])
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_engine_answers_as_specified(lake: Lake, case: Case, engine: str) -> None:
    question = parse_sql(case.sql)
    plan = lake.plan(question, list(spec_answers.ADMITTED))
    cells = reference.run(plan) if engine == "reference" else duckdb_engine.run(plan, settings_for(lake.folder))
    if case.refused is not None:
        with pytest.raises(DomainError) as refused:
            released(question, cells, case.minimum)
        assert refused.value.code == case.refused
        return
    rows, _ = released(question, cells, case.minimum)
    assert case.names == [*question.names, "people"]
    assert [_shown(row, question.names, case.minimum) for row in rows] == case.rows


def _shown(row: Any, names: tuple[str, ...], minimum: int) -> list[str]:
    cells = [
        MARK if name in row.suppressed else TOTAL if name in row.totals else _text(value)
        for name, value in zip(names, row.values, strict=True)
    ]
    return [*cells, f"<{minimum}" if row.subjects is None else str(row.subjects)]


def _text(value: Any) -> str:
    """Nine places of a fraction: further digits depend on the order in which an engine adds."""
    if value is None:
        return ""
    return str(round(value, 9) if isinstance(value, float) else value)


@pytest.mark.parametrize("row", rows_of(spec_rules.REFUSALS), ids=lambda row: row["question"])
def test_question_is_refused_by_its_rule_with_what_would_pass(row: dict[str, str]) -> None:
    with pytest.raises(getattr(errors, row["refused by"])) as refused:
        _check(parse_sql(row["question"]), spec_rules.RULE)
    assert row["and says"] in ", ".join(str(value) for value in refused.value.fields.values())


def _check(question: Question, rule: AnalysisRule) -> None:
    scope = scope_for(question)
    check_types(question, scope)
    check_rule(question, scope, rule)


@pytest.mark.parametrize("row", rows_of(spec_rules.PASSING), ids=lambda row: row["question"])
def test_question_inside_the_rule_passes(row: dict[str, str]) -> None:
    _check(parse_sql(row["question"]), spec_rules.RULE)


def test_extreme_quantile_passes_where_the_extreme_itself_may_be_asked() -> None:
    rule = replace(spec_rules.RULE, functions=("quantile", "min"))
    _check(parse_sql("select quantile(volts, 0.01) from energy.readings"), rule)
    with pytest.raises(errors.QuantileIsExtreme):
        _check(parse_sql("select quantile(volts, 0.99) from energy.readings"), rule)


@pytest.mark.parametrize("sql", ["max(volts)", "quantile(volts, 0.99)", "min(b.lowest)"])
def test_ends_of_the_rule_are_the_ends_of_the_plan(sql: str) -> None:
    join = "(select subject, min(fare_yen) as lowest from bus.rides group by subject) as b using (subject)"
    question = parse_sql(f"select {sql} from energy.readings join {join}")
    limits = limits_of(question, scope_for(question), spec_rules.RULE)
    assert limits.ends_of(question.measures[0]) == ((100, 500) if "lowest" in sql else (90, 110))
    assert limits_of(question, scope_for(question), replace(spec_rules.RULE, clamps=UNSET)).clamps == {}


def test_dataset_about_nobody_is_not_asked_here() -> None:
    with pytest.raises(DatasetIsNotPersonal):
        check_types(parse_sql("select sum(rain_mm) from weather.days"), Scope(PUBLIC))

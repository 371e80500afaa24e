"""Runs the specification tables: every case on both engines, every refusal by its rule."""

from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from sanpo.cleanroom import errors
from sanpo.cleanroom.engines import duckdb_engine, reference
from sanpo.cleanroom.errors import DatasetIsNotPersonal
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import Plan
from sanpo.cleanroom.rules import check_rule, check_types
from sanpo.cleanroom.scope import Scope
from sanpo.ground.errors import DomainError
from tests.cleanroom import spec_answers, spec_rules
from tests.cleanroom.tables import rows_of
from tests.cleanroom.worlds import HOMES, PUBLIC, SCOPE, Lake, admission_of, released, settings_for, write_lake

MARK = "‥"


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
    readings = [
        {**_typed(row), "meter_no": int(row["subject_no"]), "start_local": datetime.fromisoformat(row["start_local"])}
        for row in rows_of(spec_answers.READINGS)
    ]
    homes = [
        {**_typed(row), "solar": {"true": True, "false": False}.get(row["solar"]), "moved_in": _date(row["moved_in"])}
        for row in rows_of(spec_answers.HOMES)
    ]
    return write_lake(tmp_path_factory.mktemp("spec"), readings, homes)


def _typed(row: dict[str, str]) -> dict[str, Any]:
    return {name: int(value) if value.isdigit() else value or None for name, value in row.items()}


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("engine", ["reference", "duckdb"])
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_engine_answers_as_specified(lake: Lake, case: Case, engine: str) -> None:
    question = parse_sql(case.sql)
    plan = _plan_on(lake, case.sql)
    cells = reference.run(plan) if engine == "reference" else duckdb_engine.run(plan, settings_for(lake.folder))
    if case.refused is not None:
        with pytest.raises(DomainError) as refused:
            released(question, cells, case.minimum)
        assert refused.value.code == case.refused
        return
    rows, _ = released(question, cells, case.minimum)
    assert case.names == [*question.names, "people"]
    assert [_shown(row, question.names, case.minimum) for row in rows] == case.rows


def _plan_on(lake: Lake, sql: str) -> Plan:
    question = parse_sql(sql)
    if question.dataset == "energy.readings":
        return lake.plan(question, list(spec_answers.ADMITTED))
    return Plan(question, Scope(HOMES), lake.homes, None, admission_of(list(spec_answers.ADMITTED)))


def _shown(row: Any, names: tuple[str, ...], minimum: int) -> list[str]:
    cells = [
        MARK if name in row.suppressed else "" if value is None else str(value)
        for name, value in zip(names, row.values, strict=True)
    ]
    return [*cells, f"<{minimum}" if row.subjects is None else str(row.subjects)]


@pytest.mark.parametrize("row", rows_of(spec_rules.REFUSALS), ids=lambda row: row["question"])
def test_question_is_refused_by_its_rule_with_what_would_pass(row: dict[str, str]) -> None:
    question, rule = parse_sql(row["question"]), SimpleNamespace(**spec_rules.RULE)
    with pytest.raises(getattr(errors, row["refused by"])) as refused:
        _check(question, rule)
    assert row["and says"] in ", ".join(str(value) for value in refused.value.fields.values())


def _check(question: Any, rule: Any) -> None:
    check_types(question, SCOPE)
    check_rule(question, rule)


@pytest.mark.parametrize("row", rows_of(spec_rules.PASSING), ids=lambda row: row["question"])
def test_question_inside_the_rule_passes(row: dict[str, str]) -> None:
    _check(parse_sql(row["question"]), SimpleNamespace(**spec_rules.RULE))


def test_extreme_quantile_passes_where_the_extreme_itself_may_be_asked() -> None:
    rule = SimpleNamespace(**{**spec_rules.RULE, "functions": ("quantile", "min")})
    check_rule(parse_sql("select quantile(energy_wh, 0.01) from energy.readings"), rule)
    with pytest.raises(errors.QuantileIsExtreme):
        check_rule(parse_sql("select quantile(energy_wh, 0.99) from energy.readings"), rule)


def test_dataset_about_nobody_is_not_asked_here() -> None:
    with pytest.raises(DatasetIsNotPersonal):
        check_types(parse_sql("select sum(rain_mm) from weather.days"), Scope(PUBLIC))

"""The declared cells: from the question and the catalogue alone, and all that an engine can find within the filter."""

from datetime import date, datetime
from typing import Any

import pytest

from sanpo.cleanroom import parse_sql
from sanpo.cleanroom.domains import declared_keys
from sanpo.cleanroom.engines import reference
from sanpo.cleanroom.errors import AnswerIsTooLarge, DomainIsMissing
from sanpo.cleanroom.scope import Scope
from sanpo.lake import Column, Dataset
from tests.cleanroom.worlds import reading, scope_for, write_lake

KINDS = Dataset(
    name="energy.kinds",
    personal=True,
    columns=(
        Column("subject_no", "int32", "subject"),
        Column("kind", "text", "dimension", domain=("gas", "heat_pump")),
        Column("floors", "int32", "dimension", domain=("1", "2", "3")),
        Column("rate", "float64", "dimension", domain=("0.5", "1")),
    ),
)


def keys(split: str, where: str = "", dataset: str = "energy.readings") -> list[Any]:
    question = parse_sql(f"select {split}, count(*) from {dataset} {where and 'where ' + where} group by {split}")
    return [key[0] if len(key) == 1 else key for key in declared_keys(question, scope_for(question))]


local = datetime.fromisoformat
MARCH = "start_at >= '2026-03-30' and start_at < '2026-04-02'"
BETWEEN = "start_at >= '2026-01-01' and start_at < '2026-02-01'"
DAYS = [date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1)]


@pytest.mark.parametrize(
    ("split", "where", "expected"),
    [
        ("hour(start_at)", "", list(range(24))),
        ("half_hour(start_at)", "", list(range(48))),
        ("weekday(start_at)", "", list(range(1, 8))),
        ("week(start_at)", "", list(range(1, 54))),
        ("month(start_at)", "", list(range(1, 13))),
        ("solar", "", [False, True]),
        ("band(energy_wh, 100, 200)", "", [0, 1, 2]),
        ("area", "area in ('港', '中央', '港')", ["港", "中央"]),
        ("area", "energy_wh > 5 and area = '港'", ["港"]),
        ("hour(start_at)", "hour(start_at) in (7, 8)", [7, 8]),
        ("date(start_at)", MARCH, DAYS),
        ("date(start_at)", "date(start_at) between '2026-03-30' and '2026-04-01'", DAYS),
        ("date(start_at)", "start_at > '2026-03-29 23:00' and start_at <= '2026-03-30'", [date(2026, 3, 29), DAYS[0]]),
        ("date(start_at)", "date(start_at) > '2026-03-29' and date(start_at) <= '2026-04-01'", DAYS),
        ("date(start_at)", "date(start_at) = '2026-03-30'", [DAYS[0]]),
        ("date_trunc('day', start_at)", "date(start_at) = '2026-03-30'", [local("2026-03-30")]),
        ("date_trunc('hour', start_at)", "start_at >= '2026-03-30 22:30' and start_at < '2026-03-31 01:00'",
         [local("2026-03-30 22:00"), local("2026-03-30 23:00"), local("2026-03-31")]),
        ("date_trunc('week', start_at)", MARCH, [local("2026-03-30")]),
        ("date_trunc('month', start_at)", MARCH, [local("2026-03-01"), local("2026-04-01")]),
        ("date_trunc('quarter', start_at)", MARCH, [local("2026-01-01"), local("2026-04-01")]),
        ("date_trunc('year', start_at)", "start_at between '2025-05-05' and '2026-01-01'",
         [local("2025-01-01"), local("2026-01-01")]),
        ("occupants", "occupants > 1 and occupants <= 4", [2, 3, 4]),
        ("occupants", "occupants between 1 and 3 and occupants < 3", [1, 2]),
        ("moved_in", "moved_in >= '2026-03-30' and moved_in < '2026-04-02'", DAYS),
        ("date_trunc('year', start_at)", "start_at >= '9999-01-01' and start_at <= '9999-12-31 12:00'",
         [local("9999-01-01")]),
        ("date(start_at)", "start_at >= '0001-01-01' and start_at < '0001-01-02'", [date(1, 1, 1)]),
    ],
)  # fmt: skip
def test_values_are_declared(split: str, where: str, expected: list[Any]) -> None:
    assert keys(split, where) == expected


def test_values_are_declared_by_the_catalogue() -> None:
    question = parse_sql("select kind, floors, rate, count(*) from energy.kinds group by kind, floors, rate")
    declared = declared_keys(question, Scope(KINDS))
    assert declared[:2] == (("gas", 1, 0.5), ("gas", 1, 1.0))
    assert len(declared) == 12


def test_cells_are_all_combinations_and_one_without_dimensions() -> None:
    assert keys("solar, hour(start_at)")[:25] == [(False, hour) for hour in range(24)] + [(True, 0)]
    total = parse_sql("select count(*) from energy.readings")
    assert declared_keys(total, scope_for(total)) == ((),)


@pytest.mark.parametrize(
    ("split", "where", "accepted"),
    [
        ("area", "", "area in ('…', '…')"),
        ("area", "area = '港' or area = '中央'", "area in ('…', '…')"),
        ("area", "not (area = '港')", "area in ('…', '…')"),
        ("date(start_at)", "start_at >= '2026-03-30'", BETWEEN),
        ("date(start_at)", f"{MARCH} and start_at > '2026-05-01'", BETWEEN),
        ("date(start_at)", "hour(start_at) >= 3 and hour(start_at) < 5", BETWEEN),
        ("date(start_at)", "start_at >= '2026-03-30' and date(start_at) <= '9999-12-31'",
         BETWEEN),
        ("energy_wh", "energy_wh > 5", "energy_wh between 1 and 9"),
        ("volts", "volts > 5 and volts < 6", "band(volts, …)"),
    ],
)  # fmt: skip
def test_dimension_is_refused_with_a_condition_that_would_do(split: str, where: str, accepted: str) -> None:
    with pytest.raises(DomainIsMissing) as refused:
        keys(split, where)
    assert refused.value.fields["accepted"] == accepted


@pytest.mark.parametrize(
    ("split", "where"),
    [
        ("occupants", "occupants between 0 and 10000"),
        ("energy_wh", "energy_wh between -9223372036854775807 and 9223372036854775806"),
        ("date_trunc('hour', start_at)", "start_at >= '0001-01-01' and start_at < '9999-12-31'"),
        ("half_hour(start_at), hour(start_at), weekday(start_at), month(start_at)", ""),
    ],
)
def test_more_cells_than_an_answer_may_have_are_refused(split: str, where: str) -> None:
    with pytest.raises(AnswerIsTooLarge):
        keys(split, where)


@pytest.mark.parametrize(
    "split",
    ["hour(start_at)", "half_hour(start_at)", "weekday(start_at)", "week(start_at)", "month(start_at)", "date(start_at)",
     "date_trunc('hour', start_at)", "date_trunc('day', start_at)", "date_trunc('week', start_at)",
     "date_trunc('month', start_at)", "date_trunc('quarter', start_at)", "date_trunc('year', start_at)",
     "band(energy_wh, 3, 40)", "solar"],
)  # fmt: skip
def test_declared_cells_hold_whatever_an_engine_finds(split: str, tmp_path: Any) -> None:
    moments = [
        local("2025-12-28 03:07"),
        local("2025-12-29"),
        local("2026-01-01 23:59"),
        local("2026-03-31 12:00"),
    ]
    rows = [reading(at % 2, str(moment), energy_wh=at * 20) for at, moment in enumerate(moments)]
    lake = write_lake(tmp_path / "lake", rows, [{"subject_no": 0, "solar": True}, {"subject_no": 1, "solar": False}])
    where = "start_at >= '2025-12-28 03:07' and start_at <= '2026-03-31 12:00'"
    question = parse_sql(f"select {split}, count(*) from energy.readings where {where} group by {split}")
    found = {cell.key for cell in reference.run(lake.plan(question, [0, 1]))}
    declared = declared_keys(question, scope_for(question))
    assert {repr(key) for key in found} <= {repr(key) for key in declared}
    assert len(found) > 1

"""Joins: engines agree over them, they multiply no row, and they show nothing of people who are not admitted."""
# ruff: noqa: E501 (tables)

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.cleanroom.engines import duckdb_engine, reference
from sanpo.cleanroom.errors import ColumnIsAmbiguous, QuestionIsMalformed
from sanpo.cleanroom.model import Question, read_question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import Cell, Limits, Plan, datasets_used, time_span
from sanpo.cleanroom.scope import ATTRIBUTES, ROWS
from sanpo.lake import DatasetIsUnknown
from tests.cleanroom.agreement import assert_same_cells
from tests.cleanroom.joined_questions import FEW, World, admitted_sets, joined_questions, joined_worlds, limits_for
from tests.cleanroom.questions import EXAMPLES, MARKS
from tests.cleanroom.tables import rows_of
from tests.cleanroom.worlds import Lake, reading, scope_for, settings_for, write_lake

pytestmark = MARKS


def lake_of(folder: Path, world: World) -> Lake:
    return write_lake(
        folder, world.readings, world.homes, weather=world.weather, rides=world.rides, passes=world.passes
    )


def on_both(lake: Lake, plan: Plan) -> list[Cell]:
    """The cells that both engines find."""
    found = duckdb_engine.run(plan, settings_for(lake.folder))
    assert_same_cells(plan, found, reference.run(plan))
    return found


@given(question=joined_questions(), world=joined_worlds, admitted=admitted_sets, data=st.data())
@settings(max_examples=2 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_engines_agree_over_joins(
    tmp_path_factory: pytest.TempPathFactory, question: Question, world: World, admitted: list[int], data: st.DataObject
) -> None:
    lake = lake_of(tmp_path_factory.getbasetemp() / "joined", world)
    cells = on_both(lake, lake.plan(question, admitted, data.draw(limits_for(question))))
    assert sum(cell.rows for cell in cells) <= len(world.readings)


@given(question=joined_questions(), world=joined_worlds, admitted=admitted_sets)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_answer_is_the_same_when_people_who_are_not_admitted_have_no_rows(
    tmp_path_factory: pytest.TempPathFactory, question: Question, world: World, admitted: list[int]
) -> None:
    limits, folder = Limits(largest=2), tmp_path_factory.getbasetemp()
    strangers = set(range(FEW)) - set(admitted)
    lake, alone = lake_of(folder / "all", world), lake_of(folder / "alone", world.without(strangers))
    plan = lake.plan(question, admitted, limits)
    expected = duckdb_engine.run(alone.plan(question, admitted, limits), settings_for(alone.folder))
    assert_same_cells(plan, duckdb_engine.run(plan, settings_for(lake.folder)), expected)


BY_HOUR = "join open.weather as w using (area, hour)"
RIDES = (
    "join (select subject, count(*) as n, sum(fare_yen) as yen from bus.rides group by subject) as b using (subject)"
)


def asked(lake: Lake, sql: str, admitted: list[int] | None = None) -> list[Cell]:
    return on_both(lake, lake.plan(parse_sql(sql), [1, 2, 3] if admitted is None else admitted))


def hour(text: str, area: str | None = "港", **values: Any) -> dict[str, Any]:
    return {"area": area, "hour_local": datetime.fromisoformat(text), **values}


def test_time_key_is_the_hour_on_the_local_clock(tmp_path: Path) -> None:
    readings = [reading(1, "2026-01-05 07:45"), reading(1, "2026-01-05 08:00"), reading(1, "2026-01-05 09:59")]
    weather = [hour("2026-01-05 07:00", rain_mm=7), hour("2026-01-05 08:30", rain_mm=8)]
    lake = write_lake(tmp_path, readings, [{"subject_no": 1, "area": "港"}], weather=weather)
    cells = asked(lake, f"select rain_mm, count(*) from energy.readings {BY_HOUR} group by all")
    assert sorted((cell.key, cell.rows) for cell in cells) == [((7,), 1), ((8,), 1)]


def test_missing_key_matches_nothing_not_even_a_missing_one(tmp_path: Path) -> None:
    homes = [{"subject_no": 1, "area": None}, {"subject_no": 2, "area": "港"}]
    weather = [hour("2026-01-05 00:00", None, rain_mm=1), hour("2026-01-05 00:00", "港", rain_mm=2)]
    lake = write_lake(tmp_path, [reading(1), reading(2), reading(3)], homes, weather=weather)
    cells = asked(lake, f"select rain_mm, count(*) from energy.readings {BY_HOUR} group by all")
    assert [(cell.key, cell.rows) for cell in cells] == [((2,), 1)]


def test_joined_people_who_are_not_admitted_show_nothing(tmp_path: Path) -> None:
    rides = [{"subject_no": 1, "fare_yen": 200}, {"subject_no": 2, "fare_yen": 9000}]
    lake = write_lake(tmp_path, [reading(1), reading(2), reading(2)], [], rides=rides)
    sql = f"select sum(b.yen), sum(b.n) from energy.readings {RIDES}"
    assert [cell.values for cell in asked(lake, sql, [1])] == [(200.0, 1)]
    assert asked(lake, sql, [3]) == []


def test_open_data_put_together_by_a_coarser_key_counts_once_for_each_row(tmp_path: Path) -> None:
    weather = [hour(f"2026-01-05 {at:02d}:00", "港", rain_mm=at) for at in range(5)]
    lake = write_lake(tmp_path, [reading(1), reading(1, "2026-01-06 00:00"), reading(2)], [], weather=weather)
    join = "join (select day, sum(rain_mm) as mm from open.weather group by day) as w using (day)"
    assert [cell.values for cell in asked(lake, f"select count(*), sum(w.mm) from energy.readings {join}")] == [
        (2, 20.0)
    ]


@pytest.mark.parametrize("alias", ["rows", "attributes", "r", "h", "admitted", "energy"])
def test_alias_is_never_taken_for_a_name_of_the_engine(tmp_path: Path, alias: str) -> None:
    passes = [{"subject_no": 1, "price_yen": 9000, "kind": "month"}]
    lake = write_lake(tmp_path, [reading(1, note="own")], [], passes=passes)
    sql = f"select {alias}.kind, note, sum({alias}.price_yen) from energy.readings join bus.passes as {alias} using (subject)"
    assert [(cell.key, cell.values) for cell in asked(lake, f"{sql} group by all")] == [(("month", "own"), (9000,))]


USED = """
| question | datasets and columns |
| select count(*) from energy.readings join open.weather as w using (area, hour) | energy.readings: start_at; energy.homes: area; open.weather: area, hour_at |
| select sum(w.rain_mm) from energy.readings join open.weather as w using (area, hour) where kind = 'x' | energy.readings: start_at; energy.homes: area; open.weather: area, hour_at, kind, rain_mm |
| select sum(b.yen) from energy.readings join (select subject, count(*) as n, sum(fare_yen) as yen from bus.rides group by subject) as b using (subject) | energy.readings: ; bus.rides: fare_yen |
| select count(*) from energy.readings join (select subject, day, count(*) as n from bus.rides group by subject, day) as b using (subject, day) | energy.readings: start_at; bus.rides: boarded_at |
| select count(*) from bus.rides join bus.passes using (subject) join open.weather using (area, hour) | bus.rides: boarded_at; bus.passes: area_from; open.weather: area, hour_at |
| select sum(e.wh) from energy.readings join (select subject, sum(energy_wh) as wh from energy.readings group by subject) as e using (subject) | energy.readings: energy_wh |
"""


@pytest.mark.parametrize("row", rows_of(USED), ids=lambda row: row["question"])
def test_gate_is_asked_for_keys_and_for_what_is_put_together(row: dict[str, str]) -> None:
    question = parse_sql(row["question"])
    used = datasets_used(question, scope_for(question))
    assert (
        "; ".join(f"{name}: {', '.join(sorted(columns))}" for name, columns in used.items())
        == row["datasets and columns"]
    )


def test_dataset_joined_to_itself_is_read_over_all_of_its_time() -> None:
    own = "join (select subject, sum(energy_wh) as wh from energy.readings group by subject) as e using (subject)"
    spans = []
    for join in ("", own):
        question = parse_sql(f"select count(*) from energy.readings {join} where start_at > '2026-01-01'")
        spans.append(time_span(question, scope_for(question), ZoneInfo("Asia/Tokyo"))[0])
    assert spans == [datetime(2025, 12, 29, 15, tzinfo=UTC), None]


def test_two_datasets_of_areas_are_both_joined_by_the_rows_own_area() -> None:
    means = "join (select area, avg(rain_mm) as mm from open.weather group by area) as m using (area)"
    scope = scope_for(parse_sql(f"select avg(m.mm) from energy.readings {BY_HOUR} {means}"))
    assert [match.left.column for joined in scope.joined for match in joined.on] == ["area", "start_at", "area"]


def test_plain_name_means_the_own_column_then_the_attribute_then_the_only_joined_one() -> None:
    question = parse_sql(f"select count(*) from energy.readings {BY_HOUR} join bus.passes using (subject)")
    scope = scope_for(question)
    assert (scope.side("note"), scope.side("area"), scope.side("rain_mm")) == (ROWS, ATTRIBUTES, "w")
    assert scope.side("w.area") == "w"
    with pytest.raises(ColumnIsAmbiguous) as refused:
        scope.place("kind")
    assert refused.value.fields == {"column": "kind", "accepted": "w.kind, passes.kind"}


@pytest.mark.parametrize(
    ("join", "where"),
    [
        ({"dataset": "bus.passes", "as": "w", "on": ["subject"]}, "$.joins[1]"),
        ({"dataset": "bus.passes", "on": ["subject", "subject"]}, "$.joins[1].on"),
        (
            {
                "dataset": "bus.rides",
                "on": ["subject"],
                "columns": [{"function": "count", "as": "n"}, {"function": "sum", "column": "fare_yen", "as": "n"}],
            },
            "$.joins[1].columns",
        ),
        ({"dataset": "bus.rides", "on": []}, "$.joins[1].on"),
        (
            {"dataset": "bus.rides", "on": ["subject"], "columns": [{"function": "sum", "as": "n"}]},
            "$.joins[1].columns[0]",
        ),
    ],
)
def test_joins_that_do_not_fit_together_are_refused_with_their_place(join: dict[str, Any], where: str) -> None:
    first = {"dataset": "open.weather", "as": "w", "on": ["area", "hour"]}
    with pytest.raises(QuestionIsMalformed) as refused:
        read_question({"dataset": "energy.readings", "joins": [first, join], "measures": [{"function": "count"}]})
    assert refused.value.fields["where"] == where


def test_dataset_that_is_not_there_cannot_be_joined() -> None:
    with pytest.raises(DatasetIsUnknown):
        scope_for(parse_sql("select count(*) from energy.readings join bus.lines using (subject)"))

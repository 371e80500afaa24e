"""Bounding through whole plans over files, joins included: DuckDB against the naive version, and the sensitivity of one
resident who is admitted or not."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sanpo.cleanroom import parse_sql
from sanpo.cleanroom.domains import Key, declared_keys
from sanpo.cleanroom.engines import reference
from sanpo.cleanroom.engines.bounded import Row, bound_naively
from sanpo.cleanroom.engines.duckdb_engine import run_bounded
from sanpo.cleanroom.model import SUBJECT, Term
from sanpo.cleanroom.plan import Plan
from sanpo.cleanroom.private import BoundedCells, Bounding
from sanpo.cleanroom.scope import ROWS
from tests.cleanroom.joined_questions import FEW, world_of
from tests.cleanroom.test_bounded import assert_near
from tests.cleanroom.worlds import Lake, settings_for, write_lake

NIGHT = "start_at >= '2025-12-31 21:00' and start_at < '2026-01-01 03:00'"
RIDES = "join (select subject, count(*) as n from bus.rides group by subject) as b using (subject)"
QUESTIONS = [
    f"select date(start_at), count(*), sum(energy_wh) from energy.readings where {NIGHT} group by date(start_at)",
    f"select date_trunc('hour', start_at), avg(energy_wh) from energy.readings where {NIGHT} and energy_wh > 20"
    " group by date_trunc('hour', start_at)",
    "select area, hour(start_at), count(*), sum(total_wh) from energy.readings where area in ('中央', '港', 'nowhere')"
    " group by area, hour(start_at)",
    "select solar, band(energy_wh, 0, 100, 300), sum(energy_wh) from energy.readings"
    " group by solar, band(energy_wh, 0, 100, 300)",
    f"select month(start_at), sum(b.n), sum(energy_wh) from energy.readings {RIDES} group by month(start_at)",
    "select w.kind, count(*), sum(w.rain_mm) from energy.readings join open.weather as w using (area, hour)"
    " where w.kind in ('x', '港', 'A''--') group by w.kind",
    "select band(price_yen, 4000), sum(price_yen), count(*) from bus.rides join bus.passes using (subject)"
    " group by band(price_yen, 4000)",
    "select count(*), avg(occupants) from energy.homes",
]
EPOCH = datetime.fromisoformat("1970-01-01")


@pytest.fixture(scope="module", params=[3, 4])
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    world = world_of(request.param, 60)
    folder: Path = tmp_path_factory.mktemp("bounded")
    return write_lake(
        folder / "lake", world.readings, world.homes, weather=world.weather, rides=world.rides, passes=world.passes
    )


@pytest.mark.parametrize("sql", QUESTIONS)
@pytest.mark.parametrize(("contribution_rows", "most_cells"), [(3, 2), (50, 50)])
def test_plan_is_bounded_as_by_hand_and_one_resident_moves_it_by_its_sensitivity(
    lake: Lake, sql: str, contribution_rows: int, most_cells: int
) -> None:
    question = parse_sql(sql)
    whole = lake.plan(question, list(range(FEW)))
    keys = declared_keys(question, whole.scope)
    columns = dict.fromkeys(measure.column for measure in question.measures if measure.column)
    bounding = Bounding(contribution_rows, most_cells, dict.fromkeys(columns, (-3, 150)), "seed")
    found = run_bounded(whole, keys, bounding, settings_for(lake.folder))
    assert found == by_hand(whole, keys, bounding)
    assert any(any(values) for values in found.series.values())
    for gone in range(FEW):
        without = lake.plan(question, [each for each in range(FEW) if each != gone])
        assert_near(found, by_hand(without, keys, bounding))


def by_hand(plan: Plan, keys: tuple[Key, ...], bounding: Bounding) -> BoundedCells:
    return bound_naively(rows_of(plan, bounding), keys, bounding)


def rows_of(plan: Plan, bounding: Bounding) -> Iterator[Row]:
    """The plan's rows as the reference engine reads them."""
    moment = plan.scope.dataset.local_column
    for row in reference._rows(plan):
        if plan.question.filter is None or reference.holds(plan.question.filter, row, plan.scope):
            at = row[ROWS, moment] if moment else EPOCH
            yield (
                tuple(reference.evaluate(each.term, row, plan.scope) for each in plan.question.dimensions),
                row[ROWS, SUBJECT],
                None if at is None else (at - EPOCH) // timedelta(microseconds=1),
                tuple(reference.evaluate(Term(column=name), row, plan.scope) for name in bounding.ends),
            )

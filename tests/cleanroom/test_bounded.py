"""Bounding: both engines agree, and one subject more or less changes no series by more than its sensitivity."""

from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings

from sanpo.cleanroom.engines.bounded import Row, bound_naively, mix
from sanpo.cleanroom.private import BoundedCells, Bounding, Series, sensitivity_of
from tests.cleanroom.bounding import KEYS, bound_by_duckdb, boundings, rows
from tests.cleanroom.questions import EXAMPLES, MARKS

pytestmark = MARKS

FREE = Bounding(
    contribution_rows=1000, most_cells=6, ends={"energy_wh": (-(2**62), 2**62), "total_wh": (-99, 99)}, seed=""
)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        yield connection


@given(found=rows(), bounding=boundings())
@settings(max_examples=EXAMPLES)
def test_engines_bound_alike(database: duckdb.DuckDBPyConnection, found: list[Row], bounding: Bounding) -> None:
    assert bound_by_duckdb(database, found, KEYS, bounding) == bound_naively(found, KEYS, bounding)


@given(found=rows(), bounding=boundings())
@settings(max_examples=2 * EXAMPLES)
def test_one_subject_changes_a_series_by_its_sensitivity_at_most(found: list[Row], bounding: Bounding) -> None:
    whole = bound_naively(found, KEYS, bounding)
    for subject in {subject for _, subject, *_ in found}:
        without = bound_naively([row for row in found if row[1] != subject], KEYS, bounding)
        assert_near(whole, without)


@given(found=rows(subjects=3), bounding=boundings())
@settings(max_examples=EXAMPLES // 4)
def test_one_subject_changes_a_series_of_duckdb_by_its_sensitivity_at_most(
    database: duckdb.DuckDBPyConnection, found: list[Row], bounding: Bounding
) -> None:
    whole = bound_by_duckdb(database, found, KEYS, bounding)
    for subject in {subject for _, subject, *_ in found}:
        assert_near(whole, bound_by_duckdb(database, [row for row in found if row[1] != subject], KEYS, bounding))


def assert_near(one: BoundedCells, other: BoundedCells) -> None:
    """L1 distance of each series, over all cells together."""
    for series, values in one.series.items():
        distance = sum(abs(a - b) for a, b in zip(values, other.series[series], strict=True))
        assert distance <= sensitivity_of(series, one.bounding), (series, distance)


@pytest.mark.parametrize(
    ("series", "moments", "sensitivity"),
    [
        (Series("rows"), 20, 4),
        (Series("values", "energy_wh"), 20, 4),
        (Series("subjects"), 1, 3),
        (Series("sum", "energy_wh"), 20, 4 * 70),
        (Series("sum", "total_wh"), 20, 4 * 9),
    ],
)
def test_sensitivity_is_reached_by_one_subject(series: Series, moments: int, sensitivity: int) -> None:
    bounding = Bounding(contribution_rows=4, most_cells=3, ends={"energy_wh": (-70, 5), "total_wh": (1, 9)}, seed="s")
    greedy = [(key, 1, moment, (-1000, 1000)) for key in KEYS for moment in range(moments)]
    found = bound_naively(greedy, KEYS, bounding)
    assert sensitivity_of(series, bounding) == sensitivity == sum(map(abs, found.series[series]))


def test_subject_is_in_as_many_cells_as_it_may(database: duckdb.DuckDBPyConnection) -> None:
    everywhere = [(key, 1, moment, (1, 1)) for key in KEYS for moment in range(9)]
    for most_cells in range(1, 7):
        bounding = Bounding(contribution_rows=40, most_cells=most_cells, ends=FREE.ends, seed="s")
        for found in (bound_naively(everywhere, KEYS, bounding), bound_by_duckdb(database, everywhere, KEYS, bounding)):
            assert sum(found.series[Series("subjects")]) == most_cells
            assert sum(found.series[Series("rows")]) == min(40, 9 * most_cells)


def test_wide_bounds_change_nothing(database: duckdb.DuckDBPyConnection) -> None:
    found = [(KEYS[0], 1, 5, (7, None)), (KEYS[0], 2, 5, (None, -3)), (KEYS[4], 1, 6, (2**61, 4))]
    cells = bound_by_duckdb(database, found, KEYS, FREE)
    assert cells.series == {
        Series("rows"): (2, 0, 0, 0, 1, 0),
        Series("subjects"): (2, 0, 0, 0, 1, 0),
        Series("sum", "energy_wh"): (7, 0, 0, 0, 2**61, 0),
        Series("values", "energy_wh"): (1, 0, 0, 0, 1, 0),
        Series("sum", "total_wh"): (-3, 0, 0, 0, 4, 0),
        Series("values", "total_wh"): (1, 0, 0, 0, 1, 0),
    }


def test_every_declared_cell_is_there_and_no_other(database: duckdb.DuckDBPyConnection) -> None:
    stranger = [(("elsewhere", 0), 1, 1, (5, 5)), (("港", 9), 1, 1, (5, 5))]
    cells = bound_by_duckdb(database, stranger, KEYS, FREE)
    assert cells.keys == KEYS
    assert all(values == (0,) * len(KEYS) for values in cells.series.values())


def test_rows_are_taken_from_all_hours_alike() -> None:
    """A day's worth of a month's quarter hours of each of 60 homes: no hour of the day is preferred.

    Chi-square with 23 degrees of freedom exceeds the bound once in 1,000 seeds.
    """
    quarter, day = 900_000_000, 96
    hours: Counter[int] = Counter()
    for subject in range(60):
        turns = sorted(range(day * 30), key=lambda step: mix((subject, step * quarter, step % day // 4, 100), "seed"))
        hours.update(step % day // 4 for step in turns[:day])
    expected = 60 * day / 24
    assert sum((hours[hour] - expected) ** 2 / expected for hour in range(24)) < 49.7

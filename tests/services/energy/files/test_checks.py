"""What the readings together tell: grid, clock, repetition, other intervals, the hour of a clock change."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.services.energy.files import check_readings, never_matches
from sanpo.services.energy.files.zones import offsets_at, transitions
from tests.services.energy.files.written import NOW, TOKYO, ZURICH, contents_of, series, write

# In Zurich the clock goes forward at 2025-03-30T02:00+01:00 and back at 2025-10-26T03:00+02:00.
SPRING = datetime(2025, 3, 30, tzinfo=ZURICH)
AUTUMN = datetime(2025, 10, 26, tzinfo=ZURICH)


def problems_of(path: Path, zone: ZoneInfo = TOKYO) -> list[tuple[int, str]]:
    checked = check_readings(contents_of(path).readings, zone, NOW)
    return sorted((problem.row, str(problem.reason)) for problem in checked.problems)


def write_and_check(tmp_path: Path, rows: list[tuple[str, str, str]], zone: ZoneInfo = TOKYO) -> list[tuple[int, str]]:
    return problems_of(write(tmp_path / "r.csv", rows), zone)


def test_steady_series_has_no_problem_and_no_gap(tmp_path: Path) -> None:
    rows = [*series("M1", 96), *series("M2", 96)]
    checked = check_readings(contents_of(write(tmp_path / "r.csv", rows)).readings, TOKYO, NOW)
    assert len(checked.problems) == 0
    assert checked.missing == 0


def test_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    rows = [*series("M1", 96), *series("M2", 96)]
    assert write_and_check(tmp_path, rows[::-1]) == []


def test_gap_is_counted_and_no_problem(tmp_path: Path) -> None:
    rows = list(series("M1", 96))
    del rows[10:15]
    checked = check_readings(contents_of(write(tmp_path / "r.csv", rows)).readings, TOKYO, NOW)
    assert len(checked.problems) == 0
    assert checked.missing == 5


@pytest.mark.parametrize("start", ["2026-01-05T00:07:00+0900", "2026-01-05T00:15:01+0900"])
def test_start_off_the_grid_is_a_problem(tmp_path: Path, start: str) -> None:
    assert write_and_check(tmp_path, [("M1", start, "1")]) == [(2, "off_grid")]


@pytest.mark.parametrize(
    "start", ["1999-12-31T23:45:00Z", "2026-04-01T00:00:00Z", "2026-03-31T23:45:01Z", "9999-12-31T23:45:00Z"]
)
def test_start_outside_our_time_is_a_problem(tmp_path: Path, start: str) -> None:
    assert (2, "impossible_start") in write_and_check(tmp_path, [("M1", start, "1")], ZoneInfo("UTC"))


def test_last_reading_that_is_just_over_is_no_problem(tmp_path: Path) -> None:
    assert write_and_check(tmp_path, [("M1", "2026-03-31T23:45:00Z", "1")], ZoneInfo("UTC")) == []


def test_first_of_equal_readings_stays(tmp_path: Path) -> None:
    rows = list(series("M1", 4))
    assert write_and_check(tmp_path, [*rows, rows[1], rows[1]]) == [(6, "duplicate"), (7, "duplicate")]


def test_readings_that_contradict_each_other_are_all_problems(tmp_path: Path) -> None:
    rows = list(series("M1", 4))
    meter_id, start, _ = rows[1]
    assert write_and_check(tmp_path, [*rows, (meter_id, start, "9")]) == [(3, "conflicting"), (6, "conflicting")]


def test_same_instant_in_another_offset_is_a_duplicate(tmp_path: Path) -> None:
    rows = [("M1", "2026-01-05T00:00:00+0000", "1"), ("M1", "2026-01-05T00:00:00Z", "1")]
    assert write_and_check(tmp_path, rows, ZoneInfo("UTC")) == [(3, "duplicate")]


def test_same_time_of_another_meter_is_no_duplicate(tmp_path: Path) -> None:
    assert write_and_check(tmp_path, [*series("M1", 4), *series("M2", 4)]) == []


@pytest.mark.parametrize("step_min", [30, 60, 1440])
def test_other_interval_is_a_problem_of_each_reading(tmp_path: Path, step_min: int) -> None:
    assert write_and_check(tmp_path, list(series("M1", 8, step_min=step_min))) == [
        (row, "wrong_interval") for row in range(2, 10)
    ]


def test_change_of_the_interval_inside_a_file_is_a_problem(tmp_path: Path) -> None:
    begin = datetime(2026, 1, 5, tzinfo=TOKYO)
    rows = [*series("M1", 20), *series("M1", 6, begin=begin + timedelta(hours=5), step_min=30)]
    assert write_and_check(tmp_path, rows) == [(row, "wrong_interval") for row in range(22, 28)]


def test_offset_that_the_zone_has_not_at_that_time_is_a_problem(tmp_path: Path) -> None:
    summer = list(series("M1", 4, begin=datetime(2025, 7, 1, tzinfo=ZURICH)))
    wrong = [("M1", start.replace("+0200", "+0100"), kwh) for _, start, kwh in summer[:2]]
    assert write_and_check(tmp_path, [*wrong, *summer[2:]], ZURICH) == [(2, "wrong_offset"), (3, "wrong_offset")]


def test_file_of_another_zone_is_recognised(tmp_path: Path) -> None:
    readings = contents_of(write(tmp_path / "r.csv", series("M1", 4, begin=AUTUMN))).readings
    assert never_matches(readings, TOKYO)
    assert not never_matches(readings, ZURICH)
    assert not never_matches(readings.where(np.zeros(4, np.bool_)), TOKYO)


@pytest.mark.parametrize(("day", "quarters"), [(SPRING, 92), (AUTUMN, 100)], ids=["spring", "autumn"])
def test_day_of_a_clock_change_is_read_whole(tmp_path: Path, day: datetime, quarters: int) -> None:
    rows = list(series("M1", quarters, begin=day))
    assert rows[-1][1][11:16] == "23:45"
    assert write_and_check(tmp_path, rows, ZURICH) == []


def test_doubled_hour_that_is_there_once_is_a_problem(tmp_path: Path) -> None:
    # The recorder knows no offsets: of the two hours from 02:00 it kept the first.
    rows = [
        row for row in series("M1", 100, begin=AUTUMN) if not row[1].startswith("2025-10-26T02") or "+0200" in row[1]
    ]
    assert len(rows) == 96
    assert write_and_check(tmp_path, rows, ZURICH) == [(row, "gap_at_clock_change") for row in range(10, 14)]


def test_hour_missing_after_the_clock_went_forward_is_a_problem(tmp_path: Path) -> None:
    rows = [row for row in series("M1", 92, begin=SPRING) if not row[1].startswith("2025-03-30T03")]
    assert write_and_check(tmp_path, rows, ZURICH) == [(row, "gap_at_clock_change") for row in range(6, 10)]


def test_hour_that_spring_skips_has_a_wrong_offset(tmp_path: Path) -> None:
    rows = [("M1", f"2025-03-30T02:{minute:02d}:00+0100", "1") for minute in (0, 15)]
    assert write_and_check(tmp_path, [*series("M1", 4, begin=SPRING), *rows], ZURICH) == [
        (6, "wrong_offset"),
        (7, "wrong_offset"),
    ]


def test_power_cut_over_a_clock_change_is_an_ordinary_gap(tmp_path: Path) -> None:
    rows = [row for row in series("M1", 100, begin=AUTUMN) if not "2025-10-26T01" <= row[1] < "2025-10-26T04"]
    assert write_and_check(tmp_path, rows, ZURICH) == []


def test_file_that_ends_at_a_clock_change_has_no_problem(tmp_path: Path) -> None:
    assert write_and_check(tmp_path, list(series("M1", 12, begin=AUTUMN)), ZURICH) == []


def test_readings_without_offset_are_in_the_assumed_zone() -> None:
    from dataclasses import replace

    from sanpo.services.energy.files.readings import NO_OFFSET, Readings

    readings = Readings(
        ("M1",), np.arange(4), np.zeros(4, np.int32), np.arange(4) * 900 + 1_750_000_500,
        np.full(4, NO_OFFSET, np.int32), np.ones(4, np.int32),
    )  # fmt: skip
    assert not len(check_readings(readings, ZURICH, NOW).problems)
    assert not never_matches(readings, ZURICH)
    assert len(check_readings(replace(readings, offset_s=np.zeros(4, np.int32)), ZURICH, NOW).problems) == 4


@given(
    st.sampled_from(["Asia/Tokyo", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.integers(0, 3_900_000_000),
    st.lists(st.integers(0, 70_000_000), min_size=1, max_size=8),
)
def test_offsets_are_those_of_the_zone_one_by_one(name: str, first: int, later: list[int]) -> None:
    zone, instants = ZoneInfo(name), [first + after for after in later]
    expected = [int(datetime.fromtimestamp(at, zone).utcoffset().total_seconds()) for at in instants]  # type: ignore[union-attr]
    assert offsets_at(zone, np.array(instants, np.int64)).tolist() == expected


def test_transitions_tell_when_and_by_how_much() -> None:
    first, last = int(SPRING.timestamp()), int(AUTUMN.timestamp()) + 86_400
    assert [(change.at_s, change.shift_s) for change in transitions(ZURICH, first, last)] == [
        (1_743_296_400, 3600),
        (1_761_440_400, 3600),
    ]
    assert transitions(TOKYO, first, last) == []
    assert [change.shift_s for change in transitions(ZoneInfo("Australia/Lord_Howe"), first, last)] == [1800, 1800]

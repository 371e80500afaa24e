"""ESPI's daylight-saving rules, by the tables of real zones."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.services.energy.files.local_time import LocalTime, local_time_of, rule_moment

US = LocalTime(-18_000, 3600, 0x360E2000, 0xB40E2000)


def rule(month: int, operator: int, weekday: int = 0, day: int = 0, hour: int = 0) -> int:
    return month << 28 | operator << 25 | day << 20 | weekday << 17 | hour << 12


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (0x360E2000, "2025-03-09T02:00"),  # second Sunday of March
        (0xB40E2000, "2025-11-02T02:00"),  # first Sunday of November
        (rule(3, 7, 7, hour=1), "2025-03-30T01:00"),  # last Sunday of March
        (rule(10, 7, 7), "2025-10-26T00:00"),
        (rule(4, 0, day=1), "2025-04-01T00:00"),
        (rule(6, 1, 1, 3), "2025-06-09T00:00"),  # the Monday on or after 3 June
        (rule(6, 1, 1, 2), "2025-06-02T00:00"),
        (rule(5, 6, 4), "2025-05-29T00:00"),  # fifth Thursday of May
    ],
)
def test_rule_strikes_on_its_day(bits: int, expected: str) -> None:
    assert rule_moment(bits, 2025).isoformat(timespec="minutes") == expected


@given(st.integers(1_200_000_000, 1_900_000_000))
def test_offset_is_that_of_new_york(instant: int) -> None:
    expected = datetime.fromtimestamp(instant, ZoneInfo("America/New_York")).utcoffset()
    assert expected is not None
    assert US.offset_at(instant) == expected.total_seconds()


@given(st.integers(1_230_000_000, 1_900_000_000))
def test_offset_is_that_of_sydney_where_summer_spans_the_new_year(instant: int) -> None:
    sydney = LocalTime(36_000, 3600, rule(10, 2, 7, hour=2), rule(4, 2, 7, hour=3))
    expected = datetime.fromtimestamp(instant, ZoneInfo("Australia/Sydney")).utcoffset()
    assert expected is not None
    assert sydney.offset_at(instant) == expected.total_seconds()


def test_zone_without_daylight_saving_keeps_its_offset() -> None:
    fields = {"tzOffset": "32400", "dstOffset": "3600", "dstStartRule": "FFFFFFFF", "dstEndRule": "FFFFFFFF"}
    tokyo = local_time_of(fields, "")
    assert {tokyo.offset_at(1_700_000_000 + month * 2_600_000) for month in range(12)} == {32_400}


@pytest.mark.parametrize("fields", [{"tzOffset": "x"}, {"tzOffset": "90000"}, {"dstStartRule": "-"}])
def test_numbers_that_make_no_sense_are_refused(fields: dict[str, str | None]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        local_time_of(fields, "")

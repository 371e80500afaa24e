"""Green Button (ESPI) files: what is read, what is refused, and what attacks the reader."""

import gzip
from pathlib import Path

import pytest

from sanpo.services.energy.errors import (
    FileHasNoReadings,
    FileIsMalformedXml,
    FileIsNotGreenButton,
    FileIsUnsafeXml,
)
from sanpo.services.energy.files import check_readings
from sanpo.services.energy.files.zones import ZoneInfo
from tests.services.energy.files.written import NOW, contents_of

NEW_YORK = ZoneInfo("America/New_York")
BEGIN = 1_751_342_400  # 2025-07-01T00:00:00-04:00
US_CLOCK = (
    "<LocalTimeParameters xmlns='http://naesb.org/espi'><dstEndRule>B40E2000</dstEndRule><dstOffset>3600</dstOffset>"
    "<dstStartRule>360E2000</dstStartRule><tzOffset>-18000</tzOffset></LocalTimeParameters>"
)


def entry(self_: str, up: str, content: str, *related: str) -> str:
    links = "".join(f'<link rel="related" href="{href}"/>' for href in related)
    links = f'<link rel="self" href="{self_}"/><link rel="up" href="{up}"/>{links}'
    return f"<entry>{links}<content>{content}</content></entry>"


def reading_type(uom: str = "72", power: str = "0", flow: str = "1", commodity: str = "1", delta: str = "4") -> str:
    return (
        f"<ReadingType xmlns='http://naesb.org/espi'><accumulationBehaviour>{delta}</accumulationBehaviour>"
        f"<commodity>{commodity}</commodity><flowDirection>{flow}</flowDirection><intervalLength>900</intervalLength>"
        f"<powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>{uom}</uom></ReadingType>"
    )


def interval(start: object, value: object = 250, duration: object = 900) -> str:
    parts = f"<timePeriod><duration>{duration}</duration><start>{start}</start></timePeriod><value>{value}</value>"
    return f"<IntervalReading>{parts}</IntervalReading>"


def block(*intervals: str) -> str:
    return f"<IntervalBlock xmlns='http://naesb.org/espi'>{''.join(intervals)}</IntervalBlock>"


def point(number: str, blocks: list[str], kind: str = "0", the_type: str | None = None) -> list[str]:
    """The entries of one usage point with one meter reading."""
    at = f"/r/UsagePoint/{number}"
    usage = (
        f"<UsagePoint xmlns='http://naesb.org/espi'><ServiceCategory><kind>{kind}</kind></ServiceCategory></UsagePoint>"
    )
    meter_reading, collection = f"{at}/MeterReading/01", f"{at}/MeterReading/01/IntervalBlock"
    return [
        entry(at, "/r/UsagePoint", usage, f"{at}/MeterReading", "/r/LocalTimeParameters/01"),
        entry(
            meter_reading,
            f"{at}/MeterReading",
            "<MeterReading xmlns='http://naesb.org/espi'/>",
            collection,
            f"/r/T/{number}",
        ),
        entry(f"/r/T/{number}", "/r/T", the_type or reading_type()),
        *[entry(f"{collection}/{place}", collection, content) for place, content in enumerate(blocks)],
    ]


CLOCK = entry("/r/LocalTimeParameters/01", "/r/LocalTimeParameters", US_CLOCK)


def feed(tmp_path: Path, *entries: str, head: str = "") -> Path:
    path = tmp_path / "feed.xml"
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<feed xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>'
    )
    return path


def reasons(path: Path) -> list[tuple[int, str]]:
    return [(problem.row, str(problem.reason)) for problem in contents_of(path).problems]


def test_meters_and_blocks_of_one_file_are_read(tmp_path: Path) -> None:
    first = point("A1", [block(interval(BEGIN, 100), interval(BEGIN + 900, 200)), block(interval(BEGIN + 1800, 300))])
    second = point("B2", [block(interval(BEGIN, 400))])
    readings = contents_of(feed(tmp_path, *first, *second, CLOCK)).readings
    assert [(readings.meter_ids[m], int(wh)) for m, wh in zip(readings.meter, readings.energy_wh, strict=True)] == [
        ("A1", 100),
        ("A1", 200),
        ("A1", 300),
        ("B2", 400),
    ]
    assert readings.row.tolist() == [1, 2, 3, 4]
    assert set(readings.offset_s.tolist()) == {-14_400}
    assert not len(check_readings(readings, NEW_YORK, NOW).problems)


def test_entries_may_come_in_any_order(tmp_path: Path) -> None:
    entries = [*point("A1", [block(interval(BEGIN, 100))]), CLOCK]
    assert contents_of(feed(tmp_path, *entries[::-1])).readings.energy_wh.tolist() == [100]


def test_several_blocks_in_one_entry_are_read(tmp_path: Path) -> None:
    entries = point("A1", [block(interval(BEGIN)) + block(interval(BEGIN + 900))])
    assert len(contents_of(feed(tmp_path, *entries, CLOCK)).readings) == 2


@pytest.mark.parametrize(
    ("power", "value", "energy_wh"),
    [("0", 282, 282), ("3", 1, 1000), ("-3", 250_500, 250), ("-3", 251_500, 252), ("-6", 1, 0)],
)
def test_power_of_ten_is_applied_exactly(tmp_path: Path, power: str, value: int, energy_wh: int) -> None:
    entries = point("A1", [block(interval(BEGIN, value))], the_type=reading_type(power=power))
    contents = contents_of(feed(tmp_path, *entries, CLOCK))
    assert contents.readings.energy_wh.tolist() == [energy_wh]
    assert contents.rounded == (power.startswith("-"))


@pytest.mark.parametrize(
    ("the_type", "kind", "reason"),
    [
        (reading_type(uom="38"), "0", "wrong_unit"),
        (reading_type(delta="3"), "0", "wrong_unit"),
        (reading_type(flow="19"), "0", "wrong_direction"),
        (reading_type(commodity="7"), "0", "not_electricity"),
        (reading_type(), "2", "not_electricity"),
    ],
    ids=["power", "cumulative", "fed in", "gas", "water"],
)
def test_series_that_is_no_electricity_used_is_a_problem(tmp_path: Path, the_type: str, kind: str, reason: str) -> None:
    entries = point("A1", [block(interval(BEGIN), interval(BEGIN + 900))], kind, the_type)
    assert reasons(feed(tmp_path, *entries, CLOCK)) == [(1, reason), (2, reason)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (interval(BEGIN, -5), "negative_value"),
        (interval(BEGIN, ""), "missing_value"),
        (interval(BEGIN, "many"), "malformed_value"),
        (interval(BEGIN, 2**47), "value_too_large"),
        (interval(BEGIN, 1, 3600), "wrong_interval"),
        (interval("", 1), "missing_start"),
        (interval("noon", 1), "malformed_start"),
        (interval(2**40, 1), "impossible_start"),
        (interval(-1, 1), "impossible_start"),
    ],
)
def test_bad_reading_is_named_by_its_place(tmp_path: Path, bad: str, reason: str) -> None:
    path = feed(tmp_path, *point("A1", [block(interval(BEGIN + 900), bad)]), CLOCK)
    assert reasons(path) == [(2, reason)]
    assert len(contents_of(path).readings) == 1


def test_clock_of_the_feed_is_held_against_the_zone(tmp_path: Path) -> None:
    wrong = CLOCK.replace("-18000", "-28800")
    readings = contents_of(feed(tmp_path, *point("A1", [block(interval(BEGIN))]), wrong)).readings
    found = check_readings(readings, NEW_YORK, NOW).problems
    assert [(str(problem.reason), problem.found) for problem in found] == [
        ("wrong_offset", "2025-06-30T21:00:00-07:00")
    ]


def test_feed_without_a_clock_is_in_the_assumed_zone(tmp_path: Path) -> None:
    readings = contents_of(feed(tmp_path, *point("A1", [block(interval(BEGIN))]))).readings
    assert not len(check_readings(readings, NEW_YORK, NOW).problems)


def test_packed_feed_is_read(tmp_path: Path) -> None:
    path = feed(tmp_path, *point("A1", [block(interval(BEGIN))]))
    packed = tmp_path / "feed.xml.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(contents_of(packed).readings) == 1


BOMB = '<!DOCTYPE feed [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'


@pytest.mark.parametrize(
    "head",
    [BOMB, "<!DOCTYPE feed SYSTEM 'file:///etc/passwd'>", '<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]>'],
    ids=["bomb", "external type", "external entity"],
)
def test_document_type_is_refused(tmp_path: Path, head: str) -> None:
    entries = point("A1", [block(interval(BEGIN, "1"))])
    with pytest.raises(FileIsUnsafeXml):
        contents_of(feed(tmp_path, *entries, head=head))


def test_cut_off_feed_is_refused(tmp_path: Path) -> None:
    path = feed(tmp_path, *point("A1", [block(interval(BEGIN))]))
    path.write_text(path.read_text()[:-30])
    with pytest.raises(FileIsMalformedXml):
        contents_of(path)


@pytest.mark.parametrize(
    "entries",
    [
        [*point("A1", [block(interval(BEGIN))], the_type=reading_type(power="99"))],
        [*point("A1", [block(interval(BEGIN))], the_type=reading_type(power="x"))],
        [*point("A1", [block(interval(BEGIN))]), CLOCK.replace("360E2000", "ZZZ")],
        [*point("A1", [block(interval(BEGIN))]), CLOCK.replace("360E2000", "F60E2000")],
        [*point("A1", [block(interval(BEGIN))]), CLOCK.replace("-18000", "99999999")],
        [*point("A1", [])[:1], *point("B1", [])[:1], entry("/x/1", "/x", block(interval(BEGIN)))],
    ],
    ids=["power of ten", "no number", "rule", "month 15", "offset", "block of nobody"],
)
def test_numbers_and_links_that_make_no_sense_are_refused(tmp_path: Path, entries: list[str]) -> None:
    with pytest.raises(FileIsMalformedXml):
        contents_of(feed(tmp_path, *entries))


def test_other_xml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.xml"
    path.write_text("<html><body/></html>")
    with pytest.raises(FileIsNotGreenButton):
        contents_of(path)


def test_feed_without_readings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileHasNoReadings):
        contents_of(feed(tmp_path, *point("A1", [])))


@pytest.mark.parametrize(
    ("name", "count", "energy_wh"),
    [
        ("test_usage_data.xml", 1340, 1_391_666),
        ("test_usage_data_01.xml", 96, 93_846),
        ("test_usage_data_1.xml", 480, 511_688),
    ],
)
def test_published_sample_is_read_whole(shared: Path, name: str, count: int, energy_wh: int) -> None:
    """The Green Button Alliance's own files; the long one holds the day on which the clock goes forward."""
    contents = contents_of(shared / "energy" / "greenbutton" / name)
    assert (len(contents.readings), len(contents.problems)) == (count, 0)
    assert int(contents.readings.energy_wh.sum()) == energy_wh
    checked = check_readings(contents.readings, NEW_YORK, NOW)
    assert (len(checked.problems), checked.missing) == (0, 0)

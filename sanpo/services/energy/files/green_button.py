"""Green Button: an Atom feed of NAESB REQ.21 ESPI, with several usage points and interval blocks in any order.

Entries name each other by links: a block lies "up" at a meter reading, that one "up" at a usage point, and a meter
reading is "related" to its reading type. So the feed is read to its end before anything is put together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from sanpo.services.energy.errors import (
    FileHasNoReadings,
    FileIsMalformedXml,
    FileIsNotGreenButton,
    FileIsUnsafeXml,
)
from sanpo.services.energy.files.energy_values import wh_of_decimal
from sanpo.services.energy.files.local_time import LocalTime, local_time_of
from sanpo.services.energy.files.opening import OpenedFile
from sanpo.services.energy.files.problems import Problem, Problems, Reason
from sanpo.services.energy.files.readings import INTERVAL_S, NO_OFFSET, FileContents, Readings

_ATOM = "{http://www.w3.org/2005/Atom}"
_ESPI = "{http://naesb.org/espi}"
_ELECTRICITY = "0"  # ServiceKind 0
_COMMODITIES = (None, "0", "1", "2")  # CommodityKind: none stated, none, electricity secondary, electricity primary
_DELTA = (None, "0", "4")  # AccumulationKind: none stated, none, deltaData
_FORWARD = (None, "0", "1")  # FlowDirectionKind: none stated, none, forward (from the grid to the home)
_YEAR_2100_S = 4_102_444_800
_WATT_HOURS = "72"  # UnitSymbolKind Wh


@dataclass(frozen=True)
class _Entry:
    """One Atom entry: its own address, its parent's, the related ones, and its content."""

    self_: str
    up: str
    related: tuple[str, ...]


@dataclass(frozen=True)
class _Interval:
    row: int
    start: str | None
    duration: str | None
    value: str | None


@dataclass
class _Feed:
    """What was read so far, by kind."""

    usage_points: list[tuple[_Entry, str | None]] = field(default_factory=list)
    meter_readings: list[_Entry] = field(default_factory=list)
    reading_types: dict[str, Element] = field(default_factory=dict)
    local_times: dict[str, LocalTime] = field(default_factory=dict)
    blocks: list[tuple[_Entry, list[_Interval]]] = field(default_factory=list)
    rows: int = 0


@dataclass(frozen=True)
class _Series:
    """What all intervals of one meter reading share: meter, power of ten to Wh, clock, or why none can be imported."""

    meter_id: str
    power_of_ten: int
    local_time: LocalTime | None
    refused: tuple[Reason, str] | None


def parse_green_button(file: OpenedFile) -> FileContents:
    """All readings of a feed, and the problems of the others.

    Raises `FileIsNotGreenButton`, `FileIsUnsafeXml`, `FileIsMalformedXml`, `FileHasNoReadings`, `FileIsTruncated`.
    """
    try:
        feed = _read_feed(file)
        if not feed.rows:
            raise FileHasNoReadings(file=file.name)
        return _put_together(file, feed)
    except DefusedXmlException as error:
        raise FileIsUnsafeXml(file=file.name, problem=type(error).__name__) from error
    except (ParseError, ValueError) as error:
        raise FileIsMalformedXml(file=file.name, problem=str(error)) from error


def _read_feed(file: OpenedFile) -> _Feed:
    feed = _Feed()
    root: Element | None = None
    for event, element in iterparse(file.content, events=("start", "end"), forbid_dtd=True):
        if root is None:
            root = element
            if element.tag != f"{_ATOM}feed":
                raise FileIsNotGreenButton(file=file.name, found=element.tag[:80])
        elif event == "end" and element.tag == f"{_ATOM}entry":
            _take(feed, element)
            root.clear()  # entries that were taken need no memory
    return feed


def _take(feed: _Feed, element: Element) -> None:
    links = [(link.get("rel", ""), link.get("href", "")) for link in element.iter(f"{_ATOM}link")]
    by_rel = dict(links)
    related = tuple(href for rel, href in links if rel == "related")
    entry = _Entry(by_rel.get("self", ""), by_rel.get("up", ""), related)
    for resource in element.iterfind(f"{_ATOM}content/*"):
        match resource.tag.removeprefix(_ESPI):
            case "UsagePoint":
                feed.usage_points.append((entry, resource.findtext(f"{_ESPI}ServiceCategory/{_ESPI}kind")))
            case "MeterReading":
                feed.meter_readings.append(entry)
            case "ReadingType":
                feed.reading_types[entry.self_] = resource
            case "LocalTimeParameters":
                feed.local_times[entry.self_] = local_time_of({child.tag: child.text for child in resource}, _ESPI)
            case "IntervalBlock":
                feed.blocks.append((entry, list(_intervals(feed, resource))))


def _intervals(feed: _Feed, block: Element) -> Iterator[_Interval]:
    for reading in block.iterfind(f"{_ESPI}IntervalReading"):
        feed.rows += 1
        period = f"{_ESPI}timePeriod/{_ESPI}"
        yield _Interval(
            feed.rows,
            reading.findtext(f"{period}start"),
            reading.findtext(f"{period}duration"),
            reading.findtext(f"{_ESPI}value"),
        )


def _put_together(file: OpenedFile, feed: _Feed) -> FileContents:
    problems: list[Problem] = []
    meter_ids: dict[str, int] = {}
    taken: list[tuple[int, int, int, int, int]] = []
    rounded = 0
    for entry, intervals in feed.blocks:
        series = _series_of(file, feed, entry)
        for interval in intervals:
            read = _read_interval(series, interval)
            if isinstance(read, Problem):
                problems.append(read)
                continue
            start_s, exact, energy_wh = read
            rounded += exact != energy_wh
            offset = NO_OFFSET if series.local_time is None else series.local_time.offset_at(start_s)
            meter = meter_ids.setdefault(series.meter_id, len(meter_ids))
            taken.append((interval.row, meter, start_s, offset, energy_wh))
    columns = np.array(taken, np.int64).reshape(-1, 5).T
    row, meter_no, start, offset_s, wh = columns
    readings = Readings(
        tuple(meter_ids), row, meter_no.astype(np.int32), start, offset_s.astype(np.int32), wh.astype(np.int32)
    )
    return FileContents("green_button", readings, Problems(problems), feed.rows, rounded)


def _series_of(file: OpenedFile, feed: _Feed, block: _Entry) -> _Series:
    reading = next((entry for entry in feed.meter_readings if block.up and block.up in entry.related), None)
    if reading is None and len(feed.meter_readings) == 1:
        reading = feed.meter_readings[0]
    point = _usage_point_of(feed, reading)
    if reading is None or point is None:
        raise FileIsMalformedXml(file=file.name, problem=f"the block {block.self_!r} belongs to no usage point")
    entry, kind = point
    meter_id = entry.self_.rstrip("/").rsplit("/", 1)[-1]
    reading_type = next((feed.reading_types[href] for href in reading.related if href in feed.reading_types), None)
    clock = next((feed.local_times[href] for href in entry.related if href in feed.local_times), None)
    if clock is None and len(feed.local_times) == 1:
        clock = next(iter(feed.local_times.values()))
    power = _text(reading_type, "powerOfTenMultiplier") or "0"
    if not -12 <= int(power) <= 9:  # ESPI's UnitMultiplierKind
        raise FileIsMalformedXml(file=file.name, problem=f"powerOfTenMultiplier {power}")
    return _Series(meter_id, int(power), clock, _why_refused(kind, reading_type))


def _usage_point_of(feed: _Feed, reading: _Entry | None) -> tuple[_Entry, str | None] | None:
    if reading is not None:
        for point in feed.usage_points:
            if reading.up and reading.up in point[0].related:
                return point
    return feed.usage_points[0] if len(feed.usage_points) == 1 else None


def _why_refused(kind: str | None, reading_type: Element | None) -> tuple[Reason, str] | None:
    """The reason for which a whole meter reading is not electricity used by a home in energy per interval."""
    if kind not in (None, _ELECTRICITY) or _text(reading_type, "commodity") not in _COMMODITIES:
        return Reason.NOT_ELECTRICITY, f"kind {kind}, commodity {_text(reading_type, 'commodity')}"
    if _text(reading_type, "flowDirection") not in _FORWARD:
        return Reason.WRONG_DIRECTION, f"flowDirection {_text(reading_type, 'flowDirection')}"
    unit, accumulation = _text(reading_type, "uom"), _text(reading_type, "accumulationBehaviour")
    if unit != _WATT_HOURS or accumulation not in _DELTA:
        return Reason.WRONG_UNIT, f"uom {unit}, accumulationBehaviour {accumulation}"
    return None


def _read_interval(series: _Series, interval: _Interval) -> tuple[int, Decimal, int] | Problem:
    """Start in seconds, exact Wh and whole Wh; or the problem."""

    def problem(reason: Reason, found: Any) -> Problem:
        return Problem(interval.row, series.meter_id, reason, str(found or "")[:80])

    if series.refused is not None:
        return problem(*series.refused)
    if not interval.start:
        return problem(Reason.MISSING_START, "")
    start_s = _whole(interval.start)
    if start_s is None:
        return problem(Reason.MALFORMED_START, interval.start)
    if not 0 <= start_s < _YEAR_2100_S:
        return problem(Reason.IMPOSSIBLE_START, interval.start)
    if _whole(interval.duration) != INTERVAL_S:
        return problem(Reason.WRONG_INTERVAL, interval.duration)
    if not interval.value:
        return problem(Reason.MISSING_VALUE, "")
    value = _whole(interval.value)
    if value is None:
        return problem(Reason.MALFORMED_VALUE, interval.value)
    exact = Decimal(value).scaleb(series.power_of_ten)
    energy_wh = wh_of_decimal(exact)
    return problem(energy_wh, interval.value) if isinstance(energy_wh, Reason) else (start_s, exact, energy_wh)


def _text(element: Element | None, name: str) -> str | None:
    return None if element is None else element.findtext(f"{_ESPI}{name}")


def _whole(text: str | None) -> int | None:
    """ESPI's Int48 and UInt32; None for anything else."""
    try:
        number = int((text or "").strip())
    except ValueError:
        return None
    return number if abs(number) < 1 << 48 else None

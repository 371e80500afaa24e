"""Mapping files: what can be said, what is refused with a reason, and how topics, paths and times are read."""

import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sanpo.broker.ingest.errors import MappingIsInvalid, RecordIsBad
from sanpo.broker.ingest.mapping import Topic, read_mapping
from sanpo.broker.ingest.paths import read_path, reference, template, walk
from sanpo.broker.ingest.times import time_reader
from tests.broker.ingest.conftest import METERS, ROOMS

GUIDE = Path(__file__).parents[3] / "docs/how-to/ingest.md"
ROOM = ROOMS.format(port=1883, version="mqtt5.0")


def test_mappings_of_the_guide_can_be_read(folder: Path) -> None:
    samples = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(samples) == 2
    for text in samples:
        (folder / "sample.toml").write_text(text)
        assert read_mapping(folder / "sample.toml")[0].name in ("rooms", "meters")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "Invalid"),
        ("\udcff", "utf-8"),
        (METERS.replace('"meters"', '"Meters!"'), "$.name"),
        (METERS.replace("[entity]", "[thing]"), "thing"),
        (METERS.replace('value = "kwh"', ""), "energy needs one of"),
        (METERS.replace('value = "kwh"', 'value = "kwh"\nobject = "urn:a"'), "energy needs one of"),
        (METERS.replace('value = "kwh"', 'value = "$.a["'), "is no path"),
        (METERS.replace('value = "kwh"', 'value = "$.a[*]"'), "more than one value"),
        (METERS.replace('"urn:ngsi-ld:Meter:{meter_id}"', '"urn:{$..}"'), "is no path"),
        (METERS.replace('format = "csv"', 'format = "csv"\nencoding = "rot-none"'), "no encoding"),
        (METERS.replace('field = "start"', 'field = "start"\ntimezone = "Mars/North"'), "no time zone"),
        (ROOM.replace("mqtt://user@", "http://"), "scheme"),
        (ROOM.replace("mqtt://user@", "mqtt://user:secret@"), "password"),
        (ROOM.replace(":1883", ":1883/topic"), "has a topic"),
        (ROOM.replace("mqtt5.0", "mqtt4"), "version"),
        (ROOM.replace("rooms/{room}/#", "#/{room}"), "level"),
        (ROOM.replace("{room}/#", "x{room}"), "whole level"),
        (ROOM.replace("/+/", "/a+/"), "level"),
        (ROOM.replace("{room}/#", "{building}"), "redefinition"),
    ],
)
def test_mapping_that_cannot_be_used_is_refused_with_the_reason(folder: Path, text: str, told: str) -> None:
    (folder / "bad.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MappingIsInvalid) as caught:
        read_mapping(folder / "bad.toml")
    assert told in caught.value.fields["problem"]
    assert "secret" not in str(caught.value.fields)


@pytest.mark.parametrize(
    ("pattern", "filtered", "topic", "parts"),
    [
        ("a/{x}/b", "a/+/b", "a/1/b", {"x": "1"}),
        ("a/{x}/+/{y}", "a/+/+/+", "a/1/2/3", {"x": "1", "y": "3"}),
        ("{x}/#", "+/#", "1/2/3", {"x": "1"}),
        ("{x}/#", "+/#", "1", {"x": "1"}),
        ("a.b/{x}", "a.b/+", "a.b/", {"x": ""}),
        ("a.b/{x}", "a.b/+", "aXb/1", {}),
        ("a/{x}", "a/+", "a/1/2", {}),
    ],
)
def test_topic_is_subscribed_to_and_taken_apart(pattern: str, filtered: str, topic: str, parts: Any) -> None:
    found = Topic(pattern)
    assert (found.filter, found.parts(topic)) == (filtered, parts)


DOCUMENT = {"a": {"b c": [1, {"d-e": None}]}, "l": [{"n": 1}, {"n": 2}, {}, 3]}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [DOCUMENT]),
        ('$.a["b c"][0]', [1]),
        ('$.a["b c"][1].d-e', [None]),
        ("$.l[*].n", [1, 2]),
        ("$.l[9]", []),
        ("$.l.n", []),
        ("$.a[0]", []),
        ("$.none", []),
    ],
)
def test_path_leads_to_values(path: str, found: list[Any]) -> None:
    assert list(walk(DOCUMENT, read_path(path))) == found


@pytest.mark.parametrize("path", ["a", "$.", "$a", "$.a.", "$[", "$[-1]", "$.a b", "$[*"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        read_path(path)


def test_template_is_filled_from_columns_and_paths_or_the_record_is_bad() -> None:
    filled = template("urn:{kind}:{$.id}")
    assert filled({"kind": "x", "$": {"id": 7}}) == "urn:x:7"
    for record in (
        {"kind": "", "$": {"id": 7}},
        {"kind": "x"},
        {"kind": "x", "$": {"id": {}}},
        {"kind": True, "$": {"id": 7}},
    ):
        with pytest.raises(RecordIsBad):
            filled(record)
    assert reference("$.id")({}) is None


@pytest.mark.parametrize(
    ("form", "value", "written"),
    [
        ("iso", "2026-03-01T09:00:00+09:00", "2026-03-01T00:00:00.000000Z"),
        ("iso", "2026-03-01T09:00:00", "2026-03-01T00:00:00.000000Z"),
        ("iso", "20260301T090000.5+0900", "2026-03-01T00:00:00.500000Z"),
        ("epochS", "1772323200.25", "2026-03-01T00:00:00.250000Z"),
        ("epochMs", 1772323200250, "2026-03-01T00:00:00.250000Z"),
        ("%Y年%m月%d日 %H時", "2026年03月01日 09時", "2026-03-01T00:00:00.000000Z"),
    ],
)
def test_times_are_read_in_their_zone(form: str, value: Any, written: str) -> None:
    assert time_reader(form, ZoneInfo("Asia/Tokyo"))(value) == written


@pytest.mark.parametrize(
    ("form", "value"),
    [("iso", 5), ("iso", None), ("iso", ""), ("epochS", "x"), ("epochMs", 1e300), ("iso", "0001-01-01")],
)
def test_what_is_no_time_makes_the_record_bad(form: str, value: Any) -> None:
    with pytest.raises(RecordIsBad):
        time_reader(form, ZoneInfo("Asia/Tokyo"))(value)

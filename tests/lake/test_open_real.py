"""Real open data by the descriptors of the guide: accidents and dangerous driving in Yaizu, a bus feed, weather."""

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sanpo.ground.city import City
from sanpo.lake import get_dataset, import_open, snapshot
from sanpo.lake.errors import OpenFileHasBadRows
from sanpo.lake.imports import ImportOutcome
from sanpo.lake.licences import KNOWN_LICENCES
from sanpo.lake.mesh import decode_mesh
from sanpo.lake.opendata import read_descriptor
from tests.docs.pages import blocks, inline_code
from tests.lake.open_data import GUIDES, write
from tests.world import OPERATOR


def files(shared: Path, pattern: str) -> list[Path]:
    found = sorted((shared / "city/yaizu").glob(pattern))
    if not found:
        pytest.skip(f"real data city/yaizu/{pattern} is absent")
    return found


def ask(city: City, name: str, select: str) -> list[tuple[Any, ...]]:
    held = list(snapshot(city, name).files)
    sql = f"select {select} from read_parquet($f, hive_partitioning = false) group by all order by all"
    return duckdb.execute(sql, {"f": held}).fetchall()


def test_accidents_of_yaizu_are_all_there_with_their_square_and_time(city: City, shared: Path) -> None:
    found = files(shared, "交通事故_*.csv")
    rows = [row for file in found for row in csv.DictReader(file.open(encoding="utf-8-sig"))]
    done = import_open(city, OPERATOR, GUIDES / "yaizu-accidents.toml", found)
    assert (done.outcome, done.rows, done.skipped) == (ImportOutcome.ADDED, len(rows), 0)
    assert len(rows) == 3084
    killed, injured = (sum(int(row[name]) for row in rows) for name in ("死者数", "負傷者数"))
    assert ask(city, "open.yaizu_accidents", "sum(killed), sum(injured)") == [(killed, injured)]
    hours = Counter(int(row["発生日時（時間）"].split(":")[0]) for row in rows)
    assert dict(ask(city, "open.yaizu_accidents", "hour(happened_local), count(*)")) == hours
    assert import_open(city, OPERATOR, GUIDES / "yaizu-accidents.toml", found).outcome == ImportOutcome.UNCHANGED


def test_every_place_in_yaizu_lies_in_the_square_of_its_code(city: City, shared: Path) -> None:
    import_open(city, OPERATOR, GUIDES / "yaizu-accidents.toml", files(shared, "交通事故_*.csv"))
    import_open(city, OPERATOR, GUIDES / "yaizu-dangerous-driving.toml", files(shared, "ドライブコンテスト_*.csv"))
    squares = []
    for name in ("open.yaizu_accidents", "open.yaizu_dangerous_driving"):
        places = ask(city, name, "mesh_250m, latitude, longitude")
        for code, latitude, longitude in places:
            square = decode_mesh(code)
            assert square.south <= latitude < square.north
            assert square.west <= longitude < square.east
        squares.append({code for code, _, _ in places})
    assert {code[:4] for code in squares[0] | squares[1]} == {"5238"}
    assert len(squares[0] & squares[1]) > 100, "both can be joined by their squares"


def test_events_of_dangerous_driving_are_counted(city: City, shared: Path) -> None:
    found = files(shared, "ドライブコンテスト_*.csv")
    rows = [row for file in found for row in csv.DictReader(file.open(encoding="utf-8"))]
    done = import_open(city, OPERATOR, GUIDES / "yaizu-dangerous-driving.toml", found)
    assert done.rows == len(rows) == 1304
    (total,) = ask(city, "open.yaizu_dangerous_driving", "sum(events)")[0]
    assert total == sum(int(row["発生件数"]) for row in rows)
    kinds = dict(ask(city, "open.yaizu_dangerous_driving", "kind, count(*)"))
    assert (kinds["hard_braking"], kinds["hard_steering"]) == (570, 18)
    assert get_dataset(city, "open.yaizu_dangerous_driving").licence == "CC-BY-4.0"


def test_bus_feed_becomes_stops_and_stop_times(city: City, shared: Path) -> None:
    feed = shared / "bus/muroran_gtfs_jp.zip"
    if not feed.is_file():
        pytest.skip("real data bus/muroran_gtfs_jp.zip is absent")
    assert import_open(city, OPERATOR, GUIDES / "gtfs-stops.toml", feed).rows == 706
    codes = {code[:4] for (code,) in ask(city, "open.bus_stops", "mesh_250m")}
    assert codes == {"6340", "6341"}, "Muroran lies on both sides of 141° E"
    times = import_open(city, OPERATOR, GUIDES / "gtfs-stop-times.toml", feed)
    assert times.rows > 20_000
    trips, first = ask(city, "open.bus_stop_times", "count(distinct trip_id), min(departure_s)")[0]
    assert trips == 541
    assert first >= 5 * 3600


@pytest.mark.parametrize("file", sorted(GUIDES.glob("*.toml")), ids=lambda file: file.stem)
def test_descriptor_of_the_guide_stands(file: Path) -> None:
    assert read_descriptor(file.read_text(encoding="utf-8"), file.name).dataset.is_open


def test_descriptor_in_the_guides_text_stands_and_licences_are_all_named() -> None:
    guide = "docs/how-to/add-open-data.md"
    (text,) = blocks(guide, "toml")
    assert read_descriptor(text).dataset.name == "open.yaizu_accidents"
    named = set(inline_code(guide))
    assert not [licence for licence in KNOWN_LICENCES if licence not in named]
    assert len(list(GUIDES.glob("*.toml"))) == 5


def weather(tmp_path: Path, *rows: str) -> Path:
    """A file in the form in which Japan's Meteorological Agency gives hourly values of a station."""
    lines = [
        "ダウンロードした時刻：2026/03/31 09:00:00",
        "",
        ",静岡,静岡,静岡,静岡,静岡,静岡,静岡",
        "年月日時,気温(℃),気温(℃),気温(℃),降水量(mm),降水量(mm),降水量(mm),降水量(mm)",
        ",,品質情報,均質番号,,現象なし情報,品質情報,均質番号",
    ]
    return write(tmp_path, [*lines, *rows], "data.csv", encoding="cp932")


def test_hourly_weather_is_read_as_it_is_downloaded(city: City, tmp_path: Path) -> None:
    file = weather(tmp_path, "2026/1/1 1:00:00,5.2,8,1,0,1,8,1", "2026/1/1 2:00:00,--,1,1,0.5,0,8,1")
    assert import_open(city, OPERATOR, GUIDES / "weather.toml", file).rows == 2
    held = ask(city, "open.weather", "observed_at::timestamp, hour(observed_local), temperature_c, rain_mm")
    assert held[0] == (datetime(2025, 12, 31, 16, tzinfo=UTC).replace(tzinfo=None), 1, 5.2, 0.0)
    assert held[1][2:] == (None, 0.5)
    dataset = get_dataset(city, "open.weather")
    assert dataset.attribution is not None
    assert dataset.attribution.startswith("気象庁, ")
    assert dataset.attribution.endswith("Public Data License 1.0")


def test_weather_with_an_hour_twice_is_refused(city: City, tmp_path: Path) -> None:
    file = weather(tmp_path, "2026/1/1 1:00:00,5.2,8,1,0,1,8,1", "2026/1/1 1:00:00,5.3,8,1,0,1,8,1")
    with pytest.raises(OpenFileHasBadRows) as caught:
        import_open(city, OPERATOR, GUIDES / "weather.toml", file)
    assert caught.value.fields["first"][0]["row"] == 7

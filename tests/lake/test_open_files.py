"""From a file of open data to rows: encodings, formats, cells, and what is said of the bad ones."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.lake.errors import OpenFileIsUnreadable
from sanpo.lake.opendata import Parsed, Problem, Reason, open_table_file, parse_rows
from sanpo.lake.opendata.descriptor import FileForm
from tests.lake.open_data import column, described, shops, write

TOKYO = ZoneInfo("Asia/Tokyo")
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


def parsed(*files: Path, zone: ZoneInfo = TOKYO, **changes: Any) -> Parsed:
    descriptor = described(**changes)

    def opened() -> Any:
        for file in files:
            with open_table_file(file, descriptor.file) as table:
                yield table

    return parse_rows(descriptor, opened(), zone)


def values(type: str, texts: Sequence[str], tmp_path: Path, role: str = "measure", **more: Any) -> list[Any]:
    """What a column of this type makes of these texts; the reason in the place of a bad one."""
    rows = io.StringIO()
    csv.writer(rows).writerows([["n", "x"], *([str(n), text] for n, text in enumerate(texts))])
    file = tmp_path / "values.csv"
    file.write_text(rows.getvalue(), encoding="utf-8", newline="")
    file_form = more.pop("file", {})
    columns = [column("n", "int32", "measure"), column("x", type, role, **more)]
    done = parsed(file, columns=columns, keys=None, file=file_form)
    found: dict[int, Any] = dict(zip(done.table["n"].to_pylist(), done.table["x"].to_pylist(), strict=True))
    found |= {problem.row - 2: problem.reason for problem in done.problems}
    return [found[n] for n in range(len(texts))]


# Encodings and forms of CSV -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_csv_is_read_in_utf8_and_cp932_with_or_without_a_mark(encoding: str, tmp_path: Path) -> None:
    file = shops(tmp_path, "①魚屋〜髙橋,焼津,3".replace("〜", "～"), encoding=encoding)
    assert parsed(file).table.to_pylist() == [{"shop": "①魚屋～髙橋", "area": "焼津", "staff": 3}]


@pytest.mark.parametrize("text", [b"shop\xff\xfe\xfd,x,1\n", "shop,area,staff\n".encode("utf-16"), b"\x81 \xa0"])
def test_text_that_is_neither_is_refused(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "shops.csv"
    file.write_bytes(text)
    with pytest.raises(OpenFileIsUnreadable) as caught:
        parsed(file)
    assert "CP932" in caught.value.fields["problem"]


def test_encoding_that_the_descriptor_names_is_believed(tmp_path: Path) -> None:
    file = shops(tmp_path, "魚屋,焼津,3")
    with pytest.raises(OpenFileIsUnreadable):
        parsed(shops(tmp_path, "魚,焼津,3", encoding="cp932"), file={"encoding": "utf-8"})
    assert parsed(shops(tmp_path, "魚屋,焼津,3"), file={"encoding": "utf-8"}).rows == 1
    assert file.exists()


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=20), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_whatever_csv_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], end: str, mark: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("shop", "area", "staff"), *((a, b, "1") for a, b in rows)])
    file = tmp_path_factory.mktemp("csv") / "shops.csv"
    file.write_bytes(text.getvalue().encode("utf-8-sig" if mark else "utf-8"))
    done = parsed(file, keys=None)
    assert not len(done.problems)
    assert [(row["shop"] or "", row["area"] or "") for row in done.table.to_pylist()] == [
        (a.strip(), b.strip()) for a, b in rows
    ]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_but_never_break(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("bytes") / "shops.csv"
    file.write_bytes(b"shop,area,staff\n" + data)
    try:
        done = parsed(file)
    except OpenFileIsUnreadable:
        return
    assert done.table.num_rows + len(done.problems.rows()) == done.rows


def test_header_may_lie_below_other_lines_and_marks_may_follow_it(tmp_path: Path) -> None:
    file = write(tmp_path, ["downloaded today", "", "shop,area,staff", ",,quality", "魚屋,焼津,3"])
    assert parsed(file, file={"header_row": 3, "first_row": 5}).table.num_rows == 1


def test_columns_of_one_name_are_told_apart_by_position(tmp_path: Path) -> None:
    file = write(tmp_path, ["shop,area,staff,staff", "魚屋,焼津,3,8"])
    with pytest.raises(OpenFileIsUnreadable) as caught:
        parsed(file)
    assert "position" in caught.value.fields["problem"]
    columns = [column("shop"), column("area"), column("staff", "int32", "measure", **{"from": 4})]
    assert parsed(file, columns=columns).table["staff"].to_pylist() == [8]


def test_column_that_the_file_lacks_is_named_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(OpenFileIsUnreadable) as caught:
        parsed(write(tmp_path, ["shop,staff", "魚屋,3"]))
    assert "area" in caught.value.fields["problem"]
    assert "shop, staff" in caught.value.fields["problem"]


def test_other_delimiter_and_several_files_make_one_table(tmp_path: Path) -> None:
    files = [write(tmp_path, ["shop;area;staff", f"{n};焼津;{n}"], f"{n}.csv") for n in range(3)]
    assert parsed(*files, file={"delimiter": ";"}).table["staff"].to_pylist() == [0, 1, 2]


def test_blank_lines_and_empty_cells_after_the_last_column_are_no_rows(tmp_path: Path) -> None:
    done = parsed(shops(tmp_path, "魚屋,焼津,3,,", "", ",,"))
    assert (done.rows, len(done.problems)) == (1, 0)


def test_bad_rows_are_named_by_file_row_column_reason_and_text(tmp_path: Path) -> None:
    done = parsed(shops(tmp_path, "a,x,1", "b,x,many", "c,,2", "d", "e,x,1,extra", '"f\ng",x,2', "h,x,1.5"))
    assert list(done.problems) == [
        Problem("shops.csv", 3, "staff", Reason.NOT_WHOLE, "many"),
        Problem("shops.csv", 4, "area", Reason.EMPTY, ""),
        Problem("shops.csv", 5, "", Reason.WRONG_COLUMNS, "1, not 3"),
        Problem("shops.csv", 6, "", Reason.WRONG_COLUMNS, "4, not 3"),
        Problem("shops.csv", 8, "staff", Reason.NOT_WHOLE, "1.5"),
    ]
    assert done.table["shop"].to_pylist() == ["a", "f\ng"]
    assert done.origins == [("shops.csv", 2), ("shops.csv", 7)]


def test_quote_that_is_never_closed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenFileIsUnreadable):
        parsed(shops(tmp_path, '"魚屋,焼津,3'))


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenFileIsUnreadable):
        parsed(tmp_path / "nothing.csv")


def test_file_without_the_header_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenFileIsUnreadable):
        parsed(write(tmp_path, ["shop,area,staff"]), file={"header_row": 4})


def test_progress_tells_the_bytes_of_the_file(tmp_path: Path) -> None:
    file = shops(tmp_path, "魚屋,焼津,3")
    read: list[int] = []
    with open_table_file(file, FileForm(), read.append) as table:
        list(table.rows)
    assert sum(read) == file.stat().st_size


# Cells ---------------------------------------------------------------------------------------------------------------


def test_whole_numbers(tmp_path: Path) -> None:
    texts = ["12", "-3", "1,200", "１２", " 7 ", "", "1,20", "1.0", "2147483648", "-2147483648", "1e3", "9" * 5000]
    assert values("int32", texts, tmp_path) == [
        12, -3, 1200, 12, 7, None,
        Reason.NOT_WHOLE, Reason.NOT_WHOLE, Reason.TOO_LARGE, -2147483648, Reason.NOT_WHOLE, Reason.TOO_LARGE,
    ]  # fmt: skip
    assert values("int64", ["9223372036854775807", "9223372036854775808"], tmp_path) == [2**63 - 1, Reason.TOO_LARGE]


def test_numbers(tmp_path: Path) -> None:
    texts = ["1.5", "-.5", "1,234.5", "1e3", "nan", "inf", "1_000", "5.2 )", "1e999", "--"]
    bad = Reason.NOT_A_NUMBER
    found = values("float64", texts, tmp_path, file={"empty": ["--"]})
    assert found == [1.5, -0.5, 1234.5, 1000.0, bad, bad, bad, bad, Reason.TOO_LARGE, None]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_comes_back_exactly(tmp_path_factory: pytest.TempPathFactory, number: float) -> None:
    assert values("float64", [repr(number)], tmp_path_factory.mktemp("numbers")) == [number]


def test_dates(tmp_path: Path) -> None:
    texts = ["2026-01-31", "2026/1/31", "2026-02-30", "31.1.2026", "20260131"]
    assert values("date", texts, tmp_path, "time") == [date(2026, 1, 31), date(2026, 1, 31), *[Reason.NOT_A_DATE] * 3]
    assert values("date", ["20260131"], tmp_path, "time", format="%Y%m%d") == [date(2026, 1, 31)]


def test_booleans(tmp_path: Path) -> None:
    found = values("bool", ["TRUE", "有", "0", "なし", "maybe"], tmp_path)
    assert found == [True, True, False, False, Reason.NOT_A_BOOLEAN]


def test_texts_are_replaced_before_the_domain_is_asked(tmp_path: Path) -> None:
    found = values(
        "text", ["晴", "雨", "雪"], tmp_path, "dimension", values={"晴": "fine", "雨": "rain"}, domain=["fine", "rain"]
    )
    assert found == ["fine", "rain", Reason.NOT_IN_DOMAIN]


def test_gtfs_times_are_seconds_and_go_on_after_midnight(tmp_path: Path) -> None:
    found = values("int32", ["06:55:00", "25:10:30", "7:00:00", "12:60:00", "noon"], tmp_path, format="gtfs_time")
    assert found == [24_900, 90_630, 25_200, Reason.NOT_A_TIME, Reason.NOT_A_TIME]


def test_grid_square_comes_from_two_columns(tmp_path: Path) -> None:
    rows = ["lat,lon", "35.658581,139.745433", "0,0", ",139", "139.745433,35.658581"]
    mesh = {"latitude": "lat", "longitude": "lon", "size_m": 1000}
    keys = [{"name": "mesh", "kind": "mesh", "column": "square"}]
    done = parsed(write(tmp_path, rows), columns=[column("square", mesh=mesh)], keys=keys)
    assert done.table["square"].to_pylist() == ["53393599"]
    reasons = [(problem.row, problem.reason) for problem in done.problems]
    assert reasons == [(3, Reason.NO_PLACE_IN_JAPAN), (4, Reason.EMPTY), (5, Reason.NO_PLACE_IN_JAPAN)]


# Local time ----------------------------------------------------------------------------------------------------------

TIMES = {
    "columns": [
        column("at", "timestamp", "time", **{"from": ["day", "time"]}, format="%Y-%m-%d %H:%M"),
        column("at_local", "timestamp", "time"),
    ],
    "keys": None,
    "time_column": "at",
    "local_column": "at_local",
}


def test_local_time_becomes_a_moment_and_the_citys_clock(tmp_path: Path) -> None:
    file = write(tmp_path, ["day,time", "2019-01-04,14:37"])
    assert parsed(file, **TIMES).table.to_pylist() == [
        {"at": datetime(2019, 1, 4, 5, 37, tzinfo=UTC), "at_local": datetime(2019, 1, 4, 14, 37)}  # noqa: DTZ001
    ]
    elsewhere = parsed(file, **TIMES, file={"timezone": "UTC"}).table.to_pylist()
    assert elsewhere == [
        {"at": datetime(2019, 1, 4, 14, 37, tzinfo=UTC), "at_local": datetime(2019, 1, 4, 23, 37)}  # noqa: DTZ001
    ]


def test_hour_that_was_skipped_or_doubled_is_no_moment_unless_the_offset_is_given(tmp_path: Path) -> None:
    zurich = ZoneInfo("Europe/Zurich")
    file = write(
        tmp_path, ["day,time", "2026-03-29,02:30", "2026-10-25,02:30", "2026-10-25,03:30", "2026-10-25,", "x,y"]
    )
    done = parsed(file, zone=zurich, **TIMES)
    assert [problem.reason for problem in done.problems] == [
        Reason.NO_SUCH_LOCAL_TIME,
        Reason.AMBIGUOUS_LOCAL_TIME,
        Reason.EMPTY,
        Reason.NOT_A_TIME,
    ]
    assert done.table["at"].to_pylist() == [datetime(2026, 10, 25, 2, 30, tzinfo=UTC)]
    plain = {**TIMES, "columns": [column("at", "timestamp", "time"), column("at_local", "timestamp", "time")]}
    exact = write(tmp_path, ["at", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"])
    assert parsed(exact, zone=zurich, **plain).table["at_local"].to_pylist() == [datetime(2026, 10, 25, 2, 30)] * 2  # noqa: DTZ001


# GeoJSON and GTFS ----------------------------------------------------------------------------------------------------


def test_features_of_geojson_become_rows(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [139.745433, 35.658581, 12]}
    line = {"type": "LineString", "coordinates": [[139, 35], [140, 36]]}
    features = [
        {"type": "Feature", "properties": {"shop": "魚屋", "area": "焼津", "staff": 3}, "geometry": point},
        {"type": "Feature", "properties": {"shop": None, "area": "大井川"}, "geometry": line},
        {"type": "Feature", "properties": {"area": "大井川", "staff": 2.5}, "geometry": None},
    ]
    file = tmp_path / "shops.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8-sig")
    mesh = {"latitude": "geometry.latitude", "longitude": "geometry.longitude", "size_m": 1000}
    columns = [column("shop"), column("area"), column("staff", "int32", "measure"), column("square", mesh=mesh)]
    done = parsed(file, columns=columns, file={"format": "geojson"})
    assert done.table.to_pylist() == [
        {"shop": "魚屋", "area": "焼津", "staff": 3, "square": "53393599"},
        {"shop": None, "area": "大井川", "staff": None, "square": None},
    ]
    assert list(done.problems) == [Problem("shops.geojson", 3, "staff", Reason.NOT_WHOLE, "2.5")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": [1]}', '{"features": [{"properties": {}}]}', "[[[["])
def test_what_is_no_geojson_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "shops.geojson"
    file.write_text(text)
    with pytest.raises(OpenFileIsUnreadable):
        parsed(file, file={"format": "geojson"})


def feed(folder: Path, **tables: str) -> Path:
    file = folder / "feed.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in tables.items():
            made.writestr(f"{name}.txt", text)
    return file


def test_table_of_a_gtfs_feed_becomes_rows(tmp_path: Path) -> None:
    file = feed(tmp_path, agency="agency_id\n1\n", stops="\ufeffshop,area,staff\n駅前,中央,2\n")
    assert parsed(file, file={"format": "gtfs", "table": "stops"}).table.to_pylist() == [
        {"shop": "駅前", "area": "中央", "staff": 2}
    ]


def test_feed_without_the_table_is_refused_and_says_which_it_has(tmp_path: Path) -> None:
    with pytest.raises(OpenFileIsUnreadable) as caught:
        parsed(feed(tmp_path, agency="x\n"), file={"format": "gtfs", "table": "stops"})
    assert "agency.txt" in caught.value.fields["problem"]


def test_feed_that_breaks_off_is_refused(tmp_path: Path) -> None:
    file = feed(tmp_path, stops="shop,area,staff\n" + "".join(f"{n},中央,{n * n}\n" for n in range(9_000)))
    data = bytearray(file.read_bytes())
    data[2_000:2_400] = bytes(400)
    file.write_bytes(data)
    with pytest.raises(OpenFileIsUnreadable):
        parsed(file, file={"format": "gtfs", "table": "stops"})


def test_file_that_is_no_zip_is_no_feed(tmp_path: Path) -> None:
    with pytest.raises(OpenFileIsUnreadable):
        parsed(shops(tmp_path, "a,b,1"), file={"format": "gtfs", "table": "stops"})

"""CSV files: what is read, and why the rest is not."""

import gzip
from pathlib import Path

import pytest

from sanpo.services.energy.errors import (
    FileHasNoReadings,
    FileHeaderIsUnknown,
    FileIsEmpty,
    FileIsNotUtf8,
    FileIsTruncated,
    FileIsUnreadable,
    FileLineIsTooLong,
)
from sanpo.services.energy.files import readings_csv
from tests.services.energy.files.written import contents_of, series, write

GOOD = "M1,2026-01-05T00:00:00+0900,0.25"
HEADER = "meter_id,start,kwh"


def lines(tmp_path: Path, *rows: str, ending: str = "\n") -> Path:
    path = tmp_path / "readings.csv"
    path.write_bytes((HEADER + "\n" + ending.join(rows)).encode())
    return path


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_readings_are_read_whole(tmp_path: Path, packed: bool) -> None:
    contents = contents_of(write(tmp_path / "any.name", [*series("M1", 3), *series("M2", 2)], packed=packed))
    readings = contents.readings
    assert (contents.format, contents.rows, len(contents.problems)) == ("csv", 5, 0)
    assert [readings.meter_ids[meter] for meter in readings.meter] == ["M1"] * 3 + ["M2"] * 2
    assert readings.row.tolist() == [2, 3, 4, 5, 6]
    assert readings.energy_wh.tolist() == [250] * 5
    assert set(readings.offset_s.tolist()) == {32_400}
    assert readings.start_s[1] - readings.start_s[0] == 900


@pytest.mark.parametrize(
    ("start", "offset_s"),
    [
        ("2014-10-27T00:00:00+0100", 3600),
        ("2014-10-27T00:00:00+01:00", 3600),
        ("2014-10-26T23:00:00Z", 0),
        ("2014-10-26T19:30:00-03:30", -12_600),
    ],
)
def test_start_is_an_instant_with_its_offset(tmp_path: Path, start: str, offset_s: int) -> None:
    readings = contents_of(lines(tmp_path, f"M1,{start},1")).readings
    assert readings.start_s.tolist() == [1_414_364_400]
    assert readings.offset_s.tolist() == [offset_s]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("M1,2026-01-05T00:00:00+0900", "wrong_columns"),
        (GOOD + ",1", "wrong_columns"),
        ("M1,2026-01-05T00:00:00+0900,0,25", "wrong_columns"),
        ("no reading at all", "wrong_columns"),
        (",2026-01-05T00:00:00+0900,0.25", "missing_meter"),
        ("M1,,0.25", "missing_start"),
        ("M1,2026-01-05 00:00:00+0900,0.25", "malformed_start"),
        ("M1,2026-01-05T00:00:00,0.25", "malformed_start"),
        ("M1,2026-13-05T00:00:00+0900,0.25", "malformed_start"),
        ("M1,2026-02-30T00:00:00+0900,0.25", "malformed_start"),
        ("M1,2026-01-05T24:00:00+0900,0.25", "malformed_start"),
        ("M1,2026-01-05T00:00:00+9900,0.25", "malformed_start"),
        ("M1,05/01/2026,0.25", "malformed_start"),
        ("M1,2026-01-05T00:00:00+0900,", "missing_value"),
        ("M1,2026-01-05T00:00:00+0900,n/a", "malformed_value"),
        ("M1,2026-01-05T00:00:00+0900,-0.25", "negative_value"),
        ("M1,2026-01-05T00:00:00+0900,1e12", "value_too_large"),
    ],
)
def test_bad_row_is_named_with_its_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    contents = contents_of(lines(tmp_path, GOOD, row, "M1,2026-01-05T00:15:00+0900,0.5"))
    assert [(problem.row, str(problem.reason)) for problem in contents.problems] == [(3, reason)]
    assert contents.readings.row.tolist() == [2, 4]
    assert contents.rows == 3


def test_row_with_several_faults_names_each(tmp_path: Path) -> None:
    contents = contents_of(lines(tmp_path, ",x,-1"))
    assert [str(problem.reason) for problem in contents.problems] == [
        "missing_meter",
        "malformed_start",
        "negative_value",
    ]
    assert contents.rows == 1


def test_files_of_spreadsheets_are_read(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(b'\xef\xbb\xbfmeter_id,start,kwh\r\n"M1","2026-01-05T00:00:00+0900","0.25"\r\n\r\n,,\r\n' + b"M1")
    contents = contents_of(path)
    assert contents.readings.meter_ids == ("M1",)
    assert contents.readings.energy_wh.tolist() == [250]
    assert [(problem.row, str(problem.reason)) for problem in contents.problems] == [(5, "wrong_columns")]


def test_lines_are_counted_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(series("M1", 300))
    rows[200] = ("M1", "yesterday", "1")
    rows[250] = ("M1", "2026-01-05T00:00:00+0900")  # type: ignore[assignment]
    whole = contents_of(write(tmp_path / "a.csv", rows))
    monkeypatch.setattr(readings_csv, "_BLOCK_BYTES", 1000)
    pieces = contents_of(write(tmp_path / "b.csv", rows))
    assert [problem.row for problem in pieces.problems] == [202, 252]
    assert sorted(whole.problems) == sorted(pieces.problems)
    assert whole.readings.row.tolist() == pieces.readings.row.tolist()
    assert whole.readings.start_s.tolist() == pieces.readings.start_s.tolist()


def test_rounded_values_are_counted(tmp_path: Path) -> None:
    contents = contents_of(lines(tmp_path, "M1,2026-01-05T00:00:00Z,0.1234", "M1,2026-01-05T00:15:00Z,0.1230"))
    assert contents.readings.energy_wh.tolist() == [123, 123]
    assert contents.rounded == 1


def test_unknown_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("meter;start;kwh\n" + GOOD)
    with pytest.raises(FileHeaderIsUnknown) as caught:
        contents_of(path)
    assert caught.value.fields == {"file": "other.csv", "found": "meter;start;kwh", "expected": HEADER}


def test_file_in_another_encoding_is_refused_with_the_row(tmp_path: Path) -> None:
    path = tmp_path / "sjis.csv"
    path.write_bytes(f"{HEADER}\n{GOOD}\n".encode() + "電力,2026-01-05T00:00:00+0900,1\n".encode("shift_jis"))
    with pytest.raises(FileIsNotUtf8) as caught:
        contents_of(path)
    assert caught.value.fields["row"] == 3


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(FileIsUnreadable):
            contents_of(path)


@pytest.mark.parametrize("content", [b"", gzip.compress(b""), b"\xef\xbb\xbf"], ids=["nothing", "gzip", "mark"])
def test_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.csv"
    path.write_bytes(content)
    with pytest.raises(FileIsEmpty):
        contents_of(path)


@pytest.mark.parametrize("rows", [[], ["", ""], [",,"]], ids=["header", "blank lines", "blank cells"])
def test_file_without_readings_is_refused(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(FileHasNoReadings):
        contents_of(lines(tmp_path, *rows))


@pytest.mark.parametrize("cut", [1, 8, 12, 200])
def test_truncated_gzip_is_refused(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "cut.csv.gz", series("M1", 500), packed=True)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(FileIsTruncated):
        contents_of(path)


@pytest.mark.parametrize("at", [12, 40, -6], ids=["early", "middle", "checksum"])
def test_damaged_gzip_is_refused(tmp_path: Path, at: int) -> None:
    path = write(tmp_path / "bad.csv.gz", series("M1", 500), packed=True)
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises((FileIsTruncated, FileHeaderIsUnknown, FileIsNotUtf8)):
        contents_of(path)


def test_endless_line_is_refused_before_it_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings_csv, "_BLOCK_BYTES", 1000)
    with pytest.raises(FileLineIsTooLong) as caught:
        contents_of(lines(tmp_path, GOOD, "x" * 200_000))
    assert caught.value.fields["row"] == 3

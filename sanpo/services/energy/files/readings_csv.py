"""CSV of readings: the header `meter_id,start,kwh`, then one line for each quarter of an hour.

Whole blocks are parsed by Arrow, which gives each text a number: starts and values occur many times in a file, and each
is converted once. Only what cannot be converted is looked at row by row, to say why.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from sanpo.services.energy.errors import FileHasNoReadings, FileHeaderIsUnknown, FileIsNotUtf8, FileLineIsTooLong
from sanpo.services.energy.files.energy_values import lenient, wh_of_kwh, why_no_value
from sanpo.services.energy.files.opening import OpenedFile
from sanpo.services.energy.files.problems import Problem, Problems, Reason
from sanpo.services.energy.files.readings import FileContents, Readings

HEADER = "meter_id,start,kwh"
_BLOCK_BYTES = 8 << 20
_LONGEST_LINE = 1 << 16
_START = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:?\d\d)$"
_GOOD = ["row", "meter", "start", "offset", "wh"]
_NUMBERED = pa.dictionary(pa.int32(), pa.string())
_UTC_S = pa.timestamp("s", tz="UTC")


def parse_csv(file: OpenedFile) -> FileContents:
    """All readings of a CSV file, and the problems of the rows that are none.

    Raises `FileHeaderIsUnknown`, `FileIsNotUtf8`, `FileHasNoReadings`, `FileIsTruncated`.
    """
    _check_header(file)
    line = 2
    blocks = []
    for text in _blocks(file):
        _check_utf8(file, text, line)
        block = _parse_block(text, line)
        blocks.append(block)
        line += block.lines
    if not any(block.rows for block in blocks):
        raise FileHasNoReadings(file=file.name)
    problems = Problems(problem for block in blocks for problem in block.problems)
    return FileContents(
        "csv", _joined(blocks), problems, sum(block.rows for block in blocks), sum(block.rounded for block in blocks)
    )


@dataclass(frozen=True)
class _Block:
    lines: int
    rows: int
    good: pa.Table
    problems: list[Problem]
    rounded: int


def _check_header(file: OpenedFile) -> None:
    found = file.content.readline(_LONGEST_LINE).rstrip(b"\r\n")
    if found.replace(b'"', b"") != HEADER.encode():
        raise FileHeaderIsUnknown(file=file.name, found=found[:80].decode("utf-8", "replace"), expected=HEADER)


def _blocks(file: OpenedFile) -> Iterator[bytes]:
    """The rest of the file in pieces that end with a line; `\\n` ends a line, quotes around values are taken off."""
    row = 2
    while text := file.content.read(_BLOCK_BYTES):
        tail = b"" if text.endswith(b"\n") else file.content.readline(_LONGEST_LINE)
        if len(tail) == _LONGEST_LINE:
            raise FileLineIsTooLong(file=file.name, row=row + text.count(b"\n"))
        text = (text + tail).replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b'"', b"")
        row += text.count(b"\n")
        yield text


def _check_utf8(file: OpenedFile, text: bytes, line: int) -> None:
    if text.isascii():
        return
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileIsNotUtf8(file=file.name, row=line + text.count(b"\n", 0, error.start)) from None


def _parse_block(text: bytes, first_line: int) -> _Block:
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    table, problems = _split(text, first_line, lines)
    rows = table.num_rows + len(problems)
    meters, starts, values = (table[name].combine_chunks() for name in HEADER.split(","))
    start, offset = (found.take(starts.indices) for found in _starts(starts.dictionary))
    energy_wh, rounded = (found.take(values.indices) for found in wh_of_kwh(values.dictionary))
    good = pc.and_(pc.and_(start.is_valid(), energy_wh.is_valid()), pc.invert(_is_blank(meters)))
    whole = pa.table([table["row"], meters, start, offset, energy_wh], _GOOD)
    if not pc.all(good, min_count=0).as_py():
        problems += [problem for row in table.filter(pc.invert(good)).to_pylist() for problem in _problems_of(row)]
        whole = whole.filter(good)
    return _Block(lines, rows, whole, problems, pc.sum(pc.and_(good, rounded)).as_py() or 0)


def _split(text: bytes, first_line: int, lines: int) -> tuple[pa.Table, list[Problem]]:
    """The block's cells as texts with their line; blank lines are left out, lines of another width are problems."""
    wrong: list[int] = []
    problems: list[Problem] = []

    def on_wrong_width(row: pcsv.InvalidRow) -> str:
        wrong.append(row.number - 1)
        found = row.text[:80]
        problems.append(Problem(first_line + row.number - 1, found.split(",")[0], Reason.WRONG_COLUMNS, found))
        return "skip"

    names = HEADER.split(",")
    cells = pcsv.read_csv(
        pa.BufferReader(text),
        pcsv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
        pcsv.ParseOptions(quote_char=False, invalid_row_handler=on_wrong_width, ignore_empty_lines=False),
        pcsv.ConvertOptions(column_types=dict.fromkeys(names, _NUMBERED), strings_can_be_null=False),
    )
    numbers = np.delete(np.arange(first_line, first_line + lines, dtype=np.int64), wrong)
    table = pa.table([numbers, *(cells[name].combine_chunks() for name in names)], ["row", *names])
    meters, starts, values = (_is_blank(table[name].combine_chunks()) for name in names)
    blank = pc.and_(pc.and_(meters, starts), values)
    return (table.filter(pc.invert(blank)) if pc.any(blank).as_py() else table), problems


def _is_blank(texts: pa.DictionaryArray) -> pa.BooleanArray:
    return pc.equal(texts.indices, pa.scalar(pc.index(texts.dictionary, "").as_py(), pa.int32()))


def _starts(texts: pa.StringArray) -> tuple[pa.Array, pa.Array]:
    """Seconds from 1970 and the offset in seconds; null where a text has not the form 2014-10-27T00:00:00+0100."""
    formed = pc.match_substring_regex(texts, _START)
    texts = pc.if_else(formed, texts, pa.scalar(None, pa.string()))
    utc = lenient(texts, lambda part: part.cast(_UTC_S)).cast(pa.int64())
    local = lenient(pc.utf8_slice_codeunits(texts, 0, 19), lambda part: part.cast(pa.timestamp("s"))).cast(pa.int64())
    return utc, pc.subtract(local, utc)


def _problems_of(cells: dict[str, Any]) -> Iterator[Problem]:
    row, meter_id, start, kwh = cells["row"], cells["meter_id"], cells["start"], cells["kwh"]
    if not meter_id:
        yield Problem(row, "", Reason.MISSING_METER, "")
    if not start:
        yield Problem(row, meter_id, Reason.MISSING_START, "")
    elif not _starts(pa.array([start]))[0].is_valid()[0].as_py():
        yield Problem(row, meter_id, Reason.MALFORMED_START, start[:80])
    if (reason := why_no_value(kwh)) is not None:
        yield Problem(row, meter_id, reason, kwh[:80])


def _joined(blocks: list[_Block]) -> Readings:
    table = pa.concat_tables(block.good for block in blocks)
    meters = table["meter"].cast(pa.string()).combine_chunks().dictionary_encode()
    return Readings(
        meter_ids=tuple(meters.dictionary.to_pylist()),
        row=table["row"].to_numpy(),
        meter=meters.indices.to_numpy(),
        start_s=table["start"].to_numpy(),
        offset_s=table["offset"].to_numpy().astype(np.int32),
        energy_wh=table["wh"].to_numpy().astype(np.int32),
    )

"""From the bytes of a message to records."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from sanpo.broker.ingest.errors import RecordIsBad, bad
from sanpo.broker.ingest.mapping import Payload
from sanpo.broker.ingest.paths import Record, read_path, walk

_decode = msgspec.json.Decoder().decode
MOST_RECORDS = 100_000
UNREADABLE = "\ufffd"


def records_of(payload: Payload, body: bytes, named: Mapping[str, Any]) -> list[Record]:
    """The records of one message; `named` are the parts of its topic. Raises `RecordIsBad`."""
    found = list(_records(payload, body, named))
    if not found:
        bad("there is no record in it")
    if len(found) > MOST_RECORDS:
        bad("there are too many records in it")
    return found


def _records(payload: Payload, body: bytes, named: Mapping[str, Any]) -> Iterator[Record]:
    if payload.format == "json":
        yield from json_records(payload, body, named)
        return
    try:
        text = body.decode(payload.encoding)
    except UnicodeDecodeError:
        bad(f"it is not {payload.encoding}")
    for _, record in numbered_csv(payload, io.StringIO(text, newline="")):
        yield bad(record) if isinstance(record, str) else {**record, **named}


def json_records(payload: Payload, body: bytes | str, named: Mapping[str, Any]) -> Iterator[Record]:
    """The records of one document; members of each by name too, where it is an object. Raises `RecordIsBad`."""
    document = read_json(body)
    for each in [document] if payload.records is None else walk(document, read_path(payload.records)):
        members = each if isinstance(each, dict) else {}
        yield {**members, **named, "$": each}


def numbered_csv(payload: Payload, lines: Iterable[str]) -> Iterator[tuple[int, Record | str]]:
    """Each record with the number of its last line, or why it is none. Empty lines are passed over."""
    reader = csv.reader(lines, delimiter=payload.delimiter, strict=True)
    names = list(payload.columns)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, "it is no CSV"
            continue
        if cells and not names:
            names = cells
        elif any(UNREADABLE in cell for cell in cells):
            yield reader.line_num, f"it is not {payload.encoding}"
        elif len(cells) == len(names):
            yield reader.line_num, dict(zip(names, cells, strict=True))
        elif cells:
            yield reader.line_num, f"it has {len(cells)} cells where {len(names)} are expected"


def numbered_json(payload: Payload, lines: Iterable[str]) -> Iterator[tuple[int, Record | str]]:
    """As `numbered_csv`, for a document on each line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if UNREADABLE in line:
            yield number, f"it is not {payload.encoding}"
            continue
        try:
            for record in json_records(payload, line, {}):
                yield number, record
        except RecordIsBad as error:
            yield number, error.reason


def read_json(body: bytes | str) -> Any:
    """Raises `RecordIsBad`."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return bad("it is no JSON")

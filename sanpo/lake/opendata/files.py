"""Open files as tables of texts: CSV in UTF-8 or CP932, a table of a GTFS feed, or the features of a GeoJSON document.

Whatever the format, a file is a header and numbered rows of texts, so that all cells are understood by the same rules.
"""

import csv
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from sanpo.lake.errors import OpenFileIsUnreadable
from sanpo.lake.opendata.descriptor import FileForm

Progress = Callable[[int], None]
_BLOCK = 1 << 20
_LONGEST_CELL = 1 << 20
_NOT_CP932 = frozenset("\x00\x80\xa0\uf8f1\uf8f2\uf8f3")
"""What Python reads out of bytes that CP932 does not have."""
LATITUDE, LONGITUDE = "geometry.latitude", "geometry.longitude"
"""The columns that a point's coordinates become; the other columns of GeoJSON are the features' properties."""


@dataclass(frozen=True)
class OpenedFile:
    """`rows` gives the number of each row (from 1, the header counts in CSV and GTFS) with its texts, once."""

    name: str
    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def digest_of(path: Path) -> str:
    """The file's SHA-256 in hex. Raises `OpenFileIsUnreadable`."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OpenFileIsUnreadable(file=path.name, problem=error.strerror or str(error)) from None


@contextmanager
def open_table_file(path: Path, form: FileForm, progress: Progress = lambda size: None) -> Iterator[OpenedFile]:
    """The table in this file. `progress` is told of bytes read. Raises `OpenFileIsUnreadable`, also while rows are read."""
    with _readable(path.name):
        if form.format == "geojson":
            yield _geojson(path, progress)
        elif form.format == "gtfs":
            with zipfile.ZipFile(path) as feed, _member(feed, path, form) as binary:
                yield _delimited(path.name, binary, form, _encoding(feed.open(binary.name), form, path.name), progress)
        else:
            with path.open("rb") as look:
                encoding = _encoding(look, form, path.name)
            with path.open("rb") as binary:
                yield _delimited(path.name, binary, form, encoding, progress)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turns failures to read inside the block into `OpenFileIsUnreadable`."""
    try:
        yield
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, csv.Error, UnicodeDecodeError) as error:
        raise OpenFileIsUnreadable(file=name, problem=str(error) or type(error).__name__) from None


def _member(feed: zipfile.ZipFile, path: Path, form: FileForm) -> IO[bytes]:
    """The feed's table; some feeds keep their tables in a folder."""
    wanted = f"{form.table}.txt"
    for name in feed.namelist():
        if name.rsplit("/", 1)[-1] == wanted:
            return feed.open(name)
    tables = ", ".join(sorted(name for name in feed.namelist() if name.endswith(".txt")))
    raise OpenFileIsUnreadable(file=path.name, problem=f"the feed has no {wanted}; it has: {tables or 'no table'}")


def _encoding(binary: IO[bytes], form: FileForm, name: str) -> str:
    """UTF-8 where all of the text is, else CP932: hardly any Japanese text in CP932 is UTF-8 by chance."""
    if form.encoding is not None:
        return "utf-8-sig" if form.encoding == "utf-8" else form.encoding
    with binary:
        for encoding, impossible in (("utf-8-sig", frozenset("\x00")), ("cp932", _NOT_CP932)):
            if _is_text(binary, encoding, impossible):
                return encoding
    raise OpenFileIsUnreadable(file=name, problem="the text is neither UTF-8 nor CP932 (Shift_JIS)")


def _is_text(binary: IO[bytes], encoding: str, impossible: frozenset[str]) -> bool:
    binary.seek(0)
    reader = io.TextIOWrapper(binary, encoding)
    try:
        while block := reader.read(_BLOCK):
            if not impossible.isdisjoint(block):
                return False
    except UnicodeDecodeError:
        return False
    finally:
        reader.detach()
    return True


def _delimited(name: str, binary: IO[bytes], form: FileForm, encoding: str, progress: Progress) -> OpenedFile:
    csv.field_size_limit(_LONGEST_CELL)
    text = io.TextIOWrapper(binary, encoding, newline="")
    rows = enumerate(csv.reader(_counted(text, progress), delimiter=form.delimiter, strict=True), 1)
    for number, cells in rows:
        if number == form.header_row:
            header = tuple(cell.strip() for cell in cells)
            return OpenedFile(name, header, _rows(name, rows, form.first_row or form.header_row + 1))
    raise OpenFileIsUnreadable(file=name, problem=f"it has no row {form.header_row}, which should be the header")


def _rows(name: str, rows: Iterator[tuple[int, list[str]]], first: int) -> Iterator[tuple[int, list[str]]]:
    """The rows from this one on, without blank ones. Whoever reads them is told of a file that breaks off."""
    with _readable(name):
        for number, cells in rows:
            if number >= first and any(cell.strip() for cell in cells):
                yield number, cells


def _counted(lines: Iterator[str], progress: Progress) -> Iterator[str]:
    """The lines; tells how many bytes they are in UTF-8, now and then."""
    size = 0
    for line in lines:
        size += len(line.encode())
        if size >= _BLOCK:
            progress(size)
            size = 0
        yield line
    progress(size)


def _geojson(path: Path, progress: Progress) -> OpenedFile:
    data = path.read_bytes()
    progress(len(data))
    try:
        found = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
        features = found["features"]
        properties = [feature["properties"] or {} for feature in features]
        places = [_point(feature["geometry"]) for feature in features]
        names = tuple(dict.fromkeys(name for each in properties for name in each))
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise OpenFileIsUnreadable(file=path.name, problem=f"it is no GeoJSON FeatureCollection: {error!r}") from None
    rows = (
        (number, [*(_text(each.get(name)) for name in names), *place])
        for number, (each, place) in enumerate(zip(properties, places, strict=True), 1)
    )
    return OpenedFile(path.name, (*names, LATITUDE, LONGITUDE), rows)


def _point(geometry: dict[str, Any] | None) -> tuple[str, str]:
    """Latitude and longitude of a point; two empty texts for any other geometry."""
    if geometry is None or geometry["type"] != "Point":
        return "", ""
    longitude, latitude = geometry["coordinates"][:2]
    return _text(latitude), _text(longitude)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()

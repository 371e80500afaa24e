"""Opening a file of readings: plain or gzip, CSV or Green Button, told apart by its first bytes; progress in bytes."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sanpo.services.energy.errors import FileIsEmpty, FileIsTruncated, FileIsUnreadable
from sanpo.services.energy.files.readings import Format

Progress = Callable[[int], None]
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class OpenedFile:
    """A file's content without gzip and byte-order mark. `sha256` is known when all of it was read."""

    name: str
    format: Format
    content: BinaryIO
    _raw: "_Counted"

    def sha256(self) -> str:
        """Of the file as it lies on the disk, with gzip."""
        return self._raw.sha256()


@contextmanager
def open_readings(path: Path, progress: Progress = lambda size: None) -> Iterator[OpenedFile]:
    """Opens a file; `progress` hears of each number of bytes read from the disk.

    Raises `FileIsUnreadable`, `FileIsEmpty`, and while it is read `FileIsTruncated`.
    """
    try:
        raw = _Counted(path, progress)
    except OSError as error:
        raise FileIsUnreadable(file=path.name, problem=error.strerror or type(error).__name__) from error
    with raw, _unpacking(path.name):
        buffered = io.BufferedReader(raw, 1 << 20)
        packed = buffered.peek(2)[:2] == _GZIP
        content = io.BufferedReader(gzip.GzipFile(fileobj=buffered), 1 << 20) if packed else buffered
        head = content.peek(64)
        if not head.removeprefix(_BOM):
            raise FileIsEmpty(file=path.name)
        if head.startswith(_BOM):
            content.read(len(_BOM))
        form: Format = "green_button" if head.removeprefix(_BOM).lstrip().startswith(b"<") else "csv"
        yield OpenedFile(path.name, form, content, raw)


class _Counted(io.RawIOBase):
    """The file as it is read once, in order, with its hash and its progress."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._file = path.open("rb", buffering=0)
        self._progress = progress
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        count = self._file.readinto(buffer)  # type: ignore[arg-type]
        self._hash.update(memoryview(buffer)[:count])  # type: ignore[arg-type]
        self._progress(count)
        return count

    def sha256(self) -> str:
        while self.readinto(bytearray(1 << 20)):
            pass
        return self._hash.hexdigest()

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def _unpacking(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileIsTruncated(file=name, problem=str(error)) from error

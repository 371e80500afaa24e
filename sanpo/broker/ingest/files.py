"""Files of measurements: checked whole before anything is stored, then stored batch by batch, and gone on with after a crash.

How far a file has come is noted in the transaction of each batch. The same file with the same mapping is never stored twice.
"""

import gzip
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sanpo.broker.entities import Place
from sanpo.broker.ingest.converting import Converter, Row
from sanpo.broker.ingest.errors import FileHasBadLines, RecordIsBad
from sanpo.broker.ingest.mapping import Mapping
from sanpo.broker.ingest.payloads import numbered_csv, numbered_json
from sanpo.broker.ingest.store import SQL
from sanpo.broker.ingest.writing import Written, write
from sanpo.broker.sight import DUTY, check_writer
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import InputIsInvalid

BATCH = 5_000
MOST_NAMED = 100_000
Line = tuple[int, Row | str]
"""A row, or the reason why there is none, with the number of its line."""


@dataclass(frozen=True)
class Given:
    """A file, or what was sent as one. `open` begins at its first byte."""

    name: str
    open: Callable[[], BinaryIO]

    @staticmethod
    def of_file(file: Path) -> "Given":
        return Given(file.name, lambda: file.open("rb"))

    @staticmethod
    def of_body(name: str, body: bytes) -> "Given":
        return Given(name, lambda: io.BytesIO(body))

    def sha256(self) -> str:
        with self.open() as raw:
            found = hashlib.sha256()
            while part := raw.read(1 << 20):
                found.update(part)
            return found.hexdigest()


@dataclass
class Imported:
    """`records` are all that the file holds so far; `before` those that were stored earlier already."""

    file: str
    mapping: str
    records: int = 0
    before: int = 0
    observations: int = 0
    entities: int = 0
    skipped: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    is_dry: bool = False

    def as_json(self) -> dict[str, Any]:
        found = {name: value for name, value in vars(self).items() if name != "bad"}
        return {**found, "bad": [{"line": line, "reason": reason} for line, reason in self.bad]}


@dataclass
class Import:
    """One file by one mapping, for one actor."""

    city: City
    actor: Actor
    given: Given
    mapping: Mapping
    mapping_sha256: str
    skip_bad: bool = False
    progress: Callable[[int], None] = lambda size: None

    def run(self, *, dry: bool = False) -> Imported:
        """Checks all lines, and stores them if it is not `dry`.

        Raises `FileHasBadLines` where one cannot be used, and none may be skipped.
        """
        check_writer(self.city, self.actor)
        self.place = Place(self.city, self.actor, self.mapping.tenant)
        self.converter = Converter(self.city, self.mapping)
        done = Imported(self.given.name, self.mapping.name, is_dry=dry)
        for line, row in self._lines():
            done.records += 1
            if isinstance(row, str):
                self._skip(done, line, row)
        if dry:
            return done
        if done.bad and not self.skip_bad:
            self._refuse(done, 0)
        return self._store(Imported(self.given.name, self.mapping.name))

    def _store(self, done: Imported) -> Imported:
        with self.city.transaction(DUTY) as tx:
            known = tx.get(
                SQL.begin_import,
                file_sha256=self.given.sha256(),
                mapping_sha256=self.mapping_sha256,
                tenant=self.mapping.tenant,
                mapping=self.mapping.name,
                file_name=self.given.name,
                now=tx.now,
            )
        done.records = done.before = known.records
        lines = islice(self._lines(), known.records, None)
        entities: set[str] = set()
        while batch := list(islice(lines, BATCH)):
            entities |= self._store_batch(done, known.import_no, batch)
        done.entities = len(entities)
        return done

    def _store_batch(self, done: Imported, import_no: int, batch: list[Line]) -> set[str]:
        rows = [(line, row) for line, row in batch if not isinstance(row, str)]

        def note(tx: Transaction, written: Written) -> None:
            there = tx.execute(
                SQL.note_import,
                import_no=import_no,
                before=done.records,
                records=done.records + len(batch),
                observations=written.observations,
                skipped=len(batch) - len(rows) + len(written.refused),
                is_done=len(batch) < BATCH,
                now=tx.now,
            )
            if not there:
                raise InputIsInvalid(where=self.given.name, problem="is being imported by somebody else")

        written = write(
            self.place, self.converter, [row for _, row in rows], note=note, all_or_nothing=not self.skip_bad
        )
        for line, row in batch:
            if isinstance(row, str):
                self._skip(done, line, row)
        for at, reason in written.refused.items():
            self._skip(done, rows[at][0], reason)
        if written.refused and not self.skip_bad:
            self._refuse(done, done.records)
        done.records += len(batch)
        done.observations += written.observations
        return written.entities

    def _skip(self, done: Imported, line: int, reason: str) -> None:
        done.skipped += 1
        if len(done.bad) < MOST_NAMED:
            done.bad.append((line, reason))

    def _refuse(self, done: Imported, stored: int) -> None:
        named = [{"line": line, "reason": reason} for line, reason in done.bad]
        raise FileHasBadLines(file=self.given.name, count=done.skipped, done=stored, bad=named)

    def _lines(self) -> Iterator[Line]:
        arrived = self.place.now()
        numbered = numbered_csv if self.mapping.payload.format == "csv" else numbered_json
        for line, record in numbered(self.mapping.payload, self._text()):
            try:
                yield line, record if isinstance(record, str) else self.converter.row(record, arrived)
            except RecordIsBad as error:
                yield line, error.reason

    def _text(self) -> Iterator[str]:
        """The lines of the file. Bytes that are not of its encoding become U+FFFD, by which the record is found to be bad."""
        with self.given.open() as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            opened: Any = gzip.GzipFile(fileobj=raw) if is_packed else raw
            encoding = "utf-8-sig" if self.mapping.payload.encoding == "utf-8" else self.mapping.payload.encoding
            at = 0
            for line in io.TextIOWrapper(opened, encoding=encoding, errors="replace", newline=""):
                yield line
                if raw.tell() != at:
                    self.progress(raw.tell() - at)
                    at = raw.tell()

"""Importing a file of readings: all of it is checked before any of it is written, and it lands exactly once.

The order that makes a crash harmless: the import is recorded as staged, the lake commits the readings under the
import's id, the import is recorded as done. Whoever repeats a file that was cut off finds its id, and the lake
refuses to append twice under one id.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.lake import append, has_appended, snapshot
from sanpo.services.energy.errors import (
    FileHasBadRows,
    FileHasOnlyBadRows,
    FileIsAlreadyImported,
    FileIsFromAnotherZone,
    TimezoneIsUnknown,
)
from sanpo.services.energy.files import (
    NO_OFFSET,
    Checked,
    FileContents,
    Problems,
    Progress,
    Readings,
    Reason,
    check_readings,
    never_matches,
    offset_text,
    offsets_at,
    open_readings,
    parse,
)
from sanpo.services.energy.model import READINGS, Imported, Meter
from sanpo.services.energy.store import SQL

LISTED = 20


@dataclass(frozen=True)
class _Source:
    """A file that was read, with the clock it is held against."""

    path: Path
    sha256: str
    contents: FileContents
    zone: ZoneInfo


def import_readings(
    city: City,
    actor: Actor,
    path: Path,
    *,
    timezone: str | None = None,
    skip_bad: bool = False,
    report: Path | None = None,
    progress: Progress = lambda size: None,
) -> Imported:
    """Imports a CSV or Green Button file whole, or with `skip_bad` without its bad rows; otherwise nothing of it.

    `timezone` is the zone of the meters' clock (default: the city's). `report` is a CSV of all problems that is
    written in any case. Raises the file's errors (`File…`), `TimezoneIsUnknown`, `NotPermitted`, and the lake's.
    """
    officer = require_officer(actor)
    source = _read(path, zone_of(timezone or city.settings.timezone), progress)
    with _one_at_a_time(city, officer) as tx:
        earlier = tx.one(SQL.import_by_sha256, sha256=source.sha256)
        if earlier is not None and earlier.state == "imported":
            raise FileIsAlreadyImported(file=path.name, at=earlier.imported_at.isoformat(), import_id=earlier.import_id)
        if earlier is not None and has_appended(city, READINGS, earlier.import_id):
            done = Imported.from_json(earlier.summary)
        else:
            import_id = new_id("imp") if earlier is None else str(earlier.import_id)
            done = _check_and_append(city, tx, source, import_id, skip_bad=skip_bad, report=report)
        tx.execute(SQL.finish_import, import_id=done.import_id, now=city.now())
    return done


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone of this name; raises `TimezoneIsUnknown`."""
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError):
        raise TimezoneIsUnknown(timezone=name[:80]) from None


def _read(path: Path, zone: ZoneInfo, progress: Progress) -> _Source:
    with open_readings(path, progress) as file:
        contents = parse(file)
        return _Source(path, file.sha256(), contents, zone)


@contextmanager
def _one_at_a_time(city: City, actor: Actor) -> Iterator[Transaction]:
    """Two imports at once could each find the other's readings not there yet."""
    with city.transaction(actor) as tx:
        tx.execute(SQL.lock_imports)
        yield tx


def _check_and_append(
    city: City, tx: Transaction, source: _Source, import_id: str, *, skip_bad: bool, report: Path | None
) -> Imported:
    contents = source.contents
    if never_matches(contents.readings, source.zone):
        stated = contents.readings.offset_s[contents.readings.offset_s != NO_OFFSET]
        found = offset_text(int(stated[0]))
        raise FileIsFromAnotherZone(file=source.path.name, found=found, timezone=source.zone.key)
    checked = check_readings(contents.readings, source.zone, tx.now)
    problems = contents.problems + checked.problems
    meters = _meters_of(tx, checked.readings)
    sound = checked.readings.without(problems)
    strange = sound.problems(meters.meter_no[sound.meter] == 0, Reason.UNKNOWN_METER)
    sound = sound.without(strange)
    repeated = _already_imported(city, sound, meters)
    sound, problems = sound.without(repeated), problems + strange + repeated
    if report is not None:
        problems.write_csv(report)
    _judge(source, problems, left=len(sound), skip_bad=skip_bad)
    done = _summary(source, import_id, checked, sound, problems)
    _stage(city, tx, done, source.sha256)
    append(city, READINGS, _table(sound, meters, source.zone), once=import_id)
    return done


def _judge(source: _Source, problems: Problems, *, left: int, skip_bad: bool) -> None:
    if not len(problems):
        return
    counts = {str(reason): count for reason, count in problems.counts().items()}
    strangers = sorted({problem.meter_id for problem in problems if problem.reason is Reason.UNKNOWN_METER})
    fields = {
        "file": source.path.name,
        "bad": len(problems.rows()),
        "rows": source.contents.rows,
        "reasons": ", ".join(f"{reason} {count}" for reason, count in counts.items()),
        "counts": counts,
        "first": [problem._asdict() for problem in problems.first(LISTED)],
        "unknown_meters": strangers[:LISTED],
    }
    if not skip_bad:
        raise FileHasBadRows(**fields)
    if not left:
        raise FileHasOnlyBadRows(**fields)


@dataclass(frozen=True)
class _Meters:
    """`meter_no` and `subject_no` for each of the file's meters, in its order; 0 where a meter is not registered."""

    meter_no: NDArray[np.int32]
    subject_no: NDArray[np.int32]


def _meters_of(tx: Transaction, readings: Readings) -> _Meters:
    known = {row.meter_id: Meter(*row) for row in tx.all(SQL.meters, meter_ids=list(readings.meter_ids))}
    none = Meter(0, "", 0)
    found = [known.get(meter_id, none) for meter_id in readings.meter_ids]
    return _Meters(
        np.array([meter.meter_no for meter in found], np.int32),
        np.array([meter.subject_no for meter in found], np.int32),
    )


def _already_imported(city: City, readings: Readings, meters: _Meters) -> Problems:
    """The readings whose meter has one for the same time in the lake."""
    if not len(readings):
        return Problems()
    since, until = _moment(readings.start_s.min()), _moment(readings.start_s.max())
    files = list(snapshot(city, READINGS, since=since, until=until).files)
    if not files:
        return Problems()
    meter_no = meters.meter_no[readings.meter]
    new = pa.table({"place": np.arange(len(readings)), "meter_no": meter_no, "start_s": readings.start_s})
    with duckdb.connect(config={"threads": city.settings.question_threads}) as engine:
        engine.register("new", new)
        found = engine.execute(
            "select place from new semi join read_parquet($files, hive_partitioning = false) old"
            " on new.meter_no = old.meter_no and new.start_s * 1000000 = epoch_us(old.start_at)",
            {"files": files},
        ).fetchall()
    mask = np.zeros(len(readings), np.bool_)
    mask[[place for (place,) in found]] = True
    return readings.problems(mask, Reason.ALREADY_IMPORTED)


def _summary(source: _Source, import_id: str, checked: Checked, sound: Readings, problems: Problems) -> Imported:
    contents = source.contents
    return Imported(
        import_id=import_id,
        file_name=source.path.name,
        format=contents.format,
        timezone=source.zone.key,
        rows=contents.rows,
        readings=len(sound),
        meters=len(np.unique(sound.meter)),
        skipped=contents.rows - len(sound),
        reasons={str(reason): count for reason, count in problems.counts().items()},
        rounded=contents.rounded,
        missing=checked.missing,
        first_start_at=_moment(sound.start_s.min()),
        last_start_at=_moment(sound.start_s.max()),
    )


def _stage(city: City, tx: Transaction, done: Imported, sha256: str) -> None:
    """Recorded in a transaction of its own: it must outlive a crash of the one that waits for the lake."""
    with city.transaction(tx.actor) as own:
        own.execute(
            SQL.stage_import,
            import_id=done.import_id,
            file_name=done.file_name,
            sha256=sha256,
            summary=Jsonb(done.as_json()),
            now=own.now,
        )


def _table(readings: Readings, meters: _Meters, zone: ZoneInfo) -> pa.Table:
    local_s = readings.start_s + offsets_at(zone, readings.start_s)
    return pa.table(
        {
            "subject_no": meters.subject_no[readings.meter],
            "meter_no": meters.meter_no[readings.meter],
            "start_at": pa.array(readings.start_s * 1_000_000, pa.timestamp("us", tz="UTC")),
            "start_local": pa.array(local_s * 1_000_000, pa.timestamp("us")),
            "energy_wh": readings.energy_wh,
        }
    )


def _moment(seconds: np.int64) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def list_imports(city: City, actor: Actor, *, limit: int = 100) -> list[tuple[str, Imported]]:
    """State and summary of each import, newest first."""
    officer = require_officer(actor)
    with city.transaction(officer) as tx:
        return [(row.state, Imported.from_json(row.summary)) for row in tx.all(SQL.imports, limit=limit)]

"""Small lakes of Parquet files with plans over them, for tests of what needs no city."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sanpo.cleanroom.answer import arrange_for, columns_of, rows_of
from sanpo.cleanroom.disclosure import Protection, Release, release
from sanpo.cleanroom.joins import open_scope
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.plan import Cell, Limits, Plan, datasets_used, make_plan
from sanpo.cleanroom.rules import check_types
from sanpo.cleanroom.scope import Scope
from sanpo.consent import Admission, PublishedAgreement, gate
from sanpo.consent.model import Document, Recipient, Text
from sanpo.ground.config import Settings
from sanpo.lake import Column, Dataset, DatasetIsUnknown, Key, Snapshot
from tests.consent.drafts import draft

HOMES = Dataset(
    name="energy.homes",
    personal=True,
    columns=(
        Column("subject_no", "int32", "subject"),
        Column("area", "text", "dimension"),
        Column("occupants", "int32", "dimension", unit="persons"),
        Column("solar", "bool", "dimension"),
        Column("moved_in", "date", "dimension"),
    ),
    keys=(Key("subject", "subject", "subject_no"), Key("area", "area", "area")),
    unique=("subject",),
)
READINGS = Dataset(
    name="energy.readings",
    personal=True,
    columns=(
        Column("subject_no", "int32", "subject"),
        Column("meter_no", "int32", "key"),
        Column("start_at", "timestamp", "time"),
        Column("start_local", "timestamp", "time"),
        Column("energy_wh", "int32", "measure", unit="Wh"),
        Column("total_wh", "int64", "measure", unit="Wh"),
        Column("volts", "float64", "measure", unit="V"),
        Column("note", "text", "dimension"),
    ),
    attributes="energy.homes",
    time_column="start_at",
    local_column="start_local",
    keys=(
        Key("subject", "subject", "subject_no"),
        Key("hour", "time", "start_at", "hour"),
        Key("day", "time", "start_at", "day"),
    ),
)
WEATHER = Dataset(
    name="open.weather",
    personal=False,
    columns=(
        Column("area", "text", "dimension"),
        Column("hour_at", "timestamp", "time"),
        Column("hour_local", "timestamp", "time"),
        Column("temperature_c", "float64", "measure", unit="°C"),
        Column("rain_mm", "int32", "measure", unit="mm"),
        Column("kind", "text", "dimension"),
    ),
    time_column="hour_at",
    local_column="hour_local",
    keys=(
        Key("area", "area", "area"),
        Key("hour", "time", "hour_at", "hour"),
        Key("day", "time", "hour_at", "day"),
    ),
    unique=("area", "hour"),
)
RIDES = Dataset(
    name="bus.rides",
    personal=True,
    columns=(
        Column("subject_no", "int32", "subject"),
        Column("card_no", "int32", "key"),
        Column("boarded_at", "timestamp", "time"),
        Column("boarded_local", "timestamp", "time"),
        Column("fare_yen", "int32", "measure", unit="JPY"),
        Column("stop", "text", "dimension"),
    ),
    time_column="boarded_at",
    local_column="boarded_local",
    keys=(
        Key("subject", "subject", "subject_no"),
        Key("hour", "time", "boarded_at", "hour"),
        Key("day", "time", "boarded_at", "day"),
        Key("stop", "mesh", "stop"),
    ),
)
PASSES = Dataset(
    name="bus.passes",
    personal=True,
    columns=(
        Column("subject_no", "int32", "subject"),
        Column("kind", "text", "dimension"),
        Column("price_yen", "int32", "measure", unit="JPY"),
        Column("bought_on", "date", "dimension"),
        Column("area_from", "text", "dimension"),
    ),
    keys=(Key("subject", "subject", "subject_no"), Key("area", "area", "area_from")),
    unique=("subject",),
)
PUBLIC = Dataset(name="weather.days", personal=False, columns=(Column("rain_mm", "int32", "measure"),))
CATALOGUE = {each.name: each for each in (HOMES, READINGS, WEATHER, RIDES, PASSES, PUBLIC)}
SCOPE = Scope(READINGS, HOMES)
UNIVERSE = 64
AGREEMENT = PublishedAgreement(
    agreement_id="agr_test",
    agreement_no=1,
    organisation_no=1,
    sha256="0" * 64,
    state="approved",
    published_at=datetime(2026, 1, 1, tzinfo=UTC),
    document=Document(draft(), Recipient("org_test", Text("大学", "University"), "tel:0"), Text("市", "City")),
)


def find(name: str) -> Dataset:
    """A dataset of these worlds by name. Raises `DatasetIsUnknown`."""
    if name not in CATALOGUE:
        raise DatasetIsUnknown(dataset=name, known=", ".join(CATALOGUE))
    return CATALOGUE[name]


def scope_for(question: Question) -> Scope:
    """What the question can name here."""
    return open_scope(question, find)


@dataclass(frozen=True)
class Lake:
    """Readings and homes in files of one folder, and what else is there to join to them."""

    folder: Path
    readings: Snapshot
    homes: Snapshot
    others: Mapping[str, Snapshot] = field(default_factory=dict)

    def plan(self, question: Question, admitted: list[int], limits: Limits | None = None) -> Plan:
        scope = scope_for(question)
        check_types(question, scope)
        snapshots = {"energy.readings": self.readings, "energy.homes": self.homes, **self.others}
        used = {name: snapshots[name] for name in datasets_used(question, scope)}
        return make_plan(question, scope, used, admission_of(admitted), limits)


def admission_of(admitted: list[int]) -> Admission:
    """An admission under the gate's own seal, without a city: for tests of engines alone."""
    flags = np.zeros(UNIVERSE, dtype=np.uint8)
    flags[admitted] = 1
    bits = np.packbits(flags, bitorder="little").tobytes()
    parts = (AGREEMENT, READINGS.name, frozenset[str](), bits, AGREEMENT.published_at, "test")
    return Admission(*parts, _seal=gate._seal(*parts))


Rows = Sequence[dict[str, Any]]


def write_lake(
    folder: Path,
    readings: Rows,
    homes: Rows,
    *,
    files: int = 2,
    weather: Rows = (),
    rides: Rows = (),
    passes: Rows = (),
) -> Lake:
    """Writes the rows as the lake does, spread over some files; missing fields are null."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    others = ((WEATHER, weather), (RIDES, rides), (PASSES, passes))
    return Lake(
        folder,
        _snapshot(folder, READINGS, readings, files),
        _snapshot(folder, HOMES, homes, 1),
        {dataset.name: _snapshot(folder, dataset, rows, files) for dataset, rows in others},
    )


def _snapshot(folder: Path, dataset: Dataset, rows: Rows, files: int) -> Snapshot:
    parts = [rows[at::files] for at in range(files)]
    names = [_write(folder / f"{dataset.name}.{at}.parquet", dataset, part) for at, part in enumerate(parts)]
    return Snapshot(dataset, 1, tuple(names), root=str(folder), rows=len(rows))


def reading(subject_no: int, start: str = "2026-01-05 00:00", **values: Any) -> dict[str, Any]:
    """One reading; its local time is given, its instant follows nine hours before."""
    local = datetime.fromisoformat(start)
    return {"subject_no": subject_no, "meter_no": subject_no, "start_local": local, **values}


def settings_for(folder: Path, **changes: Any) -> Settings:
    return Settings(mode="test", home=folder, lake_url=str(folder), **changes)


def released(question: Question, cells: list[Cell], minimum: int) -> tuple[list[Any], bytes]:
    """What leaves: the answer's rows and the contributors."""
    protection = Protection(minimum, totals=question.totals)
    let_out: Release = release(cells, question.measures, protection=protection, arrange=arrange_for(question))
    columns_of(question, scope_for(question))
    return list(rows_of(question, let_out.rows)), let_out.contributors


def _write(file: Path, dataset: Dataset, rows: Rows) -> str:
    columns = {name: [row.get(name) for row in rows] for name in dataset.schema.names}
    pq.write_table(pa.table(columns, schema=dataset.schema), file, row_group_size=7)
    return str(file)

"""Small lakes of Parquet files with plans over them, for tests of what needs no city."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sanpo.cleanroom.answer import arrange_for, columns_of, rows_of
from sanpo.cleanroom.disclosure import Release, release
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.plan import Cell, Plan, datasets_used, make_plan
from sanpo.cleanroom.rules import check_types
from sanpo.cleanroom.scope import Scope
from sanpo.consent import Admission, PublishedAgreement, gate
from sanpo.consent.model import Document, Recipient, Text
from sanpo.ground.config import Settings
from sanpo.lake import Column, Dataset, Snapshot
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
)
PUBLIC = Dataset(name="weather.days", personal=False, columns=(Column("rain_mm", "int32", "measure"),))
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


@dataclass(frozen=True)
class Lake:
    """Readings and homes in files of one folder."""

    folder: Path
    readings: Snapshot
    homes: Snapshot

    def plan(self, question: Question, admitted: list[int]) -> Plan:
        check_types(question, SCOPE)
        snapshots = {"energy.readings": self.readings, "energy.homes": self.homes}
        used = {name: snapshots[name] for name in datasets_used(question, SCOPE)}
        return make_plan(question, SCOPE, used, admission_of(admitted))


def admission_of(admitted: list[int]) -> Admission:
    """An admission under the gate's own seal, without a city: for tests of engines alone."""
    flags = np.zeros(UNIVERSE, dtype=np.uint8)
    flags[admitted] = 1
    bits = np.packbits(flags, bitorder="little").tobytes()
    parts = (AGREEMENT, READINGS.name, frozenset[str](), bits, AGREEMENT.published_at, "test")
    return Admission(*parts, _seal=gate._seal(*parts))


def write_lake(folder: Path, readings: list[dict[str, Any]], homes: list[dict[str, Any]], *, files: int = 2) -> Lake:
    """Writes the rows as the lake does, spread over some files; missing fields are null."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    parts = [readings[at::files] for at in range(files)]
    return Lake(
        folder,
        Snapshot(
            READINGS, 1, tuple(_write(folder / f"r{at}.parquet", READINGS, rows) for at, rows in enumerate(parts))
        ),
        Snapshot(HOMES, 1, (_write(folder / "h.parquet", HOMES, homes),)),
    )


def reading(subject_no: int, start: str = "2026-01-05 00:00", **values: Any) -> dict[str, Any]:
    """One reading; its local time is given, its instant follows nine hours before."""
    local = datetime.fromisoformat(start)
    return {"subject_no": subject_no, "meter_no": subject_no, "start_local": local, **values}


def settings_for(folder: Path, **changes: Any) -> Settings:
    return Settings(mode="test", home=folder, lake_url=str(folder), **changes)


def released(question: Question, cells: list[Cell], minimum: int) -> tuple[list[Any], bytes]:
    """What leaves: the answer's rows and the contributors."""
    functions = [measure.function for measure in question.measures]
    let_out: Release = release(cells, functions, minimum=minimum, arrange=arrange_for(question))
    columns_of(question, SCOPE)
    return list(rows_of(question, let_out.rows)), let_out.contributors


def _write(file: Path, dataset: Dataset, rows: list[dict[str, Any]]) -> str:
    columns = {name: [row.get(name) for row in rows] for name in dataset.schema.names}
    pq.write_table(pa.table(columns, schema=dataset.schema), file, row_group_size=7)
    return str(file)

"""The order of rows: Arrow in memory and DuckDB on disk agree on it, whatever the dataset looks like."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanpo.ground.config import Settings
from sanpo.lake.layout import PART, SUBJECTS_PER_RANGE, Part
from sanpo.lake.model import Dataset, dataset_from_manifest
from sanpo.lake.sorting import in_order, sorted_by_arrow
from tests.lake.datasets import COLUMNS, things

KEYED = dataset_from_manifest(things([*COLUMNS, {"name": "device", "type": "text", "role": "key"}]))
DATED = dataset_from_manifest(things([{**each, "type": "date"} if each["name"] == "at" else each for each in COLUMNS]))
TIMELESS = dataset_from_manifest({**things(), "time_column": None})
NOBODYS = dataset_from_manifest(
    {
        "name": "demo.weather",
        "personal": False,
        "time_column": "at",
        "columns": [COLUMNS[1], {"name": "station", "type": "text", "role": "key"}],
    }
)
SUBJECTS = st.sampled_from([0, 1, SUBJECTS_PER_RANGE - 1, SUBJECTS_PER_RANGE, 2_000_000_000])
MOMENTS = st.integers(-40_000, 40_000).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
VALUES = {
    "int32": SUBJECTS,
    "text": st.sampled_from(["", "a", "B", "ä", "電", "a b"]),
    "timestamp": MOMENTS,
    "date": MOMENTS.map(datetime.date),
}


def tables(dataset: Dataset) -> st.SearchStrategy[pa.Table]:
    row = st.tuples(*(VALUES[column.type] for column in dataset.columns))
    return st.lists(row, max_size=30).map(
        lambda rows: pa.table(
            [pa.array([each[at] for each in rows], field.type) for at, field in enumerate(dataset.schema)],
            dataset.schema,
        )
    )


def in_stream(dataset: Dataset, rows: pa.Table) -> pa.Table:
    """The same rows as DuckDB sorts them."""
    stream = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches(max_chunksize=7))
    with in_order(Settings(), dataset, stream) as batches:
        return pa.Table.from_batches(list(batches), schema=rows.schema.append(pa.field(PART, pa.int64())))


def ordered(dataset: Dataset, rows: pa.Table) -> list[tuple[Any, ...]]:
    """What the order is about: partition, subject, keys, time. Rows that are equal in these may change places."""
    names = [PART, *("subject_no",) * dataset.personal, *(c.name for c in dataset.columns if c.role == "key")]
    names += [dataset.time_column] * (dataset.time_column is not None)  # type: ignore[list-item]
    return list(zip(*(rows[name].to_pylist() for name in names), strict=True))


@pytest.mark.parametrize("dataset", [KEYED, DATED, TIMELESS, NOBODYS], ids=["keys", "dates", "no time", "about nobody"])
@settings(max_examples=settings().max_examples // 2)
@given(data=st.data())
def test_arrow_and_duckdb_agree(dataset: Dataset, data: st.DataObject) -> None:
    rows = data.draw(tables(dataset))
    mine = sorted_by_arrow(dataset, rows)
    assert ordered(dataset, mine) == ordered(dataset, in_stream(dataset, rows))
    assert sorted(map(str, mine.drop_columns([PART]).to_pylist())) == sorted(map(str, rows.to_pylist()))


def test_part_is_the_month_of_utc_and_the_range_of_subjects() -> None:
    at = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
    columns = {"subject_no": [SUBJECTS_PER_RANGE], "at": [at], "kind": ["a"], "amount": [1], "device": [""]}
    rows = pa.table(columns, schema=KEYED.schema)
    (number,) = sorted_by_arrow(KEYED, rows)[PART].to_pylist()
    assert Part.from_number(number).values(KEYED) == {"month": "2025-12", "subject_range": "1"}
    assert Part.from_number(number).number == number


def test_table_too_large_for_memory_is_sorted_on_disk() -> None:
    small, count = replace(Settings(), question_memory_mb=40), 700_000
    columns = {
        "subject_no": range(count, 0, -1),
        "at": [date(2026, 1, 1)] * count,
        "kind": ["a"] * count,
        "amount": [1] * count,
    }
    rows = pa.table({name: pa.array(values, DATED.schema.field(name).type) for name, values in columns.items()})
    assert rows.nbytes > 10_000_000
    with in_order(small, DATED, rows) as batches:
        subjects = pa.Table.from_batches(list(batches))["subject_no"].to_pylist()
    assert subjects == list(range(1, count + 1))

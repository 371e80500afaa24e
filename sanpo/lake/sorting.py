"""Rows in the order in which they are written: by partition, subject, keys and time.

What is in memory already is sorted there by Arrow. What comes as a stream, or is too large to be there twice, is sorted
by DuckDB, which spills to disk; it takes twice the CPU (benchmarks/bench_ingest_lake.py).
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from sanpo.ground.config import Settings
from sanpo.lake.layout import PART, RANGES, ROWS_PER_GROUP, SUBJECTS_PER_RANGE, sort_columns, sorting_sql
from sanpo.lake.model import Dataset

_MONTH = "month_"


@contextmanager
def in_order(
    settings: Settings, dataset: Dataset, rows: pa.Table | pa.RecordBatchReader | ds.Dataset
) -> Iterator[Iterator[pa.RecordBatch]]:
    """Batches of at most a row group's rows with `PART`, each partition's rows one after the other."""
    if isinstance(rows, pa.Table) and rows.nbytes <= settings.question_memory_mb * 1_000_000 // 4:
        yield iter(sorted_by_arrow(dataset, rows).to_batches(max_chunksize=ROWS_PER_GROUP))
    else:
        with _engine(settings) as engine:
            engine.register("rows_", rows)
            yield engine.sql(sorting_sql(dataset, "rows_")).to_arrow_reader(ROWS_PER_GROUP)


def sorted_by_arrow(dataset: Dataset, rows: pa.Table) -> pa.Table:
    """The rows with `PART`. A partition is a month and a range of subjects: month, then subject, is their order."""
    whole = rows.combine_chunks()
    month = _month(dataset, whole)
    by = [(_MONTH, "ascending"), *((name, "ascending") for name in sort_columns(dataset))]
    order = pc.sort_indices(whole.append_column(_MONTH, month), sort_keys=by)
    number = pc.add(pc.multiply(month, RANGES), _range(dataset, whole))
    return whole.append_column(PART, number).take(order)


def _month(dataset: Dataset, rows: pa.Table) -> pa.ChunkedArray:
    """The month that UTC shows, counted from January of year 0."""
    if not dataset.by_month:
        return pa.chunked_array([pa.repeat(pa.scalar(0, pa.int64()), rows.num_rows)])
    at = rows[dataset.time_column]
    return pc.add(pc.multiply(pc.year(at), 12), pc.subtract(pc.month(at), 1))


def _range(dataset: Dataset, rows: pa.Table) -> pa.ChunkedArray | pa.Scalar:
    if not dataset.personal:
        return pa.scalar(0, pa.int64())
    return pc.divide(rows["subject_no"].cast(pa.int64()), SUBJECTS_PER_RANGE)


@contextmanager
def _engine(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own that sorts more than fits in memory on disk."""
    with tempfile.TemporaryDirectory(prefix="sanpo-lake-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": settings.question_threads,
            "memory_limit": f"{settings.question_memory_mb}MB",
            "temp_directory": spill,
        }
        with duckdb.connect(config=config) as engine:
            engine.execute("set timezone = 'UTC'")
            yield engine

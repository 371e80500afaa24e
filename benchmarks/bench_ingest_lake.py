"""How fast do rows come into the lake: sorted by subject, cut into partitions, on the disk and committed?

`per_s` counts the rows of readings over the whole call of `append`, which ends when data and commit are flushed
(fsync). The rows come as devices send them: quarter after quarter, everybody in each. Alternative in the same run, on the
same rows: deltalake's own `write_deltalake`, partitioned alike, neither sorted nor flushed. `stream_per_s` is the same
append from a stream of batches, as a large import does it. `per_cpu_s` counts rows per second of processor time, all
threads together: of all figures the one that other work on the machine changes least.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import write_deltalake
from harness import fresh_city, report

from sanpo.ground.city import City
from sanpo.lake import append, get_dataset, snapshot

READINGS = "energy.readings"
BEGIN_US = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
QUARTER_US, TOKYO_US = 900_000_000, 9 * 3600 * 1_000_000


class Spent(NamedTuple):
    """Seconds by the clock on the wall, and of all processors together."""

    wall_s: float
    cpu_s: float


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=2_000_000)
    options.add_argument("--subjects", type=int, default=20_000)
    options.add_argument("--repeat", type=int, default=3, help="appends of each kind; the median counts")
    given = options.parse_args()
    load = os.getloadavg()[0]
    with fresh_city() as city, tempfile.TemporaryDirectory(prefix="sanpo-bench-") as folder:
        schema = get_dataset(city, READINGS).schema
        rows = [made(schema, given.rows, given.subjects, turn) for turn in range(given.repeat)]
        append(city, READINGS, rows[0].slice(0, 1000))  # makes the table and loads the libraries
        own = [timed(lambda table: append(city, READINGS, table), table) for table in rows]
        streams = [timed(lambda table: append(city, READINGS, stream_of(table)), table) for table in rows]
        theirs = [timed(lambda table: write_theirs(folder, table), table) for table in rows]
        check(city, rows, given.rows)
    mine, streamed, other = (sorted(each)[len(each) // 2] for each in (own, streams, theirs))
    report(
        "ingest_lake",
        {"rows": given.rows, "subjects": given.subjects, "repeat": given.repeat, "load": round(load, 1)},
        {
            "per_s": given.rows / mine.wall_s,
            "stream_per_s": given.rows / streamed.wall_s,
            "write_deltalake_per_s": given.rows / other.wall_s,
            "times_as_fast": other.wall_s / mine.wall_s,
            "per_cpu_s": given.rows / mine.cpu_s,
            "stream_per_cpu_s": given.rows / streamed.cpu_s,
            "write_deltalake_per_cpu_s": given.rows / other.cpu_s,
        },
    )


def made(schema: pa.Schema, count: int, subjects: int, turn: int) -> pa.Table:
    """Quarter after quarter a reading of everybody; each turn goes on where the last one ended."""
    places = np.arange(count, dtype=np.int64) + turn * count
    subject_no = (places % subjects).astype(np.int32)
    start_us = BEGIN_US + places // subjects * QUARTER_US
    columns = {
        "subject_no": subject_no,
        "meter_no": subject_no,
        "start_at": start_us,
        "start_local": start_us + TOKYO_US,
        "energy_wh": np.random.default_rng(turn).integers(0, 700, count, dtype=np.int32),
    }
    return pa.table({field.name: pa.array(columns[field.name]).cast(field.type) for field in schema}, schema=schema)


def stream_of(table: pa.Table) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=100_000))


def write_theirs(folder: str, table: pa.Table) -> None:
    """What one would write first: the same partitions, in the order in which the rows came."""
    month = pc.strftime(table["start_at"], "%Y-%m")
    ranges = pc.divide(table["subject_no"], 16_384)
    whole = table.append_column("month", month).append_column("subject_range", ranges)
    write_deltalake(str(Path(folder) / "theirs"), whole, mode="append", partition_by=["month", "subject_range"])


def check(city: City, rows: list[pa.Table], count: int) -> None:
    """What was measured is there: every row twice, from the table and from the stream."""
    held = sum(pq.ParquetFile(file).metadata.num_rows for file in snapshot(city, READINGS).files)
    expected = 2 * len(rows) * count + 1000
    if held != expected:
        raise SystemExit(f"{held} rows in place of {expected}")


def timed(call: Callable[[pa.Table], object], table: pa.Table) -> Spent:
    began, cpu = time.perf_counter(), time.process_time()
    call(table)
    return Spent(time.perf_counter() - began, time.process_time() - cpu)


if __name__ == "__main__":
    main()

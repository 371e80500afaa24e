"""Parquet files of a dataset, cut from one sorted stream.

They are written here and not by deltalake's own writer, because that one spreads a stream over parallel writers and
mixes up the order of subjects, on which the cost of consent in a scan depends (DESIGN §5).
"""

import json
import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction
from pyarrow.fs import FileSystem

from sanpo.lake.errors import RowsDoNotFitDataset, reached
from sanpo.lake.layout import PART, ROWS_PER_FILE, ROWS_PER_GROUP, Part, sort_columns
from sanpo.lake.model import Dataset


def write_files(
    fs: FileSystem, dataset: Dataset, batches: Iterable[pa.RecordBatch], *, moved: bool = False
) -> list[AddAction]:
    """Writes sorted batches that carry `PART`; returns what a commit must add. `moved`: the rows are not new.

    Raises `RowsDoNotFitDataset` for a row without subject, key or time; the files written so far are removed.
    """
    needed = sort_columns(dataset)
    files: list[_File] = []
    with reached(dataset):
        try:
            for batch in batches:
                for name in needed:
                    if batch.column(name).null_count:
                        raise RowsDoNotFitDataset(dataset=dataset.name, problem=f"a row has no {name}")
                for part, rows in _runs(batch):
                    if not files or not files[-1].takes(part):
                        if files:
                            files[-1].closed()
                        files.append(_File(fs, dataset, part, needed))
                    files[-1].write(rows)
            return [file.closed().action(moved=moved) for file in files]
        except BaseException:
            for file in files:
                fs.delete_file(file.closed().path)
            raise


def _runs(batch: pa.RecordBatch) -> Iterable[tuple[Part, pa.RecordBatch]]:
    """Cuts a batch where its part changes."""
    runs = pc.run_end_encode(batch.column(PART))
    rows = batch.drop_columns([PART])
    start = 0
    for end, number in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        yield Part.from_number(number), rows.slice(start, end - start)
        start = end


class _File:
    """One Parquet file while it is written, and what Delta must know of it afterwards."""

    def __init__(self, fs: FileSystem, dataset: Dataset, part: Part, sorted_by: list[str]) -> None:
        self.path = f"{part.folder(dataset)}{uuid.uuid4().hex}.parquet"
        self._fs, self._part, self._values, self._sorted_by = fs, part, part.values(dataset), sorted_by
        self._rows = 0
        self._metadata: list[pq.FileMetaData] = []
        order = pq.SortingColumn.from_ordering(dataset.schema, [(name, "ascending") for name in sorted_by])
        self._writer = pq.ParquetWriter(
            self.path,
            dataset.schema,
            filesystem=fs,
            compression="zstd",
            sorting_columns=order,
            write_page_checksum=True,
            metadata_collector=self._metadata,
        )

    def takes(self, part: Part) -> bool:
        return part == self._part and self._rows < ROWS_PER_FILE

    def write(self, rows: pa.RecordBatch) -> None:
        self._writer.write_batch(rows, row_group_size=ROWS_PER_GROUP)
        self._rows += rows.num_rows

    def closed(self) -> "_File":
        self._writer.close()
        return self

    def action(self, *, moved: bool) -> AddAction:
        info = self._fs.get_file_info(self.path)
        return AddAction(
            path=self.path,
            size=info.size,
            partition_values=self._values,
            modification_time=info.mtime_ns // 1_000_000,
            data_change=not moved,
            stats=json.dumps(_statistics(self._metadata[0], self._sorted_by)),
        )


def _statistics(metadata: pq.FileMetaData, names: list[str]) -> dict[str, Any]:
    """Delta's per-file statistics of the sorting columns that are whole numbers or days: what finds one subject's files."""
    low, high = {}, {}
    for place in range(metadata.num_columns):
        chunks = [metadata.row_group(group).column(place) for group in range(metadata.num_row_groups)]
        name = chunks[0].path_in_schema
        if name in names and chunks[0].physical_type == "INT32":
            low[name] = _in_json(min(chunk.statistics.min for chunk in chunks))
            high[name] = _in_json(max(chunk.statistics.max for chunk in chunks))
    nulls = dict.fromkeys(low, 0)
    return {"numRecords": metadata.num_rows, "minValues": low, "maxValues": high, "nullCount": nulls}


def _in_json(value: int | date) -> int | str:
    return value.isoformat() if isinstance(value, date) else value

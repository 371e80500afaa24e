"""Histories of entities, as the broker lets old observations flow into the lake: how they lie, are read and struck out.

A service's dataset with `history = true` has, beside the columns of its manifest, those below, so that every observation
is there whole. What no service declares lies in datasets of the city's own, which no question can name. An observation
about several residents is a row for each of them: whose row is erased is out of it, and the others' stays.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake.transaction import AddAction

from sanpo.ground.city import City
from sanpo.lake.catalogue import every_dataset, find_any
from sanpo.lake.files import write_files
from sanpo.lake.layout import PART, ROWS_PER_GROUP, DataFile, Part
from sanpo.lake.model import Dataset
from sanpo.lake.own import AT, HISTORIES, NAMES, own_history, register_history
from sanpo.lake.reading import naming_the_broken, scan
from sanpo.lake.seen import see
from sanpo.lake.store import commit_rewrite, file_system, live_files, open_table, reading_system, remove_of, table_url

__all__ = [
    "HISTORIES",
    "HistoryRange",
    "every_history",
    "own_history",
    "read_flow",
    "read_rows",
    "register_history",
    "strike_rows",
]


@dataclass(frozen=True)
class HistoryRange:
    """Which rows are wanted: of which entities, in which months, about which residents (None: of a public dataset)."""

    entity_nos: Collection[int]
    since: datetime | None = None
    until: datetime | None = None
    subject_nos: Collection[int] | None = None


def every_history(city: City) -> list[Dataset]:
    """The datasets that hold histories."""
    return [each for each in every_dataset(city) if each.column("flow_no") is not None]


def read_rows(city: City, name: str, wanted: HistoryRange, where: pc.Expression | None = None) -> pa.Table:
    """The rows of these entities with their moment as `observed_at`, and with `subject_no` where the dataset is personal.

    Read are the files of the months and subjects alone, and of them the row groups of the entities. Raises `FileIsBroken`.
    """
    dataset = find_any(city, name)
    url = table_url(city.lake_url, dataset)
    files = [file.path for file in see(url, dataset, None).files if _may_hold(file, wanted)]
    fs, of = reading_system(url), pc.field("entity_no").isin(pa.array(sorted(wanted.entity_nos), pa.int64()))
    columns = {name: pc.field(name) for name in (*["subject_no"] * dataset.personal, *NAMES)}
    columns[AT.name] = pc.field(dataset.time_column or "")
    with naming_the_broken(fs, dataset, files):
        return scan(fs, dataset, files).to_table(columns=columns, filter=of if where is None else of & where)


def read_flow(city: City, dataset: Dataset, flow_no: int) -> pa.Table:
    """The rows that came with one move."""
    url = table_url(city.lake_url, dataset)
    files = [file.path for file in see(url, dataset, None).files]
    fs = reading_system(url)
    with naming_the_broken(fs, dataset, files):
        found: pa.Table = scan(fs, dataset, files).to_table(filter=pc.field("flow_no") == flow_no)
    return found


def strike_rows(city: City, name: str, struck: Collection[tuple[int, int]]) -> int:
    """Writes the files anew without these rows, each named by `flow_no` and `observation_no`; returns how many it was.

    The old files leave the disk with the next compaction after `lake_grace`. Raises `LakeIsBusy`, `FileIsBroken`.
    """
    dataset = find_any(city, name)
    url = table_url(city.lake_url, dataset)
    table, fs, reads = open_table(url, dataset), file_system(url), reading_system(url)
    flows = pa.array(sorted({flow for flow, _ in struck}), pa.int64())
    numbers = pa.array(sorted({number for _, number in struck}), pa.int64())
    maybe = pc.field("flow_no").isin(flows) & pc.field("observation_no").isin(numbers)
    gone, adds, old = 0, list[AddAction](), list[DataFile]()
    for file in live_files(table, dataset):
        with naming_the_broken(reads, dataset, [file.path]):
            source = scan(reads, dataset, [file.path])
            found = source.to_table(columns=["flow_no", "observation_no"], filter=maybe)
            hit = sum(pair in struck for pair in zip(*(column.to_pylist() for column in found.columns), strict=True))
            if hit:
                gone += hit
                old.append(file)
                adds += write_files(
                    fs, dataset, _left(source.scanner(batch_size=ROWS_PER_GROUP), dataset, file, struck)
                )
    if old:
        commit_rewrite(url, table, dataset, adds, [remove_of(file.path, moved=False) for file in old])
    return gone


def _left(
    batches: ds.Scanner, dataset: Dataset, file: DataFile, struck: Collection[tuple[int, int]]
) -> Iterator[pa.RecordBatch]:
    number = Part.of(dataset, file).number
    for batch in batches.to_batches():
        pairs = zip(batch["flow_no"].to_pylist(), batch["observation_no"].to_pylist(), strict=True)
        left = batch.filter(pa.array([pair not in struck for pair in pairs], pa.bool_()))
        if left.num_rows:
            yield left.append_column(PART, pa.array(np.full(left.num_rows, number, np.int64)))


def _may_hold(file: DataFile, wanted: HistoryRange) -> bool:
    if wanted.subject_nos is None:
        return file.may_hold(subject_no=None, since=wanted.since, until=wanted.until)
    return any(file.may_hold(subject_no=each, since=wanted.since, until=wanted.until) for each in wanted.subject_nos)

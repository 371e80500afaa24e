"""How a dataset may change while its files stay: new columns that old rows lack, and whole numbers that grow.

A table is held against its manifest when a process first opens it. What passes is told to Delta in one commit, and the
old files stay as they are: their rows read null in a new column. Anything else is refused before anything is written.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction
from pyarrow.fs import FileSystem

from sanpo.lake.errors import ColumnCannotChange, LakeIsBusy
from sanpo.lake.files import write_files
from sanpo.lake.layout import MONTH, PART, ROWS_PER_GROUP, SUBJECT_RANGE, partition_columns, sort_columns
from sanpo.lake.model import Dataset

_WIDER = {"integer": "long"}
_NAMES = {"integer": "int32", "long": "int64", "double": "float64", "string": "text", "timestamp_ntz": "timestamp"}
_ATTEMPTS = 20
_fitted: dict[tuple[str, str], str | None] = {}


def fit(url: str, table: DeltaTable, fs: FileSystem, dataset: Dataset) -> DeltaTable:
    """The table with the dataset's columns. Raises `ColumnCannotChange` where its rows could not be read by them.

    Held against each other once in a process: a city that is upgraded host by host goes on with its older ones.
    """
    key = (url, _digest(dataset))
    for _ in range(_ATTEMPTS):
        held = held_types(table)
        wanted = wanted_types(dataset)
        check_change(dataset, held, wanted, list(table.metadata().partition_columns))
        if held == wanted:
            break
        with contextlib.suppress(CommitFailedError):
            _evolve(table, fs, dataset)
        table = DeltaTable(url)
    else:
        raise LakeIsBusy(dataset=dataset.name)
    shape = _shape(key[1])
    _fitted[key] = shape if _is_file(fs, shape) else None
    return table


def is_fitted(url: str, dataset: Dataset) -> bool:
    return dataset.is_open or (url, _digest(dataset)) in _fitted


def shape_file(url: str, dataset: Dataset) -> str | None:
    """A file without rows that has all columns in their present types; None where every file has them anyway.

    Read together with the others it makes any engine that matches columns by name see those that no old file has.
    """
    return _fitted.get((url, _digest(dataset)))


def delta_schema(dataset: Dataset) -> Schema:
    """The dataset's columns and those of its partitions as Delta knows them."""
    types = {MONTH: pa.string(), SUBJECT_RANGE: pa.int32()}
    parts = [pa.field(name, types[name]) for name in partition_columns(dataset)]
    return Schema.from_arrow(pa.schema([*dataset.schema, *parts]))


def wanted_types(dataset: Dataset) -> dict[str, str]:
    """Delta's type of each column by name, as the manifest has it."""
    return _types(delta_schema(dataset))


def held_types(table: DeltaTable) -> dict[str, str]:
    """Delta's type of each column by name, as the table has it."""
    return _types(table.schema())


def check_change(dataset: Dataset, held: Mapping[str, str], wanted: Mapping[str, str], parts: list[str]) -> None:
    """Raises `ColumnCannotChange` for the first column whose old rows could not be read as the manifest asks."""
    if parts != partition_columns(dataset):
        _refuse(dataset, ", ".join(parts) or "-", "its partitions", "`personal` and `time_column` as they were")
    for name, type in held.items():
        if name not in wanted:
            _refuse(dataset, name, "it is gone", f"{name} as {_name(type)}; a new name is a new column beside it")
        if wanted[name] not in (type, _WIDER.get(type)):
            accepted = " or ".join(_name(each) for each in (type, _WIDER.get(type)) if each)
            _refuse(dataset, name, f"it is {_name(wanted[name])} now", accepted)
    for name in wanted.keys() - held.keys():
        if name in sort_columns(dataset):
            _refuse(dataset, name, "it is new and orders the rows", "a new column as a dimension or measure")


def _refuse(dataset: Dataset, column: str, change: str, accepted: str) -> None:
    raise ColumnCannotChange(dataset=dataset.name, column=column, change=change, accepted=accepted)


def _evolve(table: DeltaTable, fs: FileSystem, dataset: Dataset) -> None:
    """One commit that tells Delta the new columns; of the rows it touches nothing."""
    shape = _shape(_digest(dataset))
    fs.create_dir(shape.rsplit("/", 1)[0])
    pq.write_table(dataset.schema.empty_table(), shape, filesystem=fs)
    parts = partition_columns(dataset)
    if parts:
        # An overwrite of a partition that there cannot be.
        no_value = "none" if parts[0] == MONTH else "-1"
        table.create_write_transaction(
            [], "overwrite", delta_schema(dataset), parts, partition_filters=[(parts[0], "=", no_value)]
        )
    else:
        table.create_write_transaction([*_written_anew(table, fs, dataset)], "overwrite", delta_schema(dataset), [])


def _written_anew(table: DeltaTable, fs: FileSystem, dataset: Dataset) -> list[AddAction]:
    """Without partitions an overwrite takes every file out, so that each comes in again in the new columns."""
    paths = pa.table(table.get_add_actions()).column("path").to_pylist()
    return [add for path in paths for add in write_files(fs, dataset, _rows(fs, dataset, path))]


def _rows(fs: FileSystem, dataset: Dataset, path: str) -> Iterator[pa.RecordBatch]:
    file = ds.dataset([path], schema=dataset.schema, format="parquet", filesystem=fs)
    for batch in file.to_batches(batch_size=ROWS_PER_GROUP):
        yield batch.append_column(PART, pa.array(np.zeros(batch.num_rows, np.int64)))


def _types(schema: Schema) -> dict[str, str]:
    return {field.name: str(getattr(field.type, "type", field.type)) for field in schema.fields}


def _name(type: str) -> str:
    return _NAMES.get(type, type)


def _shape(digest: str) -> str:
    """Delta leaves a folder alone whose name begins with `_`; Spark reads such a one only with `=` in its name."""
    return f"_schema={digest}/empty.parquet"


def _digest(dataset: Dataset) -> str:
    return hashlib.sha256(f"{dataset.schema} {partition_columns(dataset)}".encode()).hexdigest()[:32]


def _is_file(fs: FileSystem, path: str) -> bool:
    return bool(fs.get_file_info(path).is_file)

"""Reading files of any age: a column that a file does not have yet reads as null, a narrower number as a wider one.

This is Arrow's way, to a directory as to an object store. DuckDB takes the same `pyarrow.dataset` where it may not reach
the store itself, and pushes columns and filters down into it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import FileSystem

from sanpo.lake.errors import FileIsBroken, LakeIsUnavailable, unavailable
from sanpo.lake.model import Dataset, Snapshot
from sanpo.lake.store import reading_system

# Without it a flipped bit is read as another number.
_CHECKED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)

_MOST_BYTES = 1 << 30


def scan(fs: FileSystem, dataset: Dataset, paths: Sequence[str]) -> ds.Dataset:
    """These files of the table as one relation in the dataset's schema. Nothing is read yet."""
    if not paths:
        return ds.dataset(dataset.schema.empty_table())
    return ds.dataset(list(paths), schema=dataset.schema, format=_CHECKED, filesystem=fs)


def open_snapshot(snapshot: Snapshot) -> ds.Dataset:
    """The snapshot's rows for an engine that cannot open its files itself, such as DuckDB on an object store."""
    return scan(reading_system(snapshot.root), snapshot.dataset, [relative(snapshot, file) for file in snapshot.files])


def check_readable(snapshot: Snapshot, told: str = "") -> None:
    """Raises `FileIsBroken` for a file that cannot be read: what an engine asks when its scan has failed.

    Files that the engine's own message `told` names come first; of the others as many are read as take a few seconds.
    """
    fs, read = reading_system(snapshot.root), 0
    for file in sorted(snapshot.files, key=lambda file: file not in told):
        path = relative(snapshot, file)
        if read < _MOST_BYTES:
            problem = find_problem(fs, path)
            if problem is not None:
                raise FileIsBroken(dataset=snapshot.dataset.name, file=path, problem=problem)
            read += fs.get_file_info(path).size


def relative(snapshot: Snapshot, file: str) -> str:
    """The file's name inside its table: what may be told to anybody."""
    return file.removeprefix(f"{snapshot.root}/")


@contextmanager
def naming_the_broken(fs: FileSystem, dataset: Dataset, paths: Sequence[str]) -> Iterator[None]:
    """Turns a failure to read in the block into `FileIsBroken`, which names the file, or into `LakeIsUnavailable`."""
    try:
        yield
    except (pa.ArrowException, duckdb.Error, OSError, LakeIsUnavailable) as error:
        for path in paths:
            problem = find_problem(fs, path)
            if problem is not None:
                raise FileIsBroken(dataset=dataset.name, file=path, problem=problem) from error
        if isinstance(error, LakeIsUnavailable):
            raise
        raise unavailable(dataset, error) from error


def find_problem(fs: FileSystem, path: str, *, rows: int | None = None, size: int | None = None) -> str | None:
    """What is wrong with a file, or None. Every page is read and held against its checksum."""
    info = fs.get_file_info(path)
    if not info.is_file:
        return "missing"
    if size is not None and info.size != size:
        return f"has {info.size} bytes in place of {size}"
    try:
        with pq.ParquetFile(path, filesystem=fs, page_checksum_verification=True) as file:
            read = sum(batch.num_rows for batch in file.iter_batches(use_threads=False))
    except (pa.ArrowException, OSError) as error:
        return f"unreadable: {str(error).splitlines()[0][:80]}"
    return None if rows in (None, read) else f"has {read} rows in place of {rows}"

"""The lake: the history of the city as Delta tables of Parquet files, in a directory or an object store.

Services describe their datasets in their manifests, and a city adds open data while it runs; the lake stores, lists and
reads them. A question reads one snapshot: a list of files, so that every engine sees the same rows.

Invariants:
* An append, a replacement and a compaction are one commit each: all of it is there, or nothing.
* Rows lie sorted by `subject_no` inside a file, in partitions by month and range of subjects.
* Rows that were taken out for good are in no version that can be read, and their files leave the disk in a stated time.
* `read_subject` gives a resident their own rows; whose they are comes from the actor, never from an argument.
* The lake holds no name, address or e-mail: a person is a `subject_no`.
* Open data (`open.…`) is about nobody, names its licence and source, and is imported whole or not at all.

Tables: `open_datasets`, `histories` (public), `erasures`, `deletions` (behind row-level security);
`<lake>/<service>/<dataset>/` for each dataset.
"""

from sanpo.lake import histories
from sanpo.lake.actions import append, compact, has_appended, read_subject, replace, snapshot
from sanpo.lake.catalogue import get_dataset, list_datasets
from sanpo.lake.errors import (
    DatasetIsUnknown,
    FileIsBroken,
    LakeIsUnavailable,
    SnapshotIsGone,
)
from sanpo.lake.imports import import_open
from sanpo.lake.model import Column, Dataset, Key, Snapshot
from sanpo.lake.reading import check_readable, open_snapshot

__all__ = [
    "Column",
    "Dataset",
    "DatasetIsUnknown",
    "FileIsBroken",
    "Key",
    "LakeIsUnavailable",
    "Snapshot",
    "SnapshotIsGone",
    "append",
    "check_readable",
    "compact",
    "get_dataset",
    "has_appended",
    "histories",
    "import_open",
    "list_datasets",
    "open_snapshot",
    "read_subject",
    "replace",
    "snapshot",
]

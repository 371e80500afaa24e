"""A city can leave with all of its data: datasets as Parquet files that describe themselves to people and to portals.

The folder appears when it is complete. Personal data leaves for the operator only, who says so, and the journal says it
to everybody: an export of it that is not in the journal does not happen.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sanpo.ground.actors import Actor, Staff, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted
from sanpo.journal import append as append_to_journal
from sanpo.lake.actions import snapshot
from sanpo.lake.catalogue import find_any, list_datasets
from sanpo.lake.errors import ExportFolderIsNotEmpty, ExportIsPersonal
from sanpo.lake.layout import ROWS_PER_GROUP
from sanpo.lake.model import Dataset, Snapshot
from sanpo.lake.package import PackagedDataset, datapackage, dcat_catalogue
from sanpo.lake.reading import naming_the_broken, open_snapshot, relative
from sanpo.lake.registry import open_datasets
from sanpo.lake.store import file_system

OPERATOR = "operator"
Rows = Callable[[str, int], None]
"""Told of a dataset's name and of how many more of its rows are written."""


@dataclass(frozen=True)
class Exported:
    folder: Path
    datasets: tuple[PackagedDataset, ...]


def export(
    city: City,
    actor: Actor,
    folder: Path,
    names: Sequence[str] = (),
    *,
    personal: bool = False,
    progress: Rows = lambda name, rows: None,
) -> Exported:
    """Writes these datasets, or all that may be, into a new folder; whole or not at all.

    Without names: every dataset, the personal ones only with `personal`. Raises `NotSignedIn`, `NotPermitted`,
    `DatasetIsUnknown`, `ExportIsPersonal`, `ExportFolderIsNotEmpty`, `FileIsBroken`, `LakeIsUnavailable`.
    """
    officer = require_officer(actor)
    datasets = [find_any(city, name) for name in dict.fromkeys(names)] or _all(city, personal=personal)
    check_personal(officer, [each.name for each in datasets if each.personal], personal=personal)
    with _whole(folder) as draft:
        packaged = tuple(_write(city, draft, dataset, progress) for dataset in datasets)
        _describe(city, draft, packaged)
        with city.transaction(officer) as tx:
            if any(each.is_personal for each in packaged):
                append_to_journal(tx, kind="export", body=_entry(packaged))
    return Exported(folder, packaged)


def check_personal(officer: Staff | System, names: list[str], *, personal: bool) -> None:
    """Raises `ExportIsPersonal` where nobody said so, and `NotPermitted` for anybody but the operator."""
    if names and not personal:
        raise ExportIsPersonal(datasets=", ".join(names))
    if names and officer != System(OPERATOR):
        raise NotPermitted(needed=OPERATOR)


def digest_and_size(file: Path) -> tuple[str, int]:
    """SHA-256 in hex, and bytes."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest(), file.stat().st_size


def _all(city: City, *, personal: bool) -> list[Dataset]:
    """But for the city's own histories: without its database nobody could say whose they are."""
    return [dataset for dataset in list_datasets(city) if personal or not dataset.personal]


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A draft beside the folder, which takes its name at the end. Only its owner can read what is personal."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportFolderIsNotEmpty(folder=str(folder))
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    try:
        yield draft
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(city: City, draft: Path, dataset: Dataset, progress: Rows) -> PackagedDataset:
    held = snapshot(city, dataset.name)
    path = f"data/{dataset.name}.parquet"
    file = draft / path
    file.parent.mkdir(exist_ok=True)
    rows = _copy(held, file, lambda count: progress(dataset.name, count))
    digest, size = digest_and_size(file)
    registered = open_datasets(city).get(dataset.name)
    descriptor = None if registered is None else registered.document
    return PackagedDataset(held.dataset, held.version, path, rows, size, digest, descriptor)


def _copy(held: Snapshot, file: Path, progress: Callable[[int], None]) -> int:
    """One Parquet file with the snapshot's rows, sorted as they lie; returns how many."""
    rows, schema, paths = 0, held.dataset.schema, [relative(held, path) for path in held.files]
    with (
        naming_the_broken(file_system(held.root), held.dataset, paths),
        pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as out,
    ):
        for batch in open_snapshot(held).to_batches(batch_size=ROWS_PER_GROUP):
            out.write_batch(batch, row_group_size=ROWS_PER_GROUP)
            rows += batch.num_rows
            progress(batch.num_rows)
    return rows


def _describe(city: City, draft: Path, packaged: tuple[PackagedDataset, ...]) -> None:
    name = {lang: city.settings.city_name(lang) for lang in ("ja", "en")}
    documents = {
        "datapackage.json": datapackage(name, list(packaged), city.now()),
        "dcat.jsonld": dcat_catalogue(name, city.settings.origin, list(packaged), city.now()),
    }
    for file, document in documents.items():
        (draft / file).write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _entry(packaged: tuple[PackagedDataset, ...]) -> dict[str, Any]:
    """What the journal tells in public."""
    found = [
        {"name": each.dataset.name, "version": each.version, "rows": each.rows, "sha256": each.sha256}
        for each in packaged
        if each.is_personal
    ]
    return {"by": OPERATOR, "datasets": found}

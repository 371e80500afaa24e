"""Another city, or the same one again, takes in what an export wrote. Every file is checked before any row is written.

Open data brings its descriptor along. A service's dataset must be known here with the same columns, and be empty: numbers of
residents mean nothing among others, so that personal rows belong to a restored database only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sanpo.ground.actors import Actor, Staff, System, require_officer
from sanpo.ground.city import City
from sanpo.lake.actions import append, has_appended, replace_rows, snapshot
from sanpo.lake.catalogue import find_any
from sanpo.lake.errors import DatasetHoldsRows, DescriptorIsInvalid, PackageIsInvalid
from sanpo.lake.export import Rows, check_personal, digest_and_size
from sanpo.lake.imports import ImportOutcome
from sanpo.lake.layout import ROWS_PER_GROUP
from sanpo.lake.model import OPEN, Dataset
from sanpo.lake.opendata import Descriptor, descriptor_from
from sanpo.lake.package import described_in
from sanpo.lake.registry import lock_registry, open_datasets, put_open_dataset


@dataclass(frozen=True)
class Restored:
    dataset: str
    rows: int
    outcome: ImportOutcome


@dataclass(frozen=True)
class _Resource:
    """One dataset of the package: its checked file, and the descriptor of open data."""

    dataset: Dataset
    file: Path
    sha256: str
    rows: int
    descriptor: Descriptor | None


def import_package(
    city: City,
    actor: Actor,
    folder: Path,
    names: Sequence[str] = (),
    *,
    personal: bool = False,
    progress: Rows = lambda name, rows: None,
) -> list[Restored]:
    """Takes in these datasets of an export, or all of them (the personal ones only with `personal`); repeating is safe.

    Each dataset is one commit. Raises `PackageIsInvalid`, `DatasetIsUnknown`, `DatasetHoldsRows`, `ExportIsPersonal`,
    `NotPermitted`, `NotSignedIn`, and the lake's.
    """
    officer = require_officer(actor)
    described = _described(folder, names)
    about_people = [str(each["dataset"]) for each in described if each["personal"]]
    if names or personal:
        check_personal(officer, about_people, personal=personal)
    else:
        described = [each for each in described if not each["personal"]]
    resources = [_checked(city, folder, each) for each in described]
    for each in resources:
        if each.descriptor is None and _is_taken(city, each):
            raise DatasetHoldsRows(dataset=each.dataset.name)
    return [_take(city, officer, each, progress) for each in resources]


def _described(folder: Path, names: Sequence[str]) -> list[Mapping[str, Any]]:
    """What the package says of the datasets that are wanted."""
    try:
        package = msgspec.json.decode((folder / "datapackage.json").read_bytes())
        found = {str(each["name"]): described_in(each) for each in package["resources"]}
        described = [found[name] for name in names or found]
        for each in described:
            if not {"dataset", "personal", "rows"} <= each.keys():
                raise KeyError("dataset, personal, rows")
    except OSError as error:
        raise PackageIsInvalid(folder=str(folder), problem=f"datapackage.json: {error.strerror}") from None
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise PackageIsInvalid(folder=str(folder), problem=f"datapackage.json is not from Sanpo: {error!r}") from None
    return described


def _checked(city: City, folder: Path, described: Mapping[str, Any]) -> _Resource:
    """Raises `PackageIsInvalid` where the file is not the one that was exported, or has other columns."""
    name, path = str(described["dataset"]), str(described["path"])
    file = (folder / path).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise PackageIsInvalid(folder=str(folder), problem=f"{path} is not there")
    digest, _ = digest_and_size(file)
    if f"sha256:{digest}" != described["hash"]:
        raise PackageIsInvalid(folder=str(folder), problem=f"{path} is not what was exported: another SHA-256")
    descriptor = _descriptor(folder, described) if name.startswith(OPEN) else None
    dataset = find_any(city, name) if descriptor is None else descriptor.dataset
    try:
        schema, rows = pq.read_schema(file), pq.read_metadata(file).num_rows
    except pa.ArrowException as error:
        raise PackageIsInvalid(folder=str(folder), problem=f"{path}: {error}") from None
    if not schema.equals(dataset.schema):
        raise PackageIsInvalid(folder=str(folder), problem=f"{path} has other columns than {name} has here")
    return _Resource(dataset, file, digest, rows, descriptor)


def _descriptor(folder: Path, described: Mapping[str, Any]) -> Descriptor:
    try:
        found = descriptor_from(described["descriptor"], str(described["dataset"]))
    except (KeyError, TypeError, DescriptorIsInvalid) as error:
        raise PackageIsInvalid(folder=str(folder), problem=f"a descriptor of open data: {error}") from None
    if found.dataset.name != described["dataset"]:
        raise PackageIsInvalid(folder=str(folder), problem=f"{described['dataset']} has another's descriptor")
    return found


def _key(each: _Resource) -> str:
    return f"package:{each.sha256}"


def _is_taken(city: City, each: _Resource) -> bool:
    """Whether other rows than these are there."""
    return bool(snapshot(city, each.dataset.name).files) and not has_appended(city, each.dataset.name, _key(each))


def _take(city: City, officer: Staff | System, each: _Resource, progress: Rows) -> Restored:
    rows = _stream(each, lambda count: progress(each.dataset.name, count))
    if each.descriptor is not None:
        return _take_open(city, officer, each, each.descriptor, rows)
    if has_appended(city, each.dataset.name, _key(each)):
        return Restored(each.dataset.name, each.rows, ImportOutcome.UNCHANGED)
    append(city, each.dataset.name, rows, once=_key(each))
    return Restored(each.dataset.name, each.rows, ImportOutcome.ADDED)


def _take_open(
    city: City, officer: Staff | System, each: _Resource, descriptor: Descriptor, rows: pa.RecordBatchReader
) -> Restored:
    name = each.dataset.name
    before = open_datasets(city).get(name)
    if before is not None and before.content_sha256 == each.sha256 and snapshot(city, name).files:
        return Restored(name, each.rows, ImportOutcome.UNCHANGED)
    with city.transaction(officer) as tx:
        before = lock_registry(tx).get(name)
        put_open_dataset(tx, officer, descriptor, sha256=each.sha256, rows=each.rows, skipped=0)
        replace_rows(city, each.dataset, rows)
    return Restored(name, each.rows, ImportOutcome.ADDED if before is None else ImportOutcome.REPLACED)


def _stream(each: _Resource, progress: Callable[[int], None]) -> pa.RecordBatchReader:
    def batches() -> Any:
        with pq.ParquetFile(each.file) as file:
            for batch in file.iter_batches(batch_size=ROWS_PER_GROUP):
                progress(batch.num_rows)
                yield batch

    return pa.RecordBatchReader.from_batches(each.dataset.schema, batches())

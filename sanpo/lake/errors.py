"""What can go wrong in the lake."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deltalake.exceptions import DeltaError

from sanpo.ground.errors import DomainError, Kind

if TYPE_CHECKING:
    from sanpo.lake.model import Dataset


class DatasetIsUnknown(DomainError):
    """No installed service and no open data has a dataset of this name. Fields: dataset, known."""

    code = "lake.dataset_is_unknown"
    kind = Kind.NOT_FOUND


class DatasetHasNoSubjects(DomainError):
    """Someone's own rows were asked of a dataset that is not about people. Field: dataset."""

    code = "lake.dataset_has_no_subjects"
    kind = Kind.INVALID


class RowsDoNotFitDataset(DomainError):
    """Rows to be written lack a column, or a value cannot take its type. Fields: dataset, problem."""

    code = "lake.rows_do_not_fit_dataset"
    kind = Kind.INVALID


class DescriptorIsInvalid(DomainError):
    """The descriptor of an open dataset cannot stand. Fields: file, problem."""

    code = "lake.descriptor_is_invalid"
    kind = Kind.INVALID


class OpenFileIsUnreadable(DomainError):
    """A file of open data cannot be read as its descriptor says. Fields: file, problem."""

    code = "lake.open_file_is_unreadable"
    kind = Kind.INVALID


class OpenFileHasBadRows(DomainError):
    """Rows cannot be imported, or none would be left; nothing was. Fields: dataset, bad, rows, reasons, counts, first."""

    code = "lake.open_file_has_bad_rows"
    kind = Kind.INVALID


class ExportIsPersonal(DomainError):
    """Personal datasets were asked for, or lie in a package, without saying so. Field: datasets."""

    code = "lake.export_is_personal"
    kind = Kind.REFUSED


class ExportFolderIsNotEmpty(DomainError):
    """An export goes into a folder of its own. Field: folder."""

    code = "lake.export_folder_is_not_empty"
    kind = Kind.CONFLICT


class PackageIsInvalid(DomainError):
    """A folder is no data package, or its files are not what it says of them. Fields: folder, problem."""

    code = "lake.package_is_invalid"
    kind = Kind.INVALID


class DatasetHoldsRows(DomainError):
    """A service's dataset has rows already, which an import of a package would mix with others. Field: dataset."""

    code = "lake.dataset_holds_rows"
    kind = Kind.CONFLICT


class LakeIsBusy(DomainError):
    """Other writers won every time; nothing was changed by this call. Field: dataset."""

    code = "lake.lake_is_busy"
    kind = Kind.UNAVAILABLE


class LakeIsUnavailable(DomainError):
    """The lake's directory or object store cannot be used; nothing was changed. Fields: dataset, problem."""

    code = "lake.lake_is_unavailable"
    kind = Kind.UNAVAILABLE


class ColumnCannotChange(DomainError):
    """The manifest asks for a column that the rows in the lake cannot give. Fields: dataset, column, change, accepted."""

    code = "lake.column_cannot_change"
    kind = Kind.CONFLICT


class DatasetIsKeptForever(DomainError):
    """The end of a retention was asked of a dataset whose manifest names none. Field: dataset."""

    code = "lake.dataset_is_kept_forever"
    kind = Kind.INVALID


class FileIsBroken(DomainError):
    """A file of the lake is missing or cannot be read; the others can. Fields: dataset, file, problem."""

    code = "lake.file_is_broken"
    kind = Kind.UNAVAILABLE


class SnapshotIsGone(DomainError):
    """The dataset has no such version, or no longer. Fields: dataset, version."""

    code = "lake.snapshot_is_gone"
    kind = Kind.GONE


# What lies before a file's own name: an absolute path or an object store's address is nobody's business outside.
_PLACE = re.compile(r"(?:[a-z0-9+]+:/)?/[^\s'\"]*/")


def unavailable(dataset: "Dataset", error: Exception) -> LakeIsUnavailable:
    """The failure of the store as ours, without the place where the lake lies."""
    return LakeIsUnavailable(dataset=dataset.name, problem=_PLACE.sub("…/", f"{type(error).__name__}: {error}")[:300])


@contextmanager
def reached(dataset: "Dataset") -> Iterator[None]:
    """Turns failures of the store inside the block into `LakeIsUnavailable`."""
    try:
        yield
    except (DeltaError, OSError) as error:
        raise unavailable(dataset, error) from error

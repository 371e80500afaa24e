"""What can go wrong in the lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deltalake.exceptions import DeltaError

from sanpo.ground.errors import DomainError, Kind

if TYPE_CHECKING:
    from sanpo.lake.model import Dataset


class DatasetIsUnknown(DomainError):
    """No installed service offers a dataset of this name. Fields: dataset, known."""

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


class LakeIsBusy(DomainError):
    """Other writers won every time; nothing was changed by this call. Field: dataset."""

    code = "lake.lake_is_busy"
    kind = Kind.UNAVAILABLE


class LakeIsUnavailable(DomainError):
    """The lake's directory or object store cannot be used; nothing was changed. Fields: dataset, problem."""

    code = "lake.lake_is_unavailable"
    kind = Kind.UNAVAILABLE


class SnapshotIsGone(DomainError):
    """The dataset has no such version, or no longer. Fields: dataset, version."""

    code = "lake.snapshot_is_gone"
    kind = Kind.GONE


@contextmanager
def reached(dataset: "Dataset") -> Iterator[None]:
    """Turns failures of the store inside the block into `LakeIsUnavailable`."""
    try:
        yield
    except (DeltaError, OSError) as error:
        raise LakeIsUnavailable(dataset=dataset.name, problem=f"{type(error).__name__}: {error}"[:300]) from error

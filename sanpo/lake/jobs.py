"""Recurring duties of the lake."""

from sanpo.ground.city import City
from sanpo.ground.jobs import Registry
from sanpo.lake.actions import compact
from sanpo.lake.catalogue import list_datasets
from sanpo.lake.errors import LakeIsBusy

SPARE_FILES = 8
"""So many small files in a partition cost a scan about as much as rewriting them once."""


def jobs(registry: Registry) -> None:
    registry.every(3600, "lake.compact", compact_all)


def compact_all(city: City) -> None:
    """Compacts every dataset whose partitions have become crowded; leaves one that another writer is rewriting."""
    for dataset in list_datasets(city):
        try:
            compact(city, dataset.name, spare=SPARE_FILES)
        except LakeIsBusy:
            continue  # its next turn comes

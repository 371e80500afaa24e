"""Recurring duties of the lake."""

from sanpo.ground.city import City
from sanpo.ground.jobs import Registry
from sanpo.lake.actions import compact
from sanpo.lake.catalogue import every_dataset
from sanpo.lake.errors import FileIsBroken, LakeIsBusy
from sanpo.lake.upkeep import carry_out, retain_all

SPARE_FILES = 8
"""So many small files in a partition cost a scan about as much as rewriting them once."""


def jobs(registry: Registry) -> None:
    registry.every(3600, "lake.compact", compact_all)
    registry.every(10, "lake.erase", carry_out)
    registry.every(3600, "lake.retain", retain_all)


def compact_all(city: City) -> None:
    """Compacts every dataset whose partitions have become crowded; leaves one that another writer is rewriting.

    A broken file holds up its own dataset only; it is raised at the end.
    """
    broken: list[FileIsBroken] = []
    for dataset in every_dataset(city):
        try:
            compact(city, dataset.name, spare=SPARE_FILES)
        except LakeIsBusy:
            continue  # its next turn comes
        except FileIsBroken as error:
            broken.append(error)
    if broken:
        raise broken[0]

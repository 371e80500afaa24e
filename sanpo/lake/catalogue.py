"""The catalogue: which datasets exist. Services describe theirs in their manifests; open ones stand in the registry."""

from dataclasses import replace
from functools import cache
from typing import Any

from sanpo.ground.city import City
from sanpo.ground.plugins import Service, ServiceIsBroken
from sanpo.lake import own
from sanpo.lake.errors import DatasetIsUnknown
from sanpo.lake.model import OPEN, Dataset, dataset_from_manifest
from sanpo.lake.registry import open_datasets


def list_datasets(city: City) -> list[Dataset]:
    """Every dataset of the installed services and every open one, by name.

    Raises `ServiceIsBroken` for a manifest that cannot stand.
    """
    found = [*_of_services(city), *(each.dataset for each in open_datasets(city).values())]
    return sorted(found, key=lambda dataset: dataset.name)


def every_dataset(city: City) -> list[Dataset]:
    """As `list_datasets`, with the city's own: whatever lies in the lake."""
    return sorted([*list_datasets(city), *own.own_histories(city)], key=lambda dataset: dataset.name)


def get_dataset(city: City, name: str) -> Dataset:
    """The dataset of this name. Raises `DatasetIsUnknown`, also for one of the city's own."""
    if name.startswith(OPEN):
        registered = open_datasets(city).get(name)
        if registered is not None:
            return registered.dataset
    else:
        for dataset in _of_services(city):
            if dataset.name == name:
                return dataset
    raise DatasetIsUnknown(dataset=name, known=", ".join(dataset.name for dataset in list_datasets(city)))


def find_any(city: City, name: str) -> Dataset:
    """As `get_dataset`, with the city's own. Raises `DatasetIsUnknown`."""
    if name.startswith(own.HISTORIES):
        for dataset in own.own_histories(city):
            if dataset.name == name:
                return dataset
    return get_dataset(city, name)


def _of_services(city: City) -> list[Dataset]:
    return [dataset for service in city.plugins.services for dataset in _datasets_of(service)]


def _described(entry: dict[str, Any]) -> Dataset:
    """A history is described by its service in part: what makes its rows whole is added here."""
    given = dict(entry)
    is_history = given.pop("history", False)
    dataset = dataset_from_manifest(given)
    if not is_history:
        return dataset
    keys = [column.name for column in dataset.columns if column.role == "key" and column.name != "entity"]
    if dataset.time_column is None or dataset.local_column is not None or keys:
        raise ValueError(f"dataset {dataset.name}: a history has a time_column, no local_column, and no key but entity")
    return replace(dataset, columns=(*dataset.columns, *own.COLUMNS))


@cache
def _datasets_of(service: Service) -> tuple[Dataset, ...]:
    """Read once per process: a manifest cannot change while its package is loaded."""
    try:
        datasets = tuple(_described(entry) for entry in service.manifest.get("datasets", []))
    except (KeyError, TypeError, ValueError) as error:
        raise ServiceIsBroken(service=service.name, problem=str(error)) from error
    for dataset in datasets:
        if not dataset.name.startswith(f"{service.name}."):
            raise ServiceIsBroken(service=service.name, problem=f"the dataset {dataset.name} has another's name")
        if dataset.is_open:
            raise ServiceIsBroken(service=service.name, problem=f"the name {OPEN[:-1]} is kept for open datasets")
    return datasets

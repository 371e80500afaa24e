"""The catalogue: which datasets exist. Services describe theirs in their manifests; open ones stand in the registry."""

from functools import cache

from sanpo.ground.city import City
from sanpo.ground.plugins import Service, ServiceIsBroken
from sanpo.lake.errors import DatasetIsUnknown
from sanpo.lake.model import OPEN, Dataset, dataset_from_manifest
from sanpo.lake.registry import open_datasets


def list_datasets(city: City) -> list[Dataset]:
    """Every dataset of the installed services and every open one, by name.

    Raises `ServiceIsBroken` for a manifest that cannot stand.
    """
    found = [*_of_services(city), *(each.dataset for each in open_datasets(city).values())]
    return sorted(found, key=lambda dataset: dataset.name)


def get_dataset(city: City, name: str) -> Dataset:
    """The dataset of this name. Raises `DatasetIsUnknown`."""
    if name.startswith(OPEN):
        registered = open_datasets(city).get(name)
        if registered is not None:
            return registered.dataset
    else:
        for dataset in _of_services(city):
            if dataset.name == name:
                return dataset
    raise DatasetIsUnknown(dataset=name, known=", ".join(dataset.name for dataset in list_datasets(city)))


def _of_services(city: City) -> list[Dataset]:
    return [dataset for service in city.plugins.services for dataset in _datasets_of(service)]


@cache
def _datasets_of(service: Service) -> tuple[Dataset, ...]:
    """Read once per process: a manifest cannot change while its package is loaded."""
    try:
        datasets = tuple(dataset_from_manifest(entry) for entry in service.manifest.get("datasets", []))
    except (KeyError, TypeError, ValueError) as error:
        raise ServiceIsBroken(service=service.name, problem=str(error)) from error
    for dataset in datasets:
        if not dataset.name.startswith(f"{service.name}."):
            raise ServiceIsBroken(service=service.name, problem=f"the dataset {dataset.name} has another's name")
        if dataset.is_open:
            raise ServiceIsBroken(service=service.name, problem=f"the name {OPEN[:-1]} is kept for open datasets")
    return datasets

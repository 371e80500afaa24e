"""The catalogue: which datasets exist. They are described in the manifests of the installed services."""

from functools import cache

from sanpo.ground.city import City
from sanpo.ground.plugins import Service, ServiceIsBroken
from sanpo.lake.errors import DatasetIsUnknown
from sanpo.lake.model import Dataset, dataset_from_manifest


def list_datasets(city: City) -> list[Dataset]:
    """Every dataset of the installed services, by name. Raises `ServiceIsBroken` for a manifest that cannot stand."""
    found = [dataset for service in city.plugins.services for dataset in _datasets_of(service)]
    return sorted(found, key=lambda dataset: dataset.name)


def get_dataset(city: City, name: str) -> Dataset:
    """The dataset of this name. Raises `DatasetIsUnknown`."""
    datasets = list_datasets(city)
    for dataset in datasets:
        if dataset.name == name:
            return dataset
    raise DatasetIsUnknown(dataset=name, known=", ".join(dataset.name for dataset in datasets))


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
    return datasets

"""Which histories become datasets of the lake that questions can name. A service's manifest says so:

    [[histories]]
    dataset = "town.meter_history"       # a [[datasets]] table with history = true
    type = "https://example.org/Meter"
    columns = [{ name = "energy_wh", attribute = "https://example.org/energy" }]

A column `entity` of the dataset holds the entity's id. An observation of a declared attribute goes there when the dataset
can hold it: without `datasetId`, and about one resident alone where the dataset is personal. All else goes into the
tenant's own histories: a row about several residents would count for each of them in an answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

from sanpo.ground.city import City
from sanpo.ground.plugins import Service
from sanpo.lake import Dataset, get_dataset, histories


@dataclass(frozen=True)
class Declared:
    """A declaration: the attributes by IRI, each with the column that holds its values."""

    dataset: str
    type: str
    columns: Mapping[str, str]


def destination(city: City, row: Any, iri: str) -> Dataset:
    """The dataset into which a row of the history goes."""
    if row.subjects is None or len(row.subjects) == 1:
        for each in _all_declared(city):
            if each.type in row.types and iri in each.columns and row.dataset_id is None and not row.removed:
                dataset = get_dataset(city, each.dataset)
                if dataset.personal == (row.subjects is not None):
                    return dataset
    personal = row.subjects is not None
    return histories.own_history(own_name(row.tenant_no, personal=personal), personal=personal)


def values_of(city: City, dataset: Dataset, row: Any, iri: str, value: Any) -> dict[str, Any]:
    """What the manifest's own columns hold of a row: the entity's id, and the value in its column where it is of its type."""
    if dataset.internal:
        return {}
    columns = {
        each.columns[iri] for each in _all_declared(city) if each.dataset == dataset.name and iri in each.columns
    }
    found: dict[str, Any] = {}
    for column in dataset.columns:
        if column.name == "entity" and not column.internal:
            found[column.name] = row.entity_id
        elif column.name in columns:
            found[column.name] = _fitting(value, dataset.schema.field(column.name).type)
    return found


def _fitting(value: Any, type: pa.DataType) -> Any:
    try:
        return pa.scalar(value, type).as_py()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return None


def own_name(tenant_no: int, *, personal: bool) -> str:
    """How the tenant's own history is called."""
    return f"{histories.HISTORIES}{'residents' if personal else 'things'}_{tenant_no}"


def _all_declared(city: City) -> list[Declared]:
    return [each for service in city.plugins.services for each in _declared_by(service)]


@cache
def _declared_by(service: Service) -> tuple[Declared, ...]:
    """Read once per process: a manifest cannot change while its package is loaded."""
    return tuple(
        Declared(each["dataset"], each["type"], {column["attribute"]: column["name"] for column in each["columns"]})
        for each in service.manifest.get("histories", [])
    )

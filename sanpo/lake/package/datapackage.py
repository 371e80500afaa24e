"""`datapackage.json` (Data Package 2.0, datapackage.org): each dataset as a resource with schema, licence and hash. Pure.

What the standard has no word for (roles, keys, both languages, the descriptor of open data) stands under `sanpo`, from which
another city reads the dataset back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanpo.lake.licences import is_spdx, licence_title, licence_url
from sanpo.lake.model import Column, Dataset

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
PARQUET = "application/vnd.apache.parquet"
_TYPES = {
    "int32": "integer",
    "int64": "integer",
    "float64": "number",
    "text": "string",
    "bool": "boolean",
    "date": "date",
    "timestamp": "datetime",
}


@dataclass(frozen=True)
class PackagedDataset:
    """One dataset of a package: its file (relative to the package), and what is in it.

    `descriptor` is what open data was imported by; None for a service's dataset.
    """

    dataset: Dataset
    version: int
    path: str
    rows: int
    bytes: int
    sha256: str
    descriptor: Mapping[str, Any] | None

    @property
    def is_personal(self) -> bool:
        return self.dataset.personal


def datapackage(city: Mapping[str, str], datasets: list[PackagedDataset], created_at: datetime) -> dict[str, Any]:
    """The package of a city (its name in `ja` and `en`)."""
    return {
        "$schema": PROFILE,
        "name": "sanpo-export",
        "title": f"{city['ja']} / {city['en']}",
        "description": f"Datasets of {city['en']}, exported by Sanpo",
        "created": created_at.isoformat(timespec="seconds"),
        "contributors": [{"title": city["ja"], "roles": ["publisher"]}],
        "resources": [_resource(each) for each in datasets],
    }


def described_in(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """What Sanpo wrote of a resource for its own reading. Raises `KeyError` or `TypeError` where it is not its package."""
    described: Mapping[str, Any] = {**resource["sanpo"], "path": resource["path"], "hash": resource["hash"]}
    return described


def _resource(each: PackagedDataset) -> dict[str, Any]:
    dataset = each.dataset
    found: dict[str, Any] = {
        "name": dataset.name,
        "type": "table",
        "path": each.path,
        "title": dataset.text.get("ja", dataset.name),
        "description": dataset.text.get("en", dataset.name),
        "format": "parquet",
        "mediatype": PARQUET,
        "bytes": each.bytes,
        "hash": f"sha256:{each.sha256}",
        "schema": _schema(dataset),
        "sanpo": _own(each),
    }
    if dataset.licence is not None:
        found["licenses"] = [_licence(dataset.licence)]
    if dataset.source is not None:
        source = dataset.source
        found["sources"] = [{"title": source.publisher, "path": source.url}]
    return found


def _licence(licence: str) -> dict[str, str]:
    found = {"path": licence_url(licence), "title": licence_title(licence)}
    return {"name": licence, **found} if is_spdx(licence) else found


def _schema(dataset: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {"fields": [_field(column) for column in dataset.columns]}
    columns = [key.column for key in dataset.keys if key.name in dataset.unique]
    if columns:  # two rows that agree in the columns would agree in every unit to which a key cuts them
        found["uniqueKeys"] = [list(dict.fromkeys(columns))]
    return found


def _field(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": _TYPES[column.type]}
    if column.text:
        found |= {"title": column.text["ja"], "description": column.text["en"]}
    if column.domain is not None:
        found["constraints"] = {"enum": list(column.domain)}
    if column.unit is not None:
        found["unit"] = column.unit
    return found


def _own(each: PackagedDataset) -> dict[str, Any]:
    dataset = each.dataset
    found: dict[str, Any] = {
        "dataset": dataset.name,
        "version": each.version,
        "rows": each.rows,
        "personal": dataset.personal,
        "keys": [vars(key) for key in dataset.keys],
        "unique": list(dataset.unique),
        "columns": [
            {"name": c.name, "type": c.type, "role": c.role, "sensitive": c.sensitive, "text": dict(c.text)}
            for c in dataset.columns
        ],
        "time_column": dataset.time_column,
        "local_column": dataset.local_column,
    }
    if dataset.source is not None:
        found["retrieved_day"] = dataset.source.retrieved_day.isoformat()
    if each.descriptor is not None:
        found["descriptor"] = dict(each.descriptor)
    return found

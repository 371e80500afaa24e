"""What a dataset and its columns are called for people: the words of the service that brings them."""

from collections.abc import Iterator
from typing import Any

from sanpo.ground.city import City


def dataset_columns(city: City) -> dict[str, frozenset[str]]:
    """Every dataset and every type of entity of the installed services with its columns."""
    return {each["name"]: frozenset(column["name"] for column in each["columns"]) for each in _declared(city)}


def dataset_text(city: City, name: str, lang: str, column: str | None = None) -> str:
    """The manifest's text of a dataset, or of one of its columns; the bare name where no service brings it any more."""
    for dataset in _declared(city):
        if dataset["name"] != name:
            continue
        if column is None:
            return str(dataset["text"][lang])
        for known in dataset["columns"]:
            if known["name"] == column:
                return str(known["text"][lang])
    return column or name


def hands_over_values(city: City, name: str) -> bool:
    """Whether it is a type of entity: its values reach the recipient resident by resident, and not as totals."""
    return any(
        each["name"] == name for service in city.plugins.services for each in service.manifest.get("entities", [])
    )


def _declared(city: City) -> Iterator[Any]:
    for service in city.plugins.services:
        yield from service.manifest.get("datasets", [])
        yield from service.manifest.get("entities", [])

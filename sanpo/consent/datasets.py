"""What a dataset and its columns are called for people: the words of the service that brings them."""

from sanpo.ground.city import City


def dataset_columns(city: City) -> dict[str, frozenset[str]]:
    """Every dataset of the installed services with its columns."""
    return {
        dataset["name"]: frozenset(column["name"] for column in dataset["columns"])
        for service in city.plugins.services
        for dataset in service.manifest.get("datasets", [])
    }


def dataset_text(city: City, name: str, lang: str, column: str | None = None) -> str:
    """The manifest's text of a dataset, or of one of its columns; the bare name where no service brings it any more."""
    for service in city.plugins.services:
        for dataset in service.manifest.get("datasets", []):
            if dataset["name"] != name:
                continue
            if column is None:
                return str(dataset["text"][lang])
            for known in dataset["columns"]:
                if known["name"] == column:
                    return str(known["text"][lang])
    return column or name

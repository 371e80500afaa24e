"""The export as a DCAT-AP 3.0 catalogue in JSON-LD, as open-data portals harvest it. Pure.

Personal data is described as not public: the catalogue says that it exists and gives nothing away.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sanpo.lake.licences import licence_url
from sanpo.lake.model import Dataset
from sanpo.lake.package.datapackage import PARQUET, PackagedDataset

_ACCESS = "http://publications.europa.eu/resource/authority/access-right/"
_LANGUAGE = "http://publications.europa.eu/resource/authority/language/"
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "prov": "http://www.w3.org/ns/prov#",
}


def dcat_catalogue(
    city: Mapping[str, str], home: str, datasets: list[PackagedDataset], created_at: datetime
) -> dict[str, Any]:
    """The catalogue of a city. `home` is the address that residents see; identifiers begin with it."""
    publisher = {"@id": f"{home}/#city", "@type": "foaf:Agent", "foaf:name": _texts(city)}
    return {
        "@context": _CONTEXT,
        "@id": f"{home}/#catalogue",
        "@type": "dcat:Catalog",
        "dct:title": _texts({"ja": f"{city['ja']}のデータ", "en": f"Data of {city['en']}"}),
        "dct:description": _texts(
            {"ja": f"{city['ja']}が書き出したデータセット", "en": f"Datasets exported by {city['en']}"}
        ),
        "dct:publisher": publisher,
        "dct:language": [{"@id": f"{_LANGUAGE}JPN"}, {"@id": f"{_LANGUAGE}ENG"}],
        "dct:issued": _moment(created_at),
        "dcat:dataset": [_dataset(each, home, created_at) for each in datasets],
    }


def _dataset(each: PackagedDataset, home: str, created_at: datetime) -> dict[str, Any]:
    dataset = each.dataset
    identifier = f"{home}/#{dataset.name}"
    text = dataset.text or {"ja": dataset.name, "en": dataset.name}
    found: dict[str, Any] = {
        "@id": identifier,
        "@type": "dcat:Dataset",
        "dct:identifier": dataset.name,
        "dct:title": _texts(text),
        "dct:description": _texts(text),
        "dct:accessRights": {"@id": f"{_ACCESS}{_access(dataset)}"},
        "dct:publisher": {"@id": f"{home}/#city"},
        "dct:modified": _moment(created_at),
        "dcat:distribution": _distribution(each, identifier),
    }
    if dataset.source is not None:
        source = dataset.source
        found["dct:source"] = {"@id": source.url}
        found["prov:wasAttributedTo"] = {"@type": "foaf:Agent", "foaf:name": source.publisher}
    return found


def _distribution(each: PackagedDataset, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@id": f"{identifier}-parquet",
        "@type": "dcat:Distribution",
        "dcat:accessURL": {"@id": each.path},
        "dcat:downloadURL": {"@id": each.path},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{PARQUET}"},
        "dcat:byteSize": {"@value": str(each.bytes), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@value": each.sha256, "@type": "xsd:hexBinary"},
        },
    }
    if each.dataset.licence is not None:
        found["dct:license"] = {"@id": licence_url(each.dataset.licence)}
    return found


def _access(dataset: Dataset) -> str:
    """A word of the European vocabulary of access rights."""
    if dataset.personal:
        return "NON_PUBLIC"
    return "PUBLIC" if dataset.licence is not None else "RESTRICTED"


def _texts(text: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@value": text[lang], "@language": lang} for lang in ("ja", "en")]


def _moment(at: datetime) -> dict[str, str]:
    return {"@value": at.isoformat(timespec="seconds"), "@type": "xsd:dateTime"}

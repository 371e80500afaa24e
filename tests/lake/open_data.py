"""Open data for tests: a small descriptor that tests change, and files written beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from sanpo.ground.city import City
from sanpo.lake import snapshot
from sanpo.lake.opendata import Descriptor, descriptor_from

SHOPS = "open.shops"
GUIDES = Path(__file__).resolve().parents[2] / "docs/how-to/open-data"


def column(name: str, type: str = "text", role: str = "dimension", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "role": role, "text": {"ja": f"列{name}", "en": f"Column {name}"}, **more}


def document(**changes: Any) -> dict[str, Any]:
    """A valid descriptor: shops with their area and how many people work there."""
    found = {
        "name": SHOPS,
        "text": {"ja": "店", "en": "Shops"},
        "licence": "CC-BY-4.0",
        "source": {"publisher": "三方市", "url": "https://example.jp/shops", "retrieved_day": "2026-03-31"},
        "columns": [column("shop"), column("area"), column("staff", "int32", "measure", unit="persons")],
        "keys": [{"name": "area", "kind": "area", "column": "area"}],
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def described(**changes: Any) -> Descriptor:
    return descriptor_from(document(**changes))


def write(folder: Path, rows: Sequence[str], name: str = "shops.csv", encoding: str = "utf-8") -> Path:
    """A file of these lines."""
    file = folder / name
    file.write_bytes("\r\n".join([*rows, ""]).encode(encoding))
    return file


def shops(folder: Path, *rows: str, **more: Any) -> Path:
    return write(folder, ["shop,area,staff", *rows], **more)


def held(city: City, name: str = SHOPS) -> list[tuple[Any, ...]]:
    """All rows of the dataset, sorted."""
    files = list(snapshot(city, name).files)
    if not files:
        return []
    found = duckdb.execute("select * from read_parquet($f, hive_partitioning = false)", {"f": files}).fetchall()
    return sorted(found, key=str)

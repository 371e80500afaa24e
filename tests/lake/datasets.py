"""Cities with a service of which a test writes the manifest, as another version of the service would bring it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from sanpo.ground.city import City
from sanpo.ground.plugins import Plugins, Service

DEMO = "demo.things"
COLUMNS: list[dict[str, Any]] = [
    {"name": "subject_no", "type": "int32", "role": "subject"},
    {"name": "at", "type": "timestamp", "role": "time"},
    {"name": "kind", "type": "text", "role": "dimension"},
    {"name": "amount", "type": "int32", "role": "measure"},
]
_version = count()


def described(city: City, *datasets: dict[str, Any]) -> City:
    """The same city, opened by a process in which the service `demo` brings these datasets."""
    service = Service("demo", f"demo_{next(_version)}")
    service.__dict__["manifest"] = {"datasets": list(datasets)}
    return replace(city, plugins=Plugins((service,)))


def things(columns: Sequence[dict[str, Any]] = COLUMNS, **more: Any) -> dict[str, Any]:
    """A `[[datasets]]` table about people and moments."""
    text = {"ja": "もの", "en": "Things"}
    return {"name": DEMO, "personal": True, "columns": list(columns), "time_column": "at", "text": text, **more}

"""From the canonical form to what a client of NGSIv2 reads: normalized, keyValues, values, unique; attributes and metadata as
asked for ("Filtering out attributes and metadata"). Pure.

NGSIv2 knows one type of an entity and one instance of an attribute: it sees the first type and the default instance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sanpo.broker.model import Instance, default_instance
from sanpo.broker.ngsi_v2.names import id_of, name_of
from sanpo.broker.ngsi_v2.values import DATE_TIME, shown_moment, type_and_value
from sanpo.broker.store import encode

Format = Literal["normalized", "keyValues", "values", "unique"]
ALL = "*"
Shown = dict[str, Any]


def identity_of(doc: Any) -> Shown:
    return {"id": id_of(doc["id"]), "type": name_of(doc["type"][0])}


def service_path_of(doc: Any) -> str:
    scopes = doc.get("scope")
    return str(scopes[0]) if scopes else "/"


@dataclass(frozen=True)
class Writer:
    """How one answer shows entities. `attrs` and `metadata` are the names asked for, None for all but the built-in."""

    format: Format = "normalized"
    attrs: tuple[str, ...] | None = None
    metadata: tuple[str, ...] | None = None

    def entity(self, doc: Any) -> Any:
        """One entity. A list of values has neither id nor type."""
        found = self.attributes(doc)
        return found if type(found) is list else {**identity_of(doc), **found}

    def attributes(self, doc: Any, built_in: Mapping[str, Any] | None = None) -> Any:
        """Its attributes alone, in the order asked for. `built_in` are more of those that are shown on demand only."""
        instances = self.instances(doc, built_in or {})
        if self.format == "normalized":
            return {name: self.attribute(each) for name, each in instances.items()}
        plain = {name: type_and_value(each)[1] for name, each in instances.items()}
        if self.format == "keyValues":
            return plain
        return list(plain.values()) if self.format == "values" else _unique(plain.values())

    def instances(self, doc: Any, more: Mapping[str, Any]) -> dict[str, Instance]:
        """The default instances by name."""
        own = {
            name_of(iri): each
            for iri, instances in doc["attrs"].items()
            if (each := default_instance(instances)) is not None
        }
        if self.attrs is None:
            return own
        built_in = {**_built_in(doc), **more}
        found: dict[str, Instance] = {}
        for name in self.attrs:
            if name == ALL:
                found |= {other: each for other, each in own.items() if other not in found}
            elif name in own or name in built_in:
                found[name] = own[name] if name in own else built_in[name]
        return found

    def attribute(self, instance: Instance) -> Shown:
        """Value, type and metadata."""
        kind, value = type_and_value(instance)
        return {"type": kind, "value": value, "metadata": self._metadata(instance)}

    def _metadata(self, instance: Instance) -> Shown:
        own = metadata_of(instance)
        if self.metadata is None:
            return own
        built_in = {
            name: _time(instance[key])
            for name, key in (("dateCreated", "createdAt"), ("dateModified", "modifiedAt"))
            if key in instance
        } | instance.get("built_in", {})
        found: Shown = {}
        for name in self.metadata:
            if name == ALL:
                found |= own
            elif name in own or name in built_in:
                found[name] = own[name] if name in own else built_in[name]
        return found


def metadata_of(instance: Instance) -> Shown:
    """The metadata that clients have set."""
    found: Shown = {}
    if "observedAt" in instance:
        found["observedAt"] = _time(instance["observedAt"])
    if "unitCode" in instance:
        found["unitCode"] = {"type": "Text", "value": instance["unitCode"]}
    for iri, instances in instance.get("attrs", {}).items():
        each = default_instance(instances)
        if each is not None:
            kind, value = type_and_value(each)
            found[name_of(iri)] = {"type": kind, "value": value}
    return found


def _built_in(doc: Any) -> dict[str, Instance]:
    """Built-in attributes as instances."""
    times = (("dateCreated", "createdAt"), ("dateModified", "modifiedAt"), ("dateExpires", "expiresAt"))
    found: dict[str, Instance] = {
        name: {"type": "Property", "value": shown_moment(doc[key]), "valueType": DATE_TIME}
        for name, key in times
        if key in doc
    }
    return {**found, "servicePath": {"type": "Property", "value": service_path_of(doc)}}


def _time(text: str) -> Shown:
    return {"type": DATE_TIME, "value": shown_moment(text)}


def _unique(values: Any) -> list[Any]:
    return list({encode(each): each for each in values}.values())

"""From what a client of NGSIv2 sends, whole or as values alone (`keyValues`), to the canonical form.

Metadata are sub-attributes, but for `observedAt` and `unitCode`, which NGSI-LD has as members of an instance. Built-in
attributes and metadata are nobody's to set and are passed over, all but `dateExpires`.
"""

from dataclasses import dataclass
from typing import Any

from sanpo.broker.model import Attributes, Entity, Instance
from sanpo.broker.ngsi_v2.names import iri_of, uri_of
from sanpo.broker.ngsi_v2.syntax import (
    BUILT_IN,
    BUILT_IN_METADATA,
    UNRESTRICTED,
    check_attribute_name,
    check_field,
    check_metadata_name,
    check_value,
    refuse,
)
from sanpo.broker.ngsi_v2.values import DATE_TIME, default_type, instance_of, moment_in
from sanpo.broker.representation.reading import UNITLESS, Fragment

THING = "Thing"
_MEMBERS = frozenset({"type", "value", "metadata"})


@dataclass(frozen=True)
class Reader:
    """Reads what one request sends. `now` is written into what it makes; `simple` for values alone (keyValues)."""

    now: str
    simple: bool = False

    def entity(self, data: Any, scope: str | None = None) -> Entity:
        """A whole entity. Raises `RequestIsNoNgsiV2`."""
        if type(data) is not dict:
            refuse("entity", "is no JSON object")
        if "id" not in data:
            refuse("id", "is missing")
        rest = {name: value for name, value in data.items() if name not in ("id", "type")}
        fragment = self.attributes(rest)
        made: Any = {
            "id": uri_of(check_field(data["id"], "id")),
            "type": [iri_of(check_field(data.get("type", THING), "type"))],
            "createdAt": self.now,
            "modifiedAt": self.now,
            "attrs": fragment["attrs"],
        }
        if scope is not None:
            made["scope"] = [scope]
        if "expiresAt" in fragment:
            made["expiresAt"] = fragment["expiresAt"]
        found: Entity = made
        return found

    def attributes(self, data: Any) -> Fragment:
        """Attributes by name. Raises `RequestIsNoNgsiV2`."""
        if type(data) is not dict:
            refuse("attributes", "are no JSON object")
        found: Fragment = {"attrs": {}}
        for name, given in data.items():
            if name == "dateExpires":
                found["expiresAt"] = self._expiry(given)
            elif name not in BUILT_IN:
                found["attrs"][iri_of(check_attribute_name(name))] = [self.attribute(name, given)]
        return found

    def attribute(self, name: str, given: Any) -> Instance:
        """One attribute as an instance."""
        data = {"value": given} if self.simple else given
        if type(data) is not dict or not data.keys() <= _MEMBERS:
            refuse(name, "is no JSON object of value, type and metadata")
        found = _typed(name, data)
        members, subs = self._metadata(name, data.get("metadata", {}), unitless=found["type"] in UNITLESS)
        found |= {**members, "createdAt": self.now, "modifiedAt": self.now}
        return {**found, "attrs": subs} if subs else found

    def _metadata(self, name: str, data: Any, *, unitless: bool) -> tuple[dict[str, Any], Attributes]:
        if type(data) is not dict:
            refuse(f"{name}.metadata", "is no JSON object")
        members: dict[str, Any] = {}
        subs: Attributes = {}
        for key, given in data.items():
            where = f"{name}.{key}"
            check_metadata_name(key, where)
            if key in BUILT_IN_METADATA:
                continue
            if type(given) is not dict or not given.keys() <= {"type", "value"}:
                refuse(where, "is no JSON object of value and type")
            member = None if unitless and key == "unitCode" else _member(key, given, where)
            if member is not None:
                members[key] = member
            else:
                subs[iri_of(key)] = [_typed(where, given)]
        return members, subs

    def _expiry(self, given: Any) -> str:
        value = given if self.simple or type(given) is not dict else given.get("value")
        return moment_in(value, "dateExpires")


def _typed(where: str, data: dict[str, Any]) -> Instance:
    """Type and value, checked."""
    kind = data.get("type")
    if kind is not None:
        check_field(kind, f"{where}.type")
    if kind != UNRESTRICTED:
        check_value(data.get("value"), where)
    return instance_of(kind, data.get("value"), where)


def _member(key: str, given: dict[str, Any], where: str) -> str | None:
    """A metadatum that NGSI-LD has as a member of the instance."""
    value = given.get("value")
    kind = given.get("type", default_type(value))
    if key == "observedAt" and kind == DATE_TIME and type(value) is str:
        return moment_in(value, where)
    if key == "unitCode" and kind == "Text" and value:
        check_value(value, where)
        return str(value)
    return None

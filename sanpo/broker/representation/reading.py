"""From what a client sends to the canonical form: normalized, concise and simplified members alike (§4.5.2 to §4.5.24).

An NGSI-LD Null (`urn:ngsi-ld:null`) is refused except where the operation allows it (§5.5.4): `Nulls.DELETES` lets it
stand for a member that goes, `Nulls.MERGES` also inside a value. It then stays in the fragment as the value `NULL`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from sanpo.broker.model import GEO_NAMES, NGSI_LD, NULL, PROOF, VALUE_KEYS, Attributes, Entity, Instance
from sanpo.broker.representation import values
from sanpo.broker.representation.checks import check_name, check_scopes, check_time, check_uri, is_name, is_time, refuse
from sanpo.broker.representation.geometry import is_geometry

if TYPE_CHECKING:
    from sanpo.broker.contexts import Context

MAX_DEPTH = 30
UNTYPED = ""
"""The type of a bare value in a simplified fragment: what it is, the attribute that it meets decides (§5.5.12)."""
_TYPE_BY_KEY = {
    "object": "Relationship",
    "languageMap": "LanguageProperty",
    "vocab": "VocabProperty",
    "json": "JsonProperty",
    "valueList": "ListProperty",
    "objectList": "ListRelationship",
}
_ALL_VALUE_KEYS = frozenset(VALUE_KEYS.values())
_MADE_BY_BROKER = frozenset({"createdAt", "modifiedAt", "deletedAt", "instanceId", "lang"})
_ONLY_IN_ANSWERS = frozenset(
    {"entity", "entityList"} | {f"previous{key[0].upper()}{key[1:]}" for key in _ALL_VALUE_KEYS}
)
_NO_ATTRIBUTE = frozenset(
    {"datasetId", "instanceId", "observedAt", "unitCode", "objectType", "valueType", "lang", "previousValue"}
    | (_ALL_VALUE_KEYS - {"value", "json", "vocab", "object"})
)
_SPECIAL = GEO_NAMES | {PROOF}
UNITLESS = frozenset({"Relationship", "ListRelationship", "JsonProperty", "VocabProperty", "LanguageProperty"})
_PLAIN = frozenset({"type", "value", "observedAt", "unitCode"})
_SEALED = frozenset({"entityIdSealed", "entityTypeSealed"})
_SCALARS = frozenset({int, float, str, bool})
_OF_ENTITY = frozenset(
    {"id", "@id", "type", "@type", "scope", "@context", "expiresAt", "createdAt", "modifiedAt", "deletedAt"}
)


class Nulls(Enum):
    """Where an NGSI-LD Null may stand."""

    REFUSED = 0
    DELETES = 1
    MERGES = 2


class Fragment(TypedDict):
    """Part of an entity (§5.4). `scope` and `expiresAt` may be `NULL`."""

    id: NotRequired[str]
    type: NotRequired[list[str]]
    scope: NotRequired[list[str] | str]
    expiresAt: NotRequired[str]
    attrs: Attributes


@dataclass(frozen=True)
class Reader:
    """Reads what one request sends. `now` is written into what it makes; `simplified` leaves bare values untyped."""

    context: "Context"
    now: str
    nulls: Nulls = Nulls.REFUSED
    simplified: bool = False

    def entity(self, data: Any) -> Entity:
        """A whole entity. Raises `EntityIsInvalid`."""
        if type(data) is not dict:
            refuse("entity", "is no JSON object")
        fragment = self.fragment(data)
        if "id" not in fragment:
            refuse("id", "is missing")
        if "type" not in fragment:
            refuse("type", "is missing")
        made: Any = {"id": fragment["id"], "type": fragment["type"]}
        for key in ("scope", "expiresAt"):
            if key in fragment:
                made[key] = fragment[key]
        made["createdAt"] = made["modifiedAt"] = self.now
        made["attrs"] = fragment["attrs"]
        found: Entity = made
        return found

    def fragment(self, data: Any) -> Fragment:
        """A part of an entity, or all of one. Raises `EntityIsInvalid`."""
        if type(data) is not dict:
            refuse("entity", "is no JSON object")
        found: Fragment = {"attrs": {}}
        given = data.get("id", data.get("@id"))
        if given is not None:
            found["id"] = check_uri(given, "id") if given != NULL else refuse("id", "is the NGSI-LD Null")
        given = data.get("type", data.get("@type"))
        if given is not None:
            found["type"] = self._types(given)
        if "scope" in data:
            scope = data["scope"]
            found["scope"] = NULL if self._is_null(scope, "scope") else check_scopes(scope)
        if "expiresAt" in data:
            expires = data["expiresAt"]
            found["expiresAt"] = NULL if self._is_null(expires, "expiresAt") else check_time(expires, "expiresAt")
        attrs, expand = found["attrs"], self.context.expand
        for term, value in data.items():
            if term in _OF_ENTITY:
                continue
            if term in _NO_ATTRIBUTE or not is_name(term):
                refuse(str(term), "is no name of an attribute")
            iri = expand(term)
            if iri in attrs:
                refuse(term, "is there twice under different names")
            if iri[0] == "@":
                refuse(term, "is a keyword of JSON-LD")
            attrs[iri] = self.instances(iri, term, value)
        return found

    def instances(self, iri: str, term: str, value: Any) -> list[Instance]:
        """All instances of one attribute (§4.5.5); the default instance comes first."""
        if type(value) is not list or not _are_instances(value):
            return [self.instance(iri, term, value)]
        found = [self.instance(iri, term, each) for each in value]
        found.sort(key=lambda instance: "datasetId" in instance)
        ids = [instance.get("datasetId") for instance in found]
        if len(set(ids)) < len(ids):
            refuse(f"{term}.datasetId", "is there twice")
        return found

    def instance(self, iri: str, term: str, value: Any, depth: int = 0) -> Instance:
        """One instance with its value."""
        if type(value) is not dict:
            return self._bare(iri, term, value, depth)
        if value.keys() <= _PLAIN and value.get("type") == "Property" and type(value.get("value")) in _SCALARS:
            plain = self._plain(iri, value, depth)
            if plain is not None:
                return plain
        kind = self._kind(term, value)
        key = VALUE_KEYS[kind]
        if is_geometry(value) or not (key in value or "type" in value or "@type" in value):
            kind = "GeoProperty" if is_geometry(value) else kind
            return self._bare(iri, term, value, depth, kind)
        if key not in value:
            refuse(f"{term}.{key}", "is missing")
        return self._members(iri, term, value, kind, depth)

    def _plain(self, iri: str, value: Any, depth: int) -> Instance | None:
        """A Property as most are, a number or a text with a time or a unit: what `_members` would make, in less time."""
        scalar, observed, unit = value["value"], value.get("observedAt"), value.get("unitCode")
        if scalar == NULL or iri in _SPECIAL or (type(scalar) is float and scalar - scalar != 0):
            return None
        found: Instance = {"type": "Property", "value": scalar}
        if observed is not None:
            if type(observed) is not str or "," in observed or not is_time(observed):
                return None
            found["observedAt"] = observed
        if unit is not None:
            if type(unit) is not str or not unit or unit == NULL:
                return None
            found["unitCode"] = unit
        if not depth:
            found["createdAt"] = found["modifiedAt"] = self.now
        return found

    def partial(self, iri: str, term: str, value: Any) -> Instance:
        """Members of one instance, for a partial update (§5.6.4): type and value may be missing."""
        if type(value) is not dict:
            return self._bare(iri, term, value, 0)
        data = {name: member for name, member in value.items() if name not in ("@context", "id", "@id")}
        given = data.get("type", data.get("@type"))
        if given is None and not any(key in data for key in _ALL_VALUE_KEYS):
            if is_geometry(data):
                return self._bare(iri, term, data, 0, "GeoProperty")
            found = self._members(iri, term, data, "Property", 0, valued=False)
            del found["type"]
            return found
        kind = self._kind(term, data)
        if VALUE_KEYS[kind] in data:
            return self._members(iri, term, data, kind, 0)
        if is_geometry(data):
            return self._bare(iri, term, data, 0, "GeoProperty")
        if any(key in data for key in _ALL_VALUE_KEYS):
            refuse(term, f"has a member that {kind} does not have")
        return self._members(iri, term, data, kind, 0, valued=False)

    def _types(self, given: Any) -> list[str]:
        names = given if type(given) is list else [given]
        if not names:
            refuse("type", "is empty")
        found: list[str] = []
        for name in names:
            iri = self.context.expand_type(check_name(name, "type"))
            if iri[0] == "@":
                refuse("type", f"{name} is a keyword of JSON-LD")
            if iri not in found:
                found.append(iri)
        return found

    def _kind(self, term: str, value: dict[str, Any]) -> str:
        given = value.get("type", value.get("@type"))
        if given is None:
            for key, kind in _TYPE_BY_KEY.items():
                if key in value:
                    return kind
            return "GeoProperty" if is_geometry(value.get("value")) else "Property"
        kind = given.removeprefix(NGSI_LD) if type(given) is str else ""
        if kind in VALUE_KEYS:
            return kind
        return "GeoProperty" if is_geometry(value) else refuse(f"{term}.type", f"is none of {', '.join(VALUE_KEYS)}")

    def _bare(self, iri: str, term: str, value: Any, depth: int, kind: str = "Property") -> Instance:
        """The value alone (concise §4.5.2.3, simplified §4.5.4)."""
        if self._is_null(value, term):
            return {"type": UNTYPED, "value": NULL}
        found: Instance = {"type": kind, "value": self._value(kind, value, term)}
        self._check_special(iri, term, found)
        if self.simplified and kind == "Property":
            found["type"] = UNTYPED
        if not depth:
            found["createdAt"] = found["modifiedAt"] = self.now
        return found

    def _members(
        self, iri: str, term: str, data: dict[str, Any], kind: str, depth: int, valued: bool = True
    ) -> Instance:
        if depth > MAX_DEPTH:
            refuse(term, "is nested too deep")
        key = VALUE_KEYS[kind]
        found: Instance = {"type": kind}
        if valued:
            found[key] = NULL if self._is_deletion(kind, data[key], term) else self._value(kind, data[key], term)
            self._check_special(iri, term, found)
        subs: Attributes = {}
        for name, member in data.items():
            if name == key or name == "type" or name == "@type" or name in _MADE_BY_BROKER:
                continue
            where = f"{term}.{name}"
            if name == "observedAt" or name == "expiresAt":
                found[name] = NULL if self._is_null(member, where) else check_time(member, where)
            elif name == "unitCode":
                found[name] = self._unit(kind, member, where)
            elif name == "datasetId":
                if member != "@none":
                    found[name] = check_uri(member, where) if member != NULL else refuse(where, "cannot be removed")
            elif name == "objectType" and kind in ("Relationship", "ListRelationship"):
                found[name] = NULL if self._is_null(member, where) else self._types(member)
            elif name in _SEALED and iri == PROOF:
                found[name] = self._sealed(name, member, where)
            elif name == "valueType":
                found[name] = self._value_type(kind, member, where)
            elif name in _ALL_VALUE_KEYS or name in _ONLY_IN_ANSWERS or name in _SEALED or not is_name(name):
                refuse(where, f"cannot be part of a {kind}")
            else:
                subs[self._name(name, where)] = self._subs(name, member, depth + 1)
        if subs:
            found["attrs"] = subs
        if not depth:
            found["createdAt"] = found["modifiedAt"] = self.now
        return found

    def _name(self, name: str, where: str) -> str:
        iri = self.context.expand(name)
        return refuse(where, "is a keyword of JSON-LD") if iri[0] == "@" else iri

    def _subs(self, name: str, value: Any, depth: int) -> list[Instance]:
        if type(value) is list and _are_instances(value):
            return [self.instance("", name, each, depth) for each in value]
        return [self.instance("", name, value, depth)]

    def _unit(self, kind: str, member: Any, where: str) -> str:
        if kind in UNITLESS:
            refuse(where, f"cannot be part of a {kind}")
        if type(member) is not str or not member:
            refuse(where, "is no unit")
        return NULL if self._is_null(member, where) else member

    def _value_type(self, kind: str, member: Any, where: str) -> str:
        if kind == "LanguageProperty" and member != "langString":
            refuse(where, "is not langString")
        if type(member) is not str or not member:
            refuse(where, "is no type")
        return member

    def _value(self, kind: str, value: Any, term: str) -> Any:
        return values.CHECKS[kind](value, term, self.context.expand, self.nulls is Nulls.MERGES)

    def _check_special(self, iri: str, term: str, instance: Instance) -> None:
        """The attributes of the core context whose type is given (§4.5.2.2, §4.7.1)."""
        if iri in GEO_NAMES and instance["type"] != "GeoProperty":
            refuse(term, "is always a GeoProperty")
        if iri == PROOF and not (type(instance.get("value")) is dict or instance.get("value") == NULL):
            refuse(term, "is always a Property whose value is the proof as an object")

    def _sealed(self, name: str, member: Any, where: str) -> str:
        """The id or the type of the entity as it was when it was sealed."""
        if name == "entityIdSealed":
            return check_uri(member, where)
        return self.context.expand_type(check_name(member, where))

    def _is_null(self, value: Any, where: str) -> bool:
        if value == NULL and type(value) is str:
            if self.nulls is Nulls.REFUSED:
                refuse(where, "is the NGSI-LD Null, which only an update can hold")
            return True
        return False

    def _is_deletion(self, kind: str, value: Any, where: str) -> bool:
        if kind == "LanguageProperty" and value == {"@none": NULL}:
            value = NULL
        return self._is_null(value, where)


def _are_instances(items: list[Any]) -> bool:
    """Whether a list holds instances of an attribute, and is not itself a value."""
    return bool(items) and all(
        type(item) is dict
        and ("datasetId" in item or item.get("type") in VALUE_KEYS or not _ALL_VALUE_KEYS.isdisjoint(item))
        for item in items
    )


__all__ = ["UNITLESS", "UNTYPED", "Fragment", "Nulls", "Reader"]

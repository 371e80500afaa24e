"""From a CSourceRegistration as it comes in (§5.2.9 to §5.2.11) to the document that is stored, and back."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sanpo.broker.contexts.context import Context
from sanpo.broker.language.ids import parse_id_pattern
from sanpo.broker.model import written
from sanpo.broker.registrations.errors import fail
from sanpo.broker.registrations.model import AUXILIARY_OPERATIONS, GROUPS, MODES, MOST_TIMEOUT_MS, OPERATIONS
from sanpo.broker.registrations.states import state_of
from sanpo.broker.representation.checks import check_name, check_scopes, check_time, check_uri
from sanpo.broker.representation.geometry import check_geometry
from sanpo.broker.representation.writing import short_time
from sanpo.broker.temporal.durations import parse_duration

TYPE = "ContextSourceRegistration"
MOST_INFORMATION = 500
_READ_ONLY = frozenset(
    {"status", "createdAt", "modifiedAt", "timesSent", "timesFailed", "lastSuccess", "lastFailure", "@context"}
)
_NEVER_NULL = frozenset({"id", "type", "information", "endpoint"})
_Read = Callable[[Any, str, Context], Any]


def read_registration(data: Any, context: Context, now: datetime) -> dict[str, Any]:
    """A whole registration. Raises `RegistrationIsInvalid`, or an error of the languages."""
    found = read_members(data, context)
    if found.get("type") != TYPE:
        fail("type", f"is not {TYPE}")
    check_whole(found, now)
    return found


def merge_members(doc: Mapping[str, Any], data: Any, context: Context, now: datetime) -> dict[str, Any]:
    """The stored document with the members of a fragment (§5.9.3); null takes one away."""
    given = read_members(data, context, partial=True)
    properties = {**doc.get("properties", {}), **given.pop("properties", {})}
    merged = {**doc, **given, "id": doc["id"], "properties": properties}
    merged["properties"] = {iri: each for iri, each in properties.items() if each is not None}
    found = {name: each for name, each in merged.items() if each is not None and each != {}}
    check_whole(found, now, is_new="expiresAt" in given)
    return found


def check_whole(doc: Mapping[str, Any], now: datetime, *, is_new: bool = True) -> None:
    """What only the members together can break."""
    for name in ("information", "endpoint"):
        if not doc.get(name):
            fail(name, "is missing")
    if is_new and "expiresAt" in doc and datetime.fromisoformat(doc["expiresAt"]) <= now:
        fail("expiresAt", "is over")
    if doc.get("mode") == "auxiliary" and not AUXILIARY_OPERATIONS.issuperset(doc.get("operations", ())):
        fail("operations", "can be no others than those that read, where the mode is auxiliary (§5.9.2.4)")
    if doc.get("mode") == "exclusive":
        for each in doc["information"]:
            if not each.get("entities") or any("id" not in selector for selector in each["entities"]):
                fail("information.entities", "must name its one entity by id, where the mode is exclusive (§4.3.6.3)")
            if not each.get("propertyNames") and not each.get("relationshipNames"):
                fail("information", "must name attributes, where the mode is exclusive (§4.3.6.3)")


def read_members(data: Any, context: Context, *, partial: bool = False) -> dict[str, Any]:
    """The members that are there, each checked and expanded. What the data type does not have is a property of the source."""
    if type(data) is not dict:
        fail("registration", "is no JSON object")
    found: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for name, value in data.items():
        if name in _READ_ONLY:
            continue
        if value is None and (not partial or name in _NEVER_NULL):
            fail(name, "is null")
        if name in _MEMBERS:
            found[name] = None if value is None else _MEMBERS[name](value, name, context)
        else:
            properties[context.expand(check_name(name, name))] = value
    return {**found, "properties": properties} if properties else found


def public(
    row: Any, doc: Mapping[str, Any], context: Context, now: datetime, *, system: bool = False
) -> dict[str, Any]:
    """One registration as it is answered, with names compacted."""
    found = {name: each for name, each in doc.items() if name not in ("properties", "information")}
    found["information"] = [_compacted(each, context) for each in doc["information"]]
    found.setdefault("mode", "inclusive")
    found.setdefault("operations", ["federationOps"])
    found |= {context.compact(iri): each for iri, each in doc.get("properties", {}).items()}
    found |= state_of(row, doc, now)
    if system:
        found["createdAt"], found["modifiedAt"] = (short_time(written(at)) for at in (row.created_at, row.modified_at))
    return found


def _compacted(information: Mapping[str, Any], context: Context) -> dict[str, Any]:
    found = dict(information)
    if "entities" in found:
        found["entities"] = [{**each, "type": context.compact(each["type"])} for each in found["entities"]]
    for name in ("propertyNames", "relationshipNames"):
        if name in found:
            found[name] = [context.compact(each) for each in found[name]]
    return found


def _information(value: Any, where: str, context: Context) -> list[dict[str, Any]]:
    return [_one_information(each, where, context) for each in _list(value, where)]


def _one_information(value: Any, where: str, context: Context) -> dict[str, Any]:
    if type(value) is not dict or not value.keys() <= {"entities", "propertyNames", "relationshipNames"} or not value:
        fail(where, "holds what is no RegistrationInfo")
    found: dict[str, Any] = {}
    if "entities" in value:
        found["entities"] = [_selector(each, f"{where}.entities", context) for each in _list(value["entities"], where)]
    for name in ("propertyNames", "relationshipNames"):
        if name in value:
            listed = _list(value[name], f"{where}.{name}")
            found[name] = [context.expand(check_name(each, f"{where}.{name}")) for each in listed]
    return found


def _selector(value: Any, where: str, context: Context) -> dict[str, Any]:
    if type(value) is not dict or "type" not in value or not value.keys() <= {"id", "idPattern", "type"}:
        fail(where, "holds what is no EntityInfo with a type")
    types = value["type"] if type(value["type"]) is list else [value["type"]]
    if len(types) != 1:
        fail(f"{where}.type", "is not one type")
    found = {"type": context.expand(check_name(types[0], f"{where}.type"))}
    if "id" in value:
        found["id"] = check_uri(value["id"], f"{where}.id")
    if "idPattern" in value:
        parse_id_pattern(_text(value["idPattern"], f"{where}.idPattern", context))
        found["idPattern"] = value["idPattern"]
    return found


def _list(value: Any, where: str) -> list[Any]:
    if type(value) is not list or not 0 < len(value) <= MOST_INFORMATION:
        fail(where, f"is no array of 1 to {MOST_INFORMATION} members")
    return value


def _text(value: Any, where: str, context: Context) -> str:
    if type(value) is not str or not value:
        fail(where, "is no text")
    return value


def _flag(value: Any, where: str, context: Context) -> bool:
    if type(value) is not bool:
        fail(where, "is neither true nor false")
    return value


def _uri(value: Any, where: str, context: Context) -> str:
    return check_uri(value, where)


def _endpoint(value: Any, where: str, context: Context) -> str:
    found = check_uri(value, where)
    if not found.startswith(("http://", "https://")):
        fail(where, "is no http or https address")
    return found


def _mode(value: Any, where: str, context: Context) -> str:
    if value not in MODES:
        fail(where, f"is none of {', '.join(MODES)}")
    return str(value)


def _operations(value: Any, where: str, context: Context) -> list[str]:
    for each in _list(value, where):
        if each not in OPERATIONS and each not in GROUPS:
            fail(where, f"{str(each)[:40]!r} is no operation")
    return list(value)


def _pairs(value: Any, where: str, context: Context) -> list[dict[str, str]]:
    for each in _list(value, where):
        if type(each) is not dict or each.keys() != {"key", "value"} or any(type(v) is not str for v in each.values()):
            fail(where, "holds what is no key with a value")
        if not each["key"].isascii() or not each["key"].replace("-", "").isalnum() or not each["value"].isprintable():
            fail(where, f"cannot set the header {each['key'][:40]!r}")
    return list(value)


def _interval(value: Any, where: str, context: Context) -> dict[str, str]:
    if type(value) is not dict or "startAt" not in value or not value.keys() <= {"startAt", "endAt"}:
        fail(where, "is no TimeInterval")
    return {name: check_time(each, f"{where}.{name}") for name, each in value.items()}


def _geometry(value: Any, where: str, context: Context) -> Any:
    given = value.get("value") if type(value) is dict and value.get("type") == "GeoProperty" else value
    check_geometry(given, where)
    return value if given is value else given


def _management(value: Any, where: str, context: Context) -> dict[str, Any]:
    if type(value) is not dict or not value.keys() <= {"localOnly", "cacheDuration", "timeout", "cooldown"}:
        fail(where, "is no RegistrationManagementInfo")
    for name in ("timeout", "cooldown"):
        if name in value and (type(value[name]) is not int or not 0 < value[name] <= MOST_TIMEOUT_MS):
            fail(f"{where}.{name}", f"is no number of milliseconds up to {MOST_TIMEOUT_MS}")
    if "localOnly" in value:
        _flag(value["localOnly"], f"{where}.localOnly", context)
    if "cacheDuration" in value:
        parse_duration(_text(value["cacheDuration"], f"{where}.cacheDuration", context), f"{where}.cacheDuration")
    return dict(value)


def _datasets(value: Any, where: str, context: Context) -> list[str]:
    return [each if each == "@none" else check_uri(each, where) for each in _list(value, where)]


def _scopes(value: Any, where: str, context: Context) -> list[str]:
    return check_scopes(value)


def _time(value: Any, where: str, context: Context) -> str:
    return check_time(value, where)


_MEMBERS: Mapping[str, _Read] = {
    "id": _uri,
    "type": _text,
    "registrationName": _text,
    "description": _text,
    "information": _information,
    "tenant": _text,
    "observationInterval": _interval,
    "managementInterval": _interval,
    "location": _geometry,
    "observationSpace": _geometry,
    "operationSpace": _geometry,
    "expiresAt": _time,
    "endpoint": _endpoint,
    "contextSourceInfo": _pairs,
    "contextSourceAlias": _text,
    "hostAlias": _text,
    "scope": _scopes,
    "mode": _mode,
    "operations": _operations,
    "refreshRate": _text,
    "management": _management,
    "localOnly": _flag,
    "datasetId": _datasets,
}

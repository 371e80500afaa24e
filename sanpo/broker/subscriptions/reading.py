"""From a Subscription as it comes in (§5.2.12 to §5.2.15, §5.2.22) to the document that is stored, with expanded names.

Each reader takes a value and its place in the document, and raises `SubscriptionIsInvalid` or an error of the languages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from sanpo.broker.contexts.context import Context
from sanpo.broker.language.ids import parse_id_pattern
from sanpo.broker.language.projection import parse_projection, print_projection
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.q.printing import print_q
from sanpo.broker.language.scopes import parse_scope_q
from sanpo.broker.language.type_selection import parse_types, print_types
from sanpo.broker.representation.checks import check_name, check_time, check_uri
from sanpo.broker.subscriptions.endpoints import check_address, check_notifier, kept_address
from sanpo.broker.subscriptions.errors import fail
from sanpo.broker.subscriptions.model import TRIGGERS, geo_of
from sanpo.broker.subscriptions.sources import times_of
from sanpo.ground.config import Settings

FORMATS = ("normalized", "concise", "simplified", "keyValues")
ACCEPTED = ("application/json", "application/ld+json", "application/geo+json")
MOST_TIMEOUT_MS = 10_000
MOST_SECONDS = 10 * 365 * 86_400
MOST_LISTED = 500
MAX_JOIN_LEVEL = 10
_HEADER = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_KEPT_HEADERS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "link"})


def read_subscription(data: Any, context: Context, settings: Settings, now: datetime) -> dict[str, Any]:
    """A whole subscription."""
    found = read_members(data, context, settings)
    check_whole(found, data, now)
    return found


def merge_members(doc: Mapping[str, Any], data: Any, context: Context, settings: Settings, now: datetime) -> Any:
    """The stored document with the members of a fragment in place of those that were there (§5.5.8); null takes one away."""
    given = read_members(data, context, settings, partial=True)
    merged = _present({**doc, **given, "id": doc["id"]})
    merged["notification"] = _present(merged["notification"])
    if "endpoint" in merged["notification"]:
        endpoint = merged["notification"]["endpoint"] = _present(merged["notification"]["endpoint"])
        if "uri" in endpoint:
            endpoint["uri"] = kept_address(doc["notification"]["endpoint"]["uri"], endpoint["uri"])
    check_whole(merged, data, now)
    return merged


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in members.items() if each is not None}


def check_whole(doc: Mapping[str, Any], given: Any, now: datetime) -> None:
    """What a fragment cannot be asked alone: what must be there, and what only the members together can break."""
    if doc.get("type") != "Subscription":
        fail("type", "is not Subscription")
    if not doc.get("entities") and not doc.get("watchedAttributes"):
        fail("entities", "is missing, and watchedAttributes too")
    notification = doc.get("notification")
    if not notification:
        fail("notification", "is missing")
    if "uri" not in notification.get("endpoint", {}):
        fail("notification.endpoint.uri", "is missing")
    check_notifier(notification["endpoint"])
    if "timeInterval" in doc and ("throttling" in doc or "watchedAttributes" in doc):
        fail("timeInterval", "cannot stand beside throttling or watchedAttributes")
    if "attributes" in notification and ("pick" in notification or "omit" in notification):
        fail("notification.attributes", "cannot stand beside pick or omit")
    if "pick" in notification and "omit" in notification:
        both = set(notification["pick"].split(",")) & set(notification["omit"].split(","))
        if both:
            fail("notification.omit", "names what pick names")
    if notification.get("showChanges") and notification.get("format") in ("simplified", "keyValues"):
        fail("notification.showChanges", "needs the normalized or the concise format")
    if given.get("expiresAt") is not None and datetime.fromisoformat(doc["expiresAt"]) <= now:
        fail("expiresAt", "is over")


def read_members(data: Any, context: Context, settings: Settings, *, partial: bool = False) -> dict[str, Any]:
    """The members that are there, each checked and expanded. `partial` lets null stand: it takes a member away."""
    if type(data) is not dict:
        fail("subscription", "is no JSON object")
    reader = _Reader(context, settings, partial)
    return reader.members(data, reader.table, "")


@dataclass(frozen=True)
class _Reader:
    context: Context
    settings: Settings
    partial: bool

    @property
    def table(self) -> Mapping[str, Callable[[Any, str], Any]]:
        return {
            "id": check_uri,
            "type": _text,
            "subscriptionName": _text,
            "description": _text,
            "entities": self.entities,
            "watchedAttributes": self.names,
            "notificationTrigger": _triggers,
            "timeInterval": _positive,
            "throttling": _positive,
            "q": lambda value, where: print_q(parse_q(_text(value, where), self.context)),
            "csf": lambda value, where: print_q(parse_q(_text(value, where), self.context, parameter="csf")),
            "scopeQ": _scope_q,
            "geoQ": self.geo,
            "temporalQ": _times,
            "lang": _text,
            "isActive": _flag,
            "expiresAt": check_time,
            "datasetId": _datasets,
            "jsonldContext": check_uri,
            "splitEntities": _flag,
            "localOnly": _flag,
            "notification": self.notification,
        }

    def members(self, data: Any, table: Mapping[str, Callable[[Any, str], Any]], prefix: str) -> dict[str, Any]:
        if type(data) is not dict:
            fail(prefix.rstrip("."), "is no JSON object")
        found: dict[str, Any] = {}
        for name, value in data.items():
            if name not in table:  # the broker's own to say, or nothing that a subscription has (§5.2.12): not kept
                continue
            if value is None:
                if not self.partial or name in ("type", "notification", "endpoint", "uri", "entities"):
                    fail(f"{prefix}{name}", "is null")
                found[name] = None
            else:
                found[name] = table[name](value, f"{prefix}{name}")
        return found

    def entities(self, value: Any, where: str) -> list[dict[str, Any]]:
        found = []
        for each in _list(value, where):
            if (
                type(each) is not dict
                or type(each.get("type")) is not str
                or not each.keys() <= {"id", "idPattern", "type"}
            ):
                fail(where, "holds what is no selector with a type")
            selector: dict[str, Any] = {"type": print_types(parse_types(each["type"], self.context))}
            if "id" in each:
                ids = each["id"] if type(each["id"]) is list else [each["id"]]
                checked = [check_uri(one, f"{where}.id") for one in ids]
                selector["id"] = checked if type(each["id"]) is list else checked[0]
            if "idPattern" in each:
                parse_id_pattern(_text(each["idPattern"], f"{where}.idPattern"))
                selector["idPattern"] = each["idPattern"]
            found.append(selector)
        return found

    def names(self, value: Any, where: str) -> list[str]:
        return [self.context.expand(check_name(each, where)) for each in _list(value, where)]

    def projection(self, value: Any, where: str) -> str:
        texts = [_text(each, where) for each in _list(value, where)]
        return print_projection(parse_projection(",".join(texts), self.context, parameter=where))

    def geo(self, value: Any, where: str) -> dict[str, Any]:
        if type(value) is not dict or not value.keys() <= {"geometry", "coordinates", "georel", "geoproperty"}:
            fail(where, "is no GeoQuery")
        query = geo_of(value, self.context)
        if query is None:
            fail(where, "is empty")
        return {**value, "geoproperty": query.geoproperty}

    def notification(self, value: Any, where: str) -> dict[str, Any]:
        table = {
            "attributes": self.names,
            "pick": self.projection,
            "omit": self.projection,
            "format": _one_of(FORMATS),
            "showChanges": _flag,
            "sysAttrs": _flag,
            "join": _one_of(("flat", "inline", "@none")),
            "joinLevel": _level,
            "endpoint": self.endpoint,
            "status": _text,
        }
        found = self.members(value, table, f"{where}.")
        found.pop("status", None)
        return found

    def endpoint(self, value: Any, where: str) -> dict[str, Any]:
        table = {
            "uri": self.uri,
            "accept": _one_of(ACCEPTED),
            "timeout": _milliseconds,
            "cooldown": _milliseconds,
            "receiverInfo": _headers,
            "notifierInfo": _pairs,
        }
        return self.members(value, table, f"{where}.")

    def uri(self, value: Any, where: str) -> str:
        return check_address(check_uri(value, where), self.settings, where)


def _text(value: Any, where: str) -> str:
    if type(value) is not str or not value:
        fail(where, "is no text")
    return value


def _flag(value: Any, where: str) -> bool:
    if type(value) is not bool:
        fail(where, "is neither true nor false")
    return value


def _positive(value: Any, where: str) -> float:
    if type(value) not in (int, float) or not isfinite(value) or not 0 < value <= MOST_SECONDS:
        fail(where, "is no number above 0")
    return value  # type: ignore[no-any-return]  # its type was just looked at


def _level(value: Any, where: str) -> int:
    if type(value) is not int or not 1 <= value <= MAX_JOIN_LEVEL:
        fail(where, f"is no whole number from 1 to {MAX_JOIN_LEVEL}")
    return value


def _milliseconds(value: Any, where: str) -> int:
    if type(value) is not int or not 0 < value <= MOST_TIMEOUT_MS * 360:
        fail(where, "is no number of milliseconds")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if type(value) is not list or not 0 < len(value) <= MOST_LISTED:
        fail(where, f"is no array of 1 to {MOST_LISTED} members")
    return value


def _one_of(words: tuple[str, ...]) -> Callable[[Any, str], str]:
    def read(value: Any, where: str) -> str:
        if type(value) is not str or value not in words:
            fail(where, f"is none of {', '.join(words)}")
        return value

    return read


def _triggers(value: Any, where: str) -> list[str]:
    read = _one_of(TRIGGERS)
    return [read(each, where) for each in _list(value, where)]


def _scope_q(value: Any, where: str) -> str:
    parse_scope_q(_text(value, where))
    return str(value)


def _times(value: Any, where: str) -> dict[str, Any]:
    if type(value) is not dict or not value.keys() <= {"timerel", "timeAt", "endTimeAt", "timeproperty"}:
        fail(where, "is no TemporalQuery")
    if "timerel" not in value:
        fail(f"{where}.timerel", "is missing")
    for name, each in value.items():
        _text(each, f"{where}.{name}")
    times_of(value)
    return dict(value)


def _datasets(value: Any, where: str) -> list[str]:
    return [each if each == "@none" else check_uri(each, where) for each in _list(value, where)]


def _pairs(value: Any, where: str) -> list[dict[str, str]]:
    for each in _list(value, where):
        if type(each) is not dict or each.keys() != {"key", "value"} or any(type(v) is not str for v in each.values()):
            fail(where, "holds what is no key with a value")
    return list(value)


def _headers(value: Any, where: str) -> list[dict[str, str]]:
    found = _pairs(value, where)
    for each in found:
        key, text = each["key"], each["value"]
        if not key or not set(key) <= _HEADER or key.lower() in _KEPT_HEADERS:
            fail(where, f"cannot set the header {key[:40]!r}")
        if any(ord(letter) < 32 or ord(letter) > 126 for letter in text):
            fail(where, "has a value that no header can hold")
    return found

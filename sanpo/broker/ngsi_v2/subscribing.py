"""From a subscription as a client of NGSIv2 writes it to the document that is stored, and back.

Each reader raises `SubscriptionIsInvalid`, or an error of the query language.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from sanpo.broker.language.type_selection import print_types
from sanpo.broker.model import written
from sanpo.broker.ngsi_v2.errors import NotBuilt
from sanpo.broker.ngsi_v2.selecting import expression_in, read_service_paths, selectors_in, types_in
from sanpo.broker.ngsi_v2.subscription import ALTERATIONS, SINGLE_FORMATS
from sanpo.broker.ngsi_v2.values import moment_in, shown_moment
from sanpo.broker.subscriptions.endpoints import QUALITY, check_address
from sanpo.broker.subscriptions.errors import fail
from sanpo.broker.subscriptions.writing import status_of
from sanpo.ground.config import Settings

FORMATS = ("normalized", "keyValues", "values", *SINGLE_FORMATS)
STATUSES = ("active", "inactive", "oneshot")
METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS")
ENDPOINTS = ("http", "httpCustom", "mqtt", "mqttCustom")
_DEFAULTS = {"attrs": [], "attrsFormat": "normalized", "onlyChangedAttrs": False, "covered": False}
MOST_DESCRIPTION = 1024
MOST_SECONDS = 10 * 365 * 86_400
_SHOWN_ONLY = frozenset({
    "timesSent", "lastNotification", "lastFailure", "lastSuccess", "lastFailureReason", "lastSuccessCode", "failsCounter",
})  # fmt: skip
_KEPT_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "fiware-correlator", "ngsiv2-attrsformat"}
)
_TOP = frozenset({"id", "description", "subject", "notification", "expires", "status", "throttling"})


def read_subscription(data: Any, path: str | None, settings: Settings) -> dict[str, Any]:
    """The document that is stored. `path` is the service path of the request."""
    own = _members(data, _TOP, "subscription")
    own.pop("id", None)
    _check(own, settings)
    read_service_paths(path)
    notification = own["notification"]
    doc: dict[str, Any] = {"type": "Subscription", "v2": own, "isActive": own.get("status", "active") != "inactive"}
    if path is not None:
        doc["v2path"] = path
    if own.get("throttling"):
        doc["throttling"] = own["throttling"]
    if own.get("expires"):
        doc["expiresAt"] = moment_in(own["expires"], "expires")
    types = [each.get("type") for each in own["subject"]["entities"]]
    if all(types):  # then a change is compared with those of its type alone
        doc["entities"] = [{"type": print_types(types_in(each))} for each in types]
    doc["notification"] = {"endpoint": _endpoint(notification)}
    return doc


def merge_subscription(doc: Any, data: Any, settings: Settings) -> dict[str, Any]:
    """The stored document with the members of a fragment: each replaces the one that is there."""
    given = _members(data, _TOP, "subscription")
    if "status" not in given and doc["v2"].get("status") == "oneshot":
        given["status"] = "inactive" if not doc["isActive"] else "oneshot"
    merged = read_subscription({**doc["v2"], **given}, doc.get("v2path"), settings)
    return {**merged, "id": doc["id"]}


def public(row: Any, doc: Any, now: datetime) -> dict[str, Any]:
    """One subscription as its owner reads it. `row` has what the broker itself knows of it."""
    own = doc["v2"]
    notification = {**_DEFAULTS, **own["notification"]}
    for kind in ("mqtt", "mqttCustom"):
        if "passwd" in notification.get(kind, {}):
            notification[kind] = {**notification[kind], "passwd": "*****"}
    if "exceptAttrs" in notification and not notification["attrs"]:
        del notification["attrs"]
    if row.times_sent:
        notification["timesSent"] = row.times_sent
    for name, moment in (
        ("lastNotification", row.last_notification),
        ("lastSuccess", row.last_success),
        ("lastFailure", row.last_failure),
    ):
        if moment is not None:
            notification[name] = shown_moment(written(moment))
    if row.last_error:
        notification["lastFailureReason"], notification["failsCounter"] = row.last_error, row.failures
    status = status_of(row.is_active, row.expires_at, now).replace("paused", "inactive")
    if status == "active" and own.get("status") == "oneshot":
        status = "oneshot"
    shown = {"id": row.subscription_id, **own, "notification": notification, "status": status}
    if own.get("expires"):
        shown["expires"] = shown_moment(own["expires"])
    if status == "active" and row.failures:
        shown["status"] = "failed"
    return shown


def _check(own: dict[str, Any], settings: Settings) -> None:
    """All that can be wrong."""
    if len(_text(own.get("description", "-"), "description")) > MOST_DESCRIPTION:
        fail("description", f"has more than {MOST_DESCRIPTION} characters")
    if own.get("status", "active") not in STATUSES:
        fail("status", f"is none of {', '.join(STATUSES)}")
    throttling = own.get("throttling", 0)
    if type(throttling) not in (int, float) or not 0 <= throttling <= MOST_SECONDS:
        fail("throttling", "is no number of seconds")
    if own.get("expires"):
        moment_in(own["expires"], "expires")
    subject = _members(own.get("subject"), {"entities", "condition"}, "subject")
    if any(not ("id" in each or "idPattern" in each) for each in _list(subject.get("entities"), "subject.entities")):
        fail("subject.entities", "holds what has neither id nor idPattern")
    selectors_in(subject["entities"], "subject.entities")
    if "condition" in subject:
        _check_condition(subject["condition"])
    _check_notification(own.get("notification"), settings)


def _check_condition(given: Any) -> None:
    known = {"attrs", "expression", "alterationTypes", "notifyOnMetadataChange"}
    condition = _members(given, known, "subject.condition")
    _names(condition.get("attrs", []), "subject.condition.attrs")
    for each in _names(condition.get("alterationTypes", []), "subject.condition.alterationTypes"):
        if each not in ALTERATIONS:
            fail("subject.condition.alterationTypes", f"holds what is none of {', '.join(ALTERATIONS)}")
    if type(condition.get("notifyOnMetadataChange", True)) is not bool:
        fail("subject.condition.notifyOnMetadataChange", "is neither true nor false")
    expression = _members(condition.get("expression", {}), {"q", "mq", "georel", "geometry", "coords"}, "expression")
    for name, each in expression.items():
        _text(each, f"expression.{name}")
    expression_in(expression)


def _check_notification(given: Any, settings: Settings) -> None:
    known = {
        "attrs",
        "exceptAttrs",
        "attrsFormat",
        "metadata",
        "onlyChangedAttrs",
        "covered",
        "maxFailsLimit",
        *ENDPOINTS,
    }
    told = _members(given, known | _SHOWN_ONLY, "notification")
    for name in _SHOWN_ONLY & told.keys():
        del given[name]
    if len([name for name in ENDPOINTS if name in told]) != 1:
        fail("notification", f"has not one of {', '.join(ENDPOINTS)}")
    if told.get("attrsFormat", "normalized") not in FORMATS:
        fail("notification.attrsFormat", f"is none of {', '.join(FORMATS)}")
    for name in ("attrs", "exceptAttrs", "metadata"):
        _names(told.get(name, []), f"notification.{name}")
    if told.get("attrs") and told.get("exceptAttrs"):
        fail("notification.exceptAttrs", "stands beside attrs")
    for name in ("onlyChangedAttrs", "covered"):
        if type(told.get(name, False)) is not bool:
            fail(f"notification.{name}", "is neither true nor false")
    if told.get("covered") and not told.get("attrs"):
        fail("notification.covered", "needs attrs")
    most = told.get("maxFailsLimit", 1)
    if type(most) is not int or most < 1:
        fail("notification.maxFailsLimit", "is no whole number above 0")
    kind = next(name for name in ENDPOINTS if name in told)
    _CHECKS[kind](told[kind], f"notification.{kind}", settings)
    check_address(_endpoint(told)["uri"], settings, f"notification.{kind}.url")


def _check_http(given: Any, where: str, settings: Settings) -> None:
    http = _members(given, {"url", "timeout"}, where)
    _check_url(http, where, ("http", "https"))


def _check_custom(given: Any, where: str, settings: Settings) -> None:
    known = {"url", "timeout", "headers", "qs", "method", "payload", "json", "ngsi"}
    custom = _members(given, known, where)
    _check_url(custom, where, ("http", "https"))
    if custom.get("method", "POST") not in METHODS:
        fail(f"{where}.method", f"is none of {', '.join(METHODS)}")
    for name in ("headers", "qs"):
        pairs = custom.get(name, {})
        if type(pairs) is not dict or any(type(each) is not str for each in pairs.values()):
            fail(f"{where}.{name}", "is no JSON object of texts")
    for name, text in custom.get("headers", {}).items():
        if name.lower() in _KEPT_HEADERS or not (name + text).isprintable() or not name.isascii():
            fail(f"{where}.headers", f"cannot set {name[:40]!r}")
    _check_payload(custom, where)


def _check_mqtt(given: Any, where: str, settings: Settings) -> None:
    known = {"url", "topic", "qos", "retain", "user", "passwd"}
    mqtt = _members(given, known | ({"payload", "json", "ngsi"} if where.endswith("Custom") else set()), where)
    _check_url(mqtt, where, ("mqtt", "mqtts"))
    _text(mqtt.get("topic"), f"{where}.topic")
    if mqtt.get("qos", 0) not in (0, 1, 2):
        fail(f"{where}.qos", "is none of 0, 1, 2")
    if mqtt.get("retain") or "${" in mqtt["topic"]:
        raise NotBuilt(what=f"{where} with retain, or with a topic that is a template")
    _check_payload(mqtt, where)


def _check_payload(custom: Mapping[str, Any], where: str) -> None:
    if len({"payload", "json", "ngsi"} & custom.keys()) > 1:
        fail(where, "has more than one of payload, json and ngsi")
    if custom.get("payload") is not None:
        _text(custom["payload"], f"{where}.payload")
    if "json" in custom and type(custom["json"]) not in (dict, list):
        fail(f"{where}.json", "is neither object nor array")
    if "ngsi" in custom and type(custom["ngsi"]) is not dict:
        fail(f"{where}.ngsi", "is no JSON object")


def _check_url(given: Mapping[str, Any], where: str, schemes: tuple[str, ...]) -> None:
    url = _text(given.get("url"), f"{where}.url")
    parts = urlsplit(url)
    if parts.scheme not in schemes or "${" in parts.netloc:
        fail(f"{where}.url", f"is no address of {', '.join(schemes)} with a host that stands fast")
    timeout = given.get("timeout", 0)
    if type(timeout) is not int or not 0 <= timeout <= 1_800_000:
        fail(f"{where}.timeout", "is no number of milliseconds up to 1800000")


_CHECKS: dict[str, Callable[[Any, str, Settings], None]] = {
    "http": _check_http,
    "httpCustom": _check_custom,
    "mqtt": _check_mqtt,
    "mqttCustom": _check_mqtt,
}


def _endpoint(told: Mapping[str, Any]) -> dict[str, Any]:
    """Where notifications go, as the sender knows it."""
    kind = next(name for name in ENDPOINTS if name in told)
    given = told[kind]
    if kind.startswith("http"):
        return {"uri": given["url"], **({"timeout": given["timeout"]} if given.get("timeout") else {})}
    scheme, _, rest = given["url"].partition("://")
    who = f"{quote(given['user'], safe='')}:{quote(given.get('passwd', ''), safe='')}@" if given.get("user") else ""
    uri = f"{scheme}://{who}{rest.rstrip('/')}/{given['topic']}"
    return {"uri": uri, "notifierInfo": [{"key": QUALITY, "value": str(given.get("qos", 0))}]}


def _members(given: Any, known: Any, where: str) -> dict[str, Any]:
    if type(given) is not dict:
        fail(where, "is no JSON object")
    for name in given:
        if name not in known:
            fail(f"{where}.{name}", "is no member of it")
    return dict(given)


def _text(given: Any, where: str) -> str:
    if type(given) is not str or not given:
        fail(where, "is no text")
    return given


def _list(given: Any, where: str) -> list[Any]:
    if type(given) is not list or not given or any(type(each) is not dict for each in given):
        fail(where, "is no array of objects")
    return given


def _names(given: Any, where: str) -> list[str]:
    if type(given) is not list or any(type(each) is not str or not each for each in given):
        fail(where, "is no array of names")
    return given

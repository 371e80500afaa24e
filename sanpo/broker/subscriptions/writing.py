"""From a stored subscription to what its owner reads (§5.2.12), with names compacted and the state of its deliveries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sanpo.broker.contexts.context import CORE, Context
from sanpo.broker.language.projection import parse_projection, print_projection
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.q.printing import print_q
from sanpo.broker.language.type_selection import parse_types, print_types
from sanpo.broker.model import written
from sanpo.broker.representation.writing import short_time
from sanpo.broker.subscriptions.endpoints import shown_address
from sanpo.broker.subscriptions.model import DEFAULT_TRIGGERS


def public(
    row: Any, doc: Mapping[str, Any], context: Context, now: datetime, *, system: bool = False
) -> dict[str, Any]:
    """One subscription. `row` has what the broker itself knows of it."""
    found = {name: _compacted(name, each, context) for name, each in doc.items() if name not in ("id", "notification")}
    found = {"id": row.subscription_id, **found}
    if row.kind == "entities":
        found.setdefault("notificationTrigger", list(DEFAULT_TRIGGERS))
    found["status"] = status_of(row.is_active, row.expires_at, now)
    found["notification"] = _notification(row, doc["notification"], context)
    if system:
        found["createdAt"], found["modifiedAt"] = _time(row.created_at), _time(row.modified_at)
    return found


def status_of(is_active: bool, expires_at: datetime | None, now: datetime) -> str:
    if expires_at is not None and expires_at <= now:
        return "expired"
    return "active" if is_active else "paused"


def _notification(row: Any, given: Mapping[str, Any], context: Context) -> dict[str, Any]:
    found = {name: _compacted(name, each, context) for name, each in given.items()}
    found["endpoint"] = {**given["endpoint"], "uri": shown_address(given["endpoint"]["uri"])}
    if row.times_sent:
        found["status"] = "failed" if row.failures else "ok"
        found["timesSent"] = row.times_sent
    if row.times_failed:
        found["timesFailed"] = row.times_failed
    for name, moment in (
        ("lastNotification", row.last_notification),
        ("lastSuccess", row.last_success),
        ("lastFailure", row.last_failure),
    ):
        if moment is not None:
            found[name] = _time(moment)
    return found


def _compacted(name: str, value: Any, context: Context) -> Any:
    if name == "entities":
        return [{**each, "type": print_types(parse_types(each["type"], CORE), context)} for each in value]
    if name in ("watchedAttributes", "attributes"):
        return [context.compact(each) for each in value]
    if name in ("pick", "omit"):
        return _members(print_projection(parse_projection(value, CORE), context))
    if name in ("q", "csf"):
        return print_q(parse_q(value, CORE), context)
    if name == "geoQ":
        return {**value, "geoproperty": context.compact(value["geoproperty"])}
    return value


def _members(text: str) -> list[str]:
    """The members of a projection; commas within braces belong to one of them."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return found


def _time(moment: datetime) -> str:
    return short_time(written(moment))

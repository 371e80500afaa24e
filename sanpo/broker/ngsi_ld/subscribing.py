"""Distributed subscriptions (§5.8.1.4, §5.8.2.4, §5.8.5.4, §5.8.6): they are passed on to the sources that take them.

A source is told what is subscribed to, and an address here; not who subscribes, where they are notified and with which words.
What is personal here is neither subscribed to elsewhere nor taken over (docs/decisions/0015).
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from sanpo.broker.contexts import resolve
from sanpo.broker.entities import personal_ids
from sanpo.broker.language.projection import parse_attrs
from sanpo.broker.model import NULL
from sanpo.broker.ngsi_ld.asking import Asked as Query
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Reply
from sanpo.broker.ngsi_ld.forwarding import Request, ask_all
from sanpo.broker.ngsi_ld.gathering import named_in, stays_here
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_ld.problems import problem
from sanpo.broker.ngsi_ld.routing import BODIES, Operation, parameters
from sanpo.broker.personal import personal_types
from sanpo.broker.registrations.actions import matches
from sanpo.broker.registrations.matching import Asked, Match
from sanpo.broker.representation.reading import Reader
from sanpo.broker.subscriptions import passing
from sanpo.broker.subscriptions.passing import Told
from sanpo.ground.errors import DomainError

_PATH = "sourceNotifications"
_PASSED = (
    "type", "watchedAttributes", "q", "geoQ", "scopeQ", "notificationTrigger", "expiresAt", "timeInterval", "datasetId",
    "splitEntities",
)  # fmt: skip
_HEADS = frozenset({"id", "@id", "type", "@type", "@context", "createdAt", "modifiedAt", "deletedAt", "scope"})


def pass_on(call: Call, linked: Linked, subscription_id: str) -> None:
    """Creates the subscription at each source that may hold what it is about. One that refuses is counted as failed."""
    if call.is_distributed:
        _pass_on(call, linked, passing.find_own(call.place, subscription_id))


def pass_on_to(call: Call, registration_id: str) -> None:
    """The same for a source that is new, or registered for something else: of all subscriptions, as each was made."""
    for row in passing.list_active(call.place):
        given = passing.context_given(call.city, row)
        with suppress(DomainError):  # its context is not to be had
            _pass_on(call, Linked(resolve(call.city, given, counted=False), given), row, registration_id)


def _pass_on(call: Call, linked: Linked, row: Any, registration_id: str | None = None) -> None:
    shown = passing.shown(call.place, row, linked.context)
    if shown["status"] != "active":
        return
    given, found = _sources(call, linked, shown)
    marks = [
        (each, secrets.token_urlsafe(32))
        for each in found
        if registration_id in (None, each.registration.registration_id)
    ]
    if not marks:
        return
    ids = [(each.registration.registration_id, secret) for each, secret in marks]
    passing.note_passing(call.place, row.subscription_no, ids)
    requests = [
        Request(each, linked, "POST", "subscriptions", {}, _body(call, shown, given, secret)) for each, secret in marks
    ]
    for outcome, (_, secret) in zip(ask_all(call, requests), marks, strict=True):
        where = outcome.answer.headers.get("location", "") if outcome.answer is not None and outcome.is_good else ""
        passing.note_passed(call.place, secret, where.rstrip("/").rpartition("/")[2] or None)


def withdraw(call: Call, linked: Linked, passed: list[passing.Passed]) -> None:
    """Deletes it where it was passed on to, if the source takes that."""
    known = {each.registration.registration_id: each for each in matches(call.place, Asked())} if passed else {}
    requests = [
        Request(known[each.registration_id], linked, "DELETE", f"subscriptions/{quote(each.remote_id, safe=':@%')}", {})
        for each in passed
        if each.registration_id in known and known[each.registration_id].registration.serves("deleteSubscription")
    ]
    ask_all(call, requests)


def receive(call: Call) -> Reply:
    """5.8.6: a notification of another source, for a subscription that was passed on to it. Sanpo's own address."""
    data, linked = call.document
    given = data.get("data") if isinstance(data, dict) else None
    told = _told(call, linked, given if isinstance(given, list) else [])
    if not passing.take_notification(call.city, call.segments[0], told):
        return problem(404, "ResourceNotFound", "There is no such subscription.", "")
    return NO_CONTENT


def _sources(call: Call, linked: Linked, shown: Mapping[str, Any]) -> tuple[list[Any], list[Match]]:
    """The selectors that are passed on, and the sources that hold something of them."""
    watched = ",".join(shown.get("watchedAttributes", ()))
    names = frozenset(parse_attrs(watched, linked.context)) if watched else None
    given: list[Any] = []
    asked: list[Asked] = []
    for selector in shown.get("entities", ()):
        one = named_in(linked, Query({}, (selector,)))
        if not stays_here(call, one):
            given.append(selector)
            asked.extend(Asked(each.ids, each.types, names, each.pattern) for each in one)
    if not shown.get("entities"):
        asked.append(Asked(attributes=names))
    found: dict[str, Match] = {}
    for one_asked in asked:
        for match in matches(call.place, one_asked):
            if match.registration.mode != "auxiliary" and match.registration.serves("createSubscription"):
                found.setdefault(match.registration.registration_id, match)
    return given, list(found.values())


def _body(call: Call, shown: Mapping[str, Any], selectors: list[Any], secret: str) -> dict[str, Any]:
    found = {name: shown[name] for name in _PASSED if name in shown}
    if selectors:
        found["entities"] = selectors
    uri = f"{call.city.settings.origin}/ngsi-ld/v1/{_PATH}/{secret}"
    notification: dict[str, Any] = {"endpoint": {"uri": uri, "accept": JSON}}
    if "attributes" in shown["notification"]:
        notification["attributes"] = shown["notification"]["attributes"]
    return {**found, "notification": notification}


def _told(call: Call, linked: Linked, data: list[Any]) -> list[Told]:
    """The entities that can be read and are not personal here; attributes that are gone are not told."""
    reader = call.reader(linked)
    found = [told for each in data if isinstance(each, dict) and (told := _one(reader, each)) is not None]
    personal = personal_types(call.city)
    found = [each for each in found if not any(name in personal for name in each.doc["type"])]
    ids = personal_ids(call.place, [each.doc["id"] for each in found]) if found and personal else set()
    return [each for each in found if each.doc["id"] not in ids]


def _one(reader: Reader, given: dict[str, Any]) -> Told | None:
    is_gone = "deletedAt" in given
    kept = {name: each for name, each in given.items() if name in _HEADS or (not is_gone and not _is_gone(each))}
    try:
        doc = reader.entity({name: each for name, each in kept.items() if name not in ("@context", "deletedAt")})
    except DomainError:
        return None
    return Told(doc, is_gone)


def _is_gone(attribute: Any) -> bool:
    if isinstance(attribute, dict):
        return any(each in (NULL, {"@none": NULL}) for each in attribute.values())
    return bool(attribute == NULL)


OPERATIONS = [Operation("POST", f"{_PATH}/{{}}", receive, "5.8.6", parameters(), bodies=BODIES, for_all=True)]

"""Distributed batches (§5.6.7 to §5.6.10, §5.6.20): each source gets its entities, the rest is done here.

A source that does not serve the batch is asked for each entity, where it serves that. Entities go under the @context that
each was sent with: a request to a source holds those of one context.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from sanpo.broker.entities import personal_ids
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Reply
from sanpo.broker.ngsi_ld.forwarding import Outcome, Request, ask_all
from sanpo.broker.ngsi_ld.linking import Contexts, Linked, linked_url, parse
from sanpo.broker.ngsi_ld.negotiation import JSON, LD, media_type_of
from sanpo.broker.ngsi_ld.portions import (
    NAMES,
    NO_ATTRIBUTES,
    check_readable,
    conflict,
    is_personal,
    locally,
    passed_on,
    taken_by,
    types_in,
    without,
)
from sanpo.broker.ngsi_ld.results import errors_of, of_entities
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.registrations.actions import matches
from sanpo.broker.registrations.matching import Asked, Match
from sanpo.broker.store import encode
from sanpo.ground.errors import DomainError


@dataclass(frozen=True)
class _Item:
    """One entity of a batch as it was given: a document, or an id to delete."""

    given: Any
    linked: Linked

    @property
    def body(self) -> dict[str, Any]:
        return self.given if isinstance(self.given, dict) else {"id": self.given}

    @property
    def entity_id(self) -> str:
        return str(self.body.get("id") or self.body.get("@id") or "")

    @property
    def names(self) -> dict[str, str]:
        return {name: self.linked.context.expand(name) for name in self.body if name not in NO_ATTRIBUTES}

    def asked(self) -> Asked:
        types, names = types_in(self.body, self.linked), self.names
        return Asked(
            frozenset({self.entity_id}),
            TypeSelection(tuple((each,) for each in types)) if types else None,
            frozenset(names.values()) if names else None,
        )

    def part(self, match: Match, taken: set[str] | None) -> Any:
        """What of it a source gets: what it holds, and no other holds for itself; None for nothing."""
        if not isinstance(self.given, dict):
            return self.given
        held = match.attributes
        gone = {iri for iri in self.names.values() if held is not None and iri not in held}
        if not match.registration.is_proxy:
            gone |= set(self.names.values()) if taken is None else taken
        return self._less(gone)

    def rest(self, taken: set[str] | None) -> Any:
        """What is left to do here; None for nothing. A deletion is done whoever holds the entity."""
        if not isinstance(self.given, dict):
            return self.given
        return None if taken is None else self._less(taken)

    def _less(self, gone: set[str]) -> Any:
        found = {name: value for name, value in self.given.items() if self.names.get(name) not in gone}
        return None if self.names and not any(name in self.names for name in found) else found


@dataclass(frozen=True)
class _Sent:
    """A request to a source, and the entities that it is about."""

    request: Request
    ids: tuple[str, ...]


def write_batch(operation: Operation, call: Call) -> Reply:
    """One batch, here and at the sources that it concerns."""
    data = parse(call.body)
    if not isinstance(data, list) or not all(isinstance(each, dict | str) for each in data):
        return operation.handler(call)
    parts: dict[tuple[str, str], tuple[Match, Linked, list[Any]]] = {}
    left: list[Any] = []
    elsewhere: set[str] = set()
    for given, item in zip(data, _items(operation, call, data), strict=True):
        found = [] if item is None else _matches(operation, call, item)
        if item is None or not found:
            left.append(given)
            continue
        taken = taken_by(found)
        for match in found:
            part = item.part(match, taken)
            if part is not None:
                key = match.registration.registration_id, repr(item.linked.given)
                parts.setdefault(key, (match, item.linked, []))[2].append(part)
        rest = item.rest(taken)
        if rest is not None:
            left.append({**rest, "@context": given["@context"]} if "@context" in given else rest)
        if taken != set():
            elsewhere.add(item.entity_id)
    if not parts:
        return operation.handler(call)
    sent = [each for match, linked, items in parts.values() for each in _asks(operation, call, match, linked, items)]
    told = _tell(operation, call, sent)
    local = locally(operation, replace(call, body=encode(left))) if left else None
    errors = _errors_here(local, [_id_of(each) for each in left])
    if operation.clause == "5.6.10":  # what a proxy holds need not be here (§5.6.6.4)
        errors = [each for each in errors if each["entityId"] not in elsewhere or each["error"]["status"] != 404]
    created = set(parse(local.body)) if local is not None and local.status == 201 else set()
    return _joined([_id_of(each) for each in data], errors, created, told)


def _items(operation: Operation, call: Call, data: list[Any]) -> Iterator[_Item | None]:
    """Each entity under its context; None for what cannot be read, and for what is personal and stays here."""
    is_ld = media_type_of(call.headers.get("content-type", "")) == LD
    contexts = Contexts(call.city, is_ld, linked_url(call.headers.get("link")))
    personal = personal_ids(call.place, [_id_of(each) for each in data])
    for given in data:
        if isinstance(given, str):
            yield None if given in personal else _Item(given, Linked(call.linked.context, call.linked.given))
            continue
        try:
            body = dict(given)
            item = _Item(body, contexts.take(body))
            check_readable(operation, call, item.linked, body)
        except DomainError:
            yield None
            continue
        yield None if item.entity_id in personal or is_personal(call, types_in(body, item.linked)) else item


def _matches(operation: Operation, call: Call, item: _Item) -> list[Match]:
    """The sources that hold it for themselves, or get a copy."""
    return [
        each
        for each in matches(call.place, item.asked())
        if each.registration.is_proxy or (each.registration.mode != "auxiliary" and _ways(operation, call, each))
    ]


def _ways(operation: Operation, call: Call, match: Match) -> list[str]:
    """By which operations, in their order, a source can be asked to do what the batch does (§5.6.7.4 to §5.6.20.4)."""
    widens, overwrites = "update" in call.options, "noOverwrite" not in call.options
    change = "updateEntity" if widens else "replaceEntity"
    singles = {
        "5.6.7": ["createEntity"],
        "5.6.8": ["createEntity", change],
        "5.6.9": ["updateEntity" if overwrites else "appendAttrs"],
        "5.6.10": ["deleteEntity"],
        "5.6.20": ["mergeEntity"],
    }[operation.clause]
    if match.registration.serves(NAMES[operation.clause]):
        return [NAMES[operation.clause]]
    return [each for each in singles if match.registration.serves(each)]


def _asks(operation: Operation, call: Call, match: Match, linked: Linked, items: Sequence[Any]) -> Iterator[_Sent]:
    ids = tuple(map(_id_of, items))
    ways = _ways(operation, call, match)
    if not ways or ways[0] == NAMES[operation.clause]:
        yield _Sent(Request(match, linked, "POST", operation.path, passed_on(call), list(items)), ids)
        return
    for item in items:
        yield _one(ways[0], match, linked, item)


def _one(way: str, match: Match, linked: Linked, item: Any) -> _Sent:
    """The same for one entity."""
    entity_id = _id_of(item)
    there = f"entities/{quote(entity_id, safe=':@')}"
    method, path, query = {
        "createEntity": ("POST", "entities", {}),
        "deleteEntity": ("DELETE", there, {}),
        "mergeEntity": ("PATCH", there, {}),
        "replaceEntity": ("PUT", there, {}),
        "updateEntity": ("PATCH", f"{there}/attrs/", {}),
        "appendAttrs": ("POST", f"{there}/attrs/", {"options": "noOverwrite"}),
    }[way]
    body = None if isinstance(item, str) else without(item, ("id", "@id")) if path.endswith("/attrs/") else item
    return _Sent(Request(match, linked, method, path, query, body), (entity_id,))


def _tell(operation: Operation, call: Call, sent: Sequence[_Sent]) -> list[tuple[_Sent, Outcome]]:
    """Asks the sources; one that has an entity already is asked to change it, where the batch is an upsert (§5.6.8.4)."""
    able = [each for each in sent if _ways(operation, call, each.request.match)]
    unable = [(each, conflict(each.request)) for each in sent if each not in able]
    told = list(zip(able, ask_all(call, [each.request for each in able]), strict=True))
    again: dict[int, _Sent] = {}
    if operation.clause == "5.6.8":
        for at, (each, outcome) in enumerate(told):
            ways = _ways(operation, call, each.request.match)
            if each.request.path == "entities" and outcome.status == 409 and len(ways) > 1:
                again[at] = _one(ways[1], each.request.match, each.request.linked, each.request.body)
    for (at, each), outcome in zip(
        again.items(), ask_all(call, [each.request for each in again.values()]), strict=True
    ):
        told[at] = (each, outcome)
    return [*told, *unable]


def _errors_here(local: Reply | None, left: Sequence[str]) -> list[dict[str, Any]]:
    if local is None or (local.status < 300 and local.status != 207):
        return []
    told = parse(local.body)
    return list(told["errors"]) if local.status == 207 else [{"entityId": each, "error": told} for each in left]


def _joined(
    ids: Sequence[str], errors: list[dict[str, Any]], created: set[str], told: Sequence[tuple[_Sent, Outcome]]
) -> Reply:
    """An entity is done where all parts of it are (§5.2.16)."""
    for sent, outcome in told:
        errors.extend(errors_of(outcome, sent.ids))
        if outcome.status == 201:
            created.update(sent.ids)
    if errors:
        failed = {each.get("entityId") for each in errors}
        return of_entities([each for each in dict.fromkeys(ids) if each not in failed], errors)
    found = [each for each in dict.fromkeys(ids) if each in created]
    return Reply(201, encode(found), JSON) if found else NO_CONTENT


def _id_of(item: Any) -> str:
    return str(item.get("id") or item.get("@id") or "") if isinstance(item, dict) else str(item)

"""Distributed writes to one entity (§5.6, §4.3.6): what other sources hold goes to them, the rest stays here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sanpo.broker.entities import personal_ids
from sanpo.broker.language.type_selection import TypeSelection, parse_types
from sanpo.broker.ngsi_ld.batching import write_batch
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Reply
from sanpo.broker.ngsi_ld.forwarding import Outcome, Request, ask_all
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.narrowing import asked_in, source_filter
from sanpo.broker.ngsi_ld.negotiation import JSON, LD
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
)
from sanpo.broker.ngsi_ld.results import Update, joined, problem_of
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_ld.shaping import check_id
from sanpo.broker.registrations.actions import matches
from sanpo.broker.registrations.matching import Asked, Match
from sanpo.broker.sight import check_writer
from sanpo.broker.store import encode

_OF_ATTRIBUTE = ("5.6.4", "5.6.5", "5.6.13", "5.6.14", "5.6.15", "5.6.19")
_TOLD_BY_ATTRIBUTE = ("5.6.2", "5.6.3", "5.6.4", "5.6.5", "5.6.19")
"""A partial success names attributes (§5.2.18), not the entity."""
_DELETING = ("5.6.6", "5.6.16")


def write(operation: Operation, call: Call) -> Reply:
    """One write, here and at the sources that it concerns."""
    check_writer(call.city, call.actor)
    if "entityOperations" in operation.path:
        return write_batch(operation, call)
    if operation.clause == "5.6.21":
        return _purge(operation, call)
    data, linked = call.document if operation.bodies else (None, call.linked)
    work = _Single(operation, call, linked, data)
    found = [] if work.is_personal else work.matches()
    if not found:
        return operation.handler(call)
    if call.segments:
        check_id(work.entity_id)
    check_readable(operation, call, linked, data)
    taken = taken_by(found)
    requests = [request for match in found if (request := work.request(match, taken)) is not None]
    outcomes = _send(operation, call, requests)
    local = work.locally(taken)
    update = Update(linked, list(work.names.values()), work.kept(taken)) if work.is_of_attributes else None
    return joined(work.done, local, outcomes, work.entity_id, update)


class _Single:
    """A write to one entity."""

    def __init__(self, operation: Operation, call: Call, linked: Linked, data: Any) -> None:
        self.operation, self.call, self.linked, self.data = operation, call, linked, data
        body = data if isinstance(data, dict) else {}
        self.entity_id = call.segments[0] if call.segments else str(body.get("id") or body.get("@id") or "")
        self.is_of_attribute = operation.clause in _OF_ATTRIBUTE
        self.is_of_attributes = operation.clause in _TOLD_BY_ATTRIBUTE
        given = [call.segments[1]] if self.is_of_attribute else [name for name in body if name not in NO_ATTRIBUTES]
        self.names = {name: linked.context.expand(name) for name in given}
        self.types = [] if self.is_of_attribute else types_in(body, linked)

    @property
    def is_personal(self) -> bool:
        return is_personal(self.call, self.types) or bool(personal_ids(self.call.place, [self.entity_id]))

    @property
    def done(self) -> Reply:
        """What is answered where all was done, and nothing here."""
        if self.operation.clause != "5.6.1":
            return NO_CONTENT
        where = b"/ngsi-ld/v1/entities/" + quote(self.entity_id, safe=":@").encode()
        return Reply(201, headers=[(b"location", where)])

    def matches(self) -> list[Match]:
        types = self.call.query.get("type")
        selection = TypeSelection(tuple((each,) for each in self.types)) if self.types else None
        if selection is None and types:
            selection = parse_types(types, self.linked.context)
        attributes = frozenset(self.names.values()) if self.names else None
        asked = Asked(frozenset({self.entity_id}), selection, attributes)
        return _writable(matches(self.call.place, asked), self.operation)

    def request(self, match: Match, taken: set[str] | None) -> Request | None:
        """What a source gets: of the attributes those it holds, a copy only of what nobody holds for itself."""
        path = self.operation.path
        for segment in self.call.segments:
            path = path.replace("{}", quote(segment, safe=":@"), 1)
        if path.endswith("/attrs"):
            path += "/"  # as table 6.1-1 writes it
        gone = set() if match.registration.is_proxy else set(self.kept_from(taken))
        held = match.attributes
        names = [name for name, iri in self.names.items() if iri not in gone and (held is None or iri in held)]
        if self.names and not names:
            return None
        body = self.data
        if isinstance(body, dict) and not self.is_of_attribute:
            body = {name: value for name, value in body.items() if name not in self.names or name in names}
        query = passed_on(self.call)
        return Request(match, self.linked, self.operation.method, path, query, body if self.operation.bodies else None)

    def kept(self, taken: set[str] | None) -> list[str]:
        """The attributes that stay here, by their IRIs."""
        return [] if taken is None else [iri for iri in self.names.values() if iri not in taken]

    def kept_from(self, taken: set[str] | None) -> list[str]:
        """Those that proxies hold for themselves."""
        return [iri for iri in self.names.values() if taken is None or iri in taken]

    def rest(self, taken: set[str] | None) -> Call | None:
        """What is left to do here; None where other sources hold it all."""
        if taken == set():
            return self.call
        if taken is None or (self.names and not self.kept(taken)):
            return None
        if self.data is None or self.is_of_attribute:
            return self.call
        body = {k: v for k, v in self.data.items() if k not in self.names or self.names[k] not in taken}
        return _with_body(self.call, self.linked, body)

    def locally(self, taken: set[str] | None) -> Reply | None:
        """What is done here. What a proxy holds is deleted here too, and need not be here (§5.6.6.4)."""
        if self.operation.clause not in _DELETING or taken == set():
            return locally(self.operation, self.rest(taken))
        found = locally(self.operation, self.call)
        return None if found is not None and found.status == 404 else found


def _with_body(call: Call, linked: Linked, body: dict[str, Any]) -> Call:
    """The same request with another body."""
    headers = {name: each for name, each in call.headers.items() if name != "link"} | {"content-type": LD}
    return replace(call, body=encode({**body, "@context": linked.written}), headers=headers)


def _writable(found: Sequence[Match], operation: Operation) -> list[Match]:
    """Those that a write is about: a proxy holds what it names also where it does not serve the operation (§4.3.6.3)."""
    name = NAMES[operation.clause]
    return [
        each
        for each in found
        if each.registration.is_proxy or (each.registration.mode != "auxiliary" and each.registration.serves(name))
    ]


def _send(operation: Operation, call: Call, requests: Sequence[Request]) -> list[Outcome]:
    """Asks those that serve the operation; for the others it is a conflict (§5.6.1.4)."""
    served = [each for each in requests if each.match.registration.serves(NAMES[operation.clause])]
    return [*ask_all(call, served), *(conflict(each) for each in requests if each not in served)]


def _purge(operation: Operation, call: Call) -> Reply:
    """5.6.21: the same condition here and at every source that may hold what it finds."""
    linked = call.linked
    asked = asked_in(call, linked)
    named = sorted(asked.types.types) if asked.types is not None else []
    stays = is_personal(call, named) or bool(personal_ids(call.place, sorted(asked.ids or ())))
    local = operation.handler(call)
    if stays:
        return local
    found = _writable(matches(call.place, asked, source_filter(call.query, linked)), operation)
    query = {name: value for name, value in passed_on(call).items() if name != "csf"}
    outcomes = _send(operation, call, [Request(each, linked, "DELETE", "entities", query) for each in found])
    errors = [
        {"registrationId": each.registration.registration_id, "error": problem_of(each)}
        for each in outcomes
        if not each.is_whole and each.status != 404
    ]
    return Reply(207, encode({"success": [], "errors": errors}), JSON) if errors else local

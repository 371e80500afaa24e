"""Distributed writes (§5.6, §4.3.6): what other sources hold goes to them, the rest stays here, and the answer says both.

An exclusive or redirect registration takes what it names away from here; an inclusive one gets a copy; an auxiliary one is
never written to. Personal entities are written here alone (docs/decisions/0015).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sanpo.broker.entities import personal_ids
from sanpo.broker.language.type_selection import TypeSelection, parse_types
from sanpo.broker.model import NGSI_LD
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Reply
from sanpo.broker.ngsi_ld.forwarding import Outcome, Request, ask_all
from sanpo.broker.ngsi_ld.linking import Linked, parse, read_document
from sanpo.broker.ngsi_ld.negotiation import JSON, LD
from sanpo.broker.ngsi_ld.problems import on_error
from sanpo.broker.ngsi_ld.registrations import asked_in, source_filter
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.personal import personal_types
from sanpo.broker.registrations.actions import matches
from sanpo.broker.registrations.matching import Asked, Match
from sanpo.broker.registrations.model import Registration
from sanpo.broker.sight import check_writer
from sanpo.broker.store import encode
from sanpo.ground.errors import DomainError
from sanpo.ground.outbound import Reply as Answer

NAMES = {
    "5.6.1": "createEntity",
    "5.6.2": "updateEntity",
    "5.6.3": "appendAttrs",
    "5.6.4": "updateAttrs",
    "5.6.5": "deleteAttrs",
    "5.6.6": "deleteEntity",
    "5.6.7": "createBatch",
    "5.6.8": "upsertBatch",
    "5.6.9": "updateBatch",
    "5.6.10": "deleteBatch",
    "5.6.17": "mergeEntity",
    "5.6.18": "replaceEntity",
    "5.6.19": "replaceAttrs",
    "5.6.20": "mergeBatch",
    "5.6.21": "purgeEntity",
}
"""Operations that are distributed, by clause, as registrations name them (§4.20)."""
_CONFLICT = encode(
    {
        "type": f"{NGSI_LD}errors/Conflict",
        "title": "The context source that holds this does not serve the operation.",
    }
)
_OF_ATTRIBUTE = ("5.6.4", "5.6.5", "5.6.19")
_NO_ATTRIBUTES = frozenset({"id", "type", "@id", "@type", "@context", "scope", "expiresAt"})


def write(operation: Operation, call: Call) -> Reply:
    """One write, here and at the sources that it concerns."""
    check_writer(call.city, call.actor)
    if "entityOperations" in operation.path:
        return _batch(operation, call)
    if operation.clause == "5.6.21":
        return _purge(operation, call)
    data, linked = call.document if operation.bodies else (None, call.linked)
    work = _Single(operation, call, linked, data)
    found = [] if work.is_personal else work.matches()
    if not found:
        return operation.handler(call)
    outcomes = _send(operation, call, linked, [work.request(match) for match in found])
    return _joined(work, _locally(operation, work.rest(found)), outcomes)


def passed_on(call: Call) -> dict[str, str]:
    """The parameters that go on to a source: all but those that are about the way."""
    return {name: value for name, value in call.query.items() if name not in ("local", "via")}


class _Single:
    """A write to one entity."""

    def __init__(self, operation: Operation, call: Call, linked: Linked, data: Any) -> None:
        self.operation, self.call, self.linked, self.data = operation, call, linked, data
        body = data if isinstance(data, dict) else {}
        self.entity_id = call.segments[0] if call.segments else str(body.get("id") or body.get("@id") or "")
        self.is_of_attribute = operation.clause in _OF_ATTRIBUTE
        given = [call.segments[1]] if self.is_of_attribute else [name for name in body if name not in _NO_ATTRIBUTES]
        self.names = {name: linked.context.expand(name) for name in given}
        self.types = [] if self.is_of_attribute else _types_in(body, linked)

    @property
    def is_personal(self) -> bool:
        return _is_personal(self.call, self.types) or bool(personal_ids(self.call.place, [self.entity_id]))

    def matches(self) -> list[Match]:
        types = self.call.query.get("type")
        selection = TypeSelection(tuple((each,) for each in self.types)) if self.types else None
        if selection is None and types:
            selection = parse_types(types, self.linked.context)
        attributes = frozenset(self.names.values()) if self.names else None
        asked = Asked(frozenset({self.entity_id}), selection, attributes)
        return _writable(matches(self.call.place, asked), self.operation)

    def request(self, match: Match) -> Request:
        path = self.operation.path
        for segment in self.call.segments:
            path = path.replace("{}", quote(segment, safe=":@"), 1)
        if path.endswith("/attrs"):
            path += "/"  # as table 6.1-1 writes it
        query = passed_on(self.call)
        body = self.data
        if isinstance(body, dict) and not self.is_of_attribute and match.attributes is not None:
            body = {k: v for k, v in body.items() if k not in self.names or self.names[k] in match.attributes}
        return Request(match, self.operation.method, path, query, body if self.operation.bodies else None)

    def rest(self, found: Sequence[Match]) -> Call | None:
        """What is left to do here; None where other sources hold it all."""
        taken = _taken(found)
        if taken == set():
            return self.call
        kept = [name for name, iri in self.names.items() if taken is not None and iri not in taken]
        if taken is None or (self.names and not kept):
            return None
        if self.data is None or self.is_of_attribute:
            return self.call
        body = {k: v for k, v in self.data.items() if k not in self.names or k in kept}
        return _with_body(self.call, self.linked, body)


def _is_personal(call: Call, types: Sequence[str]) -> bool:
    known = personal_types(call.city)
    return any(each in known for each in types)


def _types_in(body: dict[str, Any], linked: Linked) -> list[str]:
    given = body.get("type", body.get("@type"))
    listed = given if isinstance(given, list) else [given]
    return [linked.context.expand(each) for each in listed if isinstance(each, str)]


def _joined(work: _Single, local: Reply | None, outcomes: Sequence[Outcome]) -> Reply:
    errors = [_error_of(each) for each in outcomes if not each.is_good]
    is_done_here = local is None or local.status < 300
    if is_done_here and not errors:
        if local is not None:
            return local
        return Reply(201, headers=[_location(work)]) if work.operation.clause == "5.6.1" else NO_CONTENT
    if not is_done_here and local is not None:
        if len(errors) == len(outcomes):
            return local
        errors = [parse(local.body), *errors]
    elif local is None and len(errors) == len(outcomes):
        return Reply(errors[0]["status"], encode(errors[0]), JSON)
    body = {
        "success": [work.entity_id],  # in part: what could not be written is named beside it
        "errors": [{"entityId": work.entity_id, "error": each} for each in errors],
    }
    return Reply(207, encode(body), JSON)


def _location(work: _Single) -> tuple[bytes, bytes]:
    return b"location", b"/ngsi-ld/v1/entities/" + work.entity_id.encode()


def _locally(operation: Operation, call: Call | None) -> Reply | None:
    if call is None:
        return None
    try:
        return operation.handler(call)
    except DomainError as error:
        return on_error(call.city, error, call.headers)


def _with_body(call: Call, linked: Linked, body: Any) -> Call:
    """The same request with another body."""
    if isinstance(body, list):
        body = [{**each, "@context": linked.written} if isinstance(each, dict) else each for each in body]
    else:
        body = {**body, "@context": linked.written}
    headers = {name: each for name, each in call.headers.items() if name != "link"} | {"content-type": LD}
    return replace(call, body=encode(body), headers=headers)


def _writable(found: Sequence[Match], operation: Operation) -> list[Match]:
    """Those that a write is about: a proxy holds what it names also where it does not serve the operation (§4.3.6.3)."""
    return [each for each in found if each.registration.is_proxy or _is_copied(each.registration, operation)]


def _is_copied(registration: Registration, operation: Operation) -> bool:
    return registration.mode != "auxiliary" and registration.serves(NAMES[operation.clause])


def _send(operation: Operation, call: Call, linked: Linked, requests: Sequence[Request]) -> list[Outcome]:
    """Asks those that serve the operation; for the others it is a conflict (§5.6.1.4)."""
    served = [each for each in requests if each.match.registration.serves(NAMES[operation.clause])]
    refused = [Outcome(each, Answer(409, _CONFLICT)) for each in requests if each not in served]
    return [*(ask_all(call, linked, served) if served else []), *refused]


def _taken(found: Sequence[Match]) -> set[str] | None:
    """The attributes that proxies hold for themselves; None for all."""
    taken: set[str] = set()
    for match in found:
        if match.registration.is_proxy:
            if match.attributes is None:
                return None
            taken |= match.attributes
    return taken


def _error_of(outcome: Outcome) -> dict[str, Any]:
    """A source's failure as ProblemDetails."""
    answer = outcome.answer
    if answer is None:
        title = "The context source did not answer."
        return {"type": f"{NGSI_LD}errors/InternalError", "title": title, "status": 504, "detail": outcome.failure}
    try:
        given = parse(answer.body) if answer.body else None
    except DomainError:
        given = None
    found = given if isinstance(given, dict) else {}
    kind = "ResourceNotFound" if answer.status == 404 else "AlreadyExists" if answer.status == 409 else "InternalError"
    return {
        "type": str(found.get("type", f"{NGSI_LD}errors/{kind}")),
        "title": str(found.get("title", "The context source refused.")),
        "status": answer.status,
        "detail": str(found.get("detail", outcome.request.match.registration.endpoint))[:500],
    }


def _purge(operation: Operation, call: Call) -> Reply:
    """5.6.21: the same condition here and at every source that may hold what it finds."""
    linked = call.linked
    asked = asked_in(call, linked)
    named = sorted(asked.types.types) if asked.types is not None else []
    stays = _is_personal(call, named) or bool(personal_ids(call.place, sorted(asked.ids or ())))
    local = operation.handler(call)
    if stays:
        return local
    found = _writable(matches(call.place, asked, source_filter(call, linked)), operation)
    query = {name: value for name, value in passed_on(call).items() if name != "csf"}
    outcomes = _send(operation, call, linked, [Request(each, "DELETE", "entities", query) for each in found])
    errors = [
        {"registrationId": each.request.match.registration.registration_id, "error": _error_of(each)}
        for each in outcomes
        if not each.is_good and (each.answer is None or each.answer.status != 404)
    ]
    return Reply(207, encode({"success": [], "errors": errors}), JSON) if errors else local


def _batch(operation: Operation, call: Call) -> Reply:
    """A batch: each source gets its entities in one call, the rest is done here."""
    data, linked = read_document(call.city, call.body, call.headers.get("content-type", ""), call.headers.get("link"))
    if not isinstance(data, list) or not all(isinstance(each, dict | str) for each in data):
        return operation.handler(call)
    if isinstance(data[0] if data else None, dict) and "@context" in data[0]:
        item = dict(data[0])
        linked = read_document(call.city, encode(item), LD, None)[1]
    items = [_Item(call, linked, each) for each in data]
    parts: dict[str, tuple[Match, list[Any]]] = {}
    left: list[Any] = []
    personal = personal_ids(call.place, [each.entity_id for each in items])
    for item_ in items:
        stays = item_.entity_id in personal or _is_personal(call, item_.types)
        found = [] if stays else item_.matches(operation)
        for match in found:
            parts.setdefault(match.registration.registration_id, (match, []))[1].append(item_.part(match))
        rest = item_.rest(found)
        if rest is not None:
            left.append(rest)
    if not parts:
        return operation.handler(call)
    requests = [Request(match, "POST", operation.path, passed_on(call), body) for match, body in parts.values()]
    outcomes = _send(operation, call, linked, requests)
    local = _locally(operation, _with_body(call, linked, left)) if left else None
    return _joined_batch([each.entity_id for each in items], local, outcomes)


class _Item:
    """One entity of a batch: a document, or an id to delete."""

    def __init__(self, call: Call, linked: Linked, given: Any) -> None:
        self.call, self.given = call, given
        body = given if isinstance(given, dict) else {"id": given}
        self.entity_id = str(body.get("id") or body.get("@id") or "")
        self.names = {name: linked.context.expand(name) for name in body if name not in _NO_ATTRIBUTES}
        self.types = _types_in(body, linked)

    def matches(self, operation: Operation) -> list[Match]:
        selection = TypeSelection(tuple((each,) for each in self.types)) if self.types else None
        attributes = frozenset(self.names.values()) if self.names else None
        asked = Asked(frozenset({self.entity_id}), selection, attributes)
        return _writable(matches(self.call.place, asked), operation)

    def part(self, match: Match) -> Any:
        if not isinstance(self.given, dict) or match.attributes is None:
            return self.given
        return {k: v for k, v in self.given.items() if k not in self.names or self.names[k] in match.attributes}

    def rest(self, found: Sequence[Match]) -> Any:
        taken = _taken(found)
        if taken is None:
            return None
        if not taken or not isinstance(self.given, dict):
            return self.given
        kept = {k: v for k, v in self.given.items() if k not in self.names or self.names[k] not in taken}
        return kept if any(k in self.names for k in kept) else None


def _joined_batch(ids: Sequence[str], local: Reply | None, outcomes: Sequence[Outcome]) -> Reply:
    errors: list[dict[str, Any]] = []
    created: list[str] = []
    if local is not None and local.status == 207:
        errors.extend(parse(local.body)["errors"])
    elif local is not None and local.status == 201:
        created.extend(parse(local.body))
    elif local is not None and local.status >= 400:
        return local
    for outcome in outcomes:
        given = [each["id"] if isinstance(each, dict) else each for each in outcome.request.body]
        if outcome.answer is not None and outcome.answer.status == 207:
            told = parse(outcome.answer.body)
            errors.extend(told.get("errors", []) if isinstance(told, dict) else [])
        elif outcome.is_good and outcome.answer is not None:
            created.extend(each for each in given if outcome.answer.status == 201)
        else:
            errors.extend({"entityId": each, "error": _error_of(outcome)} for each in given)
    if not errors:
        found = [each for each in ids if each in created]
        return Reply(201, encode(found), JSON) if found else NO_CONTENT
    failed = {each.get("entityId") for each in errors}
    return Reply(207, encode({"success": [each for each in ids if each not in failed], "errors": errors}), JSON)

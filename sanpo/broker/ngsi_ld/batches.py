"""`/entityOperations/…` (§6.14 to §6.18, §6.31): 207 with a BatchOperationResult (§5.2.16) where some fail."""

from typing import Any

from sanpo.broker import batches as actions
from sanpo.broker.batches import Results
from sanpo.broker.errors import BatchIsTooLarge, EntityIsInvalid
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Reply
from sanpo.broker.ngsi_ld.linking import Contexts, linked_url, parse
from sanpo.broker.ngsi_ld.negotiation import JSON, LD, media_type_of
from sanpo.broker.ngsi_ld.problems import problem_of
from sanpo.broker.ngsi_ld.routing import BODIES, MAX_BATCH_BYTES, Operation, parameters
from sanpo.broker.representation.checks import check_uri
from sanpo.broker.representation.reading import Nulls, Reader
from sanpo.broker.store import encode
from sanpo.ground.errors import DomainError

MAX_ENTITIES = 10_000
Errors = list[tuple[str | None, DomainError]]


def create(call: Call) -> Reply:
    """5.6.7 Batch Entity Creation."""
    docs, errors = _items(call, Nulls.REFUSED, whole=True)
    results = actions.create_entities(call.place, docs)
    return _result(call, results, errors, Reply(201, encode(results.created), JSON))


def upsert(call: Call) -> Reply:
    """5.6.8 Batch Entity Creation or Update."""
    docs, errors = _items(call, Nulls.REFUSED, whole=True)
    results = actions.upsert_entities(call.place, docs, update="update" in call.options)
    done = Reply(201, encode(results.created), JSON) if results.created else NO_CONTENT
    return _result(call, results, errors, done)


def update(call: Call) -> Reply:
    """5.6.9 Batch Entity Update."""
    fragments, errors = _items(call, Nulls.DELETES, whole=False)
    results = actions.update_entities(call.place, fragments, overwrite="noOverwrite" not in call.options)
    return _result(call, results, errors, NO_CONTENT)


def merge(call: Call) -> Reply:
    """5.6.20 Batch Entity Merge."""
    fragments, errors = _items(call, Nulls.MERGES, whole=False)
    return _result(call, actions.merge_entities(call.place, fragments), errors, NO_CONTENT)


def delete(call: Call) -> Reply:
    """5.6.10 Batch Entity Delete."""
    errors: Errors = []
    ids: list[str] = []
    for item in _list_in(call):
        try:
            ids.append(check_uri(item, "id"))
        except DomainError as error:
            errors.append((item if isinstance(item, str) else None, error))
    return _result(call, actions.delete_entities(call.place, ids), errors, NO_CONTENT)


def _list_in(call: Call) -> list[Any]:
    data = parse(call.body)
    if type(data) is not list or not data:
        raise EntityIsInvalid(where="body", problem="is no array with at least one item")
    if len(data) > MAX_ENTITIES:
        raise BatchIsTooLarge(count=len(data), limit=MAX_ENTITIES)
    if None in data:
        raise EntityIsInvalid(where="body", problem="holds null")
    return data


def _items(call: Call, nulls: Nulls, *, whole: bool) -> tuple[list[Any], Errors]:
    """The entities that can be read, and what is wrong with the others."""
    contexts = Contexts(
        call.city, media_type_of(call.headers.get("content-type", "")) == LD, linked_url(call.headers.get("link"))
    )
    now, simplified = call.place.now(), call.format == "simplified"
    readers: dict[int, Reader] = {}
    found: list[Any] = []
    errors: Errors = []
    for item in _list_in(call):
        try:
            if type(item) is not dict:
                raise EntityIsInvalid(where="body", problem="holds what is no JSON object")
            context = contexts.take(item).context
            reader = readers.get(id(context))
            if reader is None:
                reader = readers[id(context)] = Reader(context, now, nulls, simplified)
            if whole:
                found.append(reader.entity(item))
                continue
            fragment = reader.fragment(item)
            if "id" not in fragment:
                raise EntityIsInvalid(where="id", problem="is missing")
            found.append(fragment)
        except DomainError as error:
            given = item.get("id", item.get("@id")) if type(item) is dict else None
            errors.append((given if isinstance(given, str) else None, error))
    return found, errors


def _result(call: Call, results: Results, errors: Errors, done: Reply) -> Reply:
    wrong = [*errors, *results.errors]
    if not wrong:
        return done
    body = {
        "success": results.successes,
        "errors": [{"entityId": entity_id, "error": problem_of(call.city, error)} for entity_id, error in wrong],
    }
    return Reply(207, encode(body), JSON)


OPERATIONS = [
    Operation("POST", f"entityOperations/{name}", handler, clause, parameters("options", "format", "type"),
              bodies=BODIES, max_body_bytes=MAX_BATCH_BYTES)
    for name, handler, clause in (
        ("create", create, "5.6.7"),
        ("upsert", upsert, "5.6.8"),
        ("update", update, "5.6.9"),
        ("delete", delete, "5.6.10"),
        ("merge", merge, "5.6.20"),
    )
]  # fmt: skip

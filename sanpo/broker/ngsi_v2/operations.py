"""`/v2/op`: many entities in one call."""

from collections.abc import Callable
from typing import Any

from sanpo.broker import querying
from sanpo.broker.batches import Results, change_entities, delete_entities, put_entities
from sanpo.broker.changing import Change
from sanpo.broker.errors import BatchIsTooLarge, EntityExists, EntityNotFound, ParameterIsInvalid, TenantNotFound
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Reply
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_ld.routing import MAX_BATCH_BYTES, Operation
from sanpo.broker.ngsi_v2 import changing
from sanpo.broker.ngsi_v2.attributes import names_of
from sanpo.broker.ngsi_v2.calls import Call, names_in
from sanpo.broker.ngsi_v2.entities import BODY
from sanpo.broker.ngsi_v2.errors import AttributesAreMissing, AttributesExist, RequestIsNoNgsiV2
from sanpo.broker.ngsi_v2.names import id_of
from sanpo.broker.ngsi_v2.reading import Reader
from sanpo.broker.ngsi_v2.selecting import expression_in, ordering_in, selectors_in
from sanpo.broker.querying import Page
from sanpo.ground.errors import DomainError

MOST_ENTITIES = 10_000
ACTIONS = ("append", "appendStrict", "update", "delete", "replace")
_ALIASES = {
    "APPEND": "append",
    "APPEND_STRICT": "appendStrict",
    "UPDATE": "update",
    "DELETE": "delete",
    "REPLACE": "replace",
}
_QUERY = frozenset({"entities", "attrs", "attributes", "expression", "metadata"})
_EXPRESSION = frozenset({"q", "mq", "georel", "geometry", "coords"})


def update(call: Call) -> Reply:
    """Update: each entity as the operation on one would; all are done that can be, and the first error is told."""
    data = call.data
    if type(data) is not dict or not data.keys() <= {"actionType", "entities"}:
        raise RequestIsNoNgsiV2(where="body", problem="is no JSON object of actionType and entities")
    action = _ALIASES.get(str(data.get("actionType")), data.get("actionType"))
    if action not in ACTIONS:
        raise RequestIsNoNgsiV2(where="actionType", problem=f"is none of {', '.join(ACTIONS)}")
    _write(call, str(action), _entities_in(data, "entities"), call.own_reader)
    return NO_CONTENT


def notify(call: Call) -> Reply:
    """Notify: what another broker tells is appended here."""
    data = call.data
    if type(data) is not dict or type(data.get("subscriptionId")) is not str:
        raise RequestIsNoNgsiV2(where="subscriptionId", problem="is missing")
    _write(call, "append", _entities_in(data, "data"), call.own_reader)
    return Reply(200)


def _entities_in(data: Any, name: str) -> list[Any]:
    given = data.get(name)
    if type(given) is not list or not given:
        raise RequestIsNoNgsiV2(where=name, problem="is no array of entities")
    if len(given) > MOST_ENTITIES:
        raise BatchIsTooLarge(count=len(given), limit=MOST_ENTITIES)
    return given


def _write(call: Call, action: str, given: list[Any], reader: Reader) -> None:
    """Raises the first error, when everything that can be done is done."""
    docs = [reader.entity(_without_values(each) if action == "delete" else each, call.scope) for each in given]
    if action == "delete":
        _delete(call, docs)
        return
    left: list[DomainError] = []
    apply = _applying(call, action, left)
    if action in ("append", "appendStrict"):
        results = put_entities(call.place, docs, apply)
    else:
        results = change_entities(call.place, docs, apply)
    _raise_first(results, left)


def _applying(call: Call, action: str, left: list[DomainError]) -> Callable[[Any, Any, str], Change]:
    """What one entity of the batch does to the one that is there; `left` collects what it leaves undone."""
    override = "overrideMetadata" in call.options

    def apply(there: Any, given: Any, now: str) -> Change:
        if not call.is_about(there, given):
            if action in ("append", "appendStrict"):
                raise EntityExists(entity_id=id_of(given["id"]))
            raise EntityNotFound(entity_id=id_of(given["id"]))
        fragment: Any = {"attrs": given["attrs"]}
        if action == "replace":
            return changing.replace(there, fragment, now)
        if action == "update":
            change = changing.update(there, fragment, now, override=override)
            error: type[DomainError] = AttributesAreMissing
        else:
            change = changing.append(there, fragment, now, override=override, strict=action == "appendStrict")
            error = AttributesExist
        if change.refused:
            left.append(error(names=names_of(change)))
        return change

    return apply


def _delete(call: Call, docs: list[Any]) -> None:
    """Entities that name no attribute go; of others the attributes do."""

    def strip(there: Any, given: Any, now: str) -> Change:
        if not call.is_about(there, given):
            raise EntityNotFound(entity_id=given["id"])
        return changing.delete_attributes(there, list(given["attrs"]), now)

    whole = [doc for doc in docs if not doc["attrs"]]
    named = {doc["id"]: doc for doc in whole}
    results = Results()
    if whole:
        results = delete_entities(call.place, list(named), lambda there: call.is_about(there, named[there["id"]]))
    parts = [doc for doc in docs if doc["attrs"]]
    if parts:
        some = change_entities(call.place, parts, strip)
        results.errors.extend(some.errors)
    _raise_first(results, [])


def _without_values(given: Any) -> Any:
    """To be deleted, an attribute needs no value that could be stored."""
    if type(given) is not dict:
        return given
    return {name: each if name in ("id", "type") else {} for name, each in given.items()}


def _raise_first(results: Results, left: list[DomainError]) -> None:
    for entity_id, error in results.errors:
        if isinstance(error, EntityNotFound):
            raise EntityNotFound(entity_id=id_of(entity_id or ""))
        raise error
    for error in left:
        raise error


def query(call: Call) -> Reply:
    """Query: as List Entities, with several selectors."""
    data = call.data
    if type(data) is not dict or not data.keys() <= _QUERY:
        raise RequestIsNoNgsiV2(where="body", problem=f"is no JSON object of {', '.join(sorted(_QUERY))}")
    expression = _texts_in(data.get("expression", {}))
    parts = selectors_in(data["entities"]) if "entities" in data else []
    if call.paths is not None:
        parts.append(call.paths)
    ordering = ordering_in(call.query.get("orderBy"), expression)
    try:
        page = querying.query_entities(call.place, [*parts, *expression_in(expression)], call.window, ordering)
    except TenantNotFound:
        page = Page([], more=False, count=0 if call.window.count else None)
    writer = call.own_writer(_names(data, "attrs") or _names(data, "attributes"), _names(data, "metadata"))
    return call.reply([writer.entity(doc) for doc in page.docs], page.count)


def _texts_in(given: Any) -> dict[str, str]:
    if (
        type(given) is not dict
        or not given.keys() <= _EXPRESSION
        or any(type(each) is not str for each in given.values())
    ):
        raise RequestIsNoNgsiV2(where="expression", problem=f"is no JSON object of {', '.join(sorted(_EXPRESSION))}")
    return dict(given)


def _names(data: Any, name: str) -> tuple[str, ...] | None:
    given = data.get(name)
    if given is None:
        return None
    if type(given) is not list or any(type(each) is not str for each in given):
        raise ParameterIsInvalid(name=name, problem="is no array of names")
    return names_in(given)


_FOUND = frozenset({"limit", "offset", "orderBy", "options"})
OPERATIONS = [
    Operation(
        "POST", "v2/op/update", update, "", frozenset({"options"}), (JSON,), BODY, max_body_bytes=MAX_BATCH_BYTES
    ),
    Operation("POST", "v2/op/query", query, "", _FOUND, (JSON,), BODY),
    Operation(
        "POST", "v2/op/notify", notify, "", frozenset({"options"}), (JSON,), BODY, max_body_bytes=MAX_BATCH_BYTES
    ),
]

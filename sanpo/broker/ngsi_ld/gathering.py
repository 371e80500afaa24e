"""Distributed reads (§5.7.1, §5.7.2, §4.5.5): what other sources hold is put together with what is here.

What a source says of a type that is declared personal here is left out: whose consent it came under cannot be known
(docs/decisions/0015).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sanpo.broker.entities import personal_ids
from sanpo.broker.errors import ParameterIsInvalid
from sanpo.broker.language.ids import parse_id_pattern, parse_ids
from sanpo.broker.language.projection import parse_attrs
from sanpo.broker.language.type_selection import parse_types
from sanpo.broker.ngsi_ld.asking import MAX_LIMIT, window_of
from sanpo.broker.ngsi_ld.asking import Asked as Query
from sanpo.broker.ngsi_ld.calls import Call, Headers, flag_in
from sanpo.broker.ngsi_ld.forwarding import Outcome, Request, ask_all, warnings_of
from sanpo.broker.ngsi_ld.linking import Linked, parse
from sanpo.broker.ngsi_ld.narrowing import asked_in, source_filter
from sanpo.broker.personal import personal_types
from sanpo.broker.registrations.actions import matches
from sanpo.broker.registrations.matching import Asked, Match
from sanpo.broker.representation.reading import Nulls, Reader
from sanpo.ground.errors import DomainError

PASSED = (
    "type", "id", "idPattern", "attrs", "q", "georel", "geometry", "coordinates", "geoproperty", "scopeQ", "expandValues",
    "jsonKeys", "datasetId",
)  # fmt: skip
FILTERS = frozenset({"attrs", "q", "geoQ", "georel", "geometry", "coordinates", "geoproperty", "scopeQ"})
"""What is asked of an entity once its parts from several sources are together (§5.7.2.4)."""
_READS = ("retrieveEntity", "queryEntity", "queryBatch")


def sources_of_entity(call: Call, linked: Linked, entity_id: str) -> list[Match]:
    """The sources that may hold an entity."""
    asked = replace(asked_in(call, linked), ids=frozenset({entity_id}))
    found = _serving(matches(call.place, asked), _READS)
    return found if found and not stays_here(call, [asked]) else []


def sources_of_query(call: Call, linked: Linked, query: Query) -> list[Match]:
    """The sources that may hold what a query finds. Raises `ParameterIsInvalid`: what is distributed is not ordered."""
    asked, fits = named_in(linked, query), source_filter(query.values, linked)
    if flag_in(query.values, "splitEntities"):  # a source may hold another part than the one that is asked for
        asked = [replace(each, attributes=None) for each in asked]
    found: dict[str, Match] = {}
    for each in asked:
        for match in _serving(matches(call.place, each, fits), _READS[1:]):
            found.setdefault(match.registration.registration_id, match)
    if not found or stays_here(call, asked):
        return []
    if query.get("orderBy"):
        raise ParameterIsInvalid(
            name="orderBy", problem="cannot stand in a query to other sources: ask with local=true"
        )
    return list(found.values())


def stays_here(call: Call, asked: Sequence[Asked]) -> bool:
    """Whether a question is about what is personal here: it is not passed on, and nothing would be taken from the answers."""
    personal = personal_types(call.city).keys()
    types = [each.types.types if each.types is not None else frozenset[str]() for each in asked]
    if asked and all(each and each <= personal for each in types):
        return True
    ids = frozenset[str]().union(*(each.ids or () for each in asked))
    return bool(ids and personal and personal_ids(call.place, sorted(ids)))


def named_in(linked: Linked, query: Query) -> list[Asked]:
    """What a query is about, by each of its selectors."""
    attrs = query.get("attrs")
    names = frozenset(parse_attrs(attrs, linked.context)) if attrs else None
    found = []
    for each in query.selectors or (query.values,):
        ids, types, pattern = (each.get(name) for name in ("id", "type", "idPattern"))
        listed = frozenset(ids if isinstance(ids, list) else parse_ids(ids)) if ids else None
        selection = parse_types(types, linked.context) if types else None
        found.append(Asked(listed, selection, names, parse_id_pattern(pattern) if pattern and not ids else None))
    return found


def _serving(found: Sequence[Match], operations: Sequence[str]) -> list[Match]:
    """Those that serve any of the operations: a source that does not retrieve may be queried for one entity (§5.7.1.4)."""
    return [each for each in found if any(map(each.registration.serves, operations))]


def retrieve(call: Call, linked: Linked, sources: Sequence[Match], entity_id: str) -> tuple[list[Any], Headers]:
    """What the sources say of one entity: documents, each with its match; and warnings."""
    requests = []
    for match in sources:
        passed = {name: call.query[name] for name in ("attrs", "type", "datasetId") if call.query.get(name)}
        passed |= held_in(match, linked)
        if match.registration.serves("retrieveEntity"):
            requests.append(Request(match, linked, "GET", f"entities/{entity_id}", passed))
        else:
            types = {each.type for info in match.registration.information for each in info.selectors}
            known = {"type": ",".join(sorted(map(linked.context.compact_type, types)))} if types else {}
            requests.append(_question(match, linked, {**known, **passed, "id": entity_id}))
    return _read(call, linked, ask_all(call, requests))


def query(call: Call, linked: Linked, sources: Sequence[Match], asked: Query, data: Any) -> tuple[list[Any], Headers]:
    """What the sources find. Entities that may be split over sources are filtered once they are whole (§5.7.2.4)."""
    requests = []
    paging = _paging(call)
    for match in sources:
        left_out = FILTERS if flag_in(asked.values, "splitEntities") else frozenset()
        if data is not None and match.registration.serves("queryBatch"):
            body = {name: value for name, value in data.items() if name not in left_out}
            requests.append(Request(match, linked, "POST", "entityOperations/query", paging, body))
            continue
        passed = {name: value for name, value in asked.values.items() if name in PASSED and name not in left_out}
        if match.ids and "id" not in passed:
            passed["id"] = ",".join(sorted(match.ids))
        passed |= held_in(match, linked)
        requests.extend(_question(match, linked, passed | _texts(each), paging) for each in asked.selectors or ({},))
    return _read(call, linked, ask_all(call, requests))


def held_in(match: Match, linked: Linked) -> dict[str, str]:
    """Narrows a request to the attributes that the registration names (§4.3.6.1)."""
    if match.attributes is None:
        return {}
    return {"attrs": ",".join(sorted(linked.context.compact(each) for each in match.attributes))}


def _texts(selector: Mapping[str, Any]) -> dict[str, str]:
    return {name: ",".join(each) if isinstance(each, list) else each for name, each in selector.items()}


def _paging(call: Call) -> dict[str, str]:
    """As much of a source as the page may need, where a page is asked for; else what a source gives unasked."""
    if not call.query.get("limit") and not call.query.get("offset"):
        return {}
    window = window_of(call)
    return {"limit": str(min(MAX_LIMIT, max(1, window.offset + window.limit)))}


def _question(
    match: Match, linked: Linked, passed: Mapping[str, str], paging: Mapping[str, str] | None = None
) -> Request:
    """A query as the source takes it: in the URL, or as a Query (§5.2.23) where it takes only that."""
    if match.registration.serves("queryEntity"):
        return Request(match, linked, "GET", "entities", {**passed, **(paging or {})})
    heads = {name: passed[name] for name in ("type", "idPattern") if name in passed}
    ids = passed["id"].split(",") if "id" in passed else []
    body: dict[str, Any] = {"type": "Query"}
    if heads or ids:
        body["entities"] = [{**heads, "id": each} for each in ids] or [heads]
    place = {name: passed[name] for name in ("georel", "geometry", "coordinates", "geoproperty") if name in passed}
    if place:
        body["geoQ"] = place
    body |= {name: passed[name] for name in ("q", "scopeQ", "expandValues", "jsonKeys") if name in passed}
    body |= {name: passed[name].split(",") for name in ("attrs", "datasetId") if name in passed}
    return Request(match, linked, "POST", "entityOperations/query", paging or {}, body)


def merged(local: Iterable[Any], remote: Iterable[tuple[Match, Any]]) -> list[Any]:
    """One document for each entity: the newest instance of an attribute wins; an auxiliary source only adds (§4.5.5)."""
    found: dict[str, Any] = {doc["id"]: doc for doc in local}
    ordered = sorted(remote, key=lambda each: each[0].registration.mode == "auxiliary")
    for match, doc in ordered:
        known = found.get(doc["id"])
        held = match.attributes
        attrs = {iri: each for iri, each in doc["attrs"].items() if held is None or iri in held}
        shown = {**doc, "attrs": attrs}
        if known is None:
            found[doc["id"]] = shown
        else:
            found[doc["id"]] = _both(known, shown, adds_only=match.registration.mode == "auxiliary")
    return list(found.values())


def _both(known: Any, other: Any, *, adds_only: bool) -> Any:
    attrs = dict(known["attrs"])
    for iri, instances in other["attrs"].items():
        if iri not in attrs:
            attrs[iri] = instances
        elif not adds_only:
            attrs[iri] = _newest(attrs[iri], instances)
    types = [*known["type"], *(each for each in other["type"] if each not in known["type"])]
    return {**known, "type": types, "attrs": attrs}


def _newest(mine: list[Any], theirs: list[Any]) -> list[Any]:
    """One instance for each datasetId: the one observed last, or else changed last."""
    found: dict[str | None, Any] = {each.get("datasetId"): each for each in mine}
    for each in theirs:
        known = found.get(each.get("datasetId"))
        if known is None or _moment(each) > _moment(known):
            found[each.get("datasetId")] = each
    return list(found.values())


def _moment(instance: Any) -> str:
    return str(instance.get("observedAt") or instance.get("modifiedAt") or "")


def _read(call: Call, linked: Linked, outcomes: Sequence[Outcome]) -> tuple[list[Any], Headers]:
    reader = Reader(linked.context, call.place.now(), Nulls.REFUSED, False)
    return read_answers(call, outcomes, reader.entity)


def read_answers(
    call: Call, outcomes: Sequence[Outcome], make: Callable[[Any], Any]
) -> tuple[list[tuple[Match, Any]], Headers]:
    """What `make` makes of each document of the answers, without its `@context`; an answer that cannot be read is warned of.

    What is declared personal here is left out, as in all that is distributed (docs/decisions/0015).
    """
    personal = personal_types(call.city)
    found: list[tuple[Match, Any]] = []
    invalid = []
    for outcome in outcomes:
        if not outcome.is_good or outcome.answer is None:
            continue
        try:
            data = parse(outcome.answer.body)
            items = data if isinstance(data, list) else [data]
            docs = [make({name: each for name, each in item.items() if name != "@context"}) for item in items]
        except (DomainError, AttributeError, TypeError, KeyError):
            invalid.append(outcome)
            continue
        found.extend((outcome.request.match, doc) for doc in docs if not any(each in personal for each in doc["type"]))
    return found, warnings_of(outcomes, invalid)

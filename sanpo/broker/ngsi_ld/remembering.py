"""Distributed histories (§5.7.3, §5.7.4): what other sources remember is put beside what is remembered here.

An instance is added where none of its time and dataset is there. Aggregates are of what is here alone: they cannot be put
together from those of others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sanpo.broker.errors import ParameterIsInvalid
from sanpo.broker.model import Attributes
from sanpo.broker.ngsi_ld.asking import Asked as Query
from sanpo.broker.ngsi_ld.calls import Call, Headers, flag_in
from sanpo.broker.ngsi_ld.forwarding import Request, ask_all
from sanpo.broker.ngsi_ld.gathering import PASSED, held_in, named_in, read_answers, stays_here
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.narrowing import asked_in, source_filter
from sanpo.broker.ngsi_ld.temporal_words import temporal_fragment
from sanpo.broker.registrations.actions import matches
from sanpo.broker.registrations.matching import Asked, Match
from sanpo.broker.selection import Window
from sanpo.broker.temporal.model import Evolutions, Span, in_order, moment_of

_TIMES = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN")


def sources_of_history(call: Call, linked: Linked, entity_id: str, span: Span) -> list[Match]:
    """The sources that may remember an entity."""
    asked = replace(asked_in(call, linked), ids=frozenset({entity_id}))
    return [] if stays_here(call, [asked]) else _remembering(call, [asked], span, "retrieveTemporal")


def sources_of_histories(call: Call, linked: Linked, query: Query, span: Span) -> list[Match]:
    """The sources that may remember what a query finds. Raises `ParameterIsInvalid`: what is distributed is not ordered."""
    if flag_in(query.values, "local"):
        return []
    asked, fits = named_in(linked, query), source_filter(query.values, linked)
    found = [] if stays_here(call, asked) else _remembering(call, asked, span, "queryTemporal", fits)
    if found and query.get("orderBy"):
        raise ParameterIsInvalid(
            name="orderBy", problem="cannot stand in a query to other sources: ask with local=true"
        )
    return found


def _remembering(call: Call, asked: Sequence[Asked], span: Span, operation: str, fits: Any = None) -> list[Match]:
    """Those that serve it, and where they say of which times, remember that time (§5.2.9)."""
    found: dict[str, Match] = {}
    for each in asked:
        for match in matches(call.place, each, fits or (lambda registration: True)):
            registration = match.registration
            if registration.serves(operation) and registration.remembers(span.time):
                found.setdefault(registration.registration_id, match)
    return list(found.values())


def retrieve(
    call: Call, linked: Linked, sources: Sequence[Match], entity_id: str, span: Span, local: Evolutions | None
) -> tuple[Evolutions, Headers]:
    """One history with what the sources remember of it."""
    names = (*_TIMES, "attrs", "type", "datasetId")
    passed = {name: call.query[name] for name in names if call.query.get(name)}
    path = f"temporal/entities/{entity_id}"
    requests = [Request(each, linked, "GET", path, passed | held_in(each, linked)) for each in sources]
    remote, warnings = read_answers(call, ask_all(call, requests), lambda given: _history(call, linked, given))
    docs = merged(() if local is None else local.docs, [each for each in remote if each[1]["id"] == entity_id], span)
    return Evolutions(docs, cut=None if local is None else local.cut), warnings


def query(
    call: Call, linked: Linked, sources: Sequence[Match], asked: Query, span: Span
) -> tuple[list[tuple[Match, Any]], Headers]:
    """What the sources find."""
    requests = []
    for match in sources:
        passed = {name: value for name, value in asked.values.items() if name in PASSED or name in _TIMES}
        passed |= held_in(match, linked)
        for each in asked.selectors or ({},):
            texts = {name: ",".join(value) if isinstance(value, list) else value for name, value in each.items()}
            requests.append(Request(match, linked, "GET", "temporal/entities", passed | texts))
    return read_answers(call, ask_all(call, requests), lambda given: _history(call, linked, given))


def page(local: Evolutions, remote: Sequence[tuple[Match, Any]], span: Span, window: Window) -> Evolutions:
    """A page of what is here, from the beginning to the page's end, and what the sources have."""
    end = window.offset + window.limit
    docs = merged(local.docs, remote, span)
    count = None if local.count is None else len(docs) + local.count - len(local.docs)
    return Evolutions(docs[window.offset : end], local.more or len(docs) > end, count, local.cut)


def merged(local: Sequence[Any], remote: Sequence[tuple[Match, Any]], span: Span) -> list[Any]:
    """One document for each entity, with the instances of all (§5.7.4.4)."""
    found: dict[str, Any] = {doc["id"]: doc for doc in local}
    for match, doc in sorted(remote, key=lambda each: each[0].registration.mode == "auxiliary"):
        held = match.attributes
        attrs = {iri: each for iri, each in doc["attrs"].items() if held is None or iri in held}
        known = found.setdefault(doc["id"], {**doc, "attrs": {}})
        types = [*known["type"], *(each for each in doc["type"] if each not in known["type"])]
        found[doc["id"]] = {**known, "type": types, "attrs": _with(known["attrs"], attrs, span)}
    return list(found.values())


def _with(mine: Attributes, theirs: Attributes, span: Span) -> Attributes:
    found = dict(mine)
    for iri, instances in theirs.items():
        there = {(each.get("datasetId"), moment_of(each, span.time)) for each in found.get(iri, ())}
        new = [each for each in instances if (each.get("datasetId"), moment_of(each, span.time)) not in there]
        found[iri] = [*found.get(iri, ()), *new]
    ordered = in_order(found, span.time)
    return ordered if span.last_n is None else {iri: each[-span.last_n :] for iri, each in ordered.items()}


def _history(call: Call, linked: Linked, given: Mapping[str, Any]) -> Any:
    found = temporal_fragment(call.reader(linked), given)
    return {**found, "id": found["id"], "type": found["type"]}

"""Aggregates of evolutions over periods (§4.5.19), computed by PostgreSQL on rows that are in sight.

`stddev` is that of the whole (not of a sample), so that one value has the deviation 0. Texts have a least and a greatest
one in the order of their code points. A period without instances is left out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sanpo.broker.changing import SCOPE
from sanpo.broker.entities import Place, Wanted
from sanpo.broker.querying import Among
from sanpo.broker.selection import Part, Window
from sanpo.broker.temporal.durations import periods
from sanpo.broker.temporal.evolutions import Seen, find_chronicle, looking, query_evolutions
from sanpo.broker.temporal.model import Aggregation, Chronicle, Evolutions, Span, short
from sanpo.broker.temporal.store import Groups, names_of

_COLUMNS = {"totalCount": "total_count", "distinctCount": "distinct_count"}
_TEXTS = frozenset({"min", "max"})
_WHOLE = 2**53


def retrieve_aggregates(
    place: Place, entity_id: str, span: Span, aggregation: Aggregation, wanted: Wanted | None = None
) -> Evolutions:
    """As `retrieve_evolution`; each instance of an attribute is `{method: [[value, start, end], …]}` of one dataset."""

    def look(seen: Seen) -> Evolutions:
        return Evolutions(_told(seen, [find_chronicle(place, seen, entity_id, wanted)], span, aggregation))

    return looking(place, "temporal aggregate", look)


def query_aggregates(
    place: Place,
    parts: Sequence[Part],
    span: Span,
    window: Window,
    aggregation: Aggregation,
    among: Among = None,
) -> Evolutions:
    """As `query_evolutions`, with aggregates."""
    return query_evolutions(
        place, parts, span, window, lambda seen, found: (_told(seen, found, span, aggregation), None), among
    )


def _told(seen: Seen, chronicles: list[Chronicle], span: Span, aggregation: Aggregation) -> list[Any]:
    """Public histories all at once; personal ones each with whom its instances are about."""
    if not chronicles:
        return []
    seen = seen.reaching(chronicles, span)
    public = [each for each in chronicles if each.subjects is None]
    docs = {each.entity_no: each.doc for each in public}
    if public:
        found = _computed(seen.public(), seen.histories.groups_of(public), span, aggregation, None)
        for place, attrs in found.items():
            docs[public[place].entity_no]["attrs"] = attrs
    for each in chronicles:
        if each.subjects is not None:
            doc = _personal(seen, each, span, aggregation)
            if doc is not None:
                docs[each.entity_no] = doc
    return [docs[each.entity_no] for each in chronicles if each.entity_no in docs]


def _personal(seen: Seen, chronicle: Chronicle, span: Span, aggregation: Aggregation) -> Any | None:
    groups = seen.histories.groups_of([chronicle])
    named: dict[str, list[Any]] = {iri: [] for iri in seen.histories.attributes_in(groups)}
    head = seen.show(chronicle, named, chronicle.subjects)
    if head is None:
        return None
    agreed = frozenset(head["attrs"])
    near = Span(span.time, None, agreed if span.attributes is None else agreed & span.attributes)
    owners, about = [], set(chronicle.subjects or ())
    for whose in seen.histories.owners(groups, near):
        if seen.show(chronicle, {}, chronicle.subjects if whose is None else whose) is not None:
            owners.append("" if whose is None else "{" + ",".join(map(str, whose)) + "}")
            about.update(whose or ())
    seen.note(chronicle, about)
    attrs = _computed(seen, groups, near, aggregation, owners) if owners else {}
    return {**head, "attrs": attrs.get(0, {})}


def _computed(
    seen: Seen, groups: Groups, span: Span, aggregation: Aggregation, owners: Sequence[str] | None
) -> dict[int, Any]:
    """By the place of the chronicle, then by attribute."""
    edges = _edges(seen, groups, span, aggregation, owners)
    if edges is None:
        return {}
    rows = seen.histories.aggregate(groups, span, aggregation.methods, edges[:-1], owners)
    names = names_of(seen.histories.city, [row.attr_no for row in rows])
    times = [[short(start), short(end)] for start, end in pairwise(edges)]
    found: dict[int, Any] = {}
    for row in rows:
        if names[row.attr_no] == SCOPE:  # whose values are counted by nobody
            continue
        instances = found.setdefault(row.grp, {}).setdefault(names[row.attr_no], [])
        if not instances or instances[-1].get("datasetId") != row.dataset_id:
            instances.append(_instance(row, aggregation))
        instances[-1]["type"] = row.kind or instances[-1]["type"]
        for method in aggregation.methods:
            value = _value(row, method)
            if value is not None:
                instances[-1][method].append([value, *times[row.period - 1]])
    return found


def _instance(row: Any, aggregation: Aggregation) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "Property"}
    if row.dataset_id is not None:
        found["datasetId"] = row.dataset_id
    return {**found, **{method: [] for method in aggregation.methods}}


def _value(row: Any, method: str) -> Any:
    found = getattr(row, _COLUMNS.get(method, method))
    if found is None and method in _TEXTS:
        return getattr(row, f"text_{method}")
    return int(found) if isinstance(found, float) and found.is_integer() and abs(found) < _WHOLE else found


def _edges(
    seen: Seen, groups: Groups, span: Span, aggregation: Aggregation, owners: Sequence[str] | None
) -> list[datetime] | None:
    """Where the periods begin and the last one ends: from the start of the span, or from the first instance in it."""
    time = span.time
    start = None if time is None or time.start is None else datetime.fromisoformat(time.start)
    end = None if time is None or time.end is None else datetime.fromisoformat(time.end)
    if start is None or end is None:
        bounds = seen.histories.bounds(groups, span, owners)
        if bounds is None:
            return None
        start = start or bounds[0]
        end = end or bounds[1] + timedelta(microseconds=1)
        if aggregation.period.is_whole and (time is None or time.end is None):
            end = max(bounds[1], seen.histories.city.now())
    return periods(start, end, aggregation.period)

"""Retrieve and query the temporal evolution of entities (§5.7.3, §5.7.4), as far as the actor may see it.

An entity fits a condition if any of its instances in the span does; one without an instance in the span is not found.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeVar

from sanpo.broker import history
from sanpo.broker.changing import SCOPE
from sanpo.broker.entities import Place, Wanted
from sanpo.broker.errors import EntityNotFound
from sanpo.broker.flow.reading import Asked, fetch, steady
from sanpo.broker.flow.store import reaches
from sanpo.broker.language.condition import Condition, Parameters
from sanpo.broker.language.scopes import ScopeQuery, matches_scope_q
from sanpo.broker.model import NULL, Attributes
from sanpo.broker.personal import unveiled
from sanpo.broker.querying import MOST_MAPPED, Among, limit_to, within_a_map
from sanpo.broker.selection import AnyOf, HasAttribute, IdPattern, Ids, OfType, Part, ScopeQ, Window, together
from sanpo.broker.sight import PUBLIC, Sight, check_reader, sees_public_only
from sanpo.broker.store import Stored
from sanpo.broker.temporal.model import Chronicle, Cut, Evolutions, Span, in_order, instance_of
from sanpo.broker.temporal.store import Histories, names_of, numbers_of
from sanpo.ground.actors import Client
from sanpo.ground.db import Transaction

MOST_INSTANCES = 10_000
"""In one answer. What there is beyond, the next request asks for (§6.3.10)."""
SCANNED = 200
T = TypeVar("T")
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_OF_ROWS = (OfType, Ids, IdPattern, AnyOf)
"""What the row of an entity decides; of all else its history does. `AnyOf` holds selectors: types and ids."""


@dataclass(frozen=True)
class Seen:
    """The histories that one actor reads, and what of them is in sight."""

    histories: Histories
    sight: Sight

    def show(self, chronicle: Chronicle, attrs: Attributes, subjects: tuple[int, ...] | None) -> Any | None:
        """Instances about these residents as the actor may see them."""
        stored = Stored(chronicle.entity_no, {**chronicle.doc, "attrs": attrs}, subjects)
        return self.sight.show(stored)

    def note(self, chronicle: Chronicle, about: set[int]) -> None:
        whose = None if chronicle.subjects is None else tuple(sorted(about | set(chronicle.subjects)))
        self.sight.note([Stored(chronicle.entity_no, None, whose)])

    def reaching(
        self, chronicles: Sequence[Chronicle], span: Span, *, newest: int | None = None, most: int | None = None
    ) -> "Seen":
        """With what the lake holds of the span: all of it, or as `Asked` says."""
        histories, time = self.histories, span.time
        numbers = None if span.attributes is None else numbers_of(histories.city, span.attributes).values()
        name, start, end = ("", None, None) if time is None else (time.time_property, time.start, time.end)
        asked = Asked(name, start, end, numbers, newest, most)
        nos = list(histories.groups_of(chronicles))
        flowed = fetch(histories.city, nos, asked, public=histories.public)
        return replace(self, histories=replace(histories, flowed=flowed))

    def public(self) -> "Seen":
        return replace(self, histories=replace(self.histories, public=True))


def retrieve_evolution(place: Place, entity_id: str, span: Span, wanted: Wanted | None = None) -> Evolutions:
    """The evolution of one entity. Raises `EntityNotFound`, also for what is not in sight."""

    def look(seen: Seen) -> Evolutions:
        chronicle = find_chronicle(place, seen, entity_id, wanted)
        docs, cut = evolutions_of(seen, [chronicle], span)
        if span.attributes is not None and not docs[0]["attrs"]:
            every, _ = evolutions_of(seen, [chronicle], Span(last_n=1, attributes=span.attributes))
            if not every[0]["attrs"]:
                raise EntityNotFound(entity_id=entity_id)
        return Evolutions(docs, cut=cut)

    return looking(place, "temporal retrieve", look)


def query_evolutions(
    place: Place,
    parts: Sequence[Part],
    span: Span,
    window: Window,
    tell: "Callable[[Seen, list[Chronicle]], tuple[list[Any], Cut | None]] | None" = None,
    among: Among = None,
) -> Evolutions:
    """The evolutions of what fits all parts, in the order of creation. `tell` makes something else of them than rows."""
    history.spread(place.city)
    span = _scoped(span, parts)

    def look(seen: Seen) -> Evolutions:
        found, more, count = _page(seen, parts, span, window, among)
        docs, cut = (tell or (lambda seen, found: evolutions_of(seen, found, span)))(seen, found)
        return Evolutions(docs, more, count, cut)

    return looking(place, "temporal query", look)


def find_fitting_evolutions(place: Place, parts: Sequence[Part], span: Span, among: Among = None) -> list[int]:
    """The numbers of all whose evolution in the span fits all parts. Nothing of them leaves."""
    history.spread(place.city)
    span = _scoped(span, parts)
    every = Window(MOST_MAPPED + 1)
    return looking(
        place,
        "entity map",
        lambda seen: within_a_map(each.entity_no for each in _page(seen, parts, span, every, among)[0]),
    )


def _scoped(span: Span, parts: Sequence[Part]) -> Span:
    """A scope selects instances, those of the times in which the entity had it (§5.7.4.4)."""
    return replace(span, scopes=next((part.query for part in parts if isinstance(part, ScopeQ)), None))


def looking(place: Place, operation: str, look: Callable[[Seen], T]) -> T:
    """Lets `look` see what the actor may; the use is in the journal before anything leaves."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    if sees_public_only(place.actor):
        seen = Seen(Histories(place.city, place.city.db.read_all, tenant_no, public=True), PUBLIC)
        return steady(place.city, lambda: look(seen))

    def seeing(tx: Transaction, sight: Sight) -> T:
        return steady(place.city, lambda: look(Seen(Histories(place.city, tx.all, tenant_no), sight)))

    return place.looking(operation, seeing)


def find_chronicle(place: Place, seen: Seen, entity_id: str, wanted: Wanted | None = None) -> Chronicle:
    """Whose history it is, by the id under which this actor knows it. Raises `EntityNotFound`."""
    actor, histories = place.actor, seen.histories
    number = unveiled(place.city, actor.organisation_no, entity_id) if isinstance(actor, Client) else None
    found = histories.find_by_id(entity_id) if number is None else histories.find_by_no(number)
    shown = None if found is None else seen.show(found, {}, found.subjects)
    if found is None or shown is None or shown["id"] != entity_id or (wanted is not None and not wanted(shown["type"])):
        raise EntityNotFound(entity_id=entity_id)
    groups = histories.groups_of([found])
    history.prepare(place.city, list(groups))
    there = histories.attr_nos_in(groups) or seen.reaching([found], Span(), newest=1).histories.attr_nos_in(groups)
    if not there:
        raise EntityNotFound(entity_id=entity_id)
    return found


def evolutions_of(seen: Seen, chronicles: list[Chronicle], span: Span) -> tuple[list[Any], Cut | None]:
    """Their instances in the span, and which part of it the answer holds where that is not all."""
    reached = seen.reaching(chronicles, span, newest=span.last_n, most=MOST_INSTANCES + 1)
    docs, cut = _evolutions(reached, chronicles, span, note=True)
    return [doc for doc in docs if doc is not None], cut


def _evolutions(
    seen: Seen, chronicles: list[Chronicle], span: Span, *, note: bool
) -> tuple[list[Any | None], Cut | None]:
    if not chronicles:
        return [], None
    rows = seen.histories.rows(seen.histories.groups_of(chronicles), span, MOST_INSTANCES + 1)
    cut = None
    if len(rows) > MOST_INSTANCES:
        rows, cut = _cut(rows, span)
    by_place: list[list[Any]] = [[] for _ in chronicles]
    for row in rows:
        by_place[row.grp].append(row)
    names = names_of(seen.histories.city, [row.attr_no for row in rows])
    return [
        _evolution(seen, chronicle, found, names, span, note=note)
        for chronicle, found in zip(chronicles, by_place, strict=True)
    ], cut


def _cut(rows: list[Any], span: Span) -> tuple[list[Any], Cut]:
    """As many rows as an answer holds, and no moment in part, so that the next request can begin there."""
    edge = rows[MOST_INSTANCES].moment
    kept = [row for row in rows if row.moment != edge] or rows[:MOST_INSTANCES]
    time = span.time
    given = None if time is None else time.end if span.last_n is not None else time.start
    start = rows[0].moment if given is None else type(edge).fromisoformat(given)
    return kept, Cut(start, kept[-1].moment, span.last_n)


def _evolution(
    seen: Seen, chronicle: Chronicle, rows: list[Any], names: dict[int, str], span: Span, *, note: bool
) -> Any | None:
    shown = seen.show(chronicle, {}, chronicle.subjects)
    if shown is None:
        return None
    if span.scopes is not None:
        times = _scoped_times(seen, chronicle, span.scopes)
        rows = [row for row in rows if any(start <= row.moment < end for start, end in times)]
    groups: dict[tuple[int, ...] | None, Attributes] = {}
    for row in rows:
        whose = chronicle.subjects if row.subjects is None else tuple(row.subjects)
        groups.setdefault(whose, {}).setdefault(names[row.attr_no], []).append(instance_of(row))
    attrs: Attributes = {}
    about: set[int] = set()
    for whose, found in groups.items():
        part = seen.show(chronicle, found, whose)
        if part is not None:
            about.update(whose or ())
            for iri, instances in part["attrs"].items():
                attrs.setdefault(iri, []).extend(instances)
    if note:
        seen.note(chronicle, about)
    if len(groups) > 1 or span.last_n is not None:
        attrs = in_order(attrs, span.time)
    if shown["id"] != chronicle.entity_id:  # two recipients could join what they know by the numbers of instances
        attrs = {iri: [_unnamed(each) for each in found] for iri, found in attrs.items()}
    return {**shown, "attrs": attrs}


def _scoped_times(seen: Seen, chronicle: Chronicle, query: ScopeQuery) -> list[tuple[datetime, datetime]]:
    """When the entity had a scope that fits, as far as its scopes are in sight.

    Where no history of them is in sight, it always had the one that it is seen to have.
    """
    told = Span(attributes=frozenset({SCOPE}))
    histories = seen.reaching([chronicle], told).histories
    rows = [
        (row.moment, scopes)
        for row in histories.rows(histories.groups_of([chronicle]), told, MOST_INSTANCES)
        if (scopes := _scope_of(seen, chronicle, row)) is not None
    ]
    if not rows:
        shown = seen.show(chronicle, {}, chronicle.subjects)
        return [(_FIRST, _LAST)] if shown is not None and matches_scope_q(query, shown) else []
    rows.sort(key=lambda row: row[0])
    edges = pairwise([*(moment for moment, _ in rows), _LAST])
    return [time for (_, scopes), time in zip(rows, edges, strict=True) if matches_scope_q(query, scopes)]


def _scope_of(seen: Seen, chronicle: Chronicle, row: Any) -> dict[str, Any] | None:
    """What an instance of a scope's history says; None where it is not in sight."""
    whose = chronicle.subjects if row.subjects is None else tuple(row.subjects)
    shown = seen.show(chronicle, {SCOPE: [instance_of(row)]}, whose)
    if shown is None or SCOPE not in shown["attrs"]:
        return None
    value = shown["attrs"][SCOPE][0].get("value")
    return {} if value in (None, NULL) else {"scope": value if type(value) is list else [value]}


def _unnamed(instance: Any) -> Any:
    return {key: value for key, value in instance.items() if key != "instanceId"}


def _page(
    seen: Seen, parts: Sequence[Part], span: Span, window: Window, among: Among = None
) -> tuple[list[Chronicle], bool, int | None]:
    of_rows = [part for part in parts if isinstance(part, _OF_ROWS)]
    fine = [part for part in parts if not isinstance(part, (*_OF_ROWS, ScopeQ))]
    asked = [part for part in fine if isinstance(part, HasAttribute)]
    parameters = Parameters()
    condition = together(of_rows).compile(parameters)
    limits = limit_to(among, parameters)
    if seen.sight is PUBLIC and condition.exact and len(asked) == len(fine) and span.scopes is None:
        near = replace(span, attributes=asked[0].iris) if asked else span
        if _reaches(seen, near):
            return _counted(_witnessed(seen, near, condition, parameters), seen, window)
        limit = window.limit + 1 if window.limit else 0
        condition = limits(condition)
        found = seen.histories.list_with(
            condition, parameters.values, near, after=-1, limit=limit, offset=window.offset
        )
        count = seen.histories.count_with(condition, parameters.values, near) if window.count else None
        return found[: window.limit], len(found) > window.limit, count
    if seen.sight is not PUBLIC:
        condition = Condition(f"e.personal or ({condition.sql})", exact=False)
    return _counted(_fitting(seen, parts, span, limits(condition), parameters), seen, window)


def _counted(fitting: Iterator[Chronicle], seen: Seen, window: Window) -> tuple[list[Chronicle], bool, int | None]:
    page: list[Chronicle] = []
    end, number = window.offset + window.limit, 0
    for chronicle in fitting:
        if window.offset <= number < end:
            page.append(chronicle)
        if window.count:
            seen.note(chronicle, set())
        number += 1
        if not window.count and number > end:
            break
    return page, number > end, number if window.count else None


def _fitting(
    seen: Seen, parts: Sequence[Part], span: Span, condition: Condition, parameters: Parameters
) -> Iterator[Chronicle]:
    """Those whose evolution in the span, as far as it is in sight, fits all parts."""
    wanted = together([part for part in parts if not isinstance(part, ScopeQ)])
    near = replace(span, attributes=None, last_n=None)
    by_name = all(isinstance(part, (*_OF_ROWS, HasAttribute)) for part in parts)  # of a scope, every instance counts
    for batch in _batches(seen, near, condition, parameters):
        reached = seen.reaching(batch, near, newest=1) if by_name else seen
        for chronicle in batch:
            if not by_name:
                reached = seen.reaching([chronicle], near, most=MOST_INSTANCES + 1)
            (doc,), _ = _evolutions(reached, [chronicle], near, note=False)
            if doc is not None and doc["attrs"] and wanted.matches(doc):
                yield chronicle


def _witnessed(seen: Seen, near: Span, condition: Condition, parameters: Parameters) -> Iterator[Chronicle]:
    """Public ones with an instance in the span, here or in the lake."""
    for batch in _batches(seen, near, condition, parameters):
        histories = seen.reaching(batch, near, newest=1).histories
        these = Parameters("b")
        one_of = Condition(f"e.entity_no = any({these.add([each.entity_no for each in batch], 'bigint[]')})")
        yield from histories.list_with(one_of, these.values, near, after=-1, limit=SCANNED)


def _batches(seen: Seen, near: Span, condition: Condition, parameters: Parameters) -> Iterator[list[Chronicle]]:
    """Those that may have an instance in the span."""
    after, maybe = -1, _reaches(seen, near)
    while True:
        batch = seen.histories.list_with(condition, parameters.values, near, after=after, limit=SCANNED, maybe=maybe)
        if batch:
            yield batch
        if len(batch) < SCANNED:
            return
        after = batch[-1].entity_no


def _reaches(seen: Seen, near: Span) -> bool:
    time = near.time
    asked = Asked() if time is None else Asked(time.time_property, time.start, time.end)
    return reaches(seen.histories.read, *asked.months)

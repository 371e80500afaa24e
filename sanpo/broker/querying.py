"""Query Entities (§5.7.2) and the discovery of types and attributes (§5.7.5 to §5.7.10)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sanpo.broker import store
from sanpo.broker.entities import Place
from sanpo.broker.language.condition import Parameters
from sanpo.broker.language.ordering import Ordering, sort_entities
from sanpo.broker.language.ordering_sql import OrderBy, compile_order
from sanpo.broker.selection import NotOver, Part, Window, together
from sanpo.broker.sight import PUBLIC, Sight, check_reader, sees_public_only, sight_of

SCANNED = 1_000
MOST_SORTED = 50_000


@dataclass(frozen=True)
class Page:
    """Part of what was found. `more` says that some follow; `count` is how many there are, where that was asked for."""

    docs: Sequence[Any]
    more: bool
    count: int | None = None


def query_entities(place: Place, parts: list[Part], window: Window, ordering: Ordering | None = None) -> Page:
    """The entities in sight that fit all parts, in the order asked for or in that in which they were created."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    wanted = together([*parts, NotOver(place.now())])
    parameters = Parameters()
    condition = wanted.compile(parameters)
    order = None if ordering is None else compile_order(ordering, parameters)
    if sees_public_only(place.actor):
        rows = store.Rows(place.city.db.read_all, tenant_no, condition, parameters.values)
        return _page(rows, wanted, PUBLIC, window, ordering, order)
    with place.transaction() as tx:
        sight = sight_of(tx, place.actor)
        rows = store.Rows(tx.all, tenant_no, condition, parameters.values)
        return _page(rows, wanted, sight, window, ordering, order)


def _page(
    rows: store.Rows, wanted: Part, sight: Sight, window: Window, ordering: Ordering | None, order: OrderBy | None
) -> Page:
    if rows.condition.exact and sight is PUBLIC and (order is None or order.exact):
        return _exact(rows, window, order)
    if ordering is not None:
        found = sort_entities(ordering, list(islice(_shown(rows, wanted, sight), MOST_SORTED)))
        part = found[window.offset : window.offset + window.limit]
        return Page(part, len(found) > window.offset + window.limit, len(found) if window.count else None)
    docs: list[Any] = []
    seen = 0
    for doc in _shown(rows, wanted, sight):
        if window.offset <= seen < window.offset + window.limit:
            docs.append(doc)
        seen += 1
        if not window.count and seen > window.offset + window.limit:
            break
    return Page(docs, seen > window.offset + window.limit, seen if window.count else None)


def _exact(rows: store.Rows, window: Window, order: OrderBy | None) -> Page:
    """The database alone finds, orders and counts."""
    found: list[Any] = []
    if window.limit:
        sql = "" if order is None else order.sql
        found = [each.doc for each in rows.find(limit=window.limit + 1, offset=window.offset, order=sql)]
    return Page(found[: window.limit], len(found) > window.limit, rows.count() if window.count else None)


def _shown(rows: store.Rows, wanted: Part, sight: Sight) -> Iterator[Any]:
    """What fits and is in sight, read step by step: the condition alone, or the rows alone, do not decide."""
    after = 0
    while True:
        batch = rows.find(limit=SCANNED, after=after)
        for each in batch:
            doc = sight.show(each)
            if doc is not None and wanted.matches(doc):
                yield doc
        if len(batch) < SCANNED:
            return
        after = batch[-1].entity_no

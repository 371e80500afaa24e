"""Query Entities (§5.7.2) and the discovery of types and attributes (§5.7.5 to §5.7.10)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sanpo.broker import store
from sanpo.broker.entities import Place
from sanpo.broker.language.condition import Condition, Parameters
from sanpo.broker.selection import NotOver, Part, Window, together
from sanpo.broker.sight import PUBLIC, Sight, check_reader, sees_public_only, sight_of

SCANNED = 1_000


@dataclass(frozen=True)
class Page:
    """Part of what was found. `count` is how many there are in all, where that was asked for; `more` says that some follow."""

    docs: list[Any]
    more: bool
    count: int | None = None


def query_entities(place: Place, parts: list[Part], window: Window) -> Page:
    """The entities in sight that fit all parts, in the order in which they were created."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    wanted = together([*parts, NotOver(place.now())])
    parameters = Parameters()
    condition = wanted.compile(parameters)
    if sees_public_only(place.actor):
        return _page(
            store.Rows(place.city.db.read_all, tenant_no, condition, parameters.values), wanted, PUBLIC, window
        )
    with place.transaction() as tx:
        sight = sight_of(tx, place.actor)
        return _page(store.Rows(tx.all, tenant_no, condition, parameters.values), wanted, sight, window)


def _page(rows: store.Rows, wanted: Part, sight: Sight, window: Window) -> Page:
    if rows.condition.exact and sight is PUBLIC:
        found = [each.doc for each in rows.find(limit=window.limit + 1, offset=window.offset)] if window.limit else []
        count = rows.count() if window.count else None
        return Page(found[: window.limit], len(found) > window.limit, count)
    docs: list[Any] = []
    seen = 0
    for doc in _shown(rows, wanted, sight):
        if window.offset <= seen < window.offset + window.limit:
            docs.append(doc)
        seen += 1
        if not window.count and seen > window.offset + window.limit:
            break
    return Page(docs, seen > window.offset + window.limit, seen if window.count else None)


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


__all__ = ["Condition", "Page", "query_entities"]

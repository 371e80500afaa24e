"""Query Entities (§5.7.2) and the discovery of types and attributes (§5.7.5 to §5.7.10)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sanpo.broker import store
from sanpo.broker.entities import Place
from sanpo.broker.errors import QueryFindsTooMuch
from sanpo.broker.language.condition import Condition, Parameters
from sanpo.broker.language.ordering import Ordering, check_collation, sort_entities
from sanpo.broker.language.ordering_sql import CODE_POINTS, OrderBy, compile_order
from sanpo.broker.model import written
from sanpo.broker.selection import NotOver, Part, Window, together
from sanpo.broker.sight import PUBLIC, Sight, check_reader, sees_public_only
from sanpo.broker.store import Stored
from sanpo.ground.db import Transaction

FIRST_SCANNED, SCANNED = 20, 1_000
MOST_SORTED = 50_000
MOST_MAPPED = 50_000
Found = tuple[Any, Stored]
Among = Sequence[int] | None
"""Only these entities, by number: those of an entity map (§5.5.14)."""


@dataclass(frozen=True)
class Page:
    """Part of what was found. `more` says that some follow; `count` is how many there are, where that was asked for."""

    docs: Sequence[Any]
    more: bool
    count: int | None = None


def query_entities(
    place: Place,
    parts: list[Part],
    window: Window,
    ordering: Ordering | None = None,
    collation: str | None = None,
    among: Among = None,
) -> Page:
    """The entities in sight that fit all parts, in the order asked for or in that in which they were created.

    `collation` is a language tag (RFC 6067) by which texts are ordered; by code point without.
    """
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    wanted, parameters = together([*parts, NotOver(place.now())]), Parameters()
    condition = wanted.compile(parameters)
    limits = limit_to(among, parameters)
    by = CODE_POINTS if collation is None else check_collation(collation, store.collations(place.city))
    order = None if ordering is None else compile_order(ordering, parameters, collation=by)
    if sees_public_only(place.actor):
        rows = store.Rows(place.city.db.read_all, tenant_no, limits(condition), parameters.values, public=True)
        if condition.exact and (order is None or order.exact):
            return _exact(rows, window, order)
        return _page(_shown(rows, wanted, PUBLIC), PUBLIC, window, ordering)

    def look(tx: Transaction, sight: Sight) -> Page:
        held = condition if knows_all(parts, ordering, sight) else _or_personal(condition)
        rows = store.Rows(tx.all_planned, tenant_no, limits(held), parameters.values)
        first = SCANNED if ordering or window.count else max(window.offset + window.limit + 1, FIRST_SCANNED)
        return _page(_shown(rows, wanted, sight, first), sight, window, ordering)

    return place.looking("query", look)


def find_fitting(place: Place, parts: list[Part], among: Among = None) -> list[int]:
    """The numbers of all entities in sight that fit all parts. Nothing of them leaves. Raises `QueryFindsTooMuch`."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    wanted, parameters = together([*parts, NotOver(place.now())]), Parameters()
    condition = wanted.compile(parameters)
    limits = limit_to(among, parameters)

    def look(tx: Transaction, sight: Sight) -> list[int]:
        held = condition if knows_all(parts, None, sight) else _or_personal(condition)
        rows = store.Rows(tx.all_planned, tenant_no, limits(held), parameters.values)
        found = _shown(rows, wanted, sight, SCANNED)
        return within_a_map(stored.entity_no for _, stored in found)

    return place.looking("entity map", look)


def find_public(tx: Transaction, tenant_no: int, part: Part) -> str | None:
    """The id of a public entity that fits, as the transaction sees them."""
    wanted, parameters = together([part, NotOver(written(tx.now))]), Parameters()
    rows = store.Rows(tx.all_planned, tenant_no, wanted.compile(parameters), parameters.values, public=True)
    return next((str(doc["id"]) for doc, _ in _shown(rows, wanted, PUBLIC)), None)


def within_a_map(found: Iterable[int]) -> list[int]:
    """As many as a map holds. Raises `QueryFindsTooMuch`."""
    numbers = list(islice(found, MOST_MAPPED + 1))
    if len(numbers) > MOST_MAPPED:
        raise QueryFindsTooMuch(limit=MOST_MAPPED)
    return numbers


def limit_to(among: Among, parameters: Parameters) -> Callable[[Condition], Condition]:
    """What keeps a condition within these entities."""
    if among is None:
        return lambda condition: condition
    numbers = parameters.add(list(among), "bigint[]")
    return lambda condition: Condition(f"e.entity_no = any({numbers}) and ({condition.sql})", exact=condition.exact)


def knows_all(parts: list[Part], ordering: Ordering | None, sight: Sight) -> bool:
    """Whether the condition means the same on a row as on what is in sight of it: then the database may narrow."""
    shown = sight.attributes
    if shown is None:
        return True
    asked: set[str] = set()
    for part in parts:
        names = part.attributes
        if names is None:
            return False
        asked |= names
    return asked <= shown


def _or_personal(condition: Condition) -> Condition:
    """All personal rows that row-level security lets through: the test of what is in sight decides about them."""
    return Condition(f"e.personal or ({condition.sql})", exact=False)


def _page(found: Iterator[Found], sight: Sight, window: Window, ordering: Ordering | None) -> Page:
    end = window.offset + window.limit
    if ordering is not None:
        everything = list(islice(found, MOST_SORTED))
        by_id = {doc["id"]: stored for doc, stored in everything}
        docs = sort_entities(ordering, [doc for doc, _ in everything])[window.offset : end]
        sight.note(by_id.values() if window.count else [by_id[doc["id"]] for doc in docs])
        return Page(docs, len(everything) > end, len(everything) if window.count else None)
    page: list[Any] = []
    seen = 0
    for doc, stored in found:
        if window.offset <= seen < end:
            page.append(doc)
            sight.note([stored])
        elif window.count:
            sight.note([stored])
        seen += 1
        if not window.count and seen > end:
            break
    return Page(page, seen > end, seen if window.count else None)


def _exact(rows: store.Rows, window: Window, order: OrderBy | None) -> Page:
    """The database alone finds, orders and counts."""
    found: list[Any] = []
    if window.limit:
        sql = "" if order is None else order.sql
        found = [each.doc for each in rows.find(limit=window.limit + 1, offset=window.offset, order=sql)]
    return Page(found[: window.limit], len(found) > window.limit, rows.count() if window.count else None)


def _shown(rows: store.Rows, wanted: Part, sight: Sight, first: int = FIRST_SCANNED) -> Iterator[Found]:
    """What fits and is in sight, read step by step: the condition alone, or the rows alone, do not decide."""
    after, size = 0, first
    while True:
        batch = rows.find(limit=size, after=after)
        for each, doc in zip(batch, sight.show_all(batch), strict=True):
            if doc is not None and wanted.matches(doc):
                yield doc, each
        if len(batch) < size:
            return
        after, size = batch[-1].entity_no, SCANNED

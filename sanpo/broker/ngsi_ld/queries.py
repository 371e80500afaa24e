"""`GET /entities` (§6.4.3.2) and `POST /entityOperations/query` (§6.23)."""

from typing import Any
from urllib.parse import quote, urlencode

from sanpo.broker import querying as actions
from sanpo.broker.contexts.context import Context
from sanpo.broker.errors import QueryFindsTooMuch
from sanpo.broker.ngsi_ld import gathering
from sanpo.broker.ngsi_ld.asking import Asked, asked_in_body, asked_in_url, ordering_of, parts_of, window_of
from sanpo.broker.ngsi_ld.calls import Call, Headers, Reply, flag_in
from sanpo.broker.ngsi_ld.entity_maps import mapped
from sanpo.broker.ngsi_ld.joined import joined
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.negotiation import GEO
from sanpo.broker.ngsi_ld.routing import BODIES, WITH_GEO, Operation, parameters
from sanpo.broker.ngsi_ld.shaping import Shape, shape_of
from sanpo.broker.querying import Page
from sanpo.broker.representation.geojson import collection
from sanpo.broker.selection import Window, together

MOST_SPLIT = 5_000
_PAGED = "/ngsi-ld/v1/entities"
_READABLE = ":*,;!~()'@/$"  # what a query may hold as it is (RFC 3986 §3.4)


def query(call: Call) -> Reply:
    """5.7.2 Query Entities."""
    linked = call.linked
    return _answer(call, asked_in_url(call), linked, None)


def post_query(call: Call) -> Reply:
    """5.7.2 Query Entities, by POST (6.23.3.1)."""
    data, linked = call.document
    return _answer(call, asked_in_body(call, data), linked, data)


def _answer(call: Call, asked: Asked, linked: Linked, data: Any) -> Reply:
    shape = shape_of(call, asked.values, linked)
    window = window_of(call)
    is_local = flag_in(asked.values, "local")
    parts = parts_of(asked, linked.context, local=is_local)
    ordering, collation = ordering_of(asked, linked.context), asked.get("collation")
    among = mapped(call, asked.values, lambda among: actions.find_fitting(call.place, parts, among))
    sources = gathering.sources_of_query(call, linked, asked) if call.is_distributed and not is_local else []
    if sources:
        remote, warnings = gathering.query(call, linked, sources, asked, data)
        gathered = _whole if flag_in(asked.values, "splitEntities") else _gathered
        page = gathered(call, asked, linked.context, window, remote)
    else:
        page, warnings = actions.query_entities(call.place, parts, window, ordering, collation, among.numbers), []
    status, headers = call.applied(page.docs)
    status = 201 if among.is_new else status
    headers.extend([*warnings, *among.headers])
    if page.count is not None:
        headers.append((b"ngsild-results-count", b"%d" % page.count))
    headers.extend(_links(call, window, page))
    return call.answer(_body(call, asked, shape, page), linked, headers, status=status)


def _gathered(call: Call, asked: Asked, context: Context, window: Window, remote: list[Any]) -> Page:
    """A page of what is here and what the sources have: of each as much as the page needs, put together."""
    end = window.offset + window.limit
    local = actions.query_entities(call.place, parts_of(asked, context, local=False), Window(end, count=window.count))
    docs = gathering.merged(local.docs, remote)
    beyond = (local.count or len(local.docs)) - len(local.docs)
    count = len(docs) + beyond if window.count else None
    return Page(docs[window.offset : end], local.more or len(docs) > end, count)


def _whole(call: Call, asked: Asked, context: Context, window: Window, remote: list[Any]) -> Page:
    """The same where an entity's parts may be at several sources: it is filtered once they are together (§5.7.2.4).

    Raises `QueryFindsTooMuch` where more are here than can be looked at so.
    """
    end = window.offset + window.limit
    values = {name: each for name, each in asked.values.items() if name not in gathering.FILTERS | {"pick"}}
    local = actions.query_entities(
        call.place, parts_of(Asked(values, asked.selectors), context, local=True), Window(MOST_SPLIT)
    )
    if local.more:
        raise QueryFindsTooMuch(limit=MOST_SPLIT)
    wanted = together(parts_of(asked, context, local=False))
    docs = [doc for doc in gathering.merged(local.docs, remote) if wanted.matches(doc)]
    return Page(docs[window.offset : end], len(docs) > end, len(docs) if window.count else None)


def _body(call: Call, asked: Asked, shape: Shape, page: Page) -> Any:
    docs = [doc for doc in page.docs if not shape.is_empty(doc)]
    join = joined(call, asked.values, shape, docs) if call.media_type != GEO else None
    if join is not None:
        return [join.inline(doc) for doc in docs] if asked.get("join") == "inline" else join.flat(docs)
    found = [shape.of(doc) for doc in docs]
    return collection(found) if call.media_type == GEO else found


def _links(call: Call, window: Window, page: Page) -> Headers:
    """Where the pages before and after are (§6.3.10)."""
    if call.method != "GET":
        return []
    offsets = []
    if window.offset and window.limit:
        offsets.append(("prev", max(0, window.offset - window.limit)))
    if page.more and window.limit:
        offsets.append(("next", window.offset + window.limit))
    found: Headers = []
    for relation, offset in offsets:
        parameters_there = sorted({**call.query, "limit": str(window.limit), "offset": str(offset)}.items())
        where = f"{_PAGED}?{urlencode(parameters_there, safe=_READABLE, quote_via=quote)}"
        found.append((b"link", f'<{where}>; rel="{relation}";type="{call.media_type}"'.encode()))
    return found


_PARAMETERS = parameters(
    "id", "type", "idPattern", "attrs", "q", "csf", "geometry", "georel", "coordinates", "geoproperty",
    "geometryProperty", "lang", "scopeQ", "limit", "offset", "count", "options", "format", "pick", "omit", "datasetId",
    "join", "joinLevel", "containedBy", "orderBy", "orderFrom", "orderGeometry", "collation", "entityMap",
    "entityMapLifetime", "expandValues", "jsonKeys", "splitEntities",
)  # fmt: skip
OPERATIONS = [
    Operation("GET", "entities", query, "5.7.2", _PARAMETERS, offers=WITH_GEO),
    Operation(
        "POST",
        "entityOperations/query",
        post_query,
        "5.7.2",
        parameters(
            "limit",
            "offset",
            "count",
            "options",
            "format",
            "lang",
            "geometryProperty",
            "datasetId",
            "entityMap",
            "entityMapLifetime",
        ),
        offers=WITH_GEO,
        bodies=BODIES,
    ),
]

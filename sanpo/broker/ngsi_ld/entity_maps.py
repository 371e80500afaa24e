"""`/entityMaps` (§6.32, §6.34) and `/temporal/entityMaps` (§6.35), and what a query says of a map (§5.5.14, §6.4.3.2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from sanpo.broker import entity_maps as actions
from sanpo.broker.errors import EntityIsInvalid, ParameterIsInvalid
from sanpo.broker.model import written
from sanpo.broker.ngsi_ld.asking import Asked, asked_in_body, asked_in_url, parts_of
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Headers, Reply, flag_in
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.routing import BODIES, PATCHES, Operation, parameters
from sanpo.broker.ngsi_ld.shaping import check_id
from sanpo.broker.ngsi_ld.temporal_words import span_of, split, temporal_values
from sanpo.broker.querying import Among, find_fitting
from sanpo.broker.representation.checks import check_time
from sanpo.broker.representation.writing import short_time
from sanpo.broker.temporal.durations import later, parse_duration
from sanpo.broker.temporal.evolutions import find_fitting_evolutions

_PATH = "/ngsi-ld/v1/entityMaps"
Find = Callable[[Among], list[int]]
"""The numbers of what fits the query, of all entities or of some."""
QUERY = (
    "id", "type", "idPattern", "attrs", "q", "csf", "geometry", "georel", "coordinates", "geoproperty", "scopeQ",
    "expandValues", "jsonKeys", "join", "joinLevel", "splitEntities", "entityMap", "entityMapLifetime",
)  # fmt: skip
TIME = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN")


@dataclass(frozen=True)
class Mapped:
    """The entities to which an answer is limited, and the header that names their map. A new one is answered with 201."""

    numbers: Among = None
    headers: Headers = ()  # type: ignore[assignment]  # nobody adds to it
    is_new: bool = False


NOT_MAPPED = Mapped()


def mapped(call: Call, values: Mapping[str, str], find: Find) -> Mapped:
    """The map that the request names, without what no longer fits; a new one where none is there, or one is asked for."""
    named = call.headers.get("ngsild-entitymap", "").strip()
    if named:
        map_id = unquote(named.rstrip("/").rsplit("/", 1)[-1])
        known = actions.find_numbers(call.place, map_id)
        if known is not None:
            numbers = find(known)
            if len(numbers) < len(known):
                actions.keep_numbers(call.place, map_id, numbers)
            return Mapped(numbers, _header(map_id))
    elif not flag_in(values, "entityMap"):
        return NOT_MAPPED
    numbers = find(None)
    return Mapped(numbers, _header(actions.make_map(call.place, numbers, _end(call, values))), is_new=True)


def _end(call: Call, values: Mapping[str, str]) -> datetime | None:
    asked = values.get("entityMapLifetime")
    if asked is None:
        return None
    try:
        return later(call.city.now(), parse_duration(asked, "entityMapLifetime"), 1)
    except OverflowError:
        raise ParameterIsInvalid(name="entityMapLifetime", problem="leads beyond the year 9999") from None


def _header(map_id: str) -> Headers:
    return [(b"ngsild-entitymap", f"{_PATH}/{quote(map_id, safe=':')}".encode())]


def create(call: Call) -> Reply:
    """5.14.4 Create EntityMap for Query Entities (6.34.3.1)."""
    linked = call.linked
    return _create(call, asked_in_url(call), linked)


def post(call: Call) -> Reply:
    """5.14.4 Create EntityMap for Query Entities, by POST (6.34.3.2)."""
    data, linked = call.document
    return _create(call, asked_in_body(call, data), linked)


def _create(call: Call, asked: Asked, linked: Linked) -> Reply:
    parts = parts_of(asked, linked.context, local=flag_in(asked.values, "local"))
    return _made(call, asked, linked, lambda among: find_fitting(call.place, parts, among))


def create_temporal(call: Call) -> Reply:
    """5.14.5 Create EntityMap for Query Temporal Evolution of Entities (6.35.3.1)."""
    linked = call.linked
    return _create_temporal(call, asked_in_url(call), linked)


def post_temporal(call: Call) -> Reply:
    """5.14.5 Create EntityMap for Query Temporal Evolution of Entities, by POST (6.35.3.2)."""
    data, linked = call.document
    temporal, other = split(data)
    asked = asked_in_body(call, other)
    return _create_temporal(call, Asked(temporal_values(temporal, asked.values), asked.selectors), linked)


def _create_temporal(call: Call, asked: Asked, linked: Linked) -> Reply:
    parts = parts_of(asked, linked.context, local=flag_in(asked.values, "local"))
    span = span_of(asked.values, linked, needed=True)
    return _made(call, asked, linked, lambda among: find_fitting_evolutions(call.place, parts, span, among))


def _made(call: Call, asked: Asked, linked: Linked, find: Find) -> Reply:
    end = _end(call, asked.values)
    map_id = actions.make_map(call.place, find(None), end)
    return call.answer(_shown(actions.retrieve_map(call.place, map_id)), linked, _header(map_id), status=201)


def _shown(found: actions.EntityMap) -> dict[str, Any]:
    """An EntityMap (§5.2.39)."""
    return {
        "id": found.map_id,
        "type": "EntityMap",
        "expiresAt": short_time(written(found.expires_at)),
        "entityMap": {entity_id: ["@none"] for entity_id in found.ids},
    }


def retrieve(call: Call) -> Reply:
    """5.14.1 Retrieve EntityMap."""
    found = actions.retrieve_map(call.place, check_id(call.segments[0]))
    return call.answer(_shown(found), call.linked)


def update(call: Call) -> Reply:
    """5.14.2 Update EntityMap: its end. What else there is in it is the broker's to say, and ignored."""
    map_id = check_id(call.segments[0])
    data, _ = call.document
    if type(data) is not dict:
        raise EntityIsInvalid(where="entityMap", problem="is no JSON object")
    given = data.get("expiresAt")
    end = None if given is None else datetime.fromisoformat(check_time(given, "expiresAt"))
    actions.update_map(call.place, map_id, end)
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """5.14.3 Delete EntityMap."""
    actions.delete_map(call.place, check_id(call.segments[0]))
    return NO_CONTENT


_POSTED = parameters("entityMap", "entityMapLifetime", "splitEntities")
OPERATIONS = [
    Operation("GET", "entityMaps", create, "5.14.4", parameters(*QUERY)),
    Operation("POST", "entityMaps", post, "5.14.4", _POSTED, bodies=BODIES),
    Operation("GET", "temporal/entityMaps", create_temporal, "5.14.5", parameters(*QUERY, *TIME)),
    Operation("POST", "temporal/entityMaps", post_temporal, "5.14.5", _POSTED, bodies=BODIES),
    Operation("GET", "entityMaps/{}", retrieve, "5.14.1", parameters()),
    Operation("PATCH", "entityMaps/{}", update, "5.14.2", parameters(), bodies=PATCHES),
    Operation("DELETE", "entityMaps/{}", delete, "5.14.3", parameters()),
]

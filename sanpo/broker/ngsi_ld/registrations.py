"""`/csourceRegistrations` (§6.8, §6.9)."""

from urllib.parse import quote, urlencode

from sanpo.broker.errors import QueryIsTooWide
from sanpo.broker.language.geo import parse_geo
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.scopes import parse_scope_q
from sanpo.broker.language.temporal import TemporalQuery, parse_temporal
from sanpo.broker.ngsi_ld import subscribing
from sanpo.broker.ngsi_ld.asking import window_of
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Headers, Reply
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.narrowing import asked_in
from sanpo.broker.ngsi_ld.routing import BODIES, PATCHES, Operation, parameters
from sanpo.broker.ngsi_ld.shaping import check_id
from sanpo.broker.registrations import actions
from sanpo.broker.registrations.matching import Conditions
from sanpo.broker.sight import check_writer
from sanpo.broker.subscriptions import passing

_PATH = "/ngsi-ld/v1/csourceRegistrations"
_NARROWING = ("id", "type", "idPattern", "attrs", "q", "csf", "georel", "scopeQ")


def register(call: Call) -> Reply:
    """5.9.2 Register Context Source."""
    data, linked = call.document
    found = actions.register(call.place, data, linked.context)
    subscribing.pass_on_to(call, found)
    return Reply(201, headers=[(b"location", f"{_PATH}/{quote(found, safe=':')}".encode())])


def retrieve(call: Call) -> Reply:
    """5.10.1 Retrieve Context Source Registration."""
    linked, registration_id = call.linked, check_id(call.segments[0])
    found = actions.retrieve(call.place, registration_id, linked.context, system="sysAttrs" in call.options)
    return call.answer(found, linked)


def query(call: Call) -> Reply:
    """5.10.2 Query Context Source Registrations."""
    linked, window = call.linked, window_of(call)
    if not any(call.query.get(name) for name in _NARROWING):
        raise QueryIsTooWide
    asked, fits = asked_in(call, linked), _filter(call, linked)
    system = "sysAttrs" in call.options
    docs, more, count = actions.query(call.place, asked, fits, window, linked.context, system=system)
    headers: Headers = [(b"ngsild-results-count", b"%d" % count)] if window.count else []
    offsets = [("next", window.offset + window.limit)] if more and window.limit else []
    if window.offset and window.limit:
        offsets.append(("prev", max(0, window.offset - window.limit)))
    for relation, offset in offsets:
        there = urlencode({**call.query, "limit": window.limit, "offset": offset})
        headers.append((b"link", f'<{_PATH}?{there}>; rel="{relation}"; type="{call.media_type}"'.encode()))
    return call.answer(docs, linked, headers)


def update(call: Call) -> Reply:
    """5.9.3 Update Context Source Registration."""
    registration_id = check_id(call.segments[0])
    data, linked = call.document
    actions.update(call.place, registration_id, data, linked.context)
    subscribing.withdraw(call, linked, passing.take_back_from(call.place, registration_id))
    subscribing.pass_on_to(call, registration_id)
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """5.9.4 Delete Context Source Registration."""
    registration_id = check_id(call.segments[0])
    check_writer(call.city, call.actor)
    subscribing.withdraw(call, call.linked, passing.take_back_from(call.place, registration_id))
    actions.delete(call.place, registration_id)
    return NO_CONTENT


def _filter(call: Call, linked: Linked) -> actions.Fits:
    given = call.query
    place = parse_geo(
        given.get("georel"),
        given.get("geometry"),
        given.get("coordinates"),
        linked.context,
        geoproperty=given.get("geoproperty"),
    )
    queries = (parse_q(given[name], linked.context, parameter=name) for name in ("csf", "q") if given.get(name))
    scopes = parse_scope_q(given["scopeQ"]) if given.get("scopeQ") else None
    return Conditions(_times(call), tuple(queries), scopes, place).fit


def _times(call: Call) -> TemporalQuery | None:
    """The temporal query (§4.11), where there is one."""
    given = [call.query.get(name) for name in ("timerel", "timeAt", "endTimeAt", "timeproperty")]
    return parse_temporal(*given) if any(given[:3]) else None


_ONE = "csourceRegistrations/{}"
OPERATIONS = [
    Operation("POST", "csourceRegistrations", register, "5.9.2", parameters(), bodies=BODIES),
    Operation(
        "GET", "csourceRegistrations", query, "5.10.2",
        parameters(
            "id", "type", "idPattern", "attrs", "q", "csf", "georel", "geometry", "coordinates", "geoproperty", "scopeQ",
            "timeproperty", "timerel", "timeAt", "endTimeAt", "limit", "offset", "count", "options",
        ),
    ),
    Operation("GET", _ONE, retrieve, "5.10.1", parameters("options")),
    Operation("PATCH", _ONE, update, "5.9.3", parameters(), bodies=PATCHES),
    Operation("DELETE", _ONE, delete, "5.9.4", parameters()),
]  # fmt: skip

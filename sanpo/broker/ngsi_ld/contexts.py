"""`/jsonldContexts` (§6.29, §6.30), and the Core @context for whoever has no way to where ETSI publishes it."""

from sanpo.broker.contexts import actions
from sanpo.broker.contexts.addresses import path_of
from sanpo.broker.contexts.core_context import CORE_CONTEXT_URL, CORE_DOCUMENT
from sanpo.broker.errors import ParameterIsInvalid
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Reply
from sanpo.broker.ngsi_ld.linking import parse
from sanpo.broker.ngsi_ld.negotiation import JSON, LD
from sanpo.broker.ngsi_ld.routing import BODIES, Operation, parameters
from sanpo.broker.sight import check_reader, check_writer
from sanpo.broker.store import encode

_CORE_FILE = CORE_CONTEXT_URL.rsplit("/", 1)[-1]
_CORE_BODY = encode(CORE_DOCUMENT)


def add(call: Call) -> Reply:
    """5.13.2 Add @context."""
    check_writer(call.city, call.actor)
    local_id = actions.add_context(call.city, call.place.tenant, parse(call.body))
    return Reply(201, headers=[(b"location", path_of(local_id).encode())])


def list_all(call: Call) -> Reply:
    """5.13.3 List @contexts."""
    check_reader(call.actor)
    kind = call.query.get("kind")
    if kind is not None and kind not in actions.KINDS:
        raise ParameterIsInvalid(name="kind", problem=f"is none of {', '.join(actions.KINDS)}")
    detailed = call.flag("details")
    found = actions.list_contexts(call.city, call.place.tenant, kind)
    body = [each.as_public() if detailed else each.url for each in found]
    return Reply(200, encode(body), call.media_type)


def serve(call: Call) -> Reply:
    """5.13.4 Serve @context. The content is for whoever has its address, as a JSON-LD processor reads it."""
    if call.flag("details"):
        check_reader(call.actor)
        found = actions.describe_context(call.city, call.place.tenant, call.segments[0])
        return Reply(200, encode(found.as_public()), call.media_type)
    return Reply(200, actions.serve_context(call.city, call.place.tenant, call.segments[0]), call.media_type)


def delete(call: Call) -> Reply:
    """5.13.5 Delete and Reload @context."""
    check_writer(call.city, call.actor)
    act = actions.reload_context if call.flag("reload") else actions.delete_context
    act(call.city, call.place.tenant, call.segments[0])
    return NO_CONTENT


def serve_core(call: Call) -> Reply:
    """Annex B: the Core @context, as it is built in."""
    return Reply(200, _CORE_BODY, call.media_type, [(b"cache-control", b"public, max-age=86400")])


OPERATIONS = [
    Operation("POST", "/jsonldContexts", add, "5.13.2", parameters(), bodies=BODIES),
    Operation("GET", "/jsonldContexts", list_all, "5.13.3", parameters("details", "kind")),
    Operation("GET", "/jsonldContexts/{}", serve, "5.13.4", parameters("details"), for_all=True),
    Operation("DELETE", "/jsonldContexts/{}", delete, "5.13.5", parameters("reload")),
    Operation("GET", f"/{_CORE_FILE}", serve_core, "annex B", parameters(), offers=(LD, JSON), for_all=True),
]

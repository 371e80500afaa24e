"""The conductor of a request of NGSIv2: as that of NGSI-LD, with its own paths, errors and headers."""

from collections.abc import Mapping
from typing import Any

from sanpo.broker.ngsi_ld.calls import Headers, Reply
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_ld.serving import Server
from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.errors import RequestIsNoNgsiV2
from sanpo.broker.ngsi_v2.problems import on_error, problem
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.ground.ids import new_id

_HEADER = 200
_REFUSALS = {
    404: ("NotFound", "There is no such resource."),
    405: ("MethodNotAlowed", "Allowed here: {}."),  # as the specification spells it ("Error Responses")
    406: ("NotAcceptable", "What is there to accept: {}."),
    411: ("ContentLengthRequired", "Zero/No Content-Length in a request that has a body."),
    413: ("RequestEntityTooLarge", "The body is longer than {} bytes."),
    415: ("UnsupportedMediaType", "What can be read: {}."),
    500: ("InternalServerError", "The broker has failed."),
}


class ServerOfV2(Server):
    """Serves the table of NGSIv2."""

    call = Call
    prefix = b""

    def conduct(self, *given: Any, quick: bool = False, far: bool = False) -> Reply | None:
        """As for NGSI-LD, and the request's name for logs with whatever is answered."""
        *_, headers, _ = given
        reply = super().conduct(*given, quick=quick, far=far)
        return reply and Reply(reply.status, reply.body, reply.media_type, [*reply.headers, *_told(headers)])

    def may_wait(self, call: Any) -> bool:
        return False

    def unreadable(self, problem: str) -> DomainError:
        return RequestIsNoNgsiV2(where="request", problem=f"is {problem}")

    def on_error(self, city: City, error: DomainError, headers: Mapping[str, str]) -> Reply:
        return on_error(city, error, headers)

    def refuse(self, status: int, about: str = "", headers: Headers | None = None) -> Reply:
        name, description = _REFUSALS[status]
        return problem(status, name, description.format(about), headers)

    def work(self, operation: Operation, call: Any, started: float) -> Reply:
        return operation.handler(call)


def _told(headers: Mapping[str, str]) -> Headers:
    """The name by which logs of several programs find one request."""
    given = headers.get("fiware-correlator", "")
    known = given if given.isprintable() and 0 < len(given) <= _HEADER else new_id("cor")
    return [(b"fiware-correlator", known.encode("latin-1", "ignore"))]

"""The conductor of a request of NGSIv2: as that of NGSI-LD, with its own paths, errors and headers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import psycopg
import structlog

from sanpo.broker.ngsi_ld.calls import Headers, Reply
from sanpo.broker.ngsi_ld.negotiation import JSON, choose, media_type_of
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_ld.serving import Server, actor_in, parameters_in, unreadable
from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.errors import RequestIsNoNgsiV2
from sanpo.broker.ngsi_v2.problems import on_error, problem
from sanpo.ground.actors import Anonymous
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, NotSignedIn
from sanpo.ground.ids import new_id

log = structlog.get_logger()
_HEADER = 200


class ServerOfV2(Server):
    """Serves the table of NGSIv2."""

    def conduct(
        self,
        city: City,
        cookie_name: str,
        method: str,
        raw_path: bytes,
        query_string: bytes,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        quick: bool = False,
    ) -> Reply | None:
        """One request from its parts to its answer. Raises nothing."""
        try:
            reply = self._answer(city, cookie_name, method, raw_path, query_string, headers, body)
        except DomainError as error:
            reply = on_error(city, error, headers)
        except (RecursionError, UnicodeDecodeError, psycopg.DataError) as error:
            reply = on_error(city, RequestIsNoNgsiV2(where="request", problem="is " + unreadable(error)), headers)
        except Exception as error:
            log.exception("request_crashed", path=method, problem=type(error).__name__)
            reply = problem(500, "InternalServerError", "The broker has failed.")
        return Reply(reply.status, reply.body, reply.media_type, [*reply.headers, *_told(headers)])

    def _answer(
        self,
        city: City,
        cookie_name: str,
        method: str,
        raw_path: bytes,
        query_string: bytes,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Reply:
        path = raw_path.partition(b"?")[0].strip(b"/")
        segments = [unquote(part.decode("latin-1")) for part in path.split(b"/")]
        methods = self.table.find(segments)
        if methods is None:
            return problem(404, "NotFound", "There is no such resource.")
        operation = methods.get(method)
        if operation is None:
            # The error is spelled as the specification spells it ("Error Responses").
            allowed = ", ".join(sorted(methods))
            return problem(405, "MethodNotAlowed", f"Allowed here: {allowed}.", [(b"allow", allowed.encode())])
        refusal = _precondition(operation, headers, body)
        if refusal is not None:
            return refusal
        if choose(headers.get("accept", ""), operation.offers) is None:
            return problem(406, "NotAcceptable", f"What is there to accept: {', '.join(operation.offers)}.")
        actor = actor_in(city, cookie_name, method, headers)
        if isinstance(actor, Anonymous) and not operation.for_all:
            raise NotSignedIn
        query = parameters_in(operation, query_string)
        places = [got for want, got in zip(operation.path.split("/"), segments, strict=True) if want == "{}"]
        return operation.handler(Call(city, actor, method, places, query, headers, body or b"", JSON))


def _precondition(operation: Operation, headers: Mapping[str, str], body: bytes | None) -> Reply | None:
    """Length, size and media type of the body: refused before anything is looked up."""
    if not operation.bodies:
        return None
    if "content-length" not in headers:
        return problem(411, "ContentLengthRequired", "Zero/No Content-Length in a request that has a body.")
    if body is None or len(body) > operation.max_body_bytes:
        return problem(413, "RequestEntityTooLarge", f"The body is longer than {operation.max_body_bytes} bytes.")
    if media_type_of(headers.get("content-type", "")) not in operation.bodies:
        return problem(415, "UnsupportedMediaType", f"What can be read: {', '.join(sorted(operation.bodies))}.")
    return None


def _told(headers: Mapping[str, str]) -> Headers:
    """The name by which logs of several programs find one request."""
    given = headers.get("fiware-correlator", "")
    known: Any = given if given.isprintable() and 0 < len(given) <= _HEADER else new_id("cor")
    return [(b"fiware-correlator", known.encode("latin-1", "ignore"))]

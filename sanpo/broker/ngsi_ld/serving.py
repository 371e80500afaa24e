"""The conductor of a request: route, preconditions, actor, handler, answer. An error becomes ProblemDetails (§6.3.2).

That of NGSIv2 (`ngsi_v2/serving.py`) goes the same way, with its own paths, errors and headers.

A plain ASGI application beside Litestar's handlers: their machinery costs more than the whole of a read here.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl, unquote

import psycopg
import structlog
from litestar.types import Receive, Send

from sanpo.broker.errors import EntityIsInvalid, ParameterIsInvalid, ParameterIsUnknown
from sanpo.broker.ngsi_ld import distributing
from sanpo.broker.ngsi_ld.calls import Call, Headers, Reply
from sanpo.broker.ngsi_ld.forwarding import is_loop
from sanpo.broker.ngsi_ld.negotiation import choose, media_type_of
from sanpo.broker.ngsi_ld.portions import is_passed_on
from sanpo.broker.ngsi_ld.problems import on_error, problem
from sanpo.broker.ngsi_ld.routing import MAX_BATCH_BYTES, Operation, Table
from sanpo.broker.ngsi_ld.streaming import send_stream
from sanpo.broker.ngsi_ld.threads import Threads
from sanpo.broker.sight import OPEN, sees_public_only
from sanpo.broker.subscriptions.actions import owner_of
from sanpo.broker.subscriptions.events import Stream
from sanpo.ground.actors import Actor, Anonymous
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, NotSignedIn
from sanpo.people import actor_of

log = structlog.get_logger()
PREFIX = b"/ngsi-ld/v1"
FAR = 4
"""How many times as many actions may be under way that might wait for other sources."""
_ALWAYS: Headers = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
_BY_ID = PREFIX + b"/entities/"
_REFUSALS = {
    404: ("ResourceNotFound", "There is no such resource."),
    405: ("OperationNotSupported", "The method is not allowed here."),
    413: ("RequestEntityTooLarge", "The body is too large."),
    500: ("InternalError", "The broker has failed."),
}
"""The refusals that have a body (§6.3.2): the kind of error, and its title."""


class Server:
    """Serves one table of operations. What another API does otherwise stands below `conduct`."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._threads = Threads()
        self._far = Threads()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """As a mounted handler of the web application."""
        await self.serve(scope["litestar_app"].state, scope, receive, send)

    async def serve(self, state: Any, scope: Any, receive: Receive, send: Send) -> None:
        """One request. `state` is the web application's: the city, and the name of the session's cookie."""
        body = await _read(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"]
        given = (state.city, state.session_cookie, method, scope["raw_path"], scope["query_string"], headers, body)
        reply = self.conduct(*given, quick=True) if _is_quick(method, scope, headers) else None
        if reply is None:
            reply = await self._on_threads(state.city.settings.http_threads, given)
        sent: Headers = [*_ALWAYS, *reply.headers]
        if reply.media_type:
            sent.append((b"content-type", reply.media_type.encode()))
        if reply.status != 204 and reply.stream is None:
            sent.append((b"content-length", b"%d" % len(reply.body)))
        if "ngsild-tenant" in headers:
            sent.append((b"ngsild-tenant", headers["ngsild-tenant"].encode("latin-1")))
        start: Any = {"type": "http.response.start", "status": reply.status, "headers": sent}
        if reply.stream is not None:
            run = partial(self._threads.run, asyncio.get_running_loop(), threads=state.city.settings.http_threads)
            may_still = partial(_is_still_owner, reply.stream, state.city, state.session_cookie, method, headers)
            await send_stream(reply.stream, start, receive, send, run, may_still)
            return
        await send(start)
        await send({"type": "http.response.body", "body": reply.body, "more_body": False})

    async def _on_threads(self, threads: int, given: tuple[Any, ...]) -> Reply:
        """What may have to wait for other sources has threads of its own, so that all else never waits for those."""
        loop = asyncio.get_running_loop()
        reply: Reply | None = await self._threads.run(loop, partial(self.conduct, *given), threads=threads)
        if reply is None:
            work = partial(self.conduct, *given, far=True)
            reply = await self._far.run(loop, work, threads=FAR * threads)
        assert reply is not None  # noqa: S101  # it might be as slow as it likes
        return reply

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
        far: bool = False,
    ) -> Reply | None:
        """One request from its parts to its answer. Raises nothing; None where it is to be quick and would not be, or is
        to ask no other source (`far` is not given) and might."""
        try:
            return self._answer(city, cookie_name, method, raw_path, query_string, headers, body, quick, far)
        except DomainError as error:
            return self.on_error(city, error, headers)
        except (RecursionError, UnicodeDecodeError, psycopg.DataError) as error:
            return self.on_error(city, self.unreadable(unreadable(error)), headers)
        except Exception as error:
            log.exception("request_crashed", path=method, problem=type(error).__name__)
            return self.refuse(500)

    def _answer(
        self,
        city: City,
        cookie_name: str,
        method: str,
        raw_path: bytes,
        query_string: bytes,
        headers: Mapping[str, str],
        body: bytes | None,
        quick: bool,
        far: bool,
    ) -> Reply | None:
        started = perf_counter()
        path = raw_path.partition(b"?")[0][len(self.prefix) :].strip(b"/")
        segments = [unquote(part.decode("latin-1")) for part in path.split(b"/")]
        methods = self.table.find(segments)
        if methods is None:
            return self.refuse(404, raw_path.decode("latin-1"))
        operation = methods.get(method)
        if operation is None:
            allowed = ", ".join(sorted(methods))
            return self.refuse(405, allowed, [(b"allow", allowed.encode())])
        status = _precondition(operation, headers, body)
        if status is not None:
            limits = {413: str(operation.max_body_bytes), 415: ", ".join(sorted(operation.bodies))}
            return self.refuse(status, limits.get(status, ""))
        media_type = choose(headers.get("accept", ""), operation.offers)
        if media_type is None:
            return self.refuse(406, ", ".join(operation.offers))
        query = parameters_in(operation, query_string)
        actor = actor_in(city, cookie_name, method, headers)
        if isinstance(actor, Anonymous) and not operation.for_all:
            raise NotSignedIn  # before a handler fetches the @context that the request names
        places = [got for want, got in zip(operation.path.strip("/").split("/"), segments, strict=True) if want == "{}"]
        call = self.call(city, actor, method, places, query, headers, body or b"", media_type)
        if (quick and not sees_public_only(actor)) or (not far and self.may_wait(call)):
            return None
        return self.work(operation, call, started)

    call: Callable[..., Call] = Call
    prefix = PREFIX

    def may_wait(self, call: Any) -> bool:
        """Whether it may have to wait for other sources."""
        return bool(call.is_distributed)

    def unreadable(self, problem: str) -> DomainError:
        return EntityIsInvalid(where="request", problem=problem)

    def on_error(self, city: City, error: DomainError, headers: Mapping[str, str]) -> Reply:
        return on_error(city, error, headers)

    def refuse(self, status: int, about: str = "", headers: Headers | None = None) -> Reply:
        """The answer to what reaches no handler. `about` is what there is, or may be: the path, methods, types, bytes."""
        if status not in _REFUSALS:
            return Reply(status)
        kind, title = _REFUSALS[status]
        found = problem(status, kind, title, about)
        return Reply(found.status, found.body, found.media_type, headers or [])

    def work(self, operation: Operation, call: Any, started: float) -> Reply:
        """The answer, and in `Server-Timing` how many milliseconds its stages took."""
        if "via" in call.headers and is_loop(call):
            way = call.headers["via"][:500]
            return problem(508, "LoopDetected", "The request has come through this broker before.", way)
        known = perf_counter()
        is_sent_on = is_passed_on(operation) and call.is_distributed
        reply = distributing.write(operation, call) if is_sent_on else operation.handler(call)
        taken = (known - started, call.context_s, perf_counter() - known - call.context_s)
        stages = b"actor;dur=%.2f, context;dur=%.2f, work;dur=%.2f" % tuple(1_000 * each for each in taken)
        timed = [*reply.headers, (b"server-timing", stages)]
        return Reply(reply.status, reply.body, reply.media_type, timed, reply.stream)


def _is_quick(method: str, scope: Any, headers: Mapping[str, str]) -> bool:
    """Whether one read by a key is all that a request needs: then to wait for it costs less than to change threads.

    No context of another server, no query, nothing that could wait for a lock; for public entities only.
    """
    path: bytes = scope["raw_path"]
    return (
        method == "GET"
        and not scope["query_string"]
        and "link" not in headers
        and path.startswith(_BY_ID)
        and b"/" not in path[len(_BY_ID) :]
    )


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None where it is longer than any operation takes."""
    parts: list[bytes] = []
    size = 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BATCH_BYTES:
            parts.append(chunk)
        if not message.get("more_body", False):
            break
    if size > MAX_BATCH_BYTES:
        return None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _precondition(operation: Operation, headers: Mapping[str, str], body: bytes | None) -> int | None:
    """Length, size and media type of the body (§6.3.4): the status that refuses it before anything is looked up."""
    if operation.bodies and "content-length" not in headers:
        return 411
    if body is None or len(body) > operation.max_body_bytes:
        return 413
    if operation.bodies and media_type_of(headers.get("content-type", "")) not in operation.bodies:
        return 415
    return None


def parameters_in(operation: Operation, query_string: bytes) -> dict[str, str]:
    """By name; one that comes again goes on with its list."""
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(query_string.decode("ascii", "strict"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise ParameterIsInvalid(name="query", problem="cannot be read") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in operation.parameters:
            raise ParameterIsUnknown(name=name, accepted=", ".join(sorted(operation.parameters)))
        if "\x00" in value:
            raise ParameterIsInvalid(name=name, problem="holds the character U+0000")
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def actor_in(city: City, cookie_name: str, method: str, headers: Mapping[str, str]) -> Actor:
    """Who asks: by bearer token; for reading also by a browser's session, which no other site can make it write with."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    if bearer:
        return actor_of(city, cookie=None, bearer=bearer)
    actor: Actor = Anonymous()
    if method == "GET" and cookie_name in headers.get("cookie", ""):
        actor = actor_of(city, cookie=_cookie(headers["cookie"], cookie_name), bearer=None)
    return OPEN if city.settings.broker_open and isinstance(actor, Anonymous) else actor


def _is_still_owner(stream: Stream, *given: Any) -> bool:
    """Whether who has opened a stream is signed in still: asked from time to time while it is open."""
    try:
        return owner_of(actor_in(*given)).key == stream.owner
    except DomainError:
        return False


def _cookie(header: str, name: str) -> str | None:
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None


def unreadable(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else "not UTF-8, or a value out of range"

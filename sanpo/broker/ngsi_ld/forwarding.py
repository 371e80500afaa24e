"""One request to another source: where it goes, under which headers, and what came back (§4.3.6, §6.3.17, §6.3.18)."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from sanpo.broker.contexts import resolve, single_url
from sanpo.broker.ngsi_ld.calls import Call, Headers
from sanpo.broker.ngsi_ld.identity import alias_of
from sanpo.broker.ngsi_ld.linking import Linked, link_header
from sanpo.broker.ngsi_ld.negotiation import JSON, LD
from sanpo.broker.ngsi_ld.renaming import renamed
from sanpo.broker.ngsi_ld.sources import source_of
from sanpo.broker.registrations.actions import note_asked
from sanpo.broker.registrations.matching import Match
from sanpo.broker.registrations.model import Registration
from sanpo.broker.store import encode
from sanpo.ground.errors import DomainError
from sanpo.ground.outbound import CallFailed, ReplyTooLong, is_named, send
from sanpo.ground.outbound import Reply as Answer

MOST_ANSWER_BYTES = 16 * 1024 * 1024
MOST_HOPS = 32
MOST_AT_ONCE = 32
_KEPT_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "link",
        "accept",
        "contenttype",
        "jsonldcontext",
        "via",
        "ngsild-tenant",
    }
)
_READABLE = ":*,;!~()'@/$[]"
T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What is asked of one source, under which context. `body` is JSON without it."""

    match: Match
    linked: Linked
    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None

    @property
    def is_read(self) -> bool:
        return self.method == "GET" or self.path.endswith("/query")


@dataclass(frozen=True)
class Outcome:
    """What became of it: an answer, or why there is none. An answer that is too long `is_invalid`, and not kept; what
    was answered before, or was left be, was not sent."""

    request: Request
    answer: Answer | None
    failure: str = ""
    is_invalid: bool = False
    was_sent: bool = True

    @property
    def registration(self) -> Registration:
        return self.request.match.registration

    @property
    def status(self) -> int:
        """Of the answer; 0 without one."""
        return 0 if self.answer is None else self.answer.status

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def has_failed(self) -> bool:
        """As its registration counts (table 5.2.9-2): who has nothing to read answers 404, which is no failure (§6.3.17)."""
        return not self.is_good and not (self.status == 404 and self.request.is_read)

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked was done: 207 says that some was not."""
        return self.is_good and self.status != 207


def is_loop(call: Call) -> bool:
    """Whether the request has come through this broker before, or through more than there can be (§6.3.18)."""
    hops = [each.strip() for each in call.headers.get("via", "").split(",") if each.strip()]
    return len(hops) > MOST_HOPS or any(hop.split()[-1] == alias_of(call) for hop in hops)


def ask_all(call: Call, requests: Sequence[Request]) -> list[Outcome]:
    """Asks the sources at the same time, one source one thing after another, each with its own time to answer.

    What became of it stands in their registrations.
    """
    hosts = [host.strip() for host in call.city.settings.broker_allow_hosts.split(",") if host.strip()]
    lanes: dict[str, list[Request]] = {}
    for request in requests:
        lanes.setdefault(request.match.registration.endpoint, []).append(request)
    told = _together([partial(_ask_in_turn, call, lane, hosts) for lane in lanes.values()])
    by_request = {id(each.request): each for lane in told for each in lane}
    found = [by_request[id(each)] for each in requests]
    sent = [(each.registration.registration_id, _failure_of(each)) for each in found if each.was_sent]
    if sent:
        note_asked(call.place, sent)
    return found


def _ask_in_turn(call: Call, requests: Sequence[Request], hosts: list[str]) -> list[Outcome]:
    """One source; where it does not answer, it is not asked the rest."""
    found: list[Outcome] = []
    for request in requests:
        last = found[-1] if found else None
        if last is not None and last.answer is None and not last.is_invalid:
            found.append(Outcome(request, None, last.failure, was_sent=False))
        else:
            found.append(_ask(call, request, hosts))
    return found


def _failure_of(outcome: Outcome) -> str | None:
    if not outcome.has_failed:
        return None
    return outcome.failure or f"status {outcome.status}"


def warnings_of(outcomes: Sequence[Outcome], invalid: Sequence[Outcome]) -> Headers:
    """`NGSILD-Warning` for what was not as it should be (§6.3.17): nothing for a source that has nothing."""
    found: Headers = []
    for each in outcomes:
        alias = each.registration.doc.get("contextSourceAlias", each.registration.endpoint)
        if each.is_invalid or each in invalid:
            text = f'111 {alias} "Revalidation failed"'
        elif each.answer is None:
            text = f'112 {alias} "{each.failure}"'
        elif each.is_good or each.answer.status == 404:
            continue
        else:
            text = f'299 {alias} "status {each.answer.status}"'
        found.append((b"ngsild-warning", text.encode("latin-1", "replace")))
    return found


def _together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """On threads of their own, so that the slow sources of one operation wait for no other operation."""
    if len(calls) < 2:
        return [each() for each in calls]
    with ThreadPoolExecutor(min(len(calls), MOST_AT_ONCE), thread_name_prefix="sources") as pool:
        return list(pool.map(lambda each: each(), calls))


def _ask(call: Call, request: Request, hosts: list[str]) -> Outcome:
    registration = request.match.registration
    url = f"{registration.endpoint}/ngsi-ld/v1/{request.path}"
    query = {**request.query, "local": "true"} if registration.is_local_only else request.query
    if query:
        url += f"?{urlencode(query, safe=_READABLE, quote_via=quote)}"
    try:
        headers, body = _written(call, request)
    except DomainError as error:
        return Outcome(request, None, f"its context is not to be had: {error.code}", was_sent=False)
    source = source_of(call.city, registration)
    key = _key_of(request, url, headers, body)
    if not request.is_read:
        source.forget()
    elif (kept := source.kept(key)) is not None:
        return Outcome(request, kept, was_sent=False)
    refusal = source.begin()
    if refusal:
        return Outcome(request, None, refusal, was_sent=False)
    outcome = Outcome(request, None, "it was not asked")
    try:
        outcome = _sent(request, url, body, headers, allow_private=is_named(url, hosts))
    finally:
        answered = outcome.answer is not None or outcome.is_invalid
        source.end(outcome.answer, answered=answered, cooldown_s=registration.cooldown_s)
    if request.is_read and outcome.is_good and outcome.answer is not None and registration.cache_s:
        source.keep(key, outcome.answer, registration.cache_s)
    return outcome


def _written(call: Call, request: Request) -> tuple[dict[str, str], bytes | None]:
    """Headers and body as the source is spoken to."""
    registration, linked, given = request.match.registration, request.linked, request.body
    if _has_names_in_its_body_alone(request):
        given, linked = _as_wanted(call, linked, registration, given)
    headers = _headers(call, linked, registration, given is not None)
    if headers.get("Content-Type") == LD:
        given = _with_context(given, linked.written)
    return headers, None if given is None else encode(given)


def _key_of(request: Request, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """What makes two questions the same: all that the source is told but for the way."""
    told = [(name, value) for name, value in sorted(headers.items()) if name != "Via"]
    return encode([request.match.registration.registration_id, request.method, url, told, (body or b"").decode()])


def _sent(request: Request, url: str, body: bytes | None, headers: dict[str, str], *, allow_private: bool) -> Outcome:
    try:
        answer = send(
            request.method,
            url,
            body,
            headers,
            allow_private=allow_private,
            timeout_s=request.match.registration.timeout_s,
            max_bytes=MOST_ANSWER_BYTES,
        )
    except CallFailed as failure:
        return Outcome(request, None, str(failure), isinstance(failure, ReplyTooLong))
    return Outcome(request, answer)


def _has_names_in_its_body_alone(request: Request) -> bool:
    """Whether no path, parameter or query has to be read under the context as well; such go under the caller's."""
    attribute = request.path.partition("/attrs/")[2]
    return (
        request.body is not None
        and not attribute
        and "type" not in request.query
        and not request.path.endswith("/query")
    )


def _as_wanted(call: Call, linked: Linked, registration: Registration, body: Any) -> tuple[Any, Linked]:
    """The body under the context that the source wants, where it names one (`jsonldContext`, §4.3.6.6)."""
    wanted = _info(registration).get("jsonldContext")
    if wanted is None:
        return body, linked
    there = Linked(resolve(call.city, wanted), wanted)
    return renamed(body, linked.context, there.context), there


def _info(registration: Registration) -> dict[str, str]:
    return {each["key"]: each["value"] for each in registration.doc.get("contextSourceInfo", ())}


def _headers(call: Call, linked: Linked, registration: Registration, has_body: bool) -> dict[str, str]:
    info = _info(registration)
    found = {key: each for key, each in info.items() if key.lower() not in _KEPT_HEADERS}
    for key, value in found.items():
        if value == "urn:ngsi-ld:request":  # the caller's own header is passed on (§4.3.6.5)
            found[key] = call.headers.get(key.lower(), "")
    found = {key: value for key, value in found.items() if value}
    # §4.3.6.6: how the source wants to be spoken to.
    found["Accept"] = LD if info.get("accept") == LD else JSON
    if has_body:
        is_plain = "jsonldContext" in info or info.get("contentType", JSON) == JSON
        found["Content-Type"] = JSON if is_plain and single_url(linked.given) else LD
    if found.get("Content-Type") != LD:
        found["Link"] = link_header(linked).decode("latin-1")
    if "tenant" in registration.doc:
        found["NGSILD-Tenant"] = registration.doc["tenant"]
    before = call.headers.get("via", "")
    found["Via"] = f"{before}, 1.1 {alias_of(call)}" if before else f"1.1 {alias_of(call)}"
    return found


def _with_context(body: Any, context: Any) -> Any:
    if isinstance(body, list):
        return [_with_context(each, context) for each in body]
    return {**body, "@context": context} if isinstance(body, dict) else body

"""One request and its answer, as the handlers see them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sanpo.broker.contexts import address_of, single_url
from sanpo.broker.entities import Place
from sanpo.broker.errors import FormatIsUnknown, ParameterIsInvalid
from sanpo.broker.ngsi_ld.linking import Linked, link_header, read_document, read_link
from sanpo.broker.ngsi_ld.negotiation import GEO, JSON, LD
from sanpo.broker.registrations.actions import is_distributed
from sanpo.broker.representation.reading import Nulls, Reader
from sanpo.broker.representation.writing import Format, Writer, is_altered
from sanpo.broker.sight import DUTY
from sanpo.broker.store import encode
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.lazy import lazy

if TYPE_CHECKING:
    from sanpo.broker.subscriptions.events import Stream

Headers = list[tuple[bytes, bytes]]
_VERSION = re.compile(r"(?:^|[\s,;])ngsi-ld\s*=\s*\"?(\d{1,2})\.(\d{1,2})\b", re.IGNORECASE)
_FORMATS: dict[str, Format] = {
    "normalized": "normalized",
    "concise": "concise",
    "simplified": "simplified",
    "keyValues": "simplified",
}
_OPTIONS = frozenset(
    {*_FORMATS, "sysAttrs", "count", "noOverwrite", "update", "replace", "temporalValues", "aggregatedValues"}
)


@dataclass(frozen=True)
class Reply:
    """What is sent back. No `media_type` where there is no body; with a `stream` the body does not end by itself."""

    status: int
    body: bytes = b""
    media_type: str = ""
    headers: Headers = field(default_factory=list)
    stream: "Stream | None" = None


NO_CONTENT = Reply(204)


@dataclass
class Call:
    """One request. `segments` are what stood at the places of the operation's path, percent-decoded; `context_s` is how long
    its body and @context took to be read."""

    city: City
    actor: Actor
    method: str
    segments: list[str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    media_type: str
    context_s: float = 0.0

    @lazy
    def place(self) -> Place:
        return Place(self.city, self.actor, self.headers.get("ngsild-tenant", ""))

    @lazy
    def is_distributed(self) -> bool:
        """Whether other sources may have to be asked: some are registered, and the request is not limited to this broker."""
        return not self.flag("local") and is_distributed(self.place)

    @lazy
    def options(self) -> frozenset[str]:
        """The words of `options` (§6.3.7, §6.3.11). Raises `ParameterIsInvalid` for one that there is not."""
        found = frozenset(word.strip() for word in self.query.get("options", "").split(",") if word.strip())
        if found - _OPTIONS:
            unknown = ", ".join(sorted(found - _OPTIONS))
            raise FormatIsUnknown(name="options", given=unknown, accepted=", ".join(sorted(_OPTIONS)))
        return found

    @lazy
    def format(self) -> Format:
        """Which representation is asked for, by `format` or `options`."""
        given = self.query.get("format")
        words = self.options
        if given is not None:
            if given not in _FORMATS:
                raise FormatIsUnknown(name="format", given=given, accepted=", ".join(_FORMATS))
            return _FORMATS[given]
        for word, found in _FORMATS.items():
            if word in words:
                return found
        return "normalized"

    @lazy
    def linked(self) -> Linked:
        """The context of a request without a body, from its Link header (§6.3.5)."""
        started = perf_counter()
        found = read_link(self.city, self.headers.get("link"))
        self.context_s += perf_counter() - started
        return found

    @lazy
    def document(self) -> tuple[Any, Linked]:
        """The body as JSON, without `@context`, and the context it is read with."""
        started = perf_counter()
        found = read_document(self.city, self.body, self.headers.get("content-type", ""), self.headers.get("link"))
        self.context_s += perf_counter() - started
        return found

    def reader(self, linked: Linked, nulls: Nulls = Nulls.REFUSED) -> Reader:
        return Reader(linked.context, self.place.now(), nulls, self.format == "simplified")

    def writer(self, linked: Linked) -> Writer:
        return Writer(
            linked.context, self.format, "sysAttrs" in self.options, self.query.get("lang"), self.preferred_version
        )

    @lazy
    def preferred_version(self) -> tuple[int, int] | None:
        """The version of the specification that the client understands: `Prefer: ngsi-ld=1.5` (§4.3.6.8)."""
        found = _VERSION.search(self.headers.get("prefer", ""))
        return None if found is None else (int(found[1]), int(found[2]))

    @property
    def preference(self) -> Headers:
        """Says that the version was understood; what is no entity is the same in all of them."""
        version = self.preferred_version
        return [] if version is None else [(b"preference-applied", b"ngsi-ld=%d.%d" % version)]

    def applied(self, docs: Iterable[Any]) -> tuple[int, Headers]:
        """Status and header of an answer to a client that named its version: 203 where something had to be altered."""
        version = self.preferred_version
        if version is None:
            return 200, []
        altered = any(is_altered(doc["attrs"], version) for doc in docs)
        return 203 if altered else 200, self.preference

    def flag(self, name: str) -> bool:
        """A parameter that is `true` or `false`."""
        return flag_in(self.query, name)

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A parameter that is a whole number."""
        given = self.query.get(name)
        if given is None:
            return default
        if not given.isascii() or not given.isdigit() or not least <= int(given[:9]) <= most or len(given) > 9:
            raise ParameterIsInvalid(name=name, problem=f"is no whole number from {least} to {most}")
        return int(given)

    def answer(self, body: Any, linked: Linked, headers: Headers | None = None, *, status: int = 200) -> Reply:
        """A JSON answer: as JSON-LD its context is in the body, else in the Link header (§6.3.6)."""
        found = list(headers or ())
        if self.media_type == LD:
            body = _with_context(body, linked.written)
        elif self.media_type == GEO and self.headers.get("prefer", "").replace(" ", "") != "body=json":
            body = {**body, "@context": linked.written}
        else:
            found.append((b"link", link_header(self._addressed(linked))))
        return Reply(status, encode(body), self.media_type or JSON, found)

    def _addressed(self, linked: Linked) -> Linked:
        """The context under one URL: what has none gets one of ours (§5.13.1), as a header has room for one alone."""
        if single_url(linked.given) is not None:
            return linked
        with self.place.transaction(DUTY) as tx:
            return Linked(linked.context, address_of(tx, linked.given, self.place.tenant))


def flag_in(values: Mapping[str, str], name: str) -> bool:
    """A parameter or member that is `true` or `false`."""
    given = values.get(name, "false").lower()
    if given not in ("true", "false"):
        raise ParameterIsInvalid(name=name, problem="is neither true nor false")
    return given == "true"


def _with_context(body: Any, context: Any) -> Any:
    if isinstance(body, list):
        return [_with_context(each, context) for each in body]
    return {**body, "@context": context} if isinstance(body, dict) else body

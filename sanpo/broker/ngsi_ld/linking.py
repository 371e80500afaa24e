"""Where a request says its @context: in the Link header or in the body, never in both (§6.3.5)."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from sanpo.broker.contexts import single_url
from sanpo.broker.contexts.context import Context
from sanpo.broker.contexts.core_context import CORE_CONTEXT_URL
from sanpo.broker.contexts.resolving import resolve
from sanpo.broker.errors import EntityIsInvalid, HeaderIsInvalid, PayloadIsNotJson
from sanpo.broker.ngsi_ld.negotiation import LD, media_type_of
from sanpo.broker.store import decode
from sanpo.ground.city import City

RELATION = "http://www.w3.org/ns/json-ld#context"
# RFC 8288 §3. Possessive: a header is read in one pass, however it is made.
_LINK = re.compile(r"<([^<>]*+)>((?:\s*+;[^,\";]*+(?:\"[^\"]*+\"[^,\";]*+)*+)*+)")
_REL = re.compile(r";\s*+rel\s*+=\s*+\"?([^\s\";,]++)", re.IGNORECASE)


@dataclass(frozen=True)
class Linked:
    """A resolved context, with what the client gave for it; None where it gave nothing."""

    context: Context
    given: Any = None

    @property
    def written(self) -> Any:
        """The context as answers name it: a single URL alone, not in a list."""
        given = CORE_CONTEXT_URL if self.given is None else self.given
        return given[0] if isinstance(given, list) and len(given) == 1 else given

    @property
    def url(self) -> str:
        """The one URL that stands in a Link header. A list or an object must have been given an address of its own."""
        return single_url(self.given) or CORE_CONTEXT_URL


def read_link(city: City, header: str | None) -> Linked:
    """The context that a Link header names; the core context where none is given."""
    url = linked_url(header)
    return Linked(resolve(city, url), url)


def read_document(city: City, body: bytes, content_type: str, header: str | None) -> tuple[Any, Linked]:
    """The body without its `@context`, and its context. A list keeps theirs: each of its items may have its own."""
    data = parse(body)
    is_ld = media_type_of(content_type) == LD
    url = linked_url(header)
    if not isinstance(data, dict):
        return data, Linked(resolve(city, url), url)
    given = _given(data, is_ld, url)
    data.pop("@context", None)
    return data, Linked(resolve(city, given), given)


@dataclass
class Contexts:
    """The contexts of the items of one batch; equal ones are resolved once."""

    city: City
    is_ld: bool
    url: str | None

    def __post_init__(self) -> None:
        """Raises `HeaderIsInvalid` for a Link header that no item may stand beside."""
        self._known: dict[str, Linked] = {}
        _check_link(self.is_ld, self.url)

    def take(self, item: dict[str, Any]) -> Linked:
        """The context of one item, which is taken out of it."""
        given = _given(item, self.is_ld, self.url)
        item.pop("@context", None)
        key = given if type(given) is str else repr(given)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Linked(resolve(self.city, given), given)
        return found


def parse(body: bytes) -> Any:
    """The body as JSON. Raises `PayloadIsNotJson`."""
    if b"\\u0000" in body:
        raise PayloadIsNotJson(problem="holds the character U+0000")
    try:
        return decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PayloadIsNotJson(problem=str(error)[:200]) from None


def link_header(linked: Linked) -> bytes:
    return f'<{linked.url}>; rel="{RELATION}"; type="application/ld+json"'.encode("latin-1", "ignore")


def linked_url(header: str | None) -> str | None:
    """The URL of the one context link. Raises `HeaderIsInvalid` for a second one."""
    if not header:
        return None
    urls = []
    for found in _LINK.finditer(header):
        relation = _REL.search(found[2])
        if relation is not None and relation[1] == RELATION:
            urls.append(found[1].strip())
    if len(urls) > 1:
        raise HeaderIsInvalid(name="Link", problem="names more than one context")
    return urls[0] if urls else None


def _given(item: dict[str, Any], is_ld: bool, url: str | None) -> Any:
    """The context of one JSON object in a body."""
    if not is_ld:
        if "@context" in item:
            raise EntityIsInvalid(where="@context", problem="stands in a body that is not application/ld+json")
        return url
    _check_link(is_ld, url)
    if "@context" not in item:
        raise EntityIsInvalid(where="@context", problem="is missing in application/ld+json")
    return item["@context"]


def _check_link(is_ld: bool, url: str | None) -> None:
    if is_ld and url is not None:
        raise HeaderIsInvalid(name="Link", problem="names a context beside a body of application/ld+json")

"""`resolve`: from what a request names as its @context to a `Context` (ETSI GS CIM 009 §5.5.5, §5.5.6, §6.3.5).

Documents come, in this order, from: the core (built in), configured files, contexts that are hosted here, the copies in the
database, and at last the network, where a call is bounded and goes to no private address unless that is allowed.
"""

import re
import time
from datetime import timedelta
from typing import Any

import msgspec

from sanpo.broker.contexts.addresses import new_local_id, own_id
from sanpo.broker.contexts.compiling import Document, check_context, compile_context
from sanpo.broker.contexts.context import CORE, Context
from sanpo.broker.contexts.core_context import is_core
from sanpo.broker.contexts.errors import ContextIsInvalid, ContextIsNotAvailable
from sanpo.broker.contexts.mapped import read_map, read_mapped
from sanpo.broker.contexts.shelf import Shelf, shelf_of
from sanpo.broker.contexts.store import SQL
from sanpo.broker.errors import BrokerError
from sanpo.ground.city import City
from sanpo.ground.outbound import CallFailed, Reply, fetch

FETCH_S = 3.0
MOST_BYTES = 1024 * 1024
MOST_REDIRECTS = 3
MOST_CACHED = 1_000
FRESH = timedelta(hours=24)
LEAST_FRESH = timedelta(minutes=1)
MOST_FRESH = timedelta(days=7)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})")
_BOM = b"\xef\xbb\xbf"


def resolve(city: City, value: Any, *, counted: bool = True) -> Context:
    """The context of a request: None, a URL, an object, or a list of those; the core's terms are in each.

    Call it before a transaction is begun: it may wait for other servers, 3 s at the most for all together. `counted` says
    whether it is a use that the statistics of stored contexts show. Raises `ContextIsInvalid`, `ContextIsNotAvailable`.
    """
    if value is None or (type(value) is str and is_core(value)):
        return CORE
    shelf = shelf_of(city)
    shelf.look(city)
    key = value if type(value) is str else _key(value)
    kept = shelf.contexts.get(key)
    if kept is None or (kept[0].fresh_until is not None and kept[0].fresh_until <= city.now()):
        generation, patience = shelf.generation, _Patience()
        made = compile_context(value, lambda url: _document(city, shelf, patience, url))
        kept = made, tuple(own_id(url) or url for url in made.urls)
        if generation == shelf.generation:
            shelf.contexts.put(key, kept, made.weight + len(key))
    context, ids = kept
    if counted and ids:
        shelf.usage.note(city, ids)
    return context


class _Patience:
    """How long one resolution waits for other servers, from its first wait on."""

    def __init__(self) -> None:
        self._until: float | None = None

    def left_s(self, url: str) -> float:
        moment = time.monotonic()
        if self._until is None:
            self._until = moment + FETCH_S
        if self._until <= moment:
            raise ContextIsNotAvailable(url=url, problem="it took too long")
        return self._until - moment


def reload_cached(city: City, url: str) -> None:
    """Reads a cached context anew from where it came; what is stored stays where that fails (§5.13.5.4)."""
    path = read_map(city.settings).get(url)
    try:
        if path is not None:
            _read_file(url, path)
            _store(city, url, None, None)
            return
        text, fresh = _fetch(city, url, FETCH_S)
    except ContextIsInvalid as error:
        raise ContextIsNotAvailable(url=url, problem=str(error.fields["problem"])) from error
    _store(city, url, text, fresh)


def _key(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value, order="deterministic")
    except RecursionError:
        raise ContextIsInvalid(where="@context", problem="nested too deep") from None


def _document(city: City, shelf: Shelf, patience: _Patience, url: str) -> Document:
    known = shelf.documents.get(url)
    if known is not None and (known.fresh_until is None or known.fresh_until > city.now()):
        return known
    generation = shelf.generation
    found, size = _mapped(city, url) or _hosted(city, url) or _cached(city, shelf, patience, url)
    if generation == shelf.generation:
        shelf.documents.put(url, found, size)
    return found


def _mapped(city: City, url: str) -> tuple[Document, int] | None:
    path = read_map(city.settings).get(url)
    if path is None:
        return None
    found = Document(_read_file(url, path))
    with city.db.connection() as conn:
        conn.run(SQL.note_mapped, {"local_id": new_local_id(), "url": url, "now": city.now()})
    return found, path.stat().st_size


def _read_file(url: str, path: Any) -> Any:
    try:
        return read_mapped(path)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContextIsNotAvailable(url=url, problem=f"the configured file: {error}") from error


def _hosted(city: City, url: str) -> tuple[Document, int] | None:
    local_id = own_id(url)
    row = None if local_id is None else city.db.read(SQL.own_document, local_id=local_id)
    if row is not None:
        return Document(msgspec.json.decode(row.document)), len(row.document)
    if local_id is not None and url.startswith(city.settings.origin + "/"):
        raise ContextIsNotAvailable(url=url, problem="it is not hosted here, or no longer")
    return None


def _cached(city: City, shelf: Shelf, patience: _Patience, url: str) -> tuple[Document, int]:
    """The stored copy while it is fresh; else a new one, or the old one for a minute where none can be had."""
    found = _copy(city, url)
    if found is not None and found[0].fresh_until and found[0].fresh_until > city.now():
        return found
    try:
        with shelf.reading(url, patience.left_s(url)):
            shelf.fail_again(url)
            other = _copy(city, url)
            if other is not None and other[0].fresh_until and other[0].fresh_until > city.now():
                return other  # another thread has read it meanwhile
            return _fetch_and_store(city, shelf, url, patience.left_s(url))
    except BrokerError:
        if found is None:
            raise
        return Document(found[0].content, city.now() + LEAST_FRESH), found[1]


def _copy(city: City, url: str) -> tuple[Document, int] | None:
    row = city.db.read(SQL.cached_document, url=url)
    return None if row is None else (Document(msgspec.json.decode(row.document), row.expires_at), len(row.document))


def _fetch_and_store(city: City, shelf: Shelf, url: str, timeout_s: float) -> tuple[Document, int]:
    begun = time.monotonic()
    try:
        text, fresh = _fetch(city, url, timeout_s)
    except BrokerError as error:
        shelf.remember_failure(url, error, time.monotonic() - begun)
        raise
    _store(city, url, text, fresh)
    return Document(msgspec.json.decode(text), city.now() + fresh), len(text)


def _fetch(city: City, url: str, timeout_s: float) -> tuple[str, timedelta]:
    """The document as text and how long it stays fresh. Raises `ContextIsNotAvailable` or `ContextIsInvalid`."""
    try:
        reply = fetch(
            url,
            {"accept": "application/ld+json, application/json;q=0.9, */*;q=0.1"},
            timeout_s=timeout_s,
            max_bytes=MOST_BYTES,
            most_redirects=MOST_REDIRECTS,
            private_hosts=frozenset(city.settings.broker_allow_hosts.replace(" ", "").split(",")),
        )
    except CallFailed as failure:
        raise ContextIsNotAvailable(url=url, problem=str(failure)) from failure
    if reply.status != 200:
        raise ContextIsNotAvailable(url=url, problem=f"HTTP {reply.status}")
    try:
        text = reply.body.removeprefix(_BOM).decode()
        content = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ContextIsInvalid(where=url, problem="not JSON") from None
    if not isinstance(content, dict) or "@context" not in content:
        raise ContextIsInvalid(where=url, problem="not an object with @context")
    check_context(content["@context"], url)
    return text, _freshness(reply)


def _freshness(reply: Reply) -> timedelta:
    """What the server says (§5.13.1), within bounds; a day where it says nothing."""
    control = reply.headers.get("cache-control", "").lower()
    found = _MAX_AGE.search(control)
    if "no-store" in control or "no-cache" in control:
        return LEAST_FRESH
    return min(MOST_FRESH, max(LEAST_FRESH, timedelta(seconds=int(found[1])))) if found else FRESH


def _store(city: City, url: str, text: str | None, fresh: timedelta | None) -> None:
    """Keeps a copy, `text` None where a configured file holds it. The copies used longest ago make room."""
    now = city.now()
    row = {
        "local_id": new_local_id(),
        "url": url,
        "document": text,
        "now": now,
        "expires_at": None if fresh is None else now + fresh,
    }
    with city.db.connection() as conn:
        conn.run(SQL.put_cached, row)
        conn.run(SQL.forget_surplus, {"most": MOST_CACHED})

"""From what stands under `@context` to a `Context`: JSON-LD 1.1 context processing as far as NGSI-LD allows it.

Differences that the standard wants: core terms cannot be redefined (such definitions have no effect), scoped contexts are
refused (ETSI GS CIM 009 §5.5.7), and the default vocabulary is the core's (§4.4). `@base` has no effect, since every
identifier is an absolute URI (§4.6); a term that is mapped to null, or by `@reverse`, is as if it were not there.

Whatever a document says, the work is bounded: how deep, how many documents, terms and characters.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from sanpo.broker.contexts.context import Context
from sanpo.broker.contexts.core_context import is_core
from sanpo.broker.contexts.definitions import Definitions
from sanpo.broker.contexts.errors import ContextIsInvalid

DEEPEST = 8
MOST_DOCUMENTS = 32
MOST_ITEMS = 1_000


class Document(NamedTuple):
    """A context document as it was read, and until when it may be used without asking its origin again."""

    content: Any
    fresh_until: datetime | None = None


Load = Callable[[str], Document]
"""The document at a URL. Raises `ContextIsNotAvailable`."""


def compile_context(value: Any, load: Load) -> Context:
    """The context that `value` (None, a URL, an object or a list of those) stands for.

    Raises `ContextIsInvalid` or what `load` raises.
    """
    compiler = _Compiler(load)
    compiler.add(value, ())
    return Context(compiler.definitions.terms, compiler.urls, compiler.fresh_until)


def check_context(value: Any, url: str = "") -> None:
    """Raises `ContextIsInvalid` where `value`, found at `url` or in a request, is no context. It reads no other document."""
    _Compiler(lambda _: Document({"@context": {}})).add(value, (url,) if url else ())


class _Compiler:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._left = MOST_DOCUMENTS
        self.definitions = Definitions()
        self.urls: set[str] = set()
        self.fresh_until: datetime | None = None

    def add(self, value: Any, chain: tuple[str, ...]) -> None:
        """Adds one local context, read in the last document of `chain`, or in the request where that is empty."""
        items = value if isinstance(value, list) else [value]
        if len(items) > MOST_ITEMS:
            raise ContextIsInvalid(where=_where(chain), problem=f"a list of more than {MOST_ITEMS} contexts")
        for item in items:
            if item is None:
                self.definitions = self.definitions.emptied()
            elif isinstance(item, str):
                self._add_document(item, chain)
            elif isinstance(item, dict):
                self._add_object(item, chain)
            else:
                raise ContextIsInvalid(where=_where(chain), problem="not a URL, an object or null")

    def _add_object(self, item: dict[str, Any], chain: tuple[str, ...]) -> None:
        imported = item.get("@import")
        if imported is not None:
            item = {**self._imported(imported, chain), **item}
        self.definitions.add(item, _where(chain))

    def _add_document(self, url: str, chain: tuple[str, ...]) -> None:
        url = _absolute(url, chain)
        if is_core(url):
            return
        self.add(self._read(url, chain), (*chain, url))

    def _imported(self, url: Any, chain: tuple[str, ...]) -> dict[str, Any]:
        """JSON-LD 1.1 API §4.1.2, step 5.6: what `@import` names must be one object, and import nothing itself."""
        if not isinstance(url, str):
            raise ContextIsInvalid(where=_where(chain), problem="@import is not a URL")
        url = _absolute(url, chain)
        if is_core(url):
            return {}
        content = self._read(url, chain)
        if not isinstance(content, dict) or "@import" in content:
            raise ContextIsInvalid(where=url, problem="not one object, as @import wants")
        return content

    def _read(self, url: str, chain: tuple[str, ...]) -> Any:
        if url in chain:
            raise ContextIsInvalid(where=url, problem="contains itself")
        self._left -= 1
        if len(chain) >= DEEPEST or self._left < 0:
            most = f"deeper than {DEEPEST} or of more than {MOST_DOCUMENTS} documents"
            raise ContextIsInvalid(where=url, problem=most)
        content, fresh_until = self._load(url)
        self.urls.add(url)
        if fresh_until is not None and (self.fresh_until is None or fresh_until < self.fresh_until):
            self.fresh_until = fresh_until
        if not isinstance(content, dict) or "@context" not in content:
            raise ContextIsInvalid(where=url, problem="not an object with @context")
        return content["@context"]


def _absolute(url: str, chain: tuple[str, ...]) -> str:
    """The URL as seen from the document that names it; a request has no address, so there it must be absolute."""
    try:
        whole = urljoin(chain[-1], url) if chain else url
        parts = urlsplit(whole)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or len(whole) > 2_048 or not whole.isprintable() or " " in whole:
        raise ContextIsInvalid(where=url[:200], problem="not an absolute http or https URL")
    return whole


def _where(chain: tuple[str, ...]) -> str:
    return chain[-1] if chain else "@context"

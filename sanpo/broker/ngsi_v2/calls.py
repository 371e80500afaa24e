"""One request of NGSIv2, as the handlers see it."""

import re
from collections.abc import Iterable
from typing import Any

from sanpo.broker.entities import Place, Wanted
from sanpo.broker.errors import HeaderIsInvalid, ParameterIsInvalid
from sanpo.broker.language.type_selection import matches_types
from sanpo.broker.ngsi_ld.calls import Call as OfNgsiLd
from sanpo.broker.ngsi_ld.calls import Headers, Reply
from sanpo.broker.ngsi_ld.linking import parse
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_v2.names import uri_of
from sanpo.broker.ngsi_v2.reading import Reader
from sanpo.broker.ngsi_v2.selecting import ServicePaths, read_service_path, read_service_paths, types_in
from sanpo.broker.ngsi_v2.writing import Format, Writer
from sanpo.broker.selection import Window
from sanpo.broker.store import encode
from sanpo.ground.lazy import lazy

DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET = 20, 1000, 100_000_000
_SERVICE = re.compile(r"[a-z0-9_]{0,50}")
OPTIONS = frozenset(
    {"normalized", "keyValues", "values", "unique", "count", "append", "upsert", "noAttrDetail", "overrideMetadata",
     "forcedUpdate", "skipInitialNotification", "skipForwarding", "flowControl", "dateCreated", "dateModified"}
)  # fmt: skip
"""All words of `options`. `forcedUpdate`, `skipInitialNotification`, `skipForwarding` and `flowControl` change nothing here:
no initial notification is sent (as Orion since 3.2), nothing is forwarded by NGSIv2, and a receiver cannot be flooded."""
_FORMATS: tuple[Format, ...] = ("keyValues", "values", "unique")


class Call(OfNgsiLd):
    """One request, with the tenant, the service path and the options of NGSIv2."""

    @lazy
    def place(self) -> Place:
        """`Fiware-Service` is the tenant: one word of NGSI-LD's `NGSILD-Tenant`."""
        tenant = self.headers.get("fiware-service", "").lower()
        if not _SERVICE.fullmatch(tenant):
            raise HeaderIsInvalid(name="Fiware-Service", problem="is no word of up to 50 letters, digits and _")
        return Place(self.city, self.actor, tenant)

    @lazy
    def options(self) -> frozenset[str]:
        found = frozenset(word.strip() for word in self.query.get("options", "").split(",") if word.strip())
        if found - OPTIONS:
            raise ParameterIsInvalid(name="options", problem=f"{', '.join(sorted(found - OPTIONS))} is unknown")
        return found

    @lazy
    def paths(self) -> ServicePaths | None:
        return read_service_paths(self.headers.get("fiware-servicepath"))

    @lazy
    def scope(self) -> str | None:
        """Where what this request creates belongs."""
        return read_service_path(self.headers.get("fiware-servicepath"))

    @property
    def uri(self) -> str:
        """The entity that the path names."""
        return uri_of(self.segments[0])

    @lazy
    def data(self) -> Any:
        """The body as JSON. Raises `PayloadIsNotJson`."""
        return parse(self.body)

    @property
    def own_reader(self) -> Reader:
        return Reader(self.place.now(), "keyValues" in self.options)

    @lazy
    def wanted(self) -> Wanted | None:
        """The entity's type and service path, where the request names them."""
        given, paths = self.query.get("type"), self.paths
        if not given and paths is None:
            return None
        types = types_in(given) if given else None
        return lambda doc: (types is None or matches_types(types, doc)) and (paths is None or paths.matches(doc))

    def is_about(self, there: Any, given: Any) -> bool:
        """Whether what a body names is the entity that is there: of its type, and in the request's service path."""
        same_type: bool = there["type"][0] == given["type"][0]
        return same_type and (self.paths is None or self.paths.matches(there))

    def own_writer(self, attrs: Any = None, metadata: Any = None) -> Writer:
        """As options, `attrs` and `metadata` ask, or as a body does."""
        chosen: Format = next((each for each in _FORMATS if each in self.options), "normalized")
        names = attrs if attrs is not None else names_in(self.query.get("attrs"))
        added = tuple(each for each in ("dateCreated", "dateModified") if each in self.options)
        if added:
            names = (*(names or ("*",)), *added)
        return Writer(chosen, names, metadata if metadata is not None else names_in(self.query.get("metadata")))

    @lazy
    def window(self) -> Window:
        """Paging: `limit` from 1 to 1000."""
        limit = self.whole("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        return Window(limit, self.whole("offset", 0, 0, MAX_OFFSET), "count" in self.options)

    def reply(self, body: Any, count: int | None = None) -> Reply:
        headers: Headers = [] if count is None else [(b"fiware-total-count", b"%d" % count)]
        return Reply(200, encode(body), JSON, headers)


def names_in(given: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Names separated by commas; None where nothing is asked for."""
    if not given:
        return None
    listed = given.split(",") if isinstance(given, str) else given
    return tuple(dict.fromkeys(name.strip() for name in listed if name.strip())) or None

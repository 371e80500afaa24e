"""From the words of a query, in a URL (§6.4.3.2) or in a body (§5.2.23), to the parts of a selection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sanpo.broker.contexts.context import Context
from sanpo.broker.errors import EntityIsInvalid, LimitIsTooHigh, ParameterIsInvalid, QueryIsTooWide
from sanpo.broker.language.geo import parse_geo
from sanpo.broker.language.ids import parse_id_pattern, parse_ids
from sanpo.broker.language.ordering import Ordering, parse_order
from sanpo.broker.language.projection import parse_attrs, parse_projection
from sanpo.broker.language.q.model import attributes_of, link_depth
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.scopes import parse_scope_q
from sanpo.broker.language.type_selection import parse_types
from sanpo.broker.model import NGSI_LD
from sanpo.broker.ngsi_ld.calls import Call
from sanpo.broker.ngsi_ld.shaping import join_level
from sanpo.broker.representation.checks import check_uri
from sanpo.broker.selection import AnyOf, Geo, HasAttribute, IdPattern, Ids, OfType, Part, Q, ScopeQ, Window, together
from sanpo.broker.store import encode

DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET = 20, 1000, 100_000_000
SYSTEM = frozenset(NGSI_LD + name for name in ("createdAt", "modifiedAt", "deletedAt", "expiresAt", "observedAt"))
_LISTS = frozenset({"attrs", "pick", "omit", "containedBy", "datasetId", "orderBy"})
_FLAGS = frozenset({"entityMap", "local", "splitEntities"})
_TEXTS = (
    frozenset(
        {"join", "q", "csf", "scopeQ", "lang", "geometryProperty", "expandValues", "jsonKeys", "entityMapLifetime"}
    )
    | _LISTS
)
_BODY = frozenset(
    {"type", "entities", "attrs", "q", "geoQ", "csf", "scopeQ", "lang", "containedBy", "join", "joinLevel",
     "datasetId", "pick", "omit", "entityMap", "orderBy", "ordering", "expandValues", "jsonKeys", "aggrParams",
     "geometryProperty", "@context", "options", "local", "splitEntities", "entityMapLifetime"}
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What one query asks, as texts; `selectors` are the entity selectors of a query by POST (§5.2.33)."""

    values: Mapping[str, str]
    selectors: tuple[Mapping[str, Any], ...] = ()

    def get(self, name: str) -> str | None:
        return self.values.get(name) or None


def window_of(call: Call) -> Window:
    """Paging (§6.3.10) and counting (§6.3.13)."""
    count = call.flag("count") or "count" in call.options
    limit = call.whole("limit", DEFAULT_LIMIT, 0, 999_999_999)
    if limit > MAX_LIMIT:
        raise LimitIsTooHigh(limit=MAX_LIMIT)
    if limit == 0 and not count:
        raise ParameterIsInvalid(name="limit", problem="is 0 without count=true")
    return Window(limit, call.whole("offset", 0, 0, MAX_OFFSET), count)


def asked_in_url(call: Call) -> Asked:
    return Asked(call.query)


def asked_in_body(call: Call, data: Any) -> Asked:
    """A Query (§5.2.23): its members as the texts that a URL would hold, beside those that the URL does hold."""
    if type(data) is not dict or data.get("type") != "Query":
        raise EntityIsInvalid(where="type", problem="is not Query")
    values = dict(call.query)
    for name, member in data.items():
        if name not in _BODY:
            raise EntityIsInvalid(where=name, problem="is no member of a Query")
        if name in _LISTS and type(member) is list and member and all(type(each) is str for each in member):
            values[name] = ",".join(member)
        elif name in _TEXTS:
            if type(member) is not str:
                raise EntityIsInvalid(where=name, problem="is no text")
            values[name] = member
        elif name in _FLAGS:
            if type(member) is not bool:
                raise EntityIsInvalid(where=name, problem="is neither true nor false")
            values[name] = str(member).lower()
        elif name == "joinLevel":
            values[name] = str(member)
        elif name == "geoQ":
            values.update(_geo_in(member))
        elif name == "ordering":
            values.update(_ordering_in(member))
    return Asked(values, _selectors(data.get("entities")))


def _geo_in(member: Any) -> dict[str, str]:
    """A GeoQuery (§5.2.13)."""
    if type(member) is not dict:
        raise EntityIsInvalid(where="geoQ", problem="is no JSON object")
    found = {}
    for name in ("geometry", "georel", "geoproperty"):
        if name in member:
            if type(member[name]) is not str:
                raise EntityIsInvalid(where=f"geoQ.{name}", problem="is no text")
            found[name] = member[name]
    if "coordinates" in member:
        given = member["coordinates"]
        found["coordinates"] = given if type(given) is str else encode(given).decode()
    return found


def _ordering_in(member: Any) -> dict[str, str]:
    """OrderingParams (§5.2.43)."""
    if type(member) is not dict or not member.keys() <= {"orderBy", "coordinates", "geometry", "collation"}:
        raise EntityIsInvalid(
            where="ordering", problem="is no JSON object of orderBy, coordinates, geometry, collation"
        )
    order_by = member.get("orderBy")
    if type(order_by) is not list or not order_by or any(type(each) is not str for each in order_by):
        raise EntityIsInvalid(where="ordering.orderBy", problem="is no array of texts")
    found = {"orderBy": ",".join(order_by)}
    for name, parameter in (("geometry", "orderGeometry"), ("collation", "collation")):
        if name in member:
            if type(member[name]) is not str:
                raise EntityIsInvalid(where=f"ordering.{name}", problem="is no text")
            found[parameter] = member[name]
    if "coordinates" in member:
        if type(member["coordinates"]) is not list:
            raise EntityIsInvalid(where="ordering.coordinates", problem="is no array")
        found["orderFrom"] = encode(member["coordinates"]).decode()
    return found


def _selectors(given: Any) -> tuple[Mapping[str, Any], ...]:
    if given is None:
        return ()
    if type(given) is not list or not given:
        raise EntityIsInvalid(where="entities", problem="is no array of selectors")
    for each in given:
        if type(each) is not dict or type(each.get("type")) is not str:
            raise EntityIsInvalid(where="entities", problem="holds what is no selector with a type")
    return tuple(given)


def parts_of(asked: Asked, context: Context, *, local: bool) -> list[Part]:
    """All requirements. Raises `QueryIsTooWide` and the errors of the query language."""
    parts: list[Part] = []
    wide = not local
    if asked.selectors:
        parts.append(AnyOf(tuple(together(_selector(each, context)) for each in asked.selectors)))
        wide = False
    if asked.get("csf"):  # about registrations, of which this broker has none yet: only its grammar is looked at
        parse_q(asked.values["csf"], context, parameter="csf")
    for part, narrows in (
        *_named(asked, context),
        _attributes(asked, context),
        (_picked(asked, context), False),
        _condition(asked, context),
        _place(asked, context),
    ):
        if part is not None:
            parts.append(part)
            wide &= not narrows
    if wide:
        raise QueryIsTooWide
    return parts


def _selector(given: Mapping[str, Any], context: Context) -> list[Part]:
    parts: list[Part] = [OfType(parse_types(given["type"], context))]
    ids = given.get("id")
    if ids is not None:
        listed = ids if type(ids) is list else [ids]
        parts.append(Ids(frozenset(check_uri(each, "entities.id") for each in listed)))
    elif given.get("idPattern") is not None:
        parts.append(IdPattern(parse_id_pattern(str(given["idPattern"]))))
    return parts


def _named(asked: Asked, context: Context) -> list[tuple[Part | None, bool]]:
    """Types, ids and scopes; only a type makes a query narrow enough."""
    if asked.get("type") == "*" and asked.get("local") == "false":
        raise ParameterIsInvalid(name="local", problem="cannot be false beside type=*")
    types, ids, pattern, scope = (asked.get(name) for name in ("type", "id", "idPattern", "scopeQ"))
    return [
        (OfType(parse_types(types, context)) if types else None, True),
        (Ids(frozenset(parse_ids(ids))) if ids else None, False),
        (IdPattern(parse_id_pattern(pattern)) if pattern and not ids else None, False),
        (ScopeQ(parse_scope_q(scope)) if scope else None, False),
    ]


def _attributes(asked: Asked, context: Context) -> tuple[Part | None, bool]:
    given = asked.get("attrs")
    if given is None:
        return None, False
    iris = frozenset(parse_attrs(given, context))
    return HasAttribute(iris), bool(iris - SYSTEM)


def _picked(asked: Asked, context: Context) -> Part | None:
    """What has none of the attributes picked, and would be empty, is not found (§4.21)."""
    given = asked.get("pick")
    picked = None if given is None else parse_projection(given, context)
    return (
        None
        if picked is None or len(picked.attributes) < len(picked.members)
        else HasAttribute(frozenset(picked.members))
    )


def _condition(asked: Asked, context: Context) -> tuple[Part | None, bool]:
    # Values are JSON and not terms of the context, but where expandValues names their attribute and jsonKeys does not (§4.9).
    expanded = _listed(asked, context, "expandValues") - _listed(asked, context, "jsonKeys")
    given = asked.get("q")
    if given is None:
        return None, False
    query = parse_q(given, context, expand_values=expanded)
    depth = link_depth(query)
    if depth > join_level(asked.values):
        raise ParameterIsInvalid(name="q", problem="looks deeper into linked entities than join and joinLevel allow")
    return Q(query), bool(attributes_of(query) - SYSTEM)


def _listed(asked: Asked, context: Context, name: str) -> frozenset[str]:
    """The attributes that a parameter names."""
    given = asked.get(name)
    return frozenset(parse_attrs(given, context, parameter=name)) if given else frozenset()


def _place(asked: Asked, context: Context) -> tuple[Part | None, bool]:
    georel, geometry, coordinates = (asked.get(name) for name in ("georel", "geometry", "coordinates"))
    query = parse_geo(georel, geometry, coordinates, context, geoproperty=asked.get("geoproperty"))
    return (None, False) if query is None else (Geo(query), True)


def ordering_of(asked: Asked, context: Context) -> Ordering | None:
    """What the entities are to be ordered by (§4.23), None for the order of their creation."""
    given = asked.get("orderBy")
    if given is None:
        return None
    return parse_order(given, context, order_from=asked.get("orderFrom"), order_geometry=asked.get("orderGeometry"))

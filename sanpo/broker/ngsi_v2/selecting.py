"""From the words of a query of NGSIv2, in a URL or in a body, to the parts of a selection."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sanpo.broker.errors import HeaderIsInvalid, ParameterIsInvalid
from sanpo.broker.language.condition import ALWAYS, Condition, Parameters, any_of
from sanpo.broker.language.geo import GeoQuery, compile_geo, matches_geo
from sanpo.broker.language.ordering import ID, Ordering, OrderTerm
from sanpo.broker.language.patterns import Pattern, read_pattern
from sanpo.broker.language.q.model import And, Compare, Path, Query, Text, ValueList
from sanpo.broker.language.scopes import Scope, ScopeQuery, compile_scope_q, matches_scope_q
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.language.v2 import parse_v2_geo, parse_v2_mq, parse_v2_q
from sanpo.broker.model import LOCATION, NGSI_LD, default_instance
from sanpo.broker.ngsi_v2.names import V2, Names, id_of, iri_of, name_of, uri_of
from sanpo.broker.selection import NOTHING, AnyOf, Ids, OfType, Part, Q, together

MOST_PATHS, MOST_LEVELS = 10, 10
DEFAULT_LOCATION = iri_of("defaultLocation")
_LEVEL = re.compile(r"[A-Za-z0-9_]{1,50}")
_EVERYTHING = ("", ".*", "^.*$", ".+")
_TIMES = {"dateCreated": "createdAt", "dateModified": "modifiedAt", "dateExpires": "expiresAt"}


@dataclass(frozen=True)
class IdPattern:
    """An id, as NGSIv2 knows it, in which the pattern is found."""

    pattern: Pattern

    @property
    def attributes(self) -> frozenset[str] | None:
        return None

    def compile(self, parameters: Parameters) -> Condition:
        """On the id without its prefix; where it has percent signs, Python looks."""
        start = f"starts_with(e.entity_id, '{V2}')"
        short = f"case when {start} then substr(e.entity_id, {len(V2) + 1}) else e.entity_id end"
        pattern = parameters.add(self.pattern.text, "text")
        return Condition(f"({short}) ~ {pattern} or ({start} and strpos(e.entity_id, chr(37)) > 0)", exact=False)

    def matches(self, entity: Any) -> bool:
        return self.pattern.found_in(id_of(entity["id"]))


@dataclass(frozen=True)
class TypePattern:
    """A type in whose name the pattern is found."""

    pattern: Pattern

    @property
    def attributes(self) -> frozenset[str] | None:
        return NOTHING

    def compile(self, parameters: Parameters) -> Condition:
        return Condition(ALWAYS.sql, exact=False)

    def matches(self, entity: Any) -> bool:
        return any(self.pattern.found_in(name_of(iri)) for iri in entity["type"])


@dataclass(frozen=True)
class Geo:
    """A relation of the entity's place: its only one, the one with the metadatum `defaultLocation`, or `location`."""

    query: GeoQuery

    @property
    def attributes(self) -> frozenset[str] | None:
        return None

    def compile(self, parameters: Parameters) -> Condition:
        near = compile_geo(self.query, parameters)
        other = f"jsonb_path_exists(e.doc, '$.attrs.*[*].attrs.\"{DEFAULT_LOCATION}\"')"
        return Condition(f"({near.sql}) or e.min_x is null or {other}", exact=False)

    def matches(self, entity: Any) -> bool:
        place = place_of(entity)
        return place is not None and matches_geo(replace(self.query, geoproperty=place), entity)


@dataclass(frozen=True)
class ServicePaths:
    """One of these service paths: a scope, with `below` all under it; the root is to have no scope."""

    query: ScopeQuery
    root: bool = False

    @property
    def attributes(self) -> frozenset[str] | None:
        return NOTHING

    def compile(self, parameters: Parameters) -> Condition:
        conditions = [Condition("e.scopes is null")] if self.root else []
        return any_of([*conditions, compile_scope_q(self.query, parameters)])

    def matches(self, entity: Any) -> bool:
        return (self.root and not entity.get("scope")) or matches_scope_q(self.query, entity)


def place_of(entity: Any) -> str | None:
    """The attribute in which the entity's place stands ("Query Resolution")."""
    places = {}
    for iri, instances in entity["attrs"].items():
        each = default_instance(instances)
        if each is not None and each["type"] == "GeoProperty":
            places[iri] = each
    for iri, each in places.items():
        label = default_instance(each.get("attrs", {}).get(DEFAULT_LOCATION, []))
        if label is not None and label.get("value") is True:
            return str(iri)
    return LOCATION if LOCATION in places else next(iter(places), None)


def read_service_paths(header: str | None) -> ServicePaths | None:
    """`Fiware-ServicePath` of a query: paths, with `#` all under it; None for everything."""
    if header is None:
        return None
    texts = [text.strip() for text in header.split(",")]
    if len(texts) > MOST_PATHS:
        raise HeaderIsInvalid(name="Fiware-ServicePath", problem=f"has more than {MOST_PATHS} paths")
    scopes = [_scope(text) for text in texts]
    if any(scope.below and not scope.levels for scope in scopes):
        return None
    return ServicePaths(ScopeQuery(tuple((scope,) for scope in scopes if scope.levels)), Scope(()) in scopes)


def read_service_path(header: str | None) -> str | None:
    """The scope of what a request creates; None for the root."""
    if header is None:
        return None
    scope = _scope(header.strip())
    if scope.below:
        raise HeaderIsInvalid(name="Fiware-ServicePath", problem="has a # where something is written")
    return scope.text if scope.levels else None


def _scope(text: str) -> Scope:
    levels = text.removeprefix("/").split("/") if text != "/" else []
    below = levels[-1:] == ["#"]
    named = levels[:-1] if below else levels
    if not text.startswith("/") or len(named) > MOST_LEVELS or not all(map(_LEVEL.fullmatch, named)):
        raise HeaderIsInvalid(name="Fiware-ServicePath", problem="is no path such as /Madrid/Gardens")
    return Scope(tuple(named), below)


def parts_of(values: Mapping[str, str], paths: ServicePaths | None = None, *, lists: bool = True) -> list[Part]:
    """All requirements of a query, or of one selector, in which an id is one id and no list.

    Raises the errors of the query language, `ParameterIsInvalid`.
    """
    for exact, pattern in (("id", "idPattern"), ("type", "typePattern")):
        if values.get(exact) and values.get(pattern):
            raise ParameterIsInvalid(name=pattern, problem=f"cannot stand beside {exact}")
    parts: list[Part] = []
    if values.get("type"):
        parts.append(OfType(types_in(values["type"])))
    if values.get("id"):
        listed = values["id"].split(",") if lists else [values["id"]]
        parts.append(Ids(frozenset(uri_of(each) for each in listed)))
    if values.get("idPattern", "") not in _EVERYTHING:
        parts.append(IdPattern(read_pattern(values["idPattern"], "idPattern")))
    if values.get("typePattern", "") not in _EVERYTHING:
        parts.append(TypePattern(read_pattern(values["typePattern"], "typePattern")))
    return [*parts, *expression_in(values), *([paths] if paths is not None else [])]


def types_in(text: str) -> TypeSelection:
    return TypeSelection(tuple((iri_of(each),) for each in text.split(",")))


def expression_in(values: Mapping[str, str]) -> list[Part]:
    """q, mq and the place."""
    parts: list[Part] = []
    if values.get("q"):
        parts.append(Q(_with_short_ids(parse_v2_q(values["q"], Names()))))
    if values.get("mq"):
        parts.append(Q(_with_short_ids(parse_v2_mq(values["mq"], Names()))))
    geo = parse_v2_geo(*(values.get(name) for name in ("georel", "geometry", "coords")))
    return [*parts, Geo(geo)] if geo is not None else parts


def selectors_in(given: Any, where: str = "entities") -> list[Part]:
    """Entities by id or pattern, with a type or without, as a body names them: one of them is enough."""
    if type(given) is not list or not given:
        raise ParameterIsInvalid(name=where, problem="is no array of selectors")
    choices = []
    for each in given:
        known = {"id", "idPattern", "type", "typePattern"}
        if type(each) is not dict or not each.keys() <= known or any(type(text) is not str for text in each.values()):
            raise ParameterIsInvalid(name=where, problem="holds what is no selector of texts")
        if not ("id" in each or "idPattern" in each or "type" in each or "typePattern" in each):
            raise ParameterIsInvalid(name=where, problem="holds an empty selector")
        choices.append(together(parts_of(each, lists=False)))
    return [AnyOf(tuple(choices))]


def _with_short_ids(query: Query) -> Query:
    """Texts that are short ids also as the URIs that relationships hold."""
    if isinstance(query, And):
        return And(tuple(_with_short_ids(part) for part in query.parts))
    if not isinstance(query, Compare) or query.operator not in ("==", "!="):
        return query
    listed = query.value.values if isinstance(query.value, ValueList) else (query.value,)
    more = [Text(uri_of(each.text)) for each in listed if isinstance(each, Text) and uri_of(each.text) != each.text]
    return replace(query, value=ValueList((*listed, *more))) if more else query


def ordering_in(text: str | None, geo: Mapping[str, str]) -> Ordering | None:
    """`orderBy=temperature,!dateCreated`, or `geo:distance` from the place of a `near`."""
    if not text:
        return None
    terms, start = [], None
    for name in text.split(","):
        descends, name = name.startswith("!"), name.removeprefix("!")
        if name == "geo:distance":
            query = parse_v2_geo(*(geo.get(each) for each in ("georel", "geometry", "coords")))
            if query is None or query.relation != "near":
                raise ParameterIsInvalid(name="orderBy", problem="names geo:distance without georel=near")
            start = query.reference
            terms.append(OrderTerm(Path((LOCATION,)), "dist-desc" if descends else "dist-asc"))
        else:
            terms.append(OrderTerm(_order_path(name), "desc" if descends else "asc"))
    return Ordering(tuple(terms), start)


def _order_path(name: str) -> Path:
    if name in ("", "type"):
        raise ParameterIsInvalid(name="orderBy", problem="names no attribute, id or built-in attribute")
    if name == "id":
        return Path((ID,))
    return Path((NGSI_LD + _TIMES[name],)) if name in _TIMES else Path((iri_of(name),))

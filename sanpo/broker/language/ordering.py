"""The order of answers: `orderBy=name,age;desc,location;dist-asc` (ETSI GS CIM 009 §4.23). Pure.

Values of mixed kinds: numbers, texts, objects, arrays, booleans, times, then null, then nothing; objects are alike among
themselves, and so are arrays. Null and nothing stay last when descending. Of several instances the default one counts,
else the first. Texts are ordered by code point, or by an ICU collation that the database has; which that is the caller
says, for an asker's tag never reaches the statement. Distance is by great circle (haversine) in metres.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sanpo.broker.language.geometry import Geometry, distance_m, geometry_of, read_geometry
from sanpo.broker.language.moments import Kind, moment_key
from sanpo.broker.language.names import SYSTEM, TIMES, Names, ShortNames
from sanpo.broker.language.q.model import Path
from sanpo.broker.language.q.order import exact
from sanpo.broker.language.q.parse import read_path
from sanpo.broker.language.q.printing import print_path
from sanpo.broker.language.scanner import Scanner

Direction = Literal["asc", "desc", "dist-asc", "dist-desc"]
DIRECTIONS: tuple[Direction, ...] = ("dist-asc", "dist-desc", "asc", "desc")
MAX_ORDERS = 10
ID = "id"
FOLDED = "folded"
"""Stands in for the root collation where the database was built without ICU: letters first, then accents, then case."""
_ROOTS = ("und", "root", "und-x-icu")
_ID = re.compile(r"id(?![\w:])")
_DISTANCE, _NUMBER, _TEXT, _OBJECT, _ARRAY, _FLAG, _NULL, _NOTHING = -1, 0, 1, 2, 3, 4, 8, 9
_MOMENTS: dict[Kind, int] = {"time": 5, "date": 6, "dateTime": 7}
_TYPED: dict[str, Kind] = {"DateTime": "dateTime", "Date": "date", "Time": "time"}
_VALUES = ("value", "json", "vocab", "valueList", "object", "objectList", "languageMap")
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One attribute to order by; its path follows no links."""

    path: Path
    direction: Direction = "asc"


@dataclass(frozen=True, slots=True)
class Ordering:
    """What to order by, in turn; `start` is the GeoJSON geometry from which distances are measured, as JSON."""

    terms: tuple[OrderTerm, ...]
    start: str | None = None


def parse_order(
    text: str, names: Names, *, order_from: Any = None, order_geometry: str | None = None, parameter: str = "orderBy"
) -> Ordering:
    """`order_from` are coordinates, as JSON text or read. Raises `QueryIsMalformed`, `GeometryIsMalformed`."""
    scanner = Scanner(text, parameter)
    terms = [_term(scanner, names)]
    while scanner.take(","):
        terms.append(_term(scanner, names))
        if len(terms) > MAX_ORDERS:
            scanner.too_complex("attributes to order by", MAX_ORDERS)
    if not scanner.ended:
        scanner.fail(", ;asc ;desc ;dist-asc ;dist-desc")
    if not any(term.direction.startswith("dist") for term in terms):
        return Ordering(tuple(terms))
    if order_from is None:
        Scanner("", "orderFrom").fail("[longitude,latitude]")
    start = read_geometry(order_geometry or "Point", order_from, where="orderFrom")
    return Ordering(tuple(terms), json.dumps(start.json))


def _term(scanner: Scanner, names: Names) -> OrderTerm:
    scanner.spaces()
    descends = scanner.take("!")  # as NGSIv2 writes it
    path = Path((ID,)) if scanner.match(_ID) else read_path(scanner, names)
    scanner.spaces()
    direction: Direction = "desc" if descends else "asc"
    if scanner.take(";"):
        start = scanner.at
        found = next((each for each in DIRECTIONS if scanner.take(each)), None)
        if found is None or descends:
            scanner.fail(" ".join(DIRECTIONS), at=start)
        direction = found
    scanner.spaces()
    return OrderTerm(path, direction)


def check_collation(tag: str, available: Collection[str], *, parameter: str = "collation") -> str:
    """The database's collation for a language tag (RFC 6067), such as `ja-x-icu`; `available` are those it has."""
    found = f"{tag.removesuffix('-x-icu')}-x-icu"
    if found not in available and tag.lower() in _ROOTS:
        return FOLDED
    if _TAG.fullmatch(tag) is None or found not in available:
        Scanner(tag[:100], parameter).fail(" | ".join(sorted(available)[:20]))
    return found


def print_order(ordering: Ordering, names: ShortNames | None = None) -> str:
    """What `parse_order` reads back to the same terms."""
    written = []
    for term in ordering.terms:
        path = ID if term.path.names == (ID,) else print_path(term.path, names)
        written.append(path if term.direction == "asc" else f"{path};{term.direction}")
    return ",".join(written)


def sort_entities(ordering: Ordering, entities: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The entities in order; those that are alike stay as they came. Texts by code point."""
    found = list(entities)
    start = None if ordering.start is None else _start(ordering)
    for term in reversed(ordering.terms):
        keyed = [(_key(term, each, start), each) for each in found]
        there = [pair for pair in keyed if pair[0][0] < _NULL]
        there.sort(key=lambda pair: pair[0], reverse=term.direction.endswith("desc"))
        there.sort(key=lambda pair: pair[0][0] != _DISTANCE)
        nothing = sorted((pair for pair in keyed if pair[0][0] >= _NULL), key=lambda pair: pair[0])
        found = [each for _, each in there + nothing]
    return found


def _start(ordering: Ordering) -> Geometry:
    start = json.loads(ordering.start or "{}")
    return read_geometry(start["type"], start["coordinates"])


def _key(term: OrderTerm, entity: Mapping[str, Any], start: Geometry | None) -> tuple[int, Any]:
    """Rank of the kind of value, and what orders values of that kind."""
    names, member = term.path.names, term.path.member
    if names == (ID,):
        return _TEXT, entity["id"]
    if names[-1] in SYSTEM:
        owner = entity if len(names) == 1 else _instance(entity, names[:-1])
        found = (owner or {}).get(SYSTEM[names[-1]])
        if member or found is None:
            return _NOTHING, 0
        return (_MOMENTS["dateTime"], found) if SYSTEM[names[-1]] in TIMES else (_TEXT, found)
    instance = _instance(entity, names)
    if instance is None:
        return _NOTHING, 0
    if term.direction.startswith("dist") and start is not None and (place := geometry_of(instance)) is not None:
        return _DISTANCE, distance_m(place, start)
    value = next((instance[key] for key in _VALUES if key in instance), None)
    for each in member:
        if not isinstance(value, dict) or each not in value:
            return _NOTHING, 0
        value = value[each]
    return _ranked(value)


def _instance(entity: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any] | None:
    """The default instance, or the first, of an attribute or sub-attribute."""
    found: Mapping[str, Any] | None = entity
    for name in names:
        listed = (found or {}).get("attrs", {}).get(name, ())
        found = next((each for each in listed if "datasetId" not in each), next(iter(listed), None))
    return found


def _ranked(value: Any) -> tuple[int, Any]:
    if isinstance(value, dict) and "@value" in value:
        kind = _TYPED.get(str(value.get("@type")))
        key = moment_key(kind, value["@value"]) if kind and isinstance(value["@value"], str) else None
        return (_MOMENTS[kind], key) if kind and key is not None else _ranked_plain(value["@value"])
    return _ranked_plain(value)


def _ranked_plain(value: Any) -> tuple[int, Any]:
    if value is None:
        return _NULL, 0
    if isinstance(value, bool):
        return _FLAG, int(value)
    if isinstance(value, int | float):
        return _NUMBER, exact(value)
    if isinstance(value, str):
        return _TEXT, value
    return (_OBJECT if isinstance(value, dict) else _ARRAY), 0

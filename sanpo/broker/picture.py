"""The living picture for people: entities of one type as a table and on a map, one entity with its history. For the pages."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any

from sanpo.broker.contexts import Context, resolve
from sanpo.broker.contexts.context import CORE
from sanpo.broker.discovery import list_types_with_attributes
from sanpo.broker.entities import Place, retrieve_entity
from sanpo.broker.errors import EntityNotFound
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.model import LOCATION, Instance, objects_of
from sanpo.broker.querying import query_entities
from sanpo.broker.selection import OfType, Part, Q, Window
from sanpo.broker.sight import OPEN
from sanpo.broker.temporal.evolutions import retrieve_evolution
from sanpo.broker.temporal.model import Span
from sanpo.ground.actors import Actor, Anonymous
from sanpo.ground.city import City

ON_A_PAGE = 50
MOST_COLUMNS = 5
MOST_POINTS = 200
MAP_WIDTH, MAP_MARGIN = 640, 24
MOST_HEIGHT = 480
_SIGNS = {
    "CEL": "°C", "P1": "%", "KMH": "km/h", "MTS": "m/s", "MTR": "m", "CMT": "cm", "MMT": "mm", "KMT": "km", "KWH": "kWh",
    "WHR": "Wh", "WTT": "W", "KWT": "kW", "LTR": "l", "MTQ": "m³", "GQ": "µg/m³", "59": "ppm", "HPA": "hPa", "A97": "hPa",
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """Where an entity is on the map, in its units; on the Earth, as (longitude, latitude); and how it is called."""

    x: float
    y: float
    position: tuple[float, float]
    entity_id: str
    name: str


@dataclass(frozen=True)
class Map:
    """A rectangle of the Earth, north up, with points in it. `km` is how much its width is on the ground."""

    height: float
    points: Sequence[Point]
    km: float


@dataclass(frozen=True)
class Row:
    entity_id: str
    name: str
    values: Sequence[str]


@dataclass(frozen=True)
class Sheet:
    """Entities of one type. `columns` are the attributes that most of them have, by their short names."""

    columns: Sequence[str]
    rows: Sequence[Row]
    count: int
    map: Map | None


@dataclass(frozen=True)
class Shown:
    """One attribute of an entity in words; `at` is when it was observed."""

    name: str
    value: str
    at: str


@dataclass(frozen=True)
class Course:
    """How one attribute was over time: moments and numbers."""

    name: str
    unit: str
    times: Sequence[str]
    numbers: Sequence[float]


def reader_of(city: City, actor: Actor, tenant: str = "") -> Place:
    """Where the actor looks. Nobody in particular sees what is public, as on the city's streets."""
    return Place(city, OPEN if isinstance(actor, Anonymous) else actor, tenant)


def sheet_of(place: Place, type_iri: str, q: str, offset: int) -> Sheet:
    """A page of the entities of one type. Raises the errors of the query language."""
    parts: list[Part] = [OfType(TypeSelection(((type_iri,),)))]
    if q:
        parts.append(Q(parse_q(q, _names_of(place, type_iri))))
    page = query_entities(place, parts, Window(ON_A_PAGE, offset, count=True))
    common = Counter(iri for doc in page.docs for iri in doc["attrs"] if iri != LOCATION and name_of(iri) != "name")
    columns = [iri for iri, _ in common.most_common(MOST_COLUMNS)]
    rows = [Row(doc["id"], label_of(doc), [_text(doc["attrs"].get(iri, [])) for iri in columns]) for doc in page.docs]
    return Sheet([name_of(iri) for iri in columns], rows, page.count or 0, map_of(page.docs))


def _names_of(place: Place, type_iri: str) -> Context:
    """The short names under which the table shows attributes, so that a filter can say what is seen there."""
    found = next((each for each in list_types_with_attributes(place) if each.iri == type_iri), None)
    return resolve(place.city, {name_of(iri): iri for iri in found.attributes} if found else None)


def map_of(docs: Sequence[Any]) -> Map | None:
    """The entities that have a place, as points; None where none has."""
    places = [(doc, found) for doc in docs if (found := _position(doc)) is not None][:MOST_POINTS]
    if not places:
        return None
    west, east = min(lon for _, (lon, _) in places), max(lon for _, (lon, _) in places)
    south, north = min(lat for _, (_, lat) in places), max(lat for _, (_, lat) in places)
    wide = max((east - west) * cos(radians((south + north) / 2)), 0.01)
    scale = min((MAP_WIDTH - 2 * MAP_MARGIN) / wide, (MOST_HEIGHT - 2 * MAP_MARGIN) / max(north - south, 0.005))
    left = (MAP_WIDTH - (east - west) * cos(radians((south + north) / 2)) * scale) / 2
    points = [
        Point(
            round(left + (lon - west) * cos(radians((south + north) / 2)) * scale, 1),
            round(MAP_MARGIN + (north - lat) * scale, 1),
            (lon, lat),
            doc["id"],
            label_of(doc),
        )
        for doc, (lon, lat) in places
    ]
    height = round((north - south) * scale + 2 * MAP_MARGIN, 1)
    return Map(height, points, round(MAP_WIDTH / scale * 111.32, 1))


def entity_of(place: Place, entity_id: str) -> tuple[Any, list[Shown], list[Course]]:
    """One entity in sight, its attributes in words, and the courses of those that were numbers. Raises `EntityNotFound`."""
    doc = retrieve_entity(place, entity_id)
    shown = [
        Shown(name_of(iri), _text(instances), str(instances[0].get("observedAt", "")))
        for iri, instances in sorted(doc["attrs"].items())
    ]
    return doc, shown, _courses(place, entity_id)


def name_of(iri: str) -> str:
    """The short name of a type or attribute, whatever vocabulary it is from."""
    return re.split("[/#]", CORE.compact(iri))[-1]


def short_id(entity_id: str) -> str:
    """The last part of a URN, which people tell entities by."""
    return entity_id.removeprefix("urn:ngsi-ld:").rpartition(":")[2] or entity_id


def label_of(doc: Any) -> str:
    """What people call it: its name where it has one, else the last part of its id."""
    names = [_text(instances) for iri, instances in doc["attrs"].items() if name_of(iri) == "name"]
    return names[0] if names and names[0] else short_id(doc["id"])


def unit_of(instance: Instance) -> str:
    """The sign of its unit, where UN/CEFACT's code is one that people meet; else the code."""
    code = str(instance.get("unitCode", ""))
    return _SIGNS.get(code, code)


def _courses(place: Place, entity_id: str) -> list[Course]:
    try:
        found = retrieve_evolution(place, entity_id, Span(last_n=MOST_POINTS))
    except EntityNotFound:
        return []
    courses = []
    for doc in found.docs:
        for iri, instances in sorted(doc["attrs"].items()):
            pairs = sorted(
                (str(each.get("observedAt") or each.get("modifiedAt") or ""), each["value"], unit_of(each))
                for each in instances
                if isinstance(each.get("value"), int | float) and not isinstance(each.get("value"), bool)
            )
            if len(pairs) > 1:
                times, numbers, units = zip(*pairs, strict=True)
                courses.append(Course(name_of(iri), units[-1], times, numbers))
    return courses


def _position(doc: Any) -> tuple[float, float] | None:
    for instance in doc["attrs"].get(LOCATION, ()):
        value = instance.get("value")
        if isinstance(value, dict) and value.get("type") == "Point":
            longitude, latitude = value["coordinates"][:2]
            return float(longitude), float(latitude)
    return None


def _text(instances: Sequence[Instance]) -> str:
    return ", ".join(_value(each) for each in instances)


def _value(instance: Instance) -> str:
    if instance["type"] == "Relationship":
        return ", ".join(map(short_id, objects_of(instance)))
    value = instance.get("value", instance.get("languageMap", instance.get("vocab", instance.get("json", ""))))
    if instance["type"] == "GeoProperty" and isinstance(value, dict):
        return f"{value.get('type')} {value.get('coordinates')}"
    return f"{value} {unit_of(instance)}".rstrip()

"""From a record to what the broker stores: numbers with a time become observations, all else attributes of an entity."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from sanpo.broker.contexts import CORE, Context, resolve
from sanpo.broker.ingest.errors import RecordIsBad, bad
from sanpo.broker.ingest.mapping import Attribute, Mapping
from sanpo.broker.ingest.paths import Record, Reference, reference, template
from sanpo.broker.ingest.times import read_zone, time_reader
from sanpo.broker.representation.checks import check_name, check_uri
from sanpo.broker.representation.reading import Reader
from sanpo.broker.store import encode
from sanpo.broker.temporal.ingest import Observation
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError

_MOST_FLOAT = 1e300
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(slots=True)
class Row:
    """What one record says of one entity. `attributes` are normalized NGSI-LD, by term."""

    entity_id: str
    observations: list[Observation]
    attributes: dict[str, Any]


@dataclass
class _Source:
    """One attribute with what reads it."""

    attribute: Attribute
    iri: str
    read: Callable[[Record], Any]
    is_number: bool


class Converter:
    """Reads records by one mapping."""

    def __init__(self, city: City, mapping: Mapping) -> None:
        self.mapping = mapping
        self.context: Context = CORE if mapping.context is None else resolve(city, mapping.context, counted=False)
        self._city = city
        self._id = template(mapping.entity.id)
        self._known: set[str] = set()
        self._sources = [self._source(each) for each in mapping.attributes]
        when = mapping.time
        self._when: Reference | None = None if when is None or when.field is None else reference(when.field)
        self._time = time_reader(when.format, read_zone(when.timezone or city.settings.timezone)) if when else None

    def _source(self, given: Attribute) -> _Source:
        iri = self.context.expand(check_name(given.name, "attributes"))
        if given.value is not None:
            return _Source(given, iri, reference(given.value), given.kind == "number")
        if given.object is not None:
            return _Source(given, iri, template(given.object), False)
        return _Source(given, iri, _point(reference(given.longitude or ""), reference(given.latitude or "")), False)

    def row(self, record: Record, arrived: str) -> Row:
        """Raises `RecordIsBad`."""
        entity_id = self._entity_id(record)
        at = self._observed_at(record, arrived)
        found = Row(entity_id, [], {})
        for each in self._sources:
            value = each.read(record)
            if value is None or value == "":
                if each.attribute.optional:
                    continue
                bad(f"{each.attribute.name} is missing")
            if each.is_number and at is not None:
                number = _number(value, each.attribute)
                found.observations.append(Observation(entity_id, each.iri, number, at, each.attribute.unit_code))
            else:
                found.attributes[each.attribute.name] = _instance(value, each.attribute, at)
        if not found.observations and not found.attributes:
            bad("there is no value")
        return found

    def entity(self, entity_id: str, attributes: dict[str, Any], now: str) -> Any:
        """An entity with these attributes, in canonical form. Raises `RecordIsBad`."""
        try:
            return Reader(self.context, now).entity({"id": entity_id, "type": self.mapping.entity.type, **attributes})
        except DomainError as error:
            raise RecordIsBad(self._city.words.text("en", f"error.{error.code}", **error.fields)) from error

    def _entity_id(self, record: Record) -> str:
        found: str = self._id(record)
        if found not in self._known:
            try:
                check_uri(found, "id")
            except DomainError:
                bad("the entity's id is no URI")
            if len(self._known) > 100_000:
                self._known.clear()
            self._known.add(found)
        return found

    def _observed_at(self, record: Record, arrived: str) -> str | None:
        if self._time is None:
            return None
        return arrived if self._when is None else self._time(self._when(record))


def _number(value: Any, attribute: Attribute) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        found = float(value) * attribute.scale
    except (ValueError, TypeError):
        found = float("nan")
    if not isfinite(found) or abs(found) > _MOST_FLOAT:
        bad(f"{attribute.name} is no number")
    return round(found, 12) if attribute.scale != 1.0 else found


def _instance(value: Any, given: Attribute, at: str | None) -> dict[str, Any]:
    more = {} if at is None else {"observedAt": at}
    if given.object is not None:
        return {"type": "Relationship", "object": value, **more}
    if given.longitude is not None:
        return {"type": "GeoProperty", "value": {"type": "Point", "coordinates": value}, **more}
    if given.kind in ("json", "text") and b"\\u0000" in encode(value):
        bad(f"{given.name} holds the character U+0000")
    if given.kind == "json":
        return {"type": "JsonProperty", "json": value, **more}
    if given.kind == "boolean":
        value = value if isinstance(value, bool) else _FLAGS.get(str(value).lower())
        if value is None:
            bad(f"{given.name} is neither true nor false")
    elif given.kind == "number":
        value = _number(value, given)
        value = int(value) if value.is_integer() else value
    elif isinstance(value, dict | list):
        bad(f"{given.name} is no text")
    else:
        value = str(value)
    unit = {} if given.unit_code is None else {"unitCode": given.unit_code}
    return {"type": "Property", "value": value, **unit, **more}


def _point(longitude: Reference, latitude: Reference) -> Callable[[Record], Any]:
    def read(record: Record) -> Any:
        found = (longitude(record), latitude(record))
        if all(each is None or each == "" for each in found):
            return None
        try:
            x, y = float(found[0]), float(found[1])
        except (ValueError, TypeError):
            return bad("the place is no longitude and latitude")
        return [x, y] if abs(x) <= 180 and abs(y) <= 90 else bad("the place is no longitude and latitude")

    return read

"""Which types and attributes there are (ETSI GS CIM 009 §5.7.5 to §5.7.10), among the entities in sight."""

from dataclasses import dataclass
from typing import Any

from sanpo.broker.entities import Place
from sanpo.broker.errors import AttributeNotFound, TypeNotFound
from sanpo.broker.sight import check_reader
from sanpo.broker.store import SQL
from sanpo.ground.actors import Resident


@dataclass(frozen=True)
class TypeFound:
    """A type with the attributes that entities of it have."""

    iri: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AttributeFound:
    """An attribute: on entities of which types, as which kinds of attribute, and how often."""

    iri: str
    types: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Shape:
    """How an attribute of a type occurs: what NGSIv2 names a type after."""

    type: str
    attribute: str
    kind: str
    named: str | None
    written: str | None
    typed: str | None
    json: str | None


@dataclass(frozen=True)
class TypeInfo:
    iri: str
    count: int
    attributes: tuple[AttributeFound, ...]


def list_types(place: Place) -> list[TypeFound]:
    """All types, by IRI."""
    return [TypeFound(row.type) for row in _read(place, SQL.types)]


def list_types_with_attributes(place: Place) -> list[TypeFound]:
    found: dict[str, list[str]] = {row.type: [] for row in _read(place, SQL.types)}
    for row in _read(place, SQL.types_with_attributes):
        found.setdefault(row.type, []).append(row.attribute)
    return [TypeFound(iri, tuple(attributes)) for iri, attributes in found.items()]


def count_types(place: Place) -> dict[str, int]:
    """All types, with how many entities have each."""
    return {row.type: row.n for row in _read(place, SQL.types)}


def list_shapes(place: Place, iri: str | None = None) -> list[Shape]:
    """How the default instances of attributes occur, by type; of one type where it is named."""
    rows = _read(place, SQL.shapes, type=iri)
    return [Shape(row.type, row.attribute, row.kind, row.named, row.written, row.typed, row.json) for row in rows]


def get_type(place: Place, iri: str) -> TypeInfo:
    """One type with its attributes. Raises `TypeNotFound`."""
    count = _read(place, SQL.count_of_type, type=iri)[0].n
    if not count:
        raise TypeNotFound(type=iri)
    rows = _read(place, SQL.attributes_of_type, type=iri)
    return TypeInfo(iri, count, tuple(AttributeFound(row.attribute, (iri,), tuple(row.kinds), row.n) for row in rows))


def list_attributes(place: Place) -> list[AttributeFound]:
    """All attributes with the types that have them, by IRI."""
    types: dict[str, list[str]] = {}
    for row in _read(place, SQL.types_with_attributes):
        types.setdefault(row.attribute, []).append(row.type)
    return [AttributeFound(iri, tuple(types[iri])) for iri in sorted(types)]


def get_attribute(place: Place, iri: str) -> AttributeFound:
    """One attribute. Raises `AttributeNotFound`."""
    row = _read(place, SQL.attribute_details, attribute=iri)[0]
    if not row.n:
        raise AttributeNotFound(attribute=iri)
    return AttributeFound(iri, tuple(row.types), tuple(row.kinds), row.n)


def _read(place: Place, sql: str, **values: Any) -> list[Any]:
    """Under an agreement, too, only public entities are counted: a count is not what residents were asked for."""
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    if not isinstance(place.actor, Resident):
        public = sql.replace("/* entities */", "broker.public_entities")
        return place.city.db.read_all(public, tenant_no=tenant_no, **values)
    own = sql.replace("/* entities */", "broker.entities")
    with place.transaction() as tx:
        return tx.all(own, tenant_no=tenant_no, **values)

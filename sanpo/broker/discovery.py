"""Which types and attributes there are (ETSI GS CIM 009 §5.7.5 to §5.7.10), among the entities in sight."""

from collections import Counter
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True)
class Held:
    """A profile with how many entities in sight have it."""

    types: Sequence[str]
    kinds: Mapping[str, frozenset[str]]
    count: int


def list_types(place: Place) -> list[TypeFound]:
    """All types, by IRI."""
    return [TypeFound(iri) for iri in sorted({iri for each in _held(place) for iri in each.types})]


def list_types_with_attributes(place: Place) -> list[TypeFound]:
    found: dict[str, set[str]] = {}
    for each in _held(place):
        for iri in each.types:
            found.setdefault(iri, set()).update(each.kinds)
    return [TypeFound(iri, tuple(sorted(found[iri]))) for iri in sorted(found)]


def count_types(place: Place) -> dict[str, int]:
    """All types, with how many entities have each."""
    counts: Counter[str] = Counter()
    for each in _held(place, counted=True):
        counts.update(dict.fromkeys(each.types, each.count))
    return dict(sorted(counts.items()))


def list_shapes(place: Place, iri: str | None = None) -> list[Shape]:
    """How the default instances of attributes occur, by type; of one type where it is named."""
    rows = _read(place, SQL.shapes, type=iri)
    return [Shape(row.type, row.attribute, row.kind, row.named, row.written, row.typed, row.json) for row in rows]


def get_type(place: Place, iri: str) -> TypeInfo:
    """One type with its attributes. Raises `TypeNotFound`."""
    held = [each for each in _held(place, counted=True) if iri in each.types]
    if not held:
        raise TypeNotFound(type=iri)
    names = sorted({name for each in held for name in each.kinds})
    return TypeInfo(iri, sum(each.count for each in held), tuple(_attribute(name, held, (iri,)) for name in names))


def list_attributes(place: Place) -> list[AttributeFound]:
    """All attributes with the types that have them, by IRI."""
    types: dict[str, set[str]] = {}
    for each in _held(place):
        for iri in each.kinds:
            types.setdefault(iri, set()).update(each.types)
    return [AttributeFound(iri, tuple(sorted(types[iri]))) for iri in sorted(types)]


def get_attribute(place: Place, iri: str) -> AttributeFound:
    """One attribute. Raises `AttributeNotFound`."""
    held = [each for each in _held(place, counted=True) if iri in each.kinds]
    if not held:
        raise AttributeNotFound(attribute=iri)
    return _attribute(iri, held, tuple(sorted({name for each in held for name in each.types})))


def _attribute(iri: str, held: Sequence[Held], types: tuple[str, ...]) -> AttributeFound:
    there = [each for each in held if iri in each.kinds]
    kinds = frozenset[str]().union(*(each.kinds[iri] for each in there))
    return AttributeFound(iri, types, tuple(sorted(kinds)), sum(each.count for each in there))


def _held(place: Place, *, counted: bool = False) -> list[Held]:
    """The profiles of public entities, and of a resident's own.

    Under an agreement, too, only public entities are counted: a count is not what residents were asked for.
    """
    check_reader(place.actor)
    tenant_no = place.find_tenant_no()
    rows = place.city.db.read_all(SQL.public_profiles, tenant_no=tenant_no, counted=counted)
    if isinstance(place.actor, Resident):
        with place.transaction() as tx:
            rows += tx.all(SQL.own_profiles, tenant_no=tenant_no, subject_no=place.actor.subject_no)
    return [_held_of(row) for row in rows]


def _held_of(row: Any) -> Held:
    kinds: dict[str, frozenset[str]] = {}
    for each in row.attributes:
        iri, _, kind = each.rpartition(" ")
        kinds[iri] = kinds.get(iri, frozenset()) | {kind}
    return Held(row.types, kinds, row.n or 0)


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

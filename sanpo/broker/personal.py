"""Personal types of entities: which there are, whom an entity is about, and how others know it.

A service's manifest declares them beside its datasets; a type that is not declared is public:

    [[entities]]
    name = "energy.meter"            # as agreements name it, with `columns` for the attributes
    type = "https://example.org/Meter"
    subject = "https://example.org/dataSubject"
    columns = [{ name = "energy_wh", attribute = "https://example.org/energy", text = { ja = "…", en = "…" } }]
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sanpo.broker.errors import EntityIsInvalid
from sanpo.broker.model import objects_of
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.people import list_subjects

RESIDENT = "urn:sanpo:resident:"
SUBJECT = "urn:sanpo:subject:"
NUMBER = "urn:sanpo:subject_no:"
ENTITY = "urn:sanpo:entity:"
_SEALED = re.compile("[0-9a-f]{32}")
_OPERATOR = System("operator")


@dataclass(frozen=True)
class PersonalType:
    """A declared type: its name in agreements, and its attributes by IRI with their names there."""

    name: str
    iri: str
    subject: str
    columns: Mapping[str, str]


def personal_types(city: City) -> Mapping[str, PersonalType]:
    """The personal types of the installed services, by IRI."""
    known: dict[str, PersonalType] | None = city.__dict__.get("_personal_types")
    if known is None:
        found = [
            PersonalType(
                each["name"],
                each["type"],
                each["subject"],
                {column["attribute"]: column["name"] for column in each["columns"]},
            )
            for service in city.plugins.services
            for each in service.manifest.get("entities", [])
        ]
        known = city.__dict__["_personal_types"] = {each.iri: each for each in found}
    return known


def settle(city: City, doc: Any) -> list[int] | None:
    """The residents whom an entity is about, by number; None where it is public. Raises `EntityIsInvalid`.

    In `doc` they are named by their number from here on, which only the city knows.
    """
    types = personal_types(city)
    declared = [types[iri] for iri in doc["type"] if iri in types] if types else []
    if not declared:
        return None
    found: set[int] = set()
    for each in declared:
        instances = doc["attrs"].get(each.subject, [])
        numbers = [[_number_of(city, uri) for uri in objects_of(instance)] for instance in instances]
        if not any(numbers):
            raise EntityIsInvalid(where=each.subject, problem="must name the residents whom a personal entity is about")
        doc["attrs"][each.subject] = [
            {**instance, "object": [f"{NUMBER}{number}" for number in of]}
            for instance, of in zip(instances, numbers, strict=True)
        ]
        found.update(number for of in numbers for number in of)
    return sorted(found)


def number_in(uri: str) -> int | None:
    """The subject number in the name that an entity holds."""
    text = uri.removeprefix(NUMBER)
    return int(text) if text != uri and text.isascii() and text.isdigit() else None


def _number_of(city: City, uri: str) -> int:
    stored = number_in(uri)
    if stored is not None:
        return stored
    known: dict[str, int] = city.__dict__.setdefault("_subject_numbers", {})
    found = known.get(uri)
    if found is None:
        if not uri.startswith(RESIDENT):
            raise EntityIsInvalid(where=uri[:80], problem=f"is no {RESIDENT}…")
        try:
            [found] = list_subjects(city, _OPERATOR, named=[uri.removeprefix(RESIDENT)])
        except DomainError:
            raise EntityIsInvalid(where=uri[:80], problem="is no resident") from None
        if len(known) > 200_000:
            known.clear()
        known[uri] = found
    return found


def veiled_id(city: City, organisation_no: int, entity_no: int) -> str:
    """How one recipient knows one personal entity: no two can join theirs, and only the city can read it back."""
    sealed: bytes = _cipher(city, organisation_no).encryptor().update(entity_no.to_bytes(8) + bytes(8))
    return ENTITY + sealed.hex()


def is_veiled(entity_id: str) -> bool:
    """Whether it has the form of an id under which a recipient knows a personal entity."""
    text = entity_id.removeprefix(ENTITY)
    return text != entity_id and _SEALED.fullmatch(text) is not None


def unveiled(city: City, organisation_no: int, entity_id: str) -> int | None:
    """The number of the entity that this recipient knows by this id, if it is one of ours."""
    if not is_veiled(entity_id):
        return None
    opened = _cipher(city, organisation_no).decryptor().update(bytes.fromhex(entity_id.removeprefix(ENTITY)))
    return int.from_bytes(opened[:8]) if opened[8:] == bytes(8) and opened[0] < 128 else None


def _cipher(city: City, organisation_no: int) -> Any:
    """One block of AES-128: a pseudorandom permutation of numbers, under a key of each recipient's own."""
    known: dict[int, Any] = city.__dict__.setdefault("_entity_ciphers", {})
    found = known.get(organisation_no)
    if found is None:
        key = city.keys.secret(f"broker.entity/{organisation_no}")[:16]
        found = known[organisation_no] = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  # a single block
    return found

"""Ids and names of NGSIv2 as URIs of NGSI-LD, and back. Pure.

NGSIv2 knows short ids and names (`Room1`, `my-attr`), NGSI-LD demands URIs (ETSI GS CIM 009 §4.6). An id that is a URI, and a
name that NGSI-LD allows, stay what they are; any other stands behind `urn:sanpo:v2:`, percent-encoded. No type goes into the
URI, since an entity is asked for by its id alone.
"""

from functools import lru_cache
from urllib.parse import quote, unquote

from sanpo.broker.contexts.context import CORE
from sanpo.broker.errors import EntityIsInvalid
from sanpo.broker.model import VALUE_KEYS
from sanpo.broker.representation.checks import check_uri, is_name

V2 = "urn:sanpo:v2:"
_OF_NGSI_LD = frozenset(VALUE_KEYS.values()) | {
    "id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt", "observedAt", "unitCode", "datasetId",
    "instanceId", "objectType", "valueType", "lang", "entity", "entityList", "metadata",
}  # fmt: skip


class Names:
    """What readers of queries need of a context, for the names of NGSIv2."""

    @staticmethod
    def expand(term: str) -> str:
        return iri_of(term)

    @staticmethod
    def expand_type(term: str) -> str:
        return iri_of(term)


def uri_of(entity_id: str) -> str:
    """The URI under which an entity of this id is stored."""
    if entity_id.startswith(V2):
        return V2 + quote(entity_id, safe="")
    try:
        return check_uri(entity_id, "id")
    except EntityIsInvalid:
        return V2 + quote(entity_id, safe="")


def id_of(uri: str) -> str:
    """The id by which NGSIv2 knows the entity."""
    return unquote(uri[len(V2) :]) if uri.startswith(V2) else uri


@lru_cache(maxsize=8192)
def iri_of(name: str) -> str:
    """The IRI of an attribute's, type's or metadatum's name."""
    if "/" in name and is_name(name):  # no name of NGSIv2: the IRI of something that was made by NGSI-LD
        return name
    if is_name(name) and name not in _OF_NGSI_LD and not name.startswith(V2):
        iri = CORE.expand(name)
        if CORE.compact(iri) == name:
            return iri
    return V2 + quote(name, safe="")


@lru_cache(maxsize=8192)
def name_of(iri: str) -> str:
    """The name by which NGSIv2 knows it; `iri_of` gives the IRI back."""
    if iri.startswith(V2):
        return unquote(iri[len(V2) :])
    name = CORE.compact(iri)
    return name if iri_of(name) == iri else iri

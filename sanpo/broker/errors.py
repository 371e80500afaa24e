"""What can go wrong in the broker, as ETSI GS CIM 009 §6.3.2 names it: `ngsi_ld` is the last part of the error's URI.

Where a kind's own URI (`sanpo/ground/errors.py`) is right, nothing is named here.
"""

from dataclasses import replace
from typing import ClassVar

from sanpo.broker.model import NGSI_LD
from sanpo.ground.errors import DomainError, Kind, Surface


class BrokerError(DomainError):
    """An error that may name its own NGSI-LD type."""

    ngsi_ld: ClassVar[str | None] = None

    @property
    def surface(self) -> Surface:
        found = super().surface
        return replace(found, ngsi_ld=f"{NGSI_LD}errors/{self.ngsi_ld}") if self.ngsi_ld else found


class PayloadIsNotJson(BrokerError):
    """The body is no JSON document. Field: problem."""

    code = "broker.payload_is_not_json"
    kind = Kind.INVALID
    ngsi_ld = "InvalidRequest"


class ParameterIsUnknown(BrokerError):
    """The operation has no such parameter (§6.3.20). Fields: name, accepted."""

    code = "broker.parameter_is_unknown"
    kind = Kind.INVALID
    ngsi_ld = "InvalidRequest"


class FormatIsUnknown(BrokerError):
    """No such representation, or no such option (§6.3.7, §6.3.12, §6.3.20). Fields: name, given, accepted."""

    code = "broker.format_is_unknown"
    kind = Kind.INVALID
    ngsi_ld = "InvalidRequest"


class ParameterIsInvalid(BrokerError):
    """A parameter has a value that cannot be used. Fields: name, problem."""

    code = "broker.parameter_is_invalid"
    kind = Kind.INVALID


class HeaderIsInvalid(BrokerError):
    """A header contradicts the request (§6.3.5). Fields: name, problem."""

    code = "broker.header_is_invalid"
    kind = Kind.INVALID


class EntityIsInvalid(BrokerError):
    """The data is no NGSI-LD (§4.5, §5.5.4). Fields: where, problem."""

    code = "broker.entity_is_invalid"
    kind = Kind.INVALID


class EntityExists(BrokerError):
    """There is an entity of this id already (§5.6.1). Field: entity_id."""

    code = "broker.entity_exists"
    kind = Kind.CONFLICT


class EntityNotFound(BrokerError):
    """No entity of this id is there, or in sight. Field: entity_id."""

    code = "broker.entity_not_found"
    kind = Kind.NOT_FOUND


class AttributeNotFound(BrokerError):
    """The entity has no such attribute, or no such instance of it. Field: attribute."""

    code = "broker.attribute_not_found"
    kind = Kind.NOT_FOUND


class AttributesExist(BrokerError):
    """What an entity has already was not to be overwritten (§5.6.9). Field: attributes."""

    code = "broker.attributes_exist"
    kind = Kind.CONFLICT


class TypeNotFound(BrokerError):
    """No entity in sight is of this type. Field: type."""

    code = "broker.type_not_found"
    kind = Kind.NOT_FOUND


class EntityMapNotFound(BrokerError):
    """The caller has no such entity map, or its time is over (§5.5.14). Field: map_id."""

    code = "broker.entity_map_not_found"
    kind = Kind.NOT_FOUND


class QueryFindsTooMuch(BrokerError):
    """More entities fit than an entity map holds, or than can be put together out of their parts. Field: limit."""

    code = "broker.query_finds_too_much"
    kind = Kind.REFUSED
    ngsi_ld = "TooManyResults"


class TenantNotFound(BrokerError):
    """Nothing was ever created in this tenant (§5.5.10). Field: tenant."""

    code = "broker.tenant_not_found"
    kind = Kind.NOT_FOUND
    ngsi_ld = "NonexistentTenant"


class LimitIsTooHigh(BrokerError):
    """More results at once than one answer holds (§6.3.10). Field: limit."""

    code = "broker.limit_is_too_high"
    kind = Kind.REFUSED
    ngsi_ld = "TooManyResults"


class QueryIsTooWide(BrokerError):
    """A query names neither type, attribute, q nor place (§5.7.2.4)."""

    code = "broker.query_is_too_wide"
    kind = Kind.INVALID


class BatchIsTooLarge(BrokerError):
    """More entities in one call than the broker takes. Fields: count, limit."""

    code = "broker.batch_is_too_large"
    kind = Kind.INVALID


class NotAWriter(BrokerError):
    """The caller's organisation may not write entities. Field: organisation_id."""

    code = "broker.not_a_writer"
    kind = Kind.REFUSED


class SightIsContended(BrokerError):
    """Residents withdrew while the answer was made, again and again; nothing was given out."""

    code = "broker.sight_is_contended"
    kind = Kind.UNAVAILABLE

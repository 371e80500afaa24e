"""What can go wrong with an @context (ETSI GS CIM 009 §5.5.6, §5.5.7, §5.13)."""

from dataclasses import replace

from sanpo.broker.errors import BrokerError
from sanpo.ground.errors import Kind, Surface


class ContextIsNotAvailable(BrokerError):
    """A remote @context cannot be read now (§5.5.6). Fields: url, problem."""

    code = "broker.context_is_not_available"
    kind = Kind.UNAVAILABLE
    ngsi_ld = "LdContextNotAvailable"

    @property
    def surface(self) -> Surface:
        """504 since version 1.9.1 of the specification (table 6.3.2-1); before it was 503."""
        return replace(super().surface, status=504)


class ContextIsInvalid(BrokerError):
    """What stands under @context is no JSON-LD context that NGSI-LD allows (§5.5.4, §5.5.7). Fields: where, problem."""

    code = "broker.context_is_invalid"
    kind = Kind.INVALID


class ContextIsMissing(BrokerError):
    """The body to be stored is no JSON object with a top-level `@context` (§5.13.2.3)."""

    code = "broker.context_is_missing"
    kind = Kind.INVALID
    ngsi_ld = "InvalidRequest"


class ContextNotFound(BrokerError):
    """No stored @context has this identifier, or it is another tenant's (§5.13.4.4). Field: context_id."""

    code = "broker.context_not_found"
    kind = Kind.NOT_FOUND


class ContextIsNotServed(BrokerError):
    """A cached @context is for the broker's own use; it is read at its own URL (§5.13.1). Field: url."""

    code = "broker.context_is_not_served"
    kind = Kind.UNSUPPORTED


class ContextCannotBeReloaded(BrokerError):
    """Only what was cached has an origin to be read from again (§5.13.5.4). Field: context_id."""

    code = "broker.context_cannot_be_reloaded"
    kind = Kind.INVALID


class CoreContextCannotBeDeleted(BrokerError):
    """The Core @context is built in (§4.4). Field: url."""

    code = "broker.core_context_cannot_be_deleted"
    kind = Kind.INVALID

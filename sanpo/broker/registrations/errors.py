"""What can go wrong with registrations."""

from typing import NoReturn

from sanpo.broker.errors import BrokerError
from sanpo.ground.errors import Kind


class RegistrationIsInvalid(BrokerError):
    """The data is no CSourceRegistration (§5.2.9). Fields: where, problem."""

    code = "broker.registration_is_invalid"
    kind = Kind.INVALID


def fail(where: str, problem: str) -> NoReturn:
    raise RegistrationIsInvalid(where=where, problem=problem)


class RegistrationExists(BrokerError):
    """There is a registration of this id already (§5.9.2.4). Field: registration_id."""

    code = "broker.registration_exists"
    kind = Kind.CONFLICT


class RegistrationConflicts(BrokerError):
    """Another source holds the same attributes of the same entity for itself alone (§4.3.6.3). Field: registration_id."""

    code = "broker.registration_conflicts"
    kind = Kind.CONFLICT


class EntityIsHeldHere(BrokerError):
    """A proxy cannot take what is held here already (§5.9.2.4). Field: entity_id."""

    code = "broker.entity_is_held_here"
    kind = Kind.CONFLICT


class RegistrationNotFound(BrokerError):
    """No registration of this id is there. Field: registration_id."""

    code = "broker.registration_not_found"
    kind = Kind.NOT_FOUND

"""What can go wrong with histories beside what can go wrong with entities."""

from sanpo.broker.errors import BrokerError
from sanpo.ground.errors import Kind


class InstanceNotFound(BrokerError):
    """The history has no such instance of the attribute (§5.6.14, §5.6.15). Field: instance_id."""

    code = "broker.instance_not_found"
    kind = Kind.NOT_FOUND

"""What can go wrong with a request of NGSIv2 beside what can with one of NGSI-LD."""

from sanpo.broker.errors import BrokerError
from sanpo.ground.errors import Kind


class RequestIsNoNgsiV2(BrokerError):
    """The request breaks a rule of NGSIv2. Fields: where, problem."""

    code = "broker.request_is_no_ngsi_v2"
    kind = Kind.INVALID


class AttributesExist(BrokerError):
    """Attributes that were to be added are there already; all others were added. Field: names."""

    code = "broker.attributes_exist"
    kind = Kind.CONFLICT


class AttributesAreMissing(BrokerError):
    """Attributes that were to be updated are not there; all others were updated. Field: names."""

    code = "broker.attributes_are_missing"
    kind = Kind.CONFLICT


class NotBuilt(BrokerError):
    """An operation or a feature of NGSIv2 that this broker does not have. Field: what."""

    code = "broker.not_built"
    kind = Kind.UNSUPPORTED


class RegistrationNotFound(BrokerError):
    """No registration of this id is there. Field: registration_id."""

    code = "broker.v2_registration_not_found"
    kind = Kind.NOT_FOUND

"""What can go wrong with requests, but for outcomes."""

from sanpo.ground.errors import DomainError, Kind


class RequestIsInvalid(DomainError):
    """What was given of a request cannot be. Fields: field, problem."""

    code = "cash.request_is_invalid"
    kind = Kind.INVALID

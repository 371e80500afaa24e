"""What can go wrong with slips, but for outcomes."""

from sanpo.ground.errors import DomainError, Kind


class SlipIsMalformed(DomainError):
    """The text is no slip. Field: problem."""

    code = "cash.slip_is_malformed"
    kind = Kind.INVALID


class SlipKeyIsInvalid(DomainError):
    """What was given of a key cannot be. Fields: field, problem."""

    code = "cash.slip_key_is_invalid"
    kind = Kind.INVALID

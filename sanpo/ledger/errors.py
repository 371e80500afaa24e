"""What can go wrong with the ledger itself. What becomes of a request is an outcome, not an error."""

from sanpo.ground.errors import DomainError, Kind


class BatchIsTooLong(DomainError):
    """More requests than one batch may hold. Fields: given, limit."""

    code = "ledger.batch_is_too_long"
    kind = Kind.INVALID


class LedgerIsBusy(DomainError):
    """Another transaction was in the way; nothing was booked, and the same can be sent again. Field: problem."""

    code = "ledger.ledger_is_busy"
    kind = Kind.UNAVAILABLE


class LedgerExists(DomainError):
    """A ledger of this number is there, with another currency, exponent or name. Field: ledger."""

    code = "ledger.ledger_exists"
    kind = Kind.CONFLICT


class LedgerIsInvalid(DomainError):
    """A ledger's number, currency (three capitals, ISO 4217) or exponent (0 to 8) cannot stand. Field: ledger."""

    code = "ledger.ledger_is_invalid"
    kind = Kind.INVALID

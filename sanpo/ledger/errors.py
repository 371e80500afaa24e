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
    """A ledger's number, currency (three capitals, ISO 4217) or exponent (0 to 5) cannot stand. Field: ledger."""

    code = "ledger.ledger_is_invalid"
    kind = Kind.INVALID


class AccountNotFound(DomainError):
    """There is no such account, or it is not the actor's to see: both look the same. Field: account_id."""

    code = "ledger.account_not_found"
    kind = Kind.NOT_FOUND


class TransferNotFound(DomainError):
    """There is no such transfer, or none of its accounts is the actor's to see. Field: transfer_id."""

    code = "ledger.transfer_not_found"
    kind = Kind.NOT_FOUND


class DayIsNotOver(DomainError):
    """A day can be closed when it has ended on the city's clock. Field: day."""

    code = "ledger.day_is_not_over"
    kind = Kind.CONFLICT


class DayIsBeforeTheLastClose(DomainError):
    """A later day is closed already, and this one with it. Fields: day, last."""

    code = "ledger.day_is_before_the_last_close"
    kind = Kind.CONFLICT


class DayIsNotClosed(DomainError):
    """Nothing is recorded for this day. Field: day."""

    code = "ledger.day_is_not_closed"
    kind = Kind.NOT_FOUND


class StatementIsTooLong(DomainError):
    """The period has more transfers than one file may hold. Field: limit."""

    code = "ledger.statement_is_too_long"
    kind = Kind.TOO_MANY


class PeriodIsInvalid(DomainError):
    """The period ends before it begins. Fields: since, until."""

    code = "ledger.period_is_invalid"
    kind = Kind.INVALID


class KeyIsMalformed(DomainError):
    """A page's key is not one that a page gave. Field: given."""

    code = "ledger.key_is_malformed"
    kind = Kind.INVALID


class BooksDiffer(DomainError):
    """A closed day's figures are not those that its transfers add up to: the books were changed. Fields: day, ledgers."""

    code = "ledger.books_differ"
    kind = Kind.CONFLICT

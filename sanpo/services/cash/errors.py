"""What can go wrong in the cash service, but for outcomes of payments (outcomes.py)."""

from sanpo.ground.errors import DomainError, Kind


class ShopIsInvalid(DomainError):
    """What was given of a shop cannot be. Fields: field, problem."""

    code = "cash.shop_is_invalid"
    kind = Kind.INVALID


class AmountIsInvalid(DomainError):
    """An amount must be whole yen, at least 1. Fields: given, limit."""

    code = "cash.amount_is_invalid"
    kind = Kind.INVALID


class LinesDoNotAddUp(DomainError):
    """The lines of a sale are not what is to be paid. Fields: amount_yen, lines_yen."""

    code = "cash.lines_do_not_add_up"
    kind = Kind.INVALID


class TopUpIsUnavailable(DomainError):
    """There is no way to charge a wallet: no bank is connected to this city."""

    code = "cash.top_up_is_unavailable"
    kind = Kind.UNAVAILABLE


class ShopDidNotAnswer(DomainError):
    """The shop's organisation could not be told; the job is tried again. Field: problem."""

    code = "cash.shop_did_not_answer"
    kind = Kind.UNAVAILABLE


class PeriodIsInvalid(DomainError):
    """A period ends before it begins. Fields: since, until."""

    code = "cash.period_is_invalid"
    kind = Kind.INVALID


class StatementIsTooLong(DomainError):
    """The period has more lines than one statement may hold. Field: limit."""

    code = "cash.statement_is_too_long"
    kind = Kind.TOO_MANY


class MonthIsNotSettled(DomainError):
    """Invoices of a month are made when its last day is settled. Field: month."""

    code = "cash.month_is_not_settled"
    kind = Kind.CONFLICT


class PayeeIsInvalid(DomainError):
    """An account is four digits for the bank, three for the branch, seven for itself, and a holder. Field: field."""

    code = "cash.payee_is_invalid"
    kind = Kind.INVALID


class PayerIsMissing(DomainError):
    """The city's own account stands nowhere, so that no bank can be told to pay from it."""

    code = "cash.payer_is_missing"
    kind = Kind.UNAVAILABLE


class ReasonIsMissing(DomainError):
    """A wallet is stopped or opened with a reason only: its resident reads it."""

    code = "cash.reason_is_missing"
    kind = Kind.INVALID


class WalletIsNotSuspended(DomainError):
    """Only a wallet that is stopped can be opened again."""

    code = "cash.wallet_is_not_suspended"
    kind = Kind.CONFLICT


class DayIsNoBaseDay(DomainError):
    """Unused balances are those of 31 March and 30 September. Field: day."""

    code = "cash.day_is_no_base_day"
    kind = Kind.INVALID


class ReplayIsNotForProduction(DomainError):
    """A replay makes residents and money that are none: for a demonstration or a test only."""

    code = "cash.replay_is_not_for_production"
    kind = Kind.REFUSED


class ReplayIsRunning(DomainError):
    """The same file is being played by another process."""

    code = "cash.replay_is_running"
    kind = Kind.CONFLICT


class FileHasNoInvoices(DomainError):
    """The file cannot be read as lines of invoices. Fields: file, problem."""

    code = "cash.file_has_no_invoices"
    kind = Kind.INVALID

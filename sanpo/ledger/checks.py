"""Whether a request is well formed, and whether it agrees with the transfer that has its id or that it resolves. Pure."""

from sanpo.ledger.books import ALLOWED, BALANCING, CLOSING, PENDING, POST, RESOLVING, VOID, Books
from sanpo.ledger.model import MAX_AMOUNT, MAX_CODE, MAX_ID, MAX_LEDGER, MAX_TIMEOUT_S, Transfer
from sanpo.ledger.outcomes import Outcome


def unreadable(request: Transfer) -> Outcome | None:
    """What cannot be any transfer at all."""
    if request.flags & ~ALLOWED:
        return Outcome.RESERVED_FLAG
    if not 0 < request.transfer_id <= MAX_ID:
        return Outcome.ID_OUT_OF_RANGE
    if not 0 <= request.amount <= MAX_AMOUNT:
        return Outcome.AMOUNT_OUT_OF_RANGE
    if not 0 <= request.timeout_s <= MAX_TIMEOUT_S:
        return Outcome.TIMEOUT_OUT_OF_RANGE
    if not 0 <= request.user_data <= MAX_ID:
        return Outcome.USER_DATA_OUT_OF_RANGE
    return None


def compare(books: Books, request: Transfer, existing: Transfer) -> Outcome:
    """Whether the request is for the transfer that has its id. Who posts or voids may leave out what the pending one says."""
    pending = books.transfers.get(existing.pending_id) if existing.flags & RESOLVING else None
    if request.flags != existing.flags:
        return Outcome.EXISTS_WITH_DIFFERENT_FLAGS
    if request.pending_id != existing.pending_id:
        return Outcome.EXISTS_WITH_DIFFERENT_PENDING_ID
    if request.timeout_s != existing.timeout_s:
        return Outcome.EXISTS_WITH_DIFFERENT_TIMEOUT
    if _differs(request.debit_account_id, existing.debit_account_id, pending):
        return Outcome.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID
    if _differs(request.credit_account_id, existing.credit_account_id, pending):
        return Outcome.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID
    if not _same_amount(request, existing, pending):
        return Outcome.EXISTS_WITH_DIFFERENT_AMOUNT
    if _differs(request.user_data, existing.user_data, pending):
        return Outcome.EXISTS_WITH_DIFFERENT_USER_DATA
    if _differs(request.ledger, existing.ledger, pending):
        return Outcome.EXISTS_WITH_DIFFERENT_LEDGER
    if _differs(request.code, existing.code, pending):
        return Outcome.EXISTS_WITH_DIFFERENT_CODE
    return Outcome.EXISTS


def _differs(asked: int, kept: int, pending: Transfer | None) -> bool:
    return asked != kept and not (pending is not None and asked == 0)


def _same_amount(request: Transfer, existing: Transfer, pending: Transfer | None) -> bool:
    asked, moved = request.amount, existing.amount
    if existing.flags & BALANCING:
        return asked >= moved
    if pending is not None and existing.flags & VOID:
        return asked in (0, moved)
    if pending is not None and moved == pending.amount:
        return asked in (moved, MAX_AMOUNT)
    return asked == moved


def misshapen_move(request: Transfer) -> Outcome | None:
    flags = request.flags
    if not 0 < request.debit_account_id <= MAX_ID:
        return Outcome.DEBIT_ACCOUNT_ID_OUT_OF_RANGE
    if not 0 < request.credit_account_id <= MAX_ID:
        return Outcome.CREDIT_ACCOUNT_ID_OUT_OF_RANGE
    if request.debit_account_id == request.credit_account_id:
        return Outcome.ACCOUNTS_MUST_BE_DIFFERENT
    if request.pending_id:
        return Outcome.PENDING_ID_MUST_BE_ZERO
    if not flags & PENDING:
        if request.timeout_s:
            return Outcome.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
        if flags & CLOSING:
            return Outcome.CLOSING_TRANSFER_MUST_BE_PENDING
    if not 0 < request.ledger <= MAX_LEDGER:
        return Outcome.LEDGER_OUT_OF_RANGE
    if not 0 < request.code <= MAX_CODE:
        return Outcome.CODE_OUT_OF_RANGE
    return None


def misshapen_resolution(request: Transfer) -> Outcome | None:
    flags = request.flags
    if flags & RESOLVING == RESOLVING or flags & (PENDING | BALANCING | CLOSING):
        return Outcome.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if not 0 < request.pending_id <= MAX_ID:
        return Outcome.PENDING_ID_OUT_OF_RANGE
    if request.pending_id == request.transfer_id:
        return Outcome.PENDING_ID_MUST_BE_DIFFERENT
    if request.timeout_s:
        return Outcome.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
    return None


def disagreement(request: Transfer, pending: Transfer) -> Outcome | None:
    if not pending.flags & PENDING:
        return Outcome.PENDING_TRANSFER_NOT_PENDING
    if request.debit_account_id not in (0, pending.debit_account_id):
        return Outcome.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID
    if request.credit_account_id not in (0, pending.credit_account_id):
        return Outcome.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID
    if request.ledger not in (0, pending.ledger):
        return Outcome.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER
    if request.code not in (0, pending.code):
        return Outcome.PENDING_TRANSFER_HAS_DIFFERENT_CODE
    amount = resolved_amount(request, pending)
    if amount > pending.amount:
        return Outcome.EXCEEDS_PENDING_TRANSFER_AMOUNT
    if request.flags & VOID and amount < pending.amount:
        return Outcome.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
    return None


def resolved_amount(request: Transfer, pending: Transfer) -> int:
    whole = request.amount == (MAX_AMOUNT if request.flags & POST else 0)
    return pending.amount if whole else request.amount

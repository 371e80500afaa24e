"""What a batch of transfers does to the books: pure, in memory, one request after another.

`Books` holds what the batch can touch; the vault reads it under locks and writes what has changed. The checks stand in the
order of `Outcome`; the tests hold them against a second model that was written apart.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from sanpo.ledger.books import (
    BALANCING,
    BALANCING_CREDIT,
    BALANCING_DEBIT,
    CLOSED,
    CREATED,
    CREDITS_LIMITED,
    DEBITS_LIMITED,
    EXPIRED,
    LINKED,
    PENDING,
    POST,
    RESOLVING,
    VOID,
    Books,
    Standing,
)
from sanpo.ledger.checks import compare, disagreement, misshapen_move, misshapen_resolution, resolved_amount, unreadable
from sanpo.ledger.model import MAX_AMOUNT, Transfer
from sanpo.ledger.outcomes import Outcome


def evaluate(books: Books, batch: Sequence[Transfer]) -> list[Outcome]:
    """One outcome for each request, in order. Linked requests succeed or fail together."""
    outcomes: list[Outcome] = []
    place, end = 0, len(batch)
    while place < end:
        if not batch[place].flags & LINKED:
            outcomes.append(_create(books, batch[place]))
            place += 1
            continue
        start = place
        while place < end and batch[place].flags & LINKED:
            place += 1
        place += 1
        outcomes += _create_chain(books, batch[start:place], is_open=place > end)
    return outcomes


def _create_chain(books: Books, chain: Sequence[Transfer], *, is_open: bool) -> list[Outcome]:
    """All of the chain, or what failed first. One that was made before exists as a whole, as a single transfer would."""
    if not is_open and all(_was_made(books, request) for request in chain):
        return [Outcome.EXISTS] * len(chain)
    mark, failed = len(books.made), [Outcome.LINKED_EVENT_FAILED] * len(chain)
    if is_open:
        failed[-1] = Outcome.LINKED_EVENT_CHAIN_OPEN
    for place, request in enumerate(chain[:-1] if is_open else chain):
        outcome = _create(books, request)
        if outcome is not CREATED:
            failed[place] = outcome
            break
    else:
        if not is_open:
            return [CREATED] * len(chain)
    books.take_back(mark)
    return failed


def _was_made(books: Books, request: Transfer) -> bool:
    existing = books.transfers.get(request.transfer_id)
    if existing is None or unreadable(request) is not None:
        return False
    return compare(books, request, existing) is Outcome.EXISTS


def _create(books: Books, request: Transfer) -> Outcome:
    wrong = unreadable(request)
    if wrong is not None:
        return wrong
    existing = books.transfers.get(request.transfer_id)
    if existing is not None:
        return compare(books, request, existing)
    if request.transfer_id in books.failed:
        return Outcome.ID_ALREADY_FAILED
    outcome = _resolve(books, request) if request.flags & RESOLVING else _move(books, request)
    if outcome is not CREATED and outcome.is_transient:
        books.failed.add(request.transfer_id)
        books.newly_failed.append(request.transfer_id)
    return outcome


def _move(books: Books, request: Transfer) -> Outcome:
    """A transfer that moves its amount at once, or reserves it."""
    flags = request.flags
    wrong = misshapen_move(request)
    if wrong is not None:
        return wrong
    debit = books.accounts.get(request.debit_account_id)
    if debit is None:
        return Outcome.DEBIT_ACCOUNT_NOT_FOUND
    credit = books.accounts.get(request.credit_account_id)
    if credit is None:
        return Outcome.CREDIT_ACCOUNT_NOT_FOUND
    if debit.ledger != credit.ledger:
        return Outcome.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER
    if request.ledger != debit.ledger:
        return Outcome.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS
    if debit.flags & CLOSED:
        return Outcome.DEBIT_ACCOUNT_ALREADY_CLOSED
    if credit.flags & CLOSED:
        return Outcome.CREDIT_ACCOUNT_ALREADY_CLOSED
    if flags & BALANCING:
        request = _balanced(request, debit, credit)
    amount = request.amount
    debits, credits = debit.debits_pending + debit.debits_posted, credit.credits_pending + credit.credits_posted
    if debits + amount > MAX_AMOUNT or credits + amount > MAX_AMOUNT:
        return _overflow(request, debit, credit)
    if debit.flags & DEBITS_LIMITED and debits + amount > debit.credits_posted:
        return Outcome.EXCEEDS_CREDITS
    if credit.flags & CREDITS_LIMITED and credits + amount > credit.debits_posted:
        return Outcome.EXCEEDS_DEBITS
    return books.make(request, debit, credit)


def _balanced(request: Transfer, debit: Standing, credit: Standing) -> Transfer:
    """The request with as much as the accounts allow: what the debit account has, what the credit account is owed."""
    amount = request.amount
    if request.flags & BALANCING_DEBIT:
        amount = min(amount, max(0, debit.credits_posted - debit.debits_posted - debit.debits_pending))
    if request.flags & BALANCING_CREDIT:
        amount = min(amount, max(0, credit.debits_posted - credit.credits_posted - credit.credits_pending))
    return msgspec.structs.replace(request, amount=amount)


def _overflow(request: Transfer, debit: Standing, credit: Standing) -> Outcome:
    """Which sum would pass the largest amount; the caller knows that one does."""
    amount = request.amount
    sums = [
        (debit.debits_posted, Outcome.OVERFLOWS_DEBITS_POSTED),
        (credit.credits_posted, Outcome.OVERFLOWS_CREDITS_POSTED),
        (debit.debits_pending + debit.debits_posted, Outcome.OVERFLOWS_DEBITS),
        (credit.credits_pending + credit.credits_posted, Outcome.OVERFLOWS_CREDITS),
    ]
    if request.flags & PENDING:
        sums = [
            (debit.debits_pending, Outcome.OVERFLOWS_DEBITS_PENDING),
            (credit.credits_pending, Outcome.OVERFLOWS_CREDITS_PENDING),
            *sums,
        ]
    return next(outcome for sum_, outcome in sums if sum_ + amount > MAX_AMOUNT)


def _resolve(books: Books, request: Transfer) -> Outcome:
    """Posts or voids a pending transfer."""
    wrong = misshapen_resolution(request)
    if wrong is not None:
        return wrong
    pending = books.transfers.get(request.pending_id)
    if pending is None:
        return Outcome.PENDING_TRANSFER_NOT_FOUND
    wrong = disagreement(request, pending)
    if wrong is not None:
        return wrong
    resolver = books.resolved.get(request.pending_id)
    if resolver is not None:
        return _already(resolver)
    made_at = books.made_at.get(request.pending_id, books.at)
    if pending.timeout_s and books.at - made_at >= timedelta(seconds=pending.timeout_s):
        return Outcome.PENDING_TRANSFER_EXPIRED
    debit, credit = books.accounts[pending.debit_account_id], books.accounts[pending.credit_account_id]
    if request.flags & POST:
        if debit.flags & CLOSED:
            return Outcome.DEBIT_ACCOUNT_ALREADY_CLOSED
        if credit.flags & CLOSED:
            return Outcome.CREDIT_ACCOUNT_ALREADY_CLOSED
    amount = resolved_amount(request, pending)
    return books.make(_filled(request, pending, amount), debit, credit, pending.amount)


def _already(resolver: int) -> Outcome:
    if resolver & POST:
        return Outcome.PENDING_TRANSFER_ALREADY_POSTED
    return Outcome.PENDING_TRANSFER_ALREADY_VOIDED if resolver & VOID else Outcome.PENDING_TRANSFER_EXPIRED


def _filled(request: Transfer, pending: Transfer, amount: int) -> Transfer:
    """The request with what it leaves to the pending transfer."""
    return Transfer(
        request.transfer_id,
        pending.debit_account_id,
        pending.credit_account_id,
        amount,
        pending.ledger,
        pending.code,
        request.flags,
        request.pending_id,
        0,
        request.user_data or pending.user_data,
    )


def expire(books: Books, pending: Transfer, transfer_id: int) -> None:
    """Releases what a pending transfer had reserved, by a transfer of the ledger's own."""
    request = Transfer(transfer_id, flags=EXPIRED, pending_id=pending.transfer_id)
    debit, credit = books.accounts[pending.debit_account_id], books.accounts[pending.credit_account_id]
    books.make(_filled(request, pending, pending.amount), debit, credit, pending.amount)

"""How transfers get into the books: locks, evaluation in memory, one write; small batches of many threads go together."""

from collections.abc import Sequence

import psycopg

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_number
from sanpo.ground.rounds import Rounds
from sanpo.ledger import store
from sanpo.ledger.books import Books
from sanpo.ledger.errors import BatchIsTooLong, LedgerIsBusy
from sanpo.ledger.evaluation import evaluate, expire
from sanpo.ledger.model import MAX_BATCH, Transfer
from sanpo.ledger.outcomes import Outcome

_ATTEMPTS = 10
_TOGETHER = 256
"""Batches up to this length wait for each other; a longer one is worth a transaction of its own."""
_AT_ONCE = 1000
_CONFLICTS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation)


def post_in(tx: Transaction, batch: Sequence[Transfer]) -> list[Outcome]:
    """Posts in the caller's own transaction: the transfers are made when that commits, or not at all.

    One outcome for each request, in order. Raises `BatchIsTooLong`, and `LedgerIsBusy` where another transaction was in the
    way: then the caller's is lost and may be done again. The accounts stay locked until the end, so post last.
    """
    _check_length(batch)
    return _post_all(tx, [batch])[0]


def post(city: City, batch: Sequence[Transfer]) -> list[Outcome]:
    """Posts in a transaction of its own; returns when it is durable. Who may do so is for the caller to decide.

    A request that was sent before gives `exists` and moves nothing, so that after any error the same batch can be sent
    again. Raises `BatchIsTooLong`, `LedgerIsBusy` after ten attempts, or ground's `DatabaseIsUnavailable`.
    """
    _check_length(batch)
    if len(batch) > _TOGETHER:
        return _commit(city, [batch])[0]
    rounds: Rounds[Sequence[Transfer], list[Outcome]]
    # An account that all want at once is then locked, changed and committed once for all of them.
    rounds = city.db.__dict__.setdefault("_posting", Rounds(MAX_BATCH, size=len))
    return rounds.ask(None, batch, lambda batches: _commit(city, batches))


def expire_pending(city: City) -> int:
    """Releases what is pending and whose time is over, the earliest first; returns how many. Safe to run twice at once."""
    expired = 0
    while True:
        with city.transaction(System(store.DUTY)) as tx:
            due = store.list_due(tx, now=city.now(), limit=_AT_ONCE)
            expired += _expire(tx, due)
        if len(due) < _AT_ONCE:
            return expired


def _expire(tx: Transaction, due: Sequence[int]) -> int:
    try:
        books = open_books(tx, [Transfer(new_number(), pending_id=number) for number in due])
        for number in due:
            if number not in books.resolved:
                expire(books, books.transfers[number], new_number())
        store.write(tx, books)
    except _CONFLICTS as error:
        raise LedgerIsBusy(problem=type(error).__name__) from error
    return len(books.made)


def _check_length(batch: Sequence[Transfer]) -> None:
    if len(batch) > MAX_BATCH:
        raise BatchIsTooLong(given=len(batch), limit=MAX_BATCH)


def _commit(city: City, batches: Sequence[Sequence[Transfer]]) -> list[list[Outcome]]:
    for attempt in range(_ATTEMPTS):
        try:
            with city.transaction(System(store.DUTY)) as tx:
                return _post_all(tx, batches)
        except LedgerIsBusy:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _post_all(tx: Transaction, batches: Sequence[Sequence[Transfer]]) -> list[list[Outcome]]:
    """Each batch after the other, on the same books."""
    try:
        books = open_books(tx, [request for batch in batches for request in batch])
        outcomes = [evaluate(books, batch) for batch in batches]
        store.write(tx, books)
    except _CONFLICTS as error:
        raise LedgerIsBusy(problem=type(error).__name__) from error
    return outcomes


def open_books(tx: Transaction, requests: Sequence[Transfer]) -> Books:
    """What the requests can touch, locked. Their moment is now, and never before the accounts' last or a closed day."""
    accounts = {r.debit_account_id for r in requests} | {r.credit_account_id for r in requests}
    pending = {r.pending_id for r in requests if r.pending_id}
    ids = {r.transfer_id for r in requests} | pending
    if pending:
        accounts |= store.accounts_of_pending(tx, pending)
    while True:
        standing, changed_at = store.lock_accounts(tx, accounts)
        found = store.look_up(tx, ids)
        books = Books(max(each for each in (tx.city.now(), changed_at, found[0].closed_until) if each is not None))
        books.accounts = standing
        store.fill(books, found)
        unlocked = {
            account
            for number in pending & books.transfers.keys()
            for account in (books.transfers[number].debit_account_id, books.transfers[number].credit_account_id)
        } - standing.keys()
        if not unlocked:
            return books
        accounts |= unlocked  # a pending transfer that was made while the locks were waited for

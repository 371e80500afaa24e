"""How transfers get into the books: locks, evaluation in memory, one write; small batches of many threads go together."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import psycopg

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.db import Database, Transaction
from sanpo.ground.ids import new_number
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
_CONFLICTS = (psycopg.errors.TransactionRollback, psycopg.errors.UniqueViolation)


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
    return _combiner_of(city).post(city, batch)


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


@dataclass(eq=False)
class _Entry:
    """A batch that waits for its outcomes."""

    batch: Sequence[Transfer]
    woken: threading.Event = field(default_factory=threading.Event)
    outcomes: list[Outcome] = field(default_factory=list)
    done: bool = False
    error: BaseException | None = None


class Combiner:
    """Joins the small batches of concurrent threads: while one transaction commits, the next gathers.

    An account that all want at once is then locked, changed and committed once for all of them. Who finds nobody leading
    leads: it posts what has gathered, and passes the lead on to the first who came meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Entry] = []
        self._leads = False

    def post(self, city: City, batch: Sequence[Transfer]) -> list[Outcome]:
        entry = _Entry(batch)
        with self._lock:
            self._waiting.append(entry)
            leads, self._leads = not self._leads, True
        if not leads:
            self._wait(entry)
        if not entry.done:
            self._lead(city)
        if entry.error is not None:
            raise entry.error
        return entry.outcomes

    def _wait(self, entry: _Entry) -> None:
        """Until it is done, or its turn to lead. Who is interrupted leaves no place behind that nobody fills."""
        try:
            entry.woken.wait()
        except BaseException:
            with self._lock:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                if entry.woken.is_set() and not entry.done:
                    self._pass_on()
            raise

    def _lead(self, city: City) -> None:
        taken = self._take()
        try:
            self._post(city, taken)
        finally:
            with self._lock:
                self._pass_on()
            for entry in taken:
                entry.woken.set()

    def _pass_on(self) -> None:
        self._leads = bool(self._waiting)
        if self._waiting:
            self._waiting[0].woken.set()

    def _take(self) -> list[_Entry]:
        with self._lock:
            length, count = 0, 0
            for entry in self._waiting:
                length += len(entry.batch)
                if length > MAX_BATCH:
                    break
                count += 1
            taken, self._waiting = self._waiting[:count], self._waiting[count:]
            return taken

    def _post(self, city: City, taken: list[_Entry]) -> None:
        try:
            for entry, outcomes in zip(taken, _commit(city, [each.batch for each in taken]), strict=True):
                entry.outcomes, entry.done = outcomes, True
        except BaseException as error:
            if len(taken) == 1 or not isinstance(error, (TypeError, AttributeError)):
                for entry in taken:
                    entry.error, entry.done = error, True
                return
            for entry in taken:  # one of them is no batch at all: it must not fail the others
                self._post(city, [entry])


_combiners: WeakKeyDictionary[Database, Combiner] = WeakKeyDictionary()
_combiners_lock = threading.Lock()


def _combiner_of(city: City) -> Combiner:
    """The one combiner of the city's database in this process."""
    with _combiners_lock:
        return _combiners.setdefault(city.db, Combiner())

"""Open ledgers and accounts. Transfers are in posting.py, what can be read in statements.py."""

import re
from collections.abc import Sequence

import psycopg

from sanpo.ground.actors import Actor, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ledger import store
from sanpo.ledger.errors import BatchIsTooLong, LedgerExists, LedgerIsBusy, LedgerIsInvalid
from sanpo.ledger.model import MAX_BATCH, MAX_CODE, MAX_EXPONENT, MAX_ID, MAX_LEDGER, Account, AccountFlag, Ledger
from sanpo.ledger.outcomes import AccountOutcome

_LINKED = int(AccountFlag.LINKED)
_LIMITED = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
_ALLOWED = int(AccountFlag.CLOSED) - 1
_GOOD = (AccountOutcome.CREATED,)


def open_ledger(city: City, actor: Actor, ledger: Ledger) -> None:
    """Makes a unit to keep accounts in; again it changes nothing. Raises `LedgerIsInvalid` or `LedgerExists`."""
    require_officer(actor)
    number, exponent = ledger.ledger, ledger.exponent
    if (
        not 0 < number <= MAX_LEDGER
        or not 0 <= exponent <= MAX_EXPONENT
        or not re.fullmatch("[A-Z]{3}", ledger.currency)
    ):
        raise LedgerIsInvalid(ledger=number)
    with city.transaction(actor) as tx:
        store.insert_ledger(tx, ledger=number, currency=ledger.currency, exponent=exponent, name=ledger.name)
        if ledger not in _ledgers(tx):
            raise LedgerExists(ledger=number)


def list_ledgers(city: City) -> list[Ledger]:
    with city.transaction(System(store.DUTY)) as tx:
        return _ledgers(tx)


def create_accounts(city: City, accounts: Sequence[Account]) -> list[AccountOutcome]:
    """Opens accounts in a transaction of its own; one outcome for each, in order. Raises `BatchIsTooLong`."""
    while True:
        try:
            with city.transaction(System(store.DUTY)) as tx:
                return create_accounts_in(tx, accounts)
        except LedgerIsBusy:
            continue  # someone else opened one of them meanwhile, so now it exists


def create_accounts_in(tx: Transaction, accounts: Sequence[Account]) -> list[AccountOutcome]:
    """As `create_accounts`, in the caller's own transaction. `LedgerIsBusy`: an account was opened meanwhile elsewhere."""
    if len(accounts) > MAX_BATCH:
        raise BatchIsTooLong(given=len(accounts), limit=MAX_BATCH)
    there = store.find_accounts(tx, [each.account_id for each in accounts])
    ledgers = {each.ledger for each in _ledgers(tx)}
    made: list[Account] = []
    outcomes: list[AccountOutcome] = []
    for place, chain in _chains(accounts):
        found = _evaluate(chain, there, ledgers, open_chain=place + len(chain) == len(accounts))
        outcomes += found
        if all(outcome in _GOOD for outcome in found):
            made += chain
            there |= {each.account_id: each for each in chain}
    try:
        if made:
            store.insert_accounts(tx, made)
    except psycopg.errors.UniqueViolation as error:
        raise LedgerIsBusy(problem=type(error).__name__) from error
    return outcomes


def _ledgers(tx: Transaction) -> list[Ledger]:
    return [Ledger(*row) for row in store.list_ledgers(tx)]


def _chains(accounts: Sequence[Account]) -> list[tuple[int, Sequence[Account]]]:
    """The requests in pieces that succeed or fail together, each with its place."""
    starts = [0] + [place + 1 for place, each in enumerate(accounts) if not each.flags & _LINKED]
    ends = [*starts[1:], len(accounts)]
    return [(start, accounts[start:end]) for start, end in zip(starts, ends, strict=True) if start < end]


def _evaluate(
    chain: Sequence[Account], there: dict[int, Account], ledgers: set[int], *, open_chain: bool
) -> list[AccountOutcome]:
    books = dict(there)
    for place, each in enumerate(chain):
        last = place == len(chain) - 1
        if last and open_chain and each.flags & _LINKED:
            outcome = AccountOutcome.LINKED_EVENT_CHAIN_OPEN
        else:
            outcome = _outcome(each, books, ledgers)
        if outcome not in _GOOD:
            failed = [AccountOutcome.LINKED_EVENT_FAILED] * len(chain)
            failed[place] = outcome
            if open_chain and chain[-1].flags & _LINKED:
                failed[-1] = AccountOutcome.LINKED_EVENT_CHAIN_OPEN
            return failed
        books[each.account_id] = each
    return [AccountOutcome.CREATED] * len(chain)


def _outcome(asked: Account, books: dict[int, Account], ledgers: set[int]) -> AccountOutcome:
    if asked.flags & ~_ALLOWED:
        return AccountOutcome.RESERVED_FLAG
    if not 0 < asked.account_id <= MAX_ID:
        return AccountOutcome.ID_OUT_OF_RANGE
    if not 0 <= asked.user_data <= MAX_ID:
        return AccountOutcome.USER_DATA_OUT_OF_RANGE
    if asked.flags & _LIMITED == _LIMITED:
        return AccountOutcome.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if not 0 < asked.ledger <= MAX_LEDGER:
        return AccountOutcome.LEDGER_OUT_OF_RANGE
    if not 0 < asked.code <= MAX_CODE:
        return AccountOutcome.CODE_OUT_OF_RANGE
    existing = books.get(asked.account_id)
    if existing is not None:
        return _compare(asked, existing)
    return AccountOutcome.CREATED if asked.ledger in ledgers else AccountOutcome.LEDGER_NOT_FOUND


def _compare(asked: Account, existing: Account) -> AccountOutcome:
    if asked.flags != existing.flags & _ALLOWED:
        return AccountOutcome.EXISTS_WITH_DIFFERENT_FLAGS
    if asked.user_data != existing.user_data:
        return AccountOutcome.EXISTS_WITH_DIFFERENT_USER_DATA
    if asked.ledger != existing.ledger:
        return AccountOutcome.EXISTS_WITH_DIFFERENT_LEDGER
    if asked.code != existing.code:
        return AccountOutcome.EXISTS_WITH_DIFFERENT_CODE
    return AccountOutcome.EXISTS

"""A resident's wallet: charged from a bank, and what is in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

import psycopg

from sanpo.ground.actors import Actor, Resident, System, require
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError
from sanpo.ground.ids import check_id
from sanpo.ledger import (
    Account,
    AccountFlag,
    Ledger,
    LedgerIsBusy,
    Transfer,
    create_accounts,
    create_accounts_in,
    get_account_in,
    open_ledger,
    post_in,
)
from sanpo.ledger import Outcome as Posted
from sanpo.services.cash.benefits.model import city_accounts
from sanpo.services.cash.errors import TopUpIsUnavailable
from sanpo.services.cash.model import BANK, CHARGE, WALLET, YEN_LEDGER, Payment, check_amount, number_of, rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.store import DUTY, SQL

SERVICE = System(DUTY)
BANK_ACCOUNT = number_of("bank", "")
_ATTEMPTS = 10
_MOST_KNOWN = 500_000
_CONFLICTS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation)
T = TypeVar("T")


class Bank(Protocol):
    """Where money comes from. `collect` tells whether it was paid in; asked again with the same id it says the same."""

    def collect(self, charge_id: str, amount_yen: int) -> bool: ...


@dataclass(frozen=True)
class TestBank:
    """A bank for demonstrations: always pays."""

    def collect(self, charge_id: str, amount_yen: int) -> bool:
        return True


def bank_of(city: City) -> Bank:
    """The bank of this city. Raises `TopUpIsUnavailable`: production has none until one is connected."""
    if city.settings.mode == "production":
        raise TopUpIsUnavailable
    return TestBank()


def charge(city: City, actor: Actor, charge_id: str, amount_yen: int, bank: Bank | None = None) -> Outcome:
    """Puts money into the resident's own wallet. Raises `AmountIsInvalid`, `TopUpIsUnavailable`."""
    resident = require(actor, Resident)
    check_id("chg", charge_id)
    check_amount(amount_yen)
    admitted = booked(city, lambda tx: _admit(tx, resident.subject_no, charge_id, amount_yen))
    if not admitted.is_good:
        return admitted
    paid_in = (bank or bank_of(city)).collect(charge_id, amount_yen)
    if not paid_in:
        return Outcome.NOT_ENOUGH_MONEY
    return booked(city, lambda tx: _charge(tx, resident.subject_no, charge_id, amount_yen))


def _admit(tx: Transaction, subject_no: int, charge_id: str, amount_yen: int) -> Outcome:
    """Before the bank is asked: it collects nothing for a wallet that is stopped or full. A charge that was made before is
    told what it is by the booking."""
    if tx.one(SQL.charge, charge_id=charge_id) is not None:
        return Outcome.EXISTS
    if tx.get(SQL.is_suspended, subject_no=subject_no).is_suspended:
        return Outcome.WALLET_IS_SUSPENDED
    _check_room(tx, subject_no, amount_yen)
    return Outcome.DONE


def _check_room(tx: Transaction, subject_no: int, amount_yen: int) -> None:
    if wallet_yen(tx, subject_no, with_reserved=True) + amount_yen > rules().wallet_limit_yen:
        raise refuse(Outcome.ABOVE_WALLET_LIMIT, Refusal(subject_no, amount_yen))


def _charge(tx: Transaction, subject_no: int, charge_id: str, amount_yen: int) -> Outcome:
    lock_wallet(tx, subject_no)
    open_wallet(tx, subject_no)
    wallet = number_of("wallet", subject_no)
    transfer_id = number_of("charge", charge_id)
    if tx.execute(SQL.insert_charge, charge_id=charge_id, subject_no=subject_no, amount_yen=amount_yen, at=tx.now) == 0:
        kept = tx.get(SQL.charge, charge_id=charge_id)
        same = (kept.subject_no, kept.amount_yen) == (subject_no, amount_yen)
        return Outcome.EXISTS if same else Outcome.EXISTS_WITH_ANOTHER_AMOUNT
    _check_room(tx, subject_no, amount_yen)
    [posted] = post_in(tx, [Transfer(transfer_id, BANK_ACCOUNT, wallet, amount_yen, YEN_LEDGER, CHARGE)])
    return done(posted)


def lock_wallet(tx: Transaction, subject_no: int) -> None:
    """From here to the end of the transaction nobody else pays from this wallet, charges it or stops it."""
    tx.execute(SQL.lock_wallet, subject_no=subject_no)


def open_wallet(tx: Transaction, subject_no: int) -> None:
    """Opens the wallet's account, where it is not there yet."""
    open_wallets(tx, [subject_no])


def open_wallets(tx: Transaction, subject_nos: Sequence[int]) -> None:
    """As `open_wallet`, for many."""
    known: set[int] = tx.city.__dict__.setdefault("_open_wallets", set())
    new = [each for each in subject_nos if each not in known]  # an account is never taken away
    if not new:
        return
    flags = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.HISTORY)
    wallets = [Account(number_of("wallet", each), YEN_LEDGER, WALLET, flags, subject_no=each) for each in new]
    create_accounts_in(tx, wallets)
    if len(known) < _MOST_KNOWN:
        tx.on_commit(lambda: known.update(new))


def balance_yen(city: City, actor: Actor) -> int:
    """What is in the resident's own wallet."""
    resident = require(actor, Resident)
    with city.transaction(SERVICE) as tx:
        return wallet_yen(tx, resident.subject_no)


def wallet_yen(tx: Transaction, subject_no: int, *, with_reserved: bool = False) -> int:
    """As `balance_yen`, for the service itself, or with what is reserved; a wallet that was never charged holds nothing."""
    try:
        sums = get_account_in(tx, number_of("wallet", subject_no)).balance
    except DomainError:
        return 0
    held = sums.credits_posted - sums.debits_posted
    return held if with_reserved else held - sums.debits_pending


def list_payments(city: City, actor: Actor, *, before: datetime | None = None, limit: int = 50) -> list[Payment]:
    """The resident's own payments, the newest first."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        rows = tx.all(
            SQL.payments_of,
            subject_no=resident.subject_no,
            before=before or datetime.max.replace(tzinfo=tx.now.tzinfo),
            limit=min(limit, 500),
        )
    return [payment_of(row) for row in rows]


def payment_of(row: Any) -> Payment:
    return Payment(**{name: getattr(row, name) for name in Payment.__dataclass_fields__})


def prepare(city: City) -> None:
    """Opens the ledger of yen and the city's own accounts in it, once in a process; again it changes nothing."""
    if "_cash_is_ready" not in city.__dict__:
        open_ledger(city, System("operator"), Ledger(YEN_LEDGER, "JPY", 0, "円"))
        create_accounts(city, [Account(BANK_ACCOUNT, YEN_LEDGER, BANK), *city_accounts()])
        city.__dict__["_cash_is_ready"] = True


@dataclass(frozen=True)
class Refusal:
    """What was refused at a limit, and to whom: kept for the officers' report."""

    subject_no: int
    amount_yen: int


class _Refused(Exception):
    """Takes back what a transaction has written; the outcome is told."""

    def __init__(self, outcome: Outcome, refusal: Refusal | None = None) -> None:
        super().__init__(outcome.value)
        self.outcome, self.refusal = outcome, refusal


def refuse(outcome: Outcome, refusal: Refusal | None = None) -> _Refused:
    """To be raised where what was written must go again; a `refusal` is kept after that."""
    return _Refused(outcome, refusal)


def booked(city: City, work: Callable[[Transaction], Outcome]) -> Outcome:
    """Runs `work` in a transaction of the service; again where another was in the ledger's way. Raises `LedgerIsBusy`."""
    prepare(city)
    for attempt in range(_ATTEMPTS):
        try:
            with city.transaction(SERVICE) as tx:
                return _done_in(tx, work)
        except LedgerIsBusy:
            if attempt == _ATTEMPTS - 1:
                raise
        except _Refused as refused:
            _keep(city, refused)
            return refused.outcome
    raise AssertionError("unreachable")


def _done_in(tx: Transaction, work: Callable[[Transaction], Outcome]) -> Outcome:
    """An id that another transaction takes at the same moment is found by the next attempt, and told as what it is."""
    try:
        return work(tx)
    except _CONFLICTS as error:
        raise LedgerIsBusy(problem=type(error).__name__) from error


def post_chain(tx: Transaction, chain: Sequence[Transfer]) -> Outcome:
    """Posts linked transfers, as `done` tells it of the one that was in the way."""
    return outcome_of(post_in(tx, chain))


def outcome_of(outcomes: Sequence[Posted]) -> Outcome:
    """What has become of linked transfers. Raises as `done`."""
    return done(next((each for each in outcomes if each is not Posted.LINKED_EVENT_FAILED), outcomes[0]))


def _keep(city: City, refused: _Refused) -> None:
    if refused.refusal is not None:
        who, yen = refused.refusal.subject_no, refused.refusal.amount_yen
        with city.transaction(SERVICE) as tx:
            tx.execute(SQL.insert_refusal, subject_no=who, outcome=refused.outcome.value, amount_yen=yen, at=tx.now)


def done(posted: Posted) -> Outcome:
    """What a transfer's outcome means here; raises `refuse` where nothing moved, so that nothing is written either."""
    match posted:
        case Posted.CREATED:
            return Outcome.DONE
        case Posted.EXISTS:
            return Outcome.EXISTS
        case Posted.EXCEEDS_CREDITS:
            raise refuse(Outcome.NOT_ENOUGH_MONEY)
        case _:
            raise ValueError(f"the ledger answers {posted.value}")  # the service asked for what it must not

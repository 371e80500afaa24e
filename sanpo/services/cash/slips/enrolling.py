"""A device gets ready to pay without a network: its key is certified and money is reserved; later what is left is free again.

The reserve is a pending transfer out of the wallet, so the ledger itself keeps it from being spent in another way. It stays
until nothing can be redeemed any more: what was signed without a network nobody can know before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sanpo.ground.actors import Actor, Resident, require, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound
from sanpo.ground.ids import check_id
from sanpo.ledger import Account, Transfer, TransferFlag, create_accounts_in
from sanpo.services.cash.model import YEN_LEDGER, check_amount, number_of, rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.slips.model import Certificate, check_key
from sanpo.services.cash.slips.store import SQL
from sanpo.services.cash.store import SQL as CASH
from sanpo.services.cash.wallets import SERVICE, booked, lock_wallet, open_wallet, post_chain

SLIPS = 30
"""Code of the account at which reserves stand, and of their transfers."""
SLIPS_ACCOUNT = number_of("slips", "")


@dataclass(frozen=True)
class SlipKey:
    """A key of the resident's own, as it stands. `certificate` is what its slips carry: the body and the city's signature."""

    key_id: str
    algorithm: str
    certificate: bytes
    reserve_yen: int
    left_yen: int
    limit_yen: int
    valid_from: datetime
    valid_until: datetime
    redeem_until: datetime
    state: str
    cause: str | None


def prepare_slips(
    city: City, actor: Actor, key_id: str, *, algorithm: str, public_key: bytes, reserve_yen: int
) -> Outcome:
    """Certifies a device's key and reserves money for what it will sign. `key_id` is chosen by the device: sent again, it
    reserves nothing. Raises `SlipKeyIsInvalid`, `AmountIsInvalid`."""
    resident = require(actor, Resident)
    check_id("slk", key_id)
    check_amount(reserve_yen)
    check_key(algorithm, public_key)

    def work(tx: Transaction) -> Outcome:
        lock_wallet(tx, resident.subject_no)
        before = tx.one(SQL.key, key_id=key_id)
        if before is not None:
            asked = resident.subject_no, algorithm, public_key, reserve_yen
            same = (before.subject_no, before.algorithm, bytes(before.public_key), before.reserve_yen) == asked
            return Outcome.EXISTS if same else Outcome.EXISTS_WITH_ANOTHER_AMOUNT
        if tx.get(CASH.is_suspended, subject_no=resident.subject_no).is_suspended:
            return Outcome.WALLET_IS_SUSPENDED
        reserved = tx.get(SQL.reserved_yen, subject_no=resident.subject_no).yen
        if reserved + reserve_yen > rules().slip_reserve_yen:
            return Outcome.ABOVE_SLIP_RESERVE
        open_wallet(tx, resident.subject_no)
        create_accounts_in(tx, [Account(SLIPS_ACCOUNT, YEN_LEDGER, SLIPS)])
        _insert(tx, resident.subject_no, _certificate(tx.now, key_id, algorithm, public_key, reserve_yen))
        return post_chain(tx, [reserve(key_id, 0, resident.subject_no, reserve_yen)])

    return booked(city, work)


def list_keys(city: City, actor: Actor) -> list[SlipKey]:
    """The resident's own keys, the newest first."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        return [_key_of(row) for row in tx.all(SQL.keys_of, subject_no=resident.subject_no)]


def get_key(city: City, actor: Actor, key_id: str) -> SlipKey:
    """One of the resident's own keys. Raises `NotFound`."""
    found = next((key for key in list_keys(city, actor) if key.key_id == key_id), None)
    if found is None:
        raise NotFound(what="key")
    return found


def report_loss(city: City, actor: Actor, key_id: str) -> None:
    """Suspends a key whose device was lost, for its resident or an officer: no slip of it is paid from now on, whenever it
    was signed. Raises `NotFound`."""
    if isinstance(actor, Resident):
        get_key(city, actor, key_id)
    else:
        require_officer(actor)

    def work(tx: Transaction) -> Outcome:
        if tx.one(SQL.lock_key, key_id=key_id) is None:
            raise NotFound(what="key")
        tx.execute(SQL.suspend_key, key_id=key_id, cause="lost", at=tx.now)
        return Outcome.DONE

    booked(city, work)


def list_suspended(city: City) -> list[str]:
    """The keys that are suspended, for tills to carry along. Public: a key names nobody."""
    with city.transaction(SERVICE) as tx:
        return [row.key_id for row in tx.all(SQL.suspended_keys)]


def end_keys(city: City) -> int:
    """Sets free what is left of reserves for which no slip can be redeemed any more; returns how many keys ended."""
    with city.transaction(SERVICE) as tx:
        due = tx.all(SQL.due_keys, at=tx.now)

    def end(tx: Transaction, row: Any) -> Outcome:
        lock_wallet(tx, row.subject_no)
        key = tx.get(SQL.lock_key, key_id=row.key_id)
        if key.state == "ended":
            return Outcome.EXISTS
        tx.execute(SQL.end_key, key_id=row.key_id)
        return post_chain(tx, [void(key)]) if key.left_yen else Outcome.DONE

    return sum(booked(city, lambda tx, row=row: end(tx, row)) is Outcome.DONE for row in due)  # type: ignore[misc]


def reserve(key_id: str, reserve_no: int, subject_no: int, yen: int) -> Transfer:
    """The pending transfer that keeps the money of a key in its wallet."""
    number, wallet = number_of("reserve", f"{key_id}/{reserve_no}"), number_of("wallet", subject_no)
    return Transfer(number, wallet, SLIPS_ACCOUNT, yen, YEN_LEDGER, SLIPS, int(TransferFlag.PENDING))


def void(key: Any) -> Transfer:
    """Sets the present reserve of a key free."""
    pending = number_of("reserve", f"{key.key_id}/{key.reserve_no}")
    number = number_of("unreserve", f"{key.key_id}/{key.reserve_no}")
    return Transfer(number, flags=int(TransferFlag.VOID_PENDING), pending_id=pending)


def _certificate(now: datetime, key_id: str, algorithm: str, public_key: bytes, reserve_yen: int) -> Certificate:
    from_ = now.replace(microsecond=0)
    until, limit = from_ + timedelta(days=rules().slip_days), min(rules().slip_limit_yen, reserve_yen)
    return Certificate(key_id, algorithm, public_key, reserve_yen, limit, from_, until)


def _insert(tx: Transaction, subject_no: int, certificate: Certificate) -> None:
    tx.execute(
        SQL.insert_key,
        key_id=certificate.key_id,
        subject_no=subject_no,
        algorithm=certificate.algorithm,
        public_key=certificate.public_key,
        certificate=certificate.body + tx.city.keys.sign(certificate.message),
        reserve_yen=certificate.reserve_yen,
        limit_yen=certificate.limit_yen,
        valid_from=certificate.valid_from,
        valid_until=certificate.valid_until,
        redeem_until=certificate.valid_until + timedelta(days=rules().slip_grace_days),
    )


def _key_of(row: Any) -> SlipKey:
    return SlipKey(**{name: getattr(row, name) for name in SlipKey.__dataclass_fields__})

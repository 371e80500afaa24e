"""Paying what somebody asked for, or declining it. A share is answered once."""

from typing import Any

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound
from sanpo.ledger import Transfer
from sanpo.services.cash.limits import check_limits
from sanpo.services.cash.model import YEN_LEDGER, number_of, rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.requests.asking import hash_of
from sanpo.services.cash.requests.model import SHARE, Asked, state_at
from sanpo.services.cash.requests.store import SQL
from sanpo.services.cash.store import SQL as CASH
from sanpo.services.cash.wallets import SERVICE, booked, lock_wallet, open_wallet, post_chain, wallet_yen

_CLOSED = {
    "declined": Outcome.REQUEST_IS_ANSWERED,
    "withdrawn": Outcome.REQUEST_IS_WITHDRAWN,
    "over": Outcome.REQUEST_IS_OVER,
}


def look(city: City, actor: Actor, code: str) -> Asked:
    """What the holder of a code is asked for. Raises `NotSignedIn`, `NotPermitted`, `NotFound`."""
    require(actor, Resident)
    with city.transaction(SERVICE) as tx:
        row = tx.one(SQL.share, code_sha256=hash_of(code))
        if row is None:
            raise NotFound(what="request")
        return Asked(row.amount_yen, row.note, state_at(row.state, row.expires_at, tx.now), row.expires_at)


def accept(city: City, actor: Actor, code: str) -> Outcome:
    """Pays a share out of the resident's wallet into that of who asks. Sent again, it pays nothing."""
    resident = require(actor, Resident)

    def work(tx: Transaction) -> Outcome:
        share = _locked(tx, code, resident.subject_no)
        if isinstance(share, Outcome):
            return share
        if share.state == "paid":
            return Outcome.EXISTS if share.payer_no == resident.subject_no else Outcome.REQUEST_IS_ANSWERED
        if share.state in _CLOSED:
            return _CLOSED[share.state]
        check_limits(tx, resident.subject_no, share.amount_yen)
        held = wallet_yen(tx, share.subject_no, with_reserved=True)
        is_suspended = tx.get(CASH.is_suspended, subject_no=share.subject_no).is_suspended
        if is_suspended or held + share.amount_yen > rules().wallet_limit_yen:
            return Outcome.REQUEST_CANNOT_BE_RECEIVED
        return _pay(tx, share, resident.subject_no, code)

    return booked(city, work)


def decline(city: City, actor: Actor, code: str) -> Outcome:
    """Says no to a share, for good."""
    resident = require(actor, Resident)

    def work(tx: Transaction) -> Outcome:
        share = _locked(tx, code, resident.subject_no)
        if isinstance(share, Outcome):
            return share
        if share.state == "declined" and share.payer_no == resident.subject_no:
            return Outcome.EXISTS
        if share.state != "open":
            return _CLOSED.get(share.state, Outcome.REQUEST_IS_ANSWERED)
        _answer(tx, code, "declined", resident.subject_no)
        return Outcome.DONE

    return booked(city, work)


def _locked(tx: Transaction, code: str, payer_no: int) -> Any:
    """The share under lock with its present state, or why this resident cannot answer it. Both wallets are locked first, the
    lower number first, so that two who pay each other do not wait for each other."""
    found = tx.one(SQL.share, code_sha256=hash_of(code))
    if found is None:
        return Outcome.REQUEST_NOT_FOUND
    if found.subject_no == payer_no:
        return Outcome.REQUEST_IS_OWN
    for subject_no in sorted((found.subject_no, payer_no)):
        lock_wallet(tx, subject_no)
    share = tx.get(SQL.lock_share, code_sha256=hash_of(code))
    return share._replace(state=state_at(share.state, found.expires_at, tx.now))


def _pay(tx: Transaction, share: Any, payer_no: int, code: str) -> Outcome:
    for subject_no in (share.subject_no, payer_no):
        open_wallet(tx, subject_no)
    _answer(tx, code, "paid", payer_no)
    number = number_of("share", f"{share.request_id}/{share.share_no}")
    payer, asker = number_of("wallet", payer_no), number_of("wallet", share.subject_no)
    return post_chain(tx, [Transfer(number, payer, asker, share.amount_yen, YEN_LEDGER, SHARE)])


def _answer(tx: Transaction, code: str, state: str, payer_no: int) -> None:
    tx.execute(SQL.answer_share, code_sha256=hash_of(code), state=state, payer_no=payer_no, at=tx.now)

"""Asking for money, and taking a request back before it is paid."""

import base64
import hmac
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from itertools import groupby

from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import check_id
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.paying import get_payment
from sanpo.services.cash.requests.model import Given, Request, Share, check_request, split_yen, state_at
from sanpo.services.cash.requests.store import SQL
from sanpo.services.cash.wallets import SERVICE, booked


def ask(city: City, actor: Actor, request_id: str, amounts_yen: Sequence[int], note: str = "") -> Outcome:
    """Asks as many people as there are amounts. `request_id` is chosen by who asks: sent again, it asks nothing.

    Raises `RequestIsInvalid`, `AmountIsInvalid`.
    """
    resident = require(actor, Resident)
    check_id("req", request_id)
    check_request(amounts_yen, note)
    if max(amounts_yen) > rules().payment_limit_yen:
        return Outcome.ABOVE_PAYMENT_LIMIT
    numbers = range(1, len(amounts_yen) + 1)

    def work(tx: Transaction) -> Outcome:
        before = tx.one(SQL.request, request_id=request_id)
        if before is not None:
            same = (before.subject_no, before.amounts_yen, before.note) == (resident.subject_no, [*amounts_yen], note)
            return Outcome.EXISTS if same else Outcome.EXISTS_WITH_ANOTHER_AMOUNT
        tx.execute(
            SQL.insert_request,
            request_id=request_id,
            subject_no=resident.subject_no,
            note=note,
            at=tx.now,
            expires_at=tx.now + timedelta(days=rules().request_days),
            share_nos=[*numbers],
            amounts_yen=[*amounts_yen],
            codes=[hash_of(code_of(city, request_id, number)) for number in numbers],
        )
        return Outcome.DONE

    return booked(city, work)


def split(city: City, actor: Actor, request_id: str, payment_id: str, people: int, note: str = "") -> Outcome:
    """Asks the others for their parts of what the resident has paid, less what was given back; `people` counts the resident
    too. Raises `RequestIsInvalid`, `NotFound`."""
    resident = require(actor, Resident)
    paid = get_payment(city, resident, payment_id)
    return ask(city, resident, request_id, split_yen(paid.amount_yen - paid.refunded_yen, people), note)


def withdraw(city: City, actor: Actor, request_id: str) -> Outcome:
    """Takes back what nobody has answered yet; what was paid stays paid."""
    resident = require(actor, Resident)

    def work(tx: Transaction) -> Outcome:
        states = [row.state for row in tx.all(SQL.lock_shares, request_id=request_id, subject_no=resident.subject_no)]
        if not states:
            return Outcome.REQUEST_NOT_FOUND
        if "open" not in states:
            return Outcome.EXISTS if "withdrawn" in states else Outcome.REQUEST_IS_ANSWERED
        tx.execute(SQL.withdraw_shares, request_id=request_id, at=tx.now)
        return Outcome.DONE

    return booked(city, work)


def list_requests(city: City, actor: Actor, limit: int = 50) -> list[Request]:
    """The resident's own requests, the newest first, with the codes to hand over."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        rows = tx.all(SQL.requests_of, subject_no=resident.subject_no, limit=min(limit, 500))
        now = tx.now
    found = []
    for request_id, group in groupby(rows, lambda row: row.request_id):
        mine = list(group)
        shares = [
            Share(
                row.share_no,
                row.amount_yen,
                state_at(row.state, row.expires_at, now),
                code_of(city, request_id, row.share_no),
                row.answered_at,
            )
            for row in mine
        ]
        found.append(Request(request_id, mine[0].note, mine[0].asked_at, mine[0].expires_at, shares))
    return found


def list_given(city: City, actor: Actor, limit: int = 50) -> list[Given]:
    """What the resident paid to others who had asked, the newest first."""
    resident = require(actor, Resident)
    with city.transaction(SERVICE) as tx:  # the note is the asker's row
        rows = tx.all(SQL.given_by, subject_no=resident.subject_no, limit=min(limit, 500))
    return [Given(*row) for row in rows]


def code_of(city: City, request_id: str, share_no: int) -> str:
    """120 bits that only the city can make, so that they need not be kept."""
    key = city.keys.secret("cash requests")
    digest = hmac.digest(key, f"{request_id}/{share_no}".encode(), "sha256")
    return base64.b32encode(digest[:15]).decode().lower()


def hash_of(code: str) -> bytes:
    return sha256(code.strip().lower().encode()).digest()

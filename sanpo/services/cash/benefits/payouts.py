"""What agreements pay residents for uses of their data: taken with the answer, given to each of them once.

The transaction that releases an answer takes the whole sum out of the asker's funds, in one transfer; a job gives each
resident their part out of that (decision 0021). Lots of one agreement that end in the same month are one lot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from sanpo.consent import list_agreements
from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.ground.payouts import Payout
from sanpo.ledger import Outcome as Posted
from sanpo.ledger import Transfer, TransferFlag, create_accounts_in, post_in
from sanpo.services.cash.benefits.campaigns import check_made
from sanpo.services.cash.benefits.errors import ReturnIsNotFunded
from sanpo.services.cash.benefits.model import (
    PAYOUT,
    PAYOUTS_ACCOUNT,
    benefits_account,
    benefits_accounts,
    end_of,
    funder_account,
    move,
)
from sanpo.services.cash.benefits.store import SQL
from sanpo.services.cash.model import YEN_LEDGER, number_of, rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.wallets import booked

AT_ONCE = 2000
"""Residents of one transaction."""


@dataclass(frozen=True)
class PaidByAgreement:
    """What an agreement has paid a resident so far."""

    agreement_id: str
    title_ja: str
    title_en: str
    paid_yen: int


def pay_out(tx: Transaction, payout: Payout) -> None:
    """Takes what a use pays out of the asker's funds. Raises `ReturnIsNotFunded` where they would not do for everybody whose
    data could have been in the use: so the refusal tells nothing of whose was."""
    tx.execute(
        SQL.insert_payout,
        entry_no=payout.entry_no,
        agreement_no=payout.agreement_no,
        organisation_no=payout.organisation_no,
        yen_each=payout.yen_each,
        subjects=payout.subjects,
        subject_count=payout.subject_count,
        at=tx.now,
    )
    most_yen, yen = payout.yen_each * payout.most_subjects, payout.yen_each * payout.subject_count
    reserving, paying = (number_of(kind, payout.entry_no) for kind in ("payout reserved", "payout"))
    funds = funder_account(payout.organisation_no)
    flags = int(TransferFlag.PENDING | TransferFlag.LINKED)
    reserved = Transfer(reserving, funds, PAYOUTS_ACCOUNT, most_yen, YEN_LEDGER, PAYOUT, flags)
    taken = Transfer(paying, amount=yen, flags=int(TransferFlag.POST_PENDING), pending_id=reserving)
    posted = post_in(tx, [reserved, taken])
    if posted[0] in (Posted.EXCEEDS_CREDITS, Posted.DEBIT_ACCOUNT_NOT_FOUND):
        raise ReturnIsNotFunded(needed_yen=most_yen)
    check_made(posted)


def distribute(city: City) -> int:
    """Gives residents what uses pay them, the oldest use first; returns how many got something. Safe to run twice at once."""
    total = 0
    while given := _distribute_some(city):
        total += given
    return total


def paid_by_agreements(city: City, actor: Actor) -> list[PaidByAgreement]:
    """What each agreement has paid the resident, in points, the newest agreement first."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        paid = {row.agreement_no: row.yen for row in tx.all(SQL.paid_of, subject_no=resident.subject_no)}
    agreements = list_agreements(city, resident) if paid else []
    return [
        PaidByAgreement(each.agreement_id, each.draft.title.ja, each.draft.title.en, int(paid[each.agreement_no]))
        for each in agreements
        if each.agreement_no in paid
    ]


def _distribute_some(city: City) -> int:
    """In one transaction, out of one use."""
    given = 0

    def work(tx: Transaction) -> Outcome:
        nonlocal given
        payout = tx.one(SQL.lock_payout)
        if payout is not None:
            subject_nos = _subjects(payout)
            give_returns(tx, payout, subject_nos[:AT_ONCE])
            given = min(len(subject_nos), AT_ONCE)
            is_done = len(subject_nos) <= AT_ONCE
            last = subject_nos[given - 1]
            tx.execute(
                SQL.go_on_with_payout,
                entry_no=payout.entry_no,
                next_subject=last + 1,
                paid_at=tx.now if is_done else None,
            )
        return Outcome.DONE

    booked(city, work)
    return given


def give_returns(tx: Transaction, payout: Any, subject_nos: Sequence[int]) -> None:
    """Each of these their part of a payout whose row is locked."""
    zone = tx.city.settings.zone
    tx.execute(
        SQL.add_returns,
        lot_ids=[new_id("lot") for _ in subject_nos],
        subject_nos=list(subject_nos),
        agreement_no=payout.agreement_no,
        organisation_no=payout.organisation_no,
        yen=payout.yen_each,
        at=tx.now,
        expires_at=end_of(_last_day(tx.now.astimezone(zone), rules().return_months), zone),
    )
    create_accounts_in(tx, benefits_accounts(subject_nos))
    check_made(
        post_in(
            tx,
            [
                move(
                    number_of("return", f"{payout.entry_no}/{number}"),
                    PAYOUTS_ACCOUNT,
                    benefits_account(number),
                    payout.yen_each,
                    PAYOUT,
                )
                for number in subject_nos
            ],
        )
    )


def _subjects(payout: Any) -> list[int]:
    """Those who have not got their part."""
    bits = np.unpackbits(np.frombuffer(payout.subjects, dtype=np.uint8), bitorder="little")
    numbers = np.flatnonzero(bits)
    return [int(number) for number in numbers[numbers >= payout.next_subject]]


def _last_day(local: datetime, months: int) -> date:
    """The last day of the month that lies so many months ahead."""
    month = local.year * 12 + local.month + months
    return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)

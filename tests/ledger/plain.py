"""The ledger once more, as plainly as it can be said: a list of transfers, from which every sum is added up anew.

Written apart from `sanpo/ledger/evaluation.py`, by rules in a row: the first that applies is the outcome. Slow,
and meant to be.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sanpo.ledger import Account, Outcome, Transfer

MOST, TOP = 2**63 - 1, 2**128 - 1
O = Outcome  # noqa: E741


@dataclass(frozen=True)
class Line:
    """A transfer in the book: what was asked for, what moved, when."""

    asked: Transfer
    debit: int
    credit: int
    amount: int
    ledger: int
    code: int
    user_data: int
    at: datetime
    lapse: bool = False

    def has(self, flag: int) -> bool:
        return bool(self.asked.flags & flag)


@dataclass
class PlainLedger:
    accounts: dict[int, Account]
    lines: list[Line] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)

    def post(self, batch: list[Transfer], now: datetime) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for chain in chains(batch):
            is_open = chain[-1] is batch[-1] and chain[-1].flags & 1
            if len(chain) > 1 and not is_open and all(self.is_there(each, now) for each in chain):
                outcomes += [O.EXISTS] * len(chain)
                continue
            kept = list(self.lines)
            told: list[Outcome] = []
            for request in chain:
                outcome = O.LINKED_EVENT_CHAIN_OPEN if is_open and request is chain[-1] else self.one(request, now)
                told.append(outcome)
                if outcome is not O.CREATED:
                    break
            if told[-1] is not O.CREATED:
                self.lines = kept
                told = [O.LINKED_EVENT_FAILED] * (len(told) - 1) + [told[-1]]
                told += [O.LINKED_EVENT_FAILED] * (len(chain) - len(told))
                if is_open:
                    told[-1] = O.LINKED_EVENT_CHAIN_OPEN
            outcomes += told
        return outcomes

    def is_there(self, request: Transfer, now: datetime) -> bool:
        return next((outcome for outcome, applies in self.rules(request, now) if applies()), None) is O.EXISTS

    def one(self, request: Transfer, now: datetime) -> Outcome:
        outcome = next((outcome for outcome, applies in self.rules(request, now) if applies()), O.CREATED)
        if outcome is O.CREATED:
            self.lines.append(self.line(request, now))
        elif outcome in TRANSIENT:
            self.failed.add(request.transfer_id)
        return outcome

    def lapse(self, now: datetime) -> None:
        for line in [x for x in self.lines if x.has(2) and self.is_late(x, now) and self.resolver(x) is None]:
            asked = Transfer(-line.asked.transfer_id, pending_id=line.asked.transfer_id)
            self.lines.append(replace(line, asked=asked, at=now, lapse=True))

    # What stands in the book -----------------------------------------------------------------------------------------

    def line(self, asked: Transfer, now: datetime) -> Line:
        pending = self.find(asked.pending_id) if asked.flags & 12 else None
        if pending is not None:
            amount = pending.amount if self.is_whole(asked) else asked.amount
            user_data = asked.user_data or pending.user_data
            return replace(pending, asked=asked, amount=amount, user_data=user_data, at=now)
        debit, credit = asked.debit_account_id, asked.credit_account_id
        return Line(asked, debit, credit, self.movable(asked), asked.ledger, asked.code, asked.user_data, now)

    def find(self, transfer_id: int) -> Line | None:
        return next((line for line in self.lines if line.asked.transfer_id == transfer_id), None)

    def resolver(self, pending: Line) -> Line | None:
        return next((line for line in self.lines if line.asked.pending_id == pending.asked.transfer_id), None)

    def sums(self, account: int) -> tuple[int, int, int, int]:
        """Debits pending and posted, credits pending and posted."""
        pending = [x for x in self.lines if x.has(2) and self.resolver(x) is None]
        posted = [x for x in self.lines if not x.has(2 | 8) and not x.lapse]
        return (
            sum(x.amount for x in pending if x.debit == account),
            sum(x.amount for x in posted if x.debit == account),
            sum(x.amount for x in pending if x.credit == account),
            sum(x.amount for x in posted if x.credit == account),
        )

    def is_closed(self, account: int) -> bool:
        closing = [x for x in self.lines if x.has(64) and x.debit == account] + [
            x for x in self.lines if x.has(128) and x.credit == account
        ]
        return any(self.resolver(x) is None for x in closing)

    @staticmethod
    def is_late(pending: Line, now: datetime) -> bool:
        timeout_s = pending.asked.timeout_s
        return timeout_s > 0 and now >= pending.at + timedelta(seconds=timeout_s)

    @staticmethod
    def is_whole(asked: Transfer) -> bool:
        return asked.amount == MOST if asked.flags & 4 else asked.amount == 0

    def movable(self, asked: Transfer) -> int:
        limits = [asked.amount]
        dp, dd, _, dc = self.sums(asked.debit_account_id)
        _, cd, cp, cc = self.sums(asked.credit_account_id)
        if asked.flags & 16:
            limits.append(max(0, dc - dp - dd))
        if asked.flags & 32:
            limits.append(max(0, cd - cp - cc))
        return min(limits)

    # The rules -------------------------------------------------------------------------------------------------------

    def rules(self, r: Transfer, now: datetime) -> Iterator[tuple[Outcome, Callable[[], Any]]]:
        resolves = bool(r.flags & 12)
        yield O.RESERVED_FLAG, lambda: r.flags >> 8
        yield O.ID_OUT_OF_RANGE, lambda: r.transfer_id not in range(1, TOP)
        yield O.AMOUNT_OUT_OF_RANGE, lambda: r.amount not in range(MOST + 1)
        yield O.TIMEOUT_OUT_OF_RANGE, lambda: r.timeout_s not in range(2**32)
        yield O.USER_DATA_OUT_OF_RANGE, lambda: r.user_data not in range(TOP)
        there = self.find(r.transfer_id)
        if there is not None:
            yield from self.same(r, there)
            yield O.EXISTS, lambda: True
        yield O.ID_ALREADY_FAILED, lambda: r.transfer_id in self.failed
        yield O.FLAGS_ARE_MUTUALLY_EXCLUSIVE, lambda: resolves and bin(r.flags & ~1).count("1") > 1
        yield from self.resolution(r, now) if resolves else self.movement(r)

    def same(self, r: Transfer, x: Line) -> Iterator[tuple[Outcome, Callable[[], Any]]]:
        def differs(asked: int, kept: int) -> bool:
            return asked != kept and not (x.has(12) and asked == 0)

        def differs_in_amount() -> bool:
            if x.has(48):
                return r.amount < x.amount
            pending = self.find(x.asked.pending_id) if x.has(12) else None
            if x.has(8):
                return r.amount not in (0, x.amount)
            if pending is not None and x.amount == pending.amount:
                return r.amount not in (x.amount, MOST)
            return r.amount != x.amount

        yield O.EXISTS_WITH_DIFFERENT_FLAGS, lambda: r.flags != x.asked.flags
        yield O.EXISTS_WITH_DIFFERENT_PENDING_ID, lambda: r.pending_id != x.asked.pending_id
        yield O.EXISTS_WITH_DIFFERENT_TIMEOUT, lambda: r.timeout_s != x.asked.timeout_s
        yield O.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID, lambda: differs(r.debit_account_id, x.debit)
        yield O.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID, lambda: differs(r.credit_account_id, x.credit)
        yield O.EXISTS_WITH_DIFFERENT_AMOUNT, differs_in_amount
        yield O.EXISTS_WITH_DIFFERENT_USER_DATA, lambda: differs(r.user_data, x.user_data)
        yield O.EXISTS_WITH_DIFFERENT_LEDGER, lambda: differs(r.ledger, x.ledger)
        yield O.EXISTS_WITH_DIFFERENT_CODE, lambda: differs(r.code, x.code)

    def movement(self, r: Transfer) -> Iterator[tuple[Outcome, Callable[[], Any]]]:
        d, c = r.debit_account_id, r.credit_account_id
        yield O.DEBIT_ACCOUNT_ID_OUT_OF_RANGE, lambda: d not in range(1, TOP)
        yield O.CREDIT_ACCOUNT_ID_OUT_OF_RANGE, lambda: c not in range(1, TOP)
        yield O.ACCOUNTS_MUST_BE_DIFFERENT, lambda: d == c
        yield O.PENDING_ID_MUST_BE_ZERO, lambda: r.pending_id != 0
        yield O.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER, lambda: r.timeout_s and not r.flags & 2
        yield O.CLOSING_TRANSFER_MUST_BE_PENDING, lambda: r.flags & 192 and not r.flags & 2
        yield O.LEDGER_OUT_OF_RANGE, lambda: r.ledger not in range(1, 2**31)
        yield O.CODE_OUT_OF_RANGE, lambda: r.code not in range(1, 2**16)
        yield O.DEBIT_ACCOUNT_NOT_FOUND, lambda: d not in self.accounts
        yield O.CREDIT_ACCOUNT_NOT_FOUND, lambda: c not in self.accounts
        debit, credit = self.accounts[d], self.accounts[c]
        yield O.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER, lambda: debit.ledger != credit.ledger
        yield O.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS, lambda: r.ledger != debit.ledger
        yield O.DEBIT_ACCOUNT_ALREADY_CLOSED, lambda: self.is_closed(d)
        yield O.CREDIT_ACCOUNT_ALREADY_CLOSED, lambda: self.is_closed(c)
        amount, (dp, dd, _, dc), (_, cd, cp, cc) = self.movable(r), self.sums(d), self.sums(c)
        yield O.OVERFLOWS_DEBITS_PENDING, lambda: r.flags & 2 and dp + amount > MOST
        yield O.OVERFLOWS_CREDITS_PENDING, lambda: r.flags & 2 and cp + amount > MOST
        yield O.OVERFLOWS_DEBITS_POSTED, lambda: dd + amount > MOST
        yield O.OVERFLOWS_CREDITS_POSTED, lambda: cc + amount > MOST
        yield O.OVERFLOWS_DEBITS, lambda: dp + dd + amount > MOST
        yield O.OVERFLOWS_CREDITS, lambda: cp + cc + amount > MOST
        yield O.EXCEEDS_CREDITS, lambda: debit.flags & 2 and dp + dd + amount > dc
        yield O.EXCEEDS_DEBITS, lambda: credit.flags & 4 and cp + cc + amount > cd

    def resolution(self, r: Transfer, now: datetime) -> Iterator[tuple[Outcome, Callable[[], Any]]]:
        yield O.PENDING_ID_OUT_OF_RANGE, lambda: r.pending_id not in range(1, TOP)
        yield O.PENDING_ID_MUST_BE_DIFFERENT, lambda: r.pending_id == r.transfer_id
        yield O.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER, lambda: r.timeout_s
        p = self.find(r.pending_id)
        yield O.PENDING_TRANSFER_NOT_FOUND, lambda: p is None
        assert p is not None
        yield O.PENDING_TRANSFER_NOT_PENDING, lambda: not p.has(2)
        yield O.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID, lambda: r.debit_account_id not in (0, p.debit)
        yield O.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID, lambda: r.credit_account_id not in (0, p.credit)
        yield O.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER, lambda: r.ledger not in (0, p.ledger)
        yield O.PENDING_TRANSFER_HAS_DIFFERENT_CODE, lambda: r.code not in (0, p.code)
        partial = not self.is_whole(r)
        yield O.EXCEEDS_PENDING_TRANSFER_AMOUNT, lambda: partial and r.amount > p.amount
        yield O.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT, lambda: partial and r.flags & 8 and r.amount < p.amount
        by = self.resolver(p)
        yield O.PENDING_TRANSFER_ALREADY_POSTED, lambda: by and by.has(4)
        yield O.PENDING_TRANSFER_ALREADY_VOIDED, lambda: by and by.has(8)
        yield O.PENDING_TRANSFER_EXPIRED, lambda: by or self.is_late(p, now)
        yield O.DEBIT_ACCOUNT_ALREADY_CLOSED, lambda: r.flags & 4 and self.is_closed(p.debit)
        yield O.CREDIT_ACCOUNT_ALREADY_CLOSED, lambda: r.flags & 4 and self.is_closed(p.credit)


TRANSIENT = {
    O.DEBIT_ACCOUNT_NOT_FOUND,
    O.CREDIT_ACCOUNT_NOT_FOUND,
    O.PENDING_TRANSFER_NOT_FOUND,
    O.DEBIT_ACCOUNT_ALREADY_CLOSED,
    O.CREDIT_ACCOUNT_ALREADY_CLOSED,
    O.EXCEEDS_CREDITS,
    O.EXCEEDS_DEBITS,
}


def chains(batch: list[Transfer]) -> list[list[Transfer]]:
    found: list[list[Transfer]] = [[]]
    for request in batch:
        found[-1].append(request)
        if not request.flags & 1:
            found.append([])
    return [chain for chain in found if chain]

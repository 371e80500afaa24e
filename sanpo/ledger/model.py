"""Nouns of the ledger: ledgers, accounts and transfers, and every outcome that a request for one can have, in order.

The semantics are those of TigerBeetle's two entities: double entry, whole minor units, identifiers that the caller
chooses, so that a request can be sent again. Nothing here does I/O or reads a clock.
"""

from datetime import date, datetime
from enum import IntFlag
from typing import Literal

import msgspec

MAX_ID = 2**128 - 2
MAX_AMOUNT = 2**63 - 1
"""The largest amount and balance. As the amount of a post it means: all that is pending."""
MAX_BATCH = 8190
MAX_TIMEOUT_S = 2**32 - 1
MAX_LEDGER = 2**31 - 1
MAX_CODE = 2**16 - 1
MAX_EXPONENT = 5
"""ISO 20022 writes no more than five decimal places."""


class Ledger(msgspec.Struct, frozen=True):
    """A unit in which accounts are kept: `currency` is ISO 4217 (`XXX` for points), `exponent` its decimal places."""

    ledger: int
    currency: str
    exponent: int
    name: str


class AccountFlag(IntFlag):
    """How an account behaves. `CLOSED` is set and lifted by closing transfers only."""

    LINKED = 1
    DEBITS_MUST_NOT_EXCEED_CREDITS = 2
    CREDITS_MUST_NOT_EXCEED_DEBITS = 4
    HISTORY = 8
    CLOSED = 16


class TransferFlag(IntFlag):
    """What a transfer does. Without a flag it moves its amount at once. `EXPIRED` is the ledger's own."""

    LINKED = 1
    PENDING = 2
    POST_PENDING = 4
    VOID_PENDING = 8
    BALANCING_DEBIT = 16
    BALANCING_CREDIT = 32
    CLOSING_DEBIT = 64
    CLOSING_CREDIT = 128
    EXPIRED = 256


class Account(msgspec.Struct, frozen=True):
    """A request for an account. `user_data` is the caller's own reference (128 bits, 0: none).

    Whose it is (a resident or an organisation, or neither: the city's own) is kept apart, behind row-level security.
    """

    account_id: int
    ledger: int
    code: int
    flags: int = 0
    user_data: int = 0
    subject_no: int | None = None
    organisation_no: int | None = None


class Transfer(msgspec.Struct, frozen=True):
    """A request for a transfer, and a transfer. 0 means: none, or of the pending transfer where that is posted or voided."""

    transfer_id: int
    debit_account_id: int = 0
    credit_account_id: int = 0
    amount: int = 0
    ledger: int = 0
    code: int = 0
    flags: int = 0
    pending_id: int = 0
    timeout_s: int = 0
    user_data: int = 0


class Balance(msgspec.Struct, frozen=True):
    """The four sums of an account, in minor units. Pending ones are reserved, not moved."""

    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0


class KeptAccount(msgspec.Struct, frozen=True):
    """An account with its balance, as it stands."""

    account_id: int
    ledger: int
    code: int
    flags: int
    user_data: int
    balance: Balance
    created_at: datetime


class KeptTransfer(msgspec.Struct, frozen=True):
    """A transfer as it was made: `amount` is what moved, `at` when. It never changes."""

    transfer: Transfer
    transfer_no: int
    at: datetime


class Line(msgspec.Struct, frozen=True):
    """A transfer as one of its accounts sees it. `balance` is what the account had then, where it keeps its history."""

    kept: KeptTransfer
    side: Literal["debit", "credit"]
    balance: Balance | None

    @property
    def kind(self) -> Literal["posted", "pending", "voided", "expired"]:
        """What it did: moved its amount, reserved it, or gave the reservation back."""
        flags = self.kept.transfer.flags
        if flags & TransferFlag.PENDING:
            return "pending"
        if flags & TransferFlag.VOID_PENDING:
            return "voided"
        return "expired" if flags & TransferFlag.EXPIRED else "posted"

    @property
    def key(self) -> "LineKey":
        return LineKey(self.kept.at, self.kept.transfer_no)


class LineKey(msgspec.Struct, frozen=True):
    """Where a page of a statement ends: the next begins after it."""

    at: datetime
    transfer_no: int


class Trial(msgspec.Struct, frozen=True):
    """The sums of all accounts of a ledger with the same code. In each ledger the debits equal the credits."""

    ledger: int
    code: int
    accounts: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


class Close(msgspec.Struct, frozen=True):
    """A closed day of one ledger. `transfers` are those since the close before; `entry_id` is the journal's."""

    day: date
    ledger: int
    closed_until: datetime
    accounts: int
    transfers: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int
    accounts_sha256: str
    entry_id: str

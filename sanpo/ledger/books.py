"""The part of the books that a batch can touch, in memory: accounts as they stand, and the transfers that were made."""

from datetime import datetime

from sanpo.ledger.model import AccountFlag, Balance, Transfer, TransferFlag
from sanpo.ledger.outcomes import Outcome

# Plain integers: an IntFlag's own operators cost more than the rest of an evaluation.
LINKED, PENDING, POST, VOID, BALANCING_DEBIT, BALANCING_CREDIT, CLOSING_DEBIT, CLOSING_CREDIT, EXPIRED = map(
    int, TransferFlag
)
BALANCING, CLOSING, RESOLVING = BALANCING_DEBIT | BALANCING_CREDIT, CLOSING_DEBIT | CLOSING_CREDIT, POST | VOID
ALLOWED = EXPIRED - 1
_, DEBITS_LIMITED, CREDITS_LIMITED, HISTORY, CLOSED = map(int, AccountFlag)
CREATED = Outcome.CREATED


class Standing:
    """An account while a batch is evaluated."""

    __slots__ = (
        "account_no",
        "credits_pending",
        "credits_posted",
        "debits_pending",
        "debits_posted",
        "flags",
        "ledger",
    )

    def __init__(self, account_no: int, ledger: int, flags: int, *sums: int) -> None:
        self.account_no = account_no
        self.ledger = ledger
        self.flags = flags
        self.debits_pending, self.debits_posted, self.credits_pending, self.credits_posted = sums or (0, 0, 0, 0)

    @property
    def balance(self) -> Balance:
        return Balance(self.debits_pending, self.debits_posted, self.credits_pending, self.credits_posted)


class Made:
    """A transfer that was made, the accounts that it touched, and what it released of a pending one."""

    __slots__ = ("credit", "credit_after", "debit", "debit_after", "released", "transfer")

    def __init__(self, transfer: Transfer, debit: Standing, credit: Standing, released: int) -> None:
        self.transfer = transfer
        self.debit = debit
        self.credit = credit
        self.released = released
        self.debit_after: Balance | None = None
        self.credit_after: Balance | None = None


class Books:
    """What a batch can touch, and what it has made. `at` is the moment of all of it."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.accounts: dict[int, Standing] = {}
        self.transfers: dict[int, Transfer] = {}
        self.made_at: dict[int, datetime] = {}
        """When the pending transfers that were there before were made."""
        self.resolved: dict[int, int] = {}
        """By whom a pending transfer was resolved: the flags of the transfer that did it."""
        self.failed: set[int] = set()
        self.newly_failed: list[int] = []
        self.made: list[Made] = []

    def make(self, transfer: Transfer, debit: Standing, credit: Standing, released: int = 0) -> Outcome:
        made = Made(transfer, debit, credit, released)
        self._apply(made, 1)
        if debit.flags & HISTORY:
            made.debit_after = debit.balance
        if credit.flags & HISTORY:
            made.credit_after = credit.balance
        self.made.append(made)
        self.transfers[transfer.transfer_id] = transfer
        return CREATED

    def take_back(self, mark: int) -> None:
        """Undoes everything from the transfer at place `mark` on."""
        for made in reversed(self.made[mark:]):
            self._apply(made, -1)
            del self.transfers[made.transfer.transfer_id]
        del self.made[mark:]

    def _apply(self, made: Made, sign: int) -> None:
        transfer, debit, credit = made.transfer, made.debit, made.credit
        amount, flags = sign * transfer.amount, transfer.flags
        if flags & PENDING:
            debit.debits_pending += amount
            credit.credits_pending += amount
            self._close(made, flags, closes=sign > 0)
            return
        if transfer.pending_id:
            debit.debits_pending -= sign * made.released
            credit.credits_pending -= sign * made.released
            if sign > 0:
                self.resolved[transfer.pending_id] = flags
            else:
                del self.resolved[transfer.pending_id]
            if not flags & POST:
                self._close(made, self.transfers[transfer.pending_id].flags, closes=sign < 0)
                return
        debit.debits_posted += amount
        credit.credits_posted += amount

    @staticmethod
    def _close(made: Made, flags: int, *, closes: bool) -> None:
        """Closes what a pending transfer with these flags closes, or opens it again."""
        for bit, account in ((CLOSING_DEBIT, made.debit), (CLOSING_CREDIT, made.credit)):
            if flags & bit:
                account.flags = account.flags | CLOSED if closes else account.flags & ~CLOSED

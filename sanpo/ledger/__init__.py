"""The ledger: accounts and immutable transfers between them, in whole minor units; debits equal credits, always.

Purpose: whatever is money or points in the city is booked here and nowhere else (DESIGN §2, promises 4 and 7).

Invariants
* A transfer debits one account and credits another by the same amount; it never changes and is never deleted.
* Its id is chosen by who asks: sent again, it gives `exists` and moves nothing. `Outcome` names all that can become of a
  request, in the order in which it is looked for.
* A limit of an account (`debits_must_not_exceed_credits`, or the other way round) holds after every commit.
* Of one account the moments never go back, and nothing is booked into a day that is closed.

Tables: `ledgers`, `accounts`, `transfers`, `balances`, `failures`, `timeouts`, `closes`; `holders` (personal, row-level
security): whose an account is. The others name nobody.
"""

from sanpo.ledger.actions import create_accounts, create_accounts_in, open_ledger
from sanpo.ledger.closing import close_day
from sanpo.ledger.errors import LedgerIsBusy
from sanpo.ledger.model import Account, AccountFlag, Balance, Ledger, Transfer, TransferFlag
from sanpo.ledger.outcomes import Outcome
from sanpo.ledger.posting import post, post_in
from sanpo.ledger.reading import balance_at, get_account, get_account_in, list_newest, list_statement, trial_balance

__all__ = [
    "Account",
    "AccountFlag",
    "Balance",
    "Ledger",
    "LedgerIsBusy",
    "Outcome",
    "Transfer",
    "TransferFlag",
    "balance_at",
    "close_day",
    "create_accounts",
    "create_accounts_in",
    "get_account",
    "get_account_in",
    "list_newest",
    "list_statement",
    "open_ledger",
    "post",
    "post_in",
    "trial_balance",
]

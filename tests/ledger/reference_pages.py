"""Writes the ledger's reference page from the code and the specification; a test compares it with what is there."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from sanpo.ledger import AccountFlag, TransferFlag
from sanpo.ledger.model import MAX_BATCH
from sanpo.ledger.outcomes import AccountOutcome, Outcome
from tests.cleanroom.tables import rows_of, to_markdown
from tests.ledger import spec_outcomes

MADE = (
    "<!-- Made by tests/ledger/reference_pages.py from sanpo/ledger and tests/ledger/spec_outcomes.py; `make docs`. -->"
)
ACCOUNT_FLAGS = {
    AccountFlag.LINKED: "opened together with the next request of the batch, or not at all",
    AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS: "spends no more than it has; what is reserved counts as spent",
    AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS: "takes no more than it gave",
    AccountFlag.HISTORY: "its sums are kept after each of its transfers",
    AccountFlag.CLOSED: "set by a closing transfer, and lifted when that is voided or lapses",
}
TRANSFER_FLAGS = {
    TransferFlag.LINKED: "made together with the next request of the batch, or not at all",
    TransferFlag.PENDING: "reserves its amount; `timeout_s` seconds later it lapses (0: never)",
    TransferFlag.POST_PENDING: "moves `amount` of what `pending_id` reserved (2^63 − 1: all), and gives back the rest",
    TransferFlag.VOID_PENDING: "gives back what `pending_id` reserved",
    TransferFlag.BALANCING_DEBIT: "moves at most `amount`, and no more than the debit account has",
    TransferFlag.BALANCING_CREDIT: "moves at most `amount`, and no more than the credit account is owed",
    TransferFlag.CLOSING_DEBIT: "closes the debit account; must be pending",
    TransferFlag.CLOSING_CREDIT: "closes the credit account; must be pending",
    TransferFlag.EXPIRED: "made by the ledger itself when a pending transfer lapses",
}


def ledger_page() -> str:
    parts = [
        MADE,
        "# The ledger",
        f"`post` takes up to {MAX_BATCH:,} requests and gives one outcome for each, in order. Each is looked at after those "
        "before it have taken effect. Where several outcomes apply, the one that stands first here is told; only `created` "
        "changes the books.",
        "## Outcomes of a transfer",
        _outcomes(Outcome),
        "## Outcomes of an account",
        _outcomes(AccountOutcome),
        "## Flags of a transfer",
        _flags(TRANSFER_FLAGS),
        "## Flags of an account",
        _flags(ACCOUNT_FLAGS),
        "## Cases",
        "Each is run against the database and against a second, plain model. Accounts are letters, transfers numbers; `top` "
        "is 2^128 − 1, `most` 2^63 − 1, `over` one more. Where `ledger` and `code` are left out they are 1, and 0 where a "
        "request posts or voids. `after`: what is pending and posted on the debit (−) and the credit side (+).",
        *_cases(),
    ]
    return "\n\n".join(parts) + "\n"


def _outcomes(kind: type[Outcome] | type[AccountOutcome]) -> str:
    rows = [[str(place), f"`{each.value}`", each.meaning] for place, each in enumerate(_members(kind), 1)]
    return to_markdown(["", "outcome", "when"], rows)


def _members(kind: Any) -> Iterable[Any]:
    members: Iterable[Enum] = kind
    return members


def _flags(told: dict[Any, str]) -> str:
    return to_markdown(["flag", "bit", "meaning"], [[f"`{f.name.lower()}`", str(int(f)), t] for f, t in told.items()])


def _cases() -> Iterable[str]:
    for block in (*spec_outcomes.CASES.strip().split("\n\n"), *spec_outcomes.ACCOUNTS.strip().split("\n\n")):
        title, *lines = block.splitlines()
        yield f"### {title.removeprefix('# ')}"
        table: list[str] = []
        for line in [*lines, ""]:
            if line.startswith("|"):
                table.append(line)
                continue
            if table:
                rows = rows_of("\n".join(table))
                yield to_markdown(list(rows[0]), [list(row.values()) for row in rows])
            table = []
            if line:
                yield f"*{line}*"


PAGES: dict[str, Callable[[], str]] = {"docs/reference/ledger.md": ledger_page}

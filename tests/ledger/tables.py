"""Reads the specification tables: names become numbers, flags become bits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sanpo.ledger import Account, AccountFlag, Balance, Transfer, TransferFlag
from sanpo.ledger.outcomes import AccountOutcome, Outcome
from tests.cleanroom.tables import rows_of
from tests.ledger import spec_outcomes

TOP, MOST = 2**128 - 1, 2**63 - 1
WORDS = {"top": TOP, "most": MOST, "over": MOST + 1, "": 0}
ACCOUNT_FLAGS = {
    "linked": AccountFlag.LINKED,
    "debits_limited": AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    "credits_limited": AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
    "history": AccountFlag.HISTORY,
    "closed": AccountFlag.CLOSED,
}
TRANSFER_FLAGS = {
    "post": TransferFlag.POST_PENDING,
    "void": TransferFlag.VOID_PENDING,
    "unknown": 1 << 12,
    **{flag.name.lower(): flag for flag in TransferFlag if flag.name},
}


@dataclass(frozen=True)
class Step:
    """One thing that a case does: send a `batch`, `wait` seconds, let what is due `expire`."""

    does: str
    rows: list[dict[str, str]]
    seconds: int = 0

    @property
    def batch(self) -> list[Transfer]:
        return [transfer_of(row) for row in self.rows]

    @property
    def outcomes(self) -> list[Outcome]:
        return [Outcome(row["outcome"]) for row in self.rows]  # type: ignore[call-arg]


@dataclass(frozen=True)
class Case:
    title: str
    accounts: list[Account]
    steps: list[Step]
    after: dict[int, Balance]


def number(text: str) -> int:
    """`A` is 1 and `t1` some number of its own; digits are themselves."""
    if text in WORDS:
        return WORDS[text]
    return int(text) if text.lstrip("-").isdigit() else int.from_bytes(text.encode(), "big")


def transfer_of(row: dict[str, str]) -> Transfer:
    words = row.get("flags", "").split()
    flags = sum(int(TRANSFER_FLAGS[word]) for word in words if word in TRANSFER_FLAGS)
    named = [word for word in words if word not in TRANSFER_FLAGS]
    rest = "" if "post" in words or "void" in words else "1"
    return Transfer(
        number(row["id"]),
        number(row.get("from", "")),
        number(row.get("to", "")),
        number(row.get("amount", "")),
        number(row.get("ledger") or rest),
        number(row.get("code") or rest),
        flags,
        number(named[0] if named else row.get("pending", "")),
        number(row.get("timeout", "")),
        number(row.get("user", "")),
    )


def account_of(row: dict[str, str]) -> Account:
    return Account(
        number(row["id"]),
        int(row.get("ledger", "1")),
        int(row.get("code", "1")),
        sum(int(ACCOUNT_FLAGS[word]) for word in row["flags"].split()),
        number(row.get("user", "")),
    )


def cases() -> list[Case]:
    return [_case(block.strip().splitlines()) for block in spec_outcomes.CASES.strip().split("\n\n")]


def _case(lines: list[str]) -> Case:
    accounts: list[Account] = []
    steps: list[Step] = []
    after: dict[int, Balance] = {}
    for word, rows in _sections(lines[1:]):
        if word == "accounts":
            accounts = [account_of(row) for row in rows]
        elif word == "after":
            columns = ("-pending", "-posted", "+pending", "+posted")
            after = {number(row["id"]): Balance(*(int(row[name]) for name in columns)) for row in rows}
        else:
            does, _, seconds = word.partition(" ")
            steps.append(Step(does, rows, int(seconds or 0)))
    return Case(lines[0].removeprefix("# "), accounts, steps, after)


def _sections(lines: list[str]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    word, table = "", list[str]()
    for line in [*lines, "end"]:
        if line.startswith("|"):
            table.append(line)
            continue
        if word:
            yield word, rows_of("\n".join(table)) if table else []
        word, table = line, []


def account_cases() -> list[tuple[str, list[Any]]]:
    """(title, [(request, outcome)])."""
    found = []
    for block in spec_outcomes.ACCOUNTS.strip().split("\n\n"):
        title, *table = block.splitlines()
        rows = rows_of("\n".join(table))
        found.append((title.removeprefix("# "), [(account_of(r), AccountOutcome(r["outcome"])) for r in rows]))  # type: ignore[call-arg]
    return found

"""The ledger's vault: its SQL as functions. A batch is read under locks, and written, in a few statements however long it is.

Columns go as PostgreSQL's own text of an array: for thousands of numbers that is cheaper than to have each adapted.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries
from sanpo.ledger.books import Books, Made, Standing
from sanpo.ledger.model import MAX_ID, Account, Balance, Transfer

SQL = load_queries(__package__)
LAST_NO = 2**63 - 1
DUTY = "ledger"
"""The duty that row-level security lets see who holds an account."""


def lock_accounts(tx: Transaction, account_ids: Collection[int]) -> tuple[dict[int, Standing], datetime | None]:
    """The accounts that are there, locked until the transaction ends, and when one of them changed last."""
    wanted = [number for number in account_ids if 0 < number <= MAX_ID]
    rows = tx.all(SQL.lock_accounts, account_ids=_ids(wanted)) if wanted else []
    found = {wanted[row.place]: Standing(*row[1:8]) for row in rows}
    return found, max((row.changed_at for row in rows), default=None)


def accounts_of_pending(tx: Transaction, pending_ids: Collection[int]) -> set[int]:
    """The accounts of these transfers."""
    rows = tx.all(SQL.accounts_of_pending, pending_ids=_ids(pending_ids))
    return {account.int for row in rows for account in row}


def look_up(tx: Transaction, transfer_ids: Collection[int]) -> list[Any]:
    return tx.all(SQL.look_up, transfer_ids=_ids(number for number in transfer_ids if 0 < number <= MAX_ID))


def fill(books: Books, rows: Iterable[Any]) -> None:
    """Puts what was looked up into the books: transfers with their resolutions, and ids that failed."""
    for row in rows:
        if row.transfer_id is None:
            continue
        if row.amount is None:
            books.failed.add(row.transfer_id.int)
            continue
        transfer = transfer_of(row)
        books.transfers[transfer.transfer_id] = transfer
        books.made_at[transfer.transfer_id] = row.at
        if row.resolver is not None:
            books.resolved[transfer.transfer_id] = row.resolver


def transfer_of(row: Any) -> Transfer:
    return Transfer(
        row.transfer_id.int,
        row.debit_account_id.int,
        row.credit_account_id.int,
        row.amount,
        row.ledger,
        row.code,
        row.flags,
        number_of(row.pending_id),
        row.timeout_s,
        number_of(row.user_data),
    )


def write(tx: Transaction, books: Books) -> None:
    """Writes what the books have made, in one statement; history, timeouts and failed ids in one more each, if any."""
    made = books.made
    if made:
        changed = {each.account_no: each for one in made for each in (one.debit, one.credit)}
        first = tx.get(SQL.write, at=books.at, **_transfer_columns(made), **_account_columns(changed.values())).first
        _write_balances(tx, books, int(first))
        _write_timeouts(tx, books)
    if books.newly_failed:
        tx.execute(SQL.write_failures, at=books.at, transfer_ids=_ids(books.newly_failed))


def _transfer_columns(made: Sequence[Made]) -> dict[str, str]:
    transfers = [one.transfer for one in made]
    return {
        "transfer_ids": _ids(t.transfer_id for t in transfers),
        "debit_nos": _array([one.debit.account_no for one in made]),
        "credit_nos": _array([one.credit.account_no for one in made]),
        "amounts": _array([t.amount for t in transfers]),
        "released": _array([one.released if one.transfer.pending_id else "NULL" for one in made]),
        "timeouts": _array([t.timeout_s for t in transfers]),
        "ledgers": _array([t.ledger for t in transfers]),
        "codes": _array([t.code for t in transfers]),
        "flags": _array([int(t.flags) for t in transfers]),
        "pending_ids": _ids(t.pending_id for t in transfers),
        "user_data": _ids(t.user_data for t in transfers),
    }


def _account_columns(changed: Collection[Standing]) -> dict[str, str]:
    return {
        "account_nos": _array([each.account_no for each in changed]),
        "account_flags": _array([each.flags for each in changed]),
        **_sums(changed),
    }


def _sums(balances: Collection[Standing] | Collection[Balance]) -> dict[str, str]:
    names = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
    return {name: _array([getattr(each, name) for each in balances]) for name in names}


def _write_balances(tx: Transaction, books: Books, first: int) -> None:
    rows = [
        (account.account_no, first + place, after)
        for place, one in enumerate(books.made, 1)
        for account, after in ((one.debit, one.debit_after), (one.credit, one.credit_after))
        if after is not None
    ]
    if rows:
        numbers = {"account_nos": _array([row[0] for row in rows]), "transfer_nos": _array([row[1] for row in rows])}
        tx.execute(SQL.write_balances, at=books.at, **numbers, **_sums([row[2] for row in rows]))


def _write_timeouts(tx: Transaction, books: Books) -> None:
    lapsing = [one.transfer for one in books.made if one.transfer.timeout_s]
    if lapsing:
        ids, timeouts = _ids(t.transfer_id for t in lapsing), _array([t.timeout_s for t in lapsing])
        tx.execute(SQL.write_timeouts, at=books.at, transfer_ids=ids, timeouts=timeouts)
    resolved = [one.transfer.pending_id for one in books.made if one.transfer.pending_id]
    if resolved:
        tx.execute(SQL.drop_timeouts, transfer_ids=_ids(resolved))


def list_due(tx: Transaction, *, now: datetime, limit: int) -> list[int]:
    """Pending transfers whose time is over, the earliest first."""
    return [row.transfer_id.int for row in tx.all(SQL.due, now=now, limit=limit)]


def insert_ledger(tx: Transaction, **columns: Any) -> None:
    tx.execute(SQL.insert_ledger, **columns)


def list_ledgers(tx: Transaction) -> list[Any]:
    return tx.all(SQL.ledgers)


def find_accounts(tx: Transaction, account_ids: Collection[int]) -> dict[int, Account]:
    rows = tx.all(SQL.accounts_by_id, account_ids=_ids(number for number in account_ids if 0 < number <= MAX_ID))
    return {
        row.account_id.int: Account(row.account_id.int, row.ledger, row.code, row.flags, number_of(row.user_data))
        for row in rows
    }


def insert_accounts(tx: Transaction, accounts: Sequence[Account]) -> None:
    tx.execute(
        SQL.insert_accounts,
        at=tx.city.now(),
        account_ids=_ids(a.account_id for a in accounts),
        ledgers=[a.ledger for a in accounts],
        codes=[a.code for a in accounts],
        flags=[int(a.flags) for a in accounts],
        user_data=_ids(a.user_data for a in accounts),
        subject_nos=[a.subject_no for a in accounts],
        organisation_nos=[a.organisation_no for a in accounts],
    )


def find_account(tx: Transaction, account_id: int) -> Any | None:
    """The account's row with its holder."""
    return tx.one(SQL.find_account, account_id=_id(account_id))


def accounts_of_residents(tx: Transaction, account_ids: Collection[UUID], *, but: int) -> set[int]:
    """Which of these are held by residents, but for one."""
    rows = tx.all(SQL.accounts_of_residents, account_ids=list(account_ids), but=but)
    return {row.account_id.int for row in rows}


def list_own_accounts(tx: Transaction, *, subject_no: int | None, organisation_no: int | None) -> list[Any]:
    return tx.all(SQL.own_accounts, subject_no=subject_no, organisation_no=organisation_no)


def list_accounts(tx: Transaction, *, ledger: int | None, after: int, limit: int) -> list[Any]:
    return tx.all(SQL.accounts_page, ledger=ledger, after=_id(after), limit=limit)


def find_transfer(tx: Transaction, transfer_id: int) -> Any | None:
    return tx.one(SQL.find_transfer, transfer_id=_id(transfer_id))


def history_at(tx: Transaction, account_no: int, at: datetime) -> Any | None:
    return tx.one(SQL.history_at, account_no=account_no, at=at)


def sums_at(tx: Transaction, account_no: int, at: datetime) -> Any:
    return tx.get(SQL.balance_at, account_no=account_no, at=at)


def list_lines(tx: Transaction, **page: Any) -> list[Any]:
    return tx.all(SQL.statement, **page)


def list_lines_backwards(tx: Transaction, **page: Any) -> list[Any]:
    return tx.all(SQL.statement_backwards, **page)


def trial_balance(tx: Transaction, at: datetime) -> list[Any]:
    return tx.all_planned(SQL.trial_balance, at=at)


def stop_posting(tx: Transaction) -> None:
    tx.execute(SQL.stop_posting)


def last_close(tx: Transaction) -> Any:
    """The last closed day and its end, or nulls."""
    return tx.get(SQL.closed_until)


def closed_before(tx: Transaction, day: date) -> datetime | None:
    found: datetime | None = tx.get(SQL.close_before, day=day).closed_until
    return found


def figures(tx: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    return tx.all_planned(SQL.figures, since=since, until=until)


def insert_close(tx: Transaction, **columns: Any) -> None:
    tx.execute(SQL.insert_close, **columns)


def closes_of(tx: Transaction, day: date) -> list[Any]:
    return tx.all(SQL.closes_of, day=day)


def list_closes(tx: Transaction, *, before: date | None, limit: int) -> list[Any]:
    return tx.all(SQL.closes, before=before, limit=limit)


def number_of(found: UUID | None) -> int:
    return 0 if found is None else found.int


def _id(number: int) -> str:
    return f"{number:032x}"


def _ids(numbers: Iterable[int]) -> str:
    """Identifiers as the text of a `uuid[]`; 0 is null."""
    return _array([f"{number:032x}" if number else "NULL" for number in numbers])


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"

"""What stands in the books: accounts, transfers, sums at any moment, statements, the trial balance.

An account is seen by its holder and by the city at a duty; an officer sees those that nobody holds. To all others it is not
there. The other side of a transfer is told as account 0 where it is a resident's, but to that resident: the same number in
two transfers would tell a shop that the same person came twice.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotSignedIn
from sanpo.ground.ids import id_of
from sanpo.ledger import store
from sanpo.ledger.errors import AccountNotFound, TransferNotFound
from sanpo.ledger.model import (
    MAX_ID,
    AccountFlag,
    Balance,
    KeptAccount,
    KeptTransfer,
    Line,
    LineKey,
    Trial,
)

BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
MAX_PAGE = 1000
_NEVER = LineKey(BEGINNING, 0)
_LAST = LineKey(END, 0)
_NOBODY = -1
_MOMENT = timedelta(microseconds=1)
DUTY = System(store.DUTY)


def get_account(city: City, actor: Actor, account_id: int) -> KeptAccount:
    """The account as it stands. Raises `AccountNotFound`."""
    with city.transaction(DUTY) as tx:
        return _account(_visible(tx, actor, account_id))


def get_account_in(tx: Transaction, account_id: int) -> KeptAccount:
    """As `get_account`, in the caller's own transaction. Who may see it is for the caller to decide."""
    return _account(_visible(tx, DUTY, account_id))


def list_own_accounts(city: City, actor: Actor) -> list[KeptAccount]:
    """The accounts that the resident or the organisation holds, the oldest first. Raises `NotSignedIn`."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    subject_no = actor.subject_no if isinstance(actor, Resident) else None
    organisation_no = actor.organisation_no if isinstance(actor, Staff | Client) else None
    with city.transaction(actor) as tx:
        rows = store.list_own_accounts(tx, subject_no=subject_no, organisation_no=organisation_no)
    return [_account(row) for row in rows]


def list_accounts(
    city: City, actor: Actor, *, ledger: int | None = None, after: int = 0, limit: int = 100
) -> list[KeptAccount]:
    """All accounts in the order of their ids, for an officer or the city; whose they are is not told."""
    require_officer(actor)
    with city.transaction(DUTY) as tx:
        return [
            _account(row) for row in store.list_accounts(tx, ledger=ledger, after=after, limit=min(limit, MAX_PAGE))
        ]


def get_transfer(city: City, actor: Actor, transfer_id: int) -> KeptTransfer:
    """The transfer as it was made. Raises `TransferNotFound`."""
    with city.transaction(DUTY) as tx:
        row = store.find_transfer(tx, transfer_id) if 0 < transfer_id <= MAX_ID else None
        if row is not None:
            accounts = (store.find_account(tx, each.int) for each in (row.debit_account_id, row.credit_account_id))
            if any(_may_see(actor, account) for account in accounts):
                return _transfer(row, _hidden(tx, actor, [row]))
    raise TransferNotFound(transfer_id=id_of("trf", transfer_id) if transfer_id > 0 else "")


def balance_at(city: City, actor: Actor, account_id: int, at: datetime) -> Balance:
    """The account's sums at a moment, with all that was made at it. Raises `AccountNotFound`.

    One look into an index where the account keeps its history; else today's sums less what came after, which takes longer
    the more that is.
    """
    with city.transaction(DUTY) as tx:
        account = _visible(tx, actor, account_id)
        if account.flags & AccountFlag.HISTORY:
            row = store.history_at(tx, account.account_no, at)
            return Balance(*row) if row else Balance()
        return Balance(*store.sums_at(tx, account.account_no, at))


def list_statement(
    city: City,
    actor: Actor,
    account_id: int,
    *,
    after: LineKey = _NEVER,
    since: datetime = BEGINNING,
    until: datetime = END,
    limit: int = 100,
) -> list[Line]:
    """The account's transfers from `since` until before `until`, the oldest first, at most `limit` behind the key `after`."""
    start = max(
        (after.at, after.transfer_no), (since - _MOMENT, store.LAST_NO) if since > BEGINNING else (BEGINNING, 0)
    )
    with city.transaction(DUTY) as tx:
        number = _visible(tx, actor, account_id).account_no
        rows = store.list_lines(
            tx, account_no=number, after_at=start[0], after_no=start[1], until=until, limit=min(limit, MAX_PAGE)
        )
        hidden = _hidden(tx, actor, rows)
    return [_line(row, hidden) for row in rows]


def list_newest(city: City, actor: Actor, account_id: int, *, before: LineKey = _LAST, limit: int = 100) -> list[Line]:
    """The account's transfers, the newest first, at most `limit` before the key `before`."""
    with city.transaction(DUTY) as tx:
        number = _visible(tx, actor, account_id).account_no
        rows = store.list_lines_backwards(
            tx, account_no=number, before_at=before.at, before_no=before.transfer_no, limit=min(limit, MAX_PAGE)
        )
        hidden = _hidden(tx, actor, rows)
    return [_line(row, hidden) for row in rows]


def walk_statement(city: City, actor: Actor, account_id: int, *, since: datetime, until: datetime) -> Iterator[Line]:
    """Every line of the period, a page in memory at a time."""
    after = _NEVER
    while page := list_statement(city, actor, account_id, after=after, since=since, until=until, limit=MAX_PAGE):
        yield from page
        after = page[-1].key


def trial_balance(city: City, actor: Actor, at: datetime | None = None) -> list[Trial]:
    """The sums by ledger and code, now or as they were at a moment; for an officer or the city."""
    require_officer(actor)
    with city.transaction(DUTY) as tx:
        return [Trial(*map(int, row)) for row in store.trial_balance(tx, at or END)]


def _visible(tx: Transaction, actor: Actor, account_id: int) -> Any:
    row = store.find_account(tx, account_id) if 0 < account_id <= MAX_ID else None
    if row is None or not _may_see(actor, row):
        raise AccountNotFound(account_id=id_of("acc", account_id) if account_id > 0 else "")
    return row


def _may_see(actor: Actor, account: Any) -> bool:
    match actor:
        case System():
            return True
        case Resident():
            return bool(account.subject_no == actor.subject_no)
        case Staff() | Client() if account.organisation_no == actor.organisation_no:
            return True
        case Staff(role="officer"):
            return account.subject_no is None and account.organisation_no is None
    return False


def _account(row: Any) -> KeptAccount:
    sums = Balance(row.debits_pending, row.debits_posted, row.credits_pending, row.credits_posted)
    user_data = store.number_of(row.user_data)
    return KeptAccount(row.account_id.int, row.ledger, row.code, row.flags, user_data, sums, row.created_at)


def _hidden(tx: Transaction, actor: Actor, rows: Sequence[Any]) -> Collection[int]:
    """Accounts of other residents in these transfers."""
    if isinstance(actor, System):
        return ()
    account_ids = {each for row in rows for each in (row.debit_account_id, row.credit_account_id)}
    but = actor.subject_no if isinstance(actor, Resident) else _NOBODY
    return store.accounts_of_residents(tx, account_ids, but=but)


def _transfer(row: Any, hidden: Collection[int]) -> KeptTransfer:
    made = store.transfer_of(row)
    sides = {name: 0 for name in ("debit_account_id", "credit_account_id") if getattr(made, name) in hidden}
    return KeptTransfer(replace(made, **sides) if sides else made, row.transfer_no, row.at)


def _line(row: Any, hidden: Collection[int]) -> Line:
    sums = (row.debits_pending, row.debits_posted, row.credits_pending, row.credits_posted)
    return Line(_transfer(row, hidden), row.side, None if None in sums else Balance(*sums))

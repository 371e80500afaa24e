"""The ledger over HTTP: one's own accounts, what was booked on them, and the days that are closed. Nothing is posted here."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.ids import id_of, number_of
from sanpo.ground.problems import problem_responses
from sanpo.ledger import closing, reading
from sanpo.ledger.camt import to_camt, to_csv
from sanpo.ledger.errors import KeyIsMalformed
from sanpo.ledger.exporting import make_sheet
from sanpo.ledger.model import AccountFlag, Balance, Close, KeptAccount, KeptTransfer, Line, LineKey, TransferFlag

PATH = "/api/ledger"
_ERRORS = problem_responses(401, 403, 404)
_AccountId = Annotated[str, PathParameter(description="An account, `acc_…`.", max_length=64)]
_TransferId = Annotated[str, PathParameter(description="A transfer, `trf_…`.", max_length=64)]
_Limit = Annotated[int, QueryParameter(ge=1, le=reading.MAX_PAGE, description="Transfers on a page.")]
_Before = Annotated[
    str | None, QueryParameter(max_length=64, description="Transfers older than this key, as `next_before` gave it.")
]
_Day = Annotated[date, QueryParameter(description="A day on the city's clock.")]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _file(kind: str, what: str) -> dict[int, ResponseSpec]:
    found = ResponseSpec(data_container=bytes, media_type=kind, description=what)
    return {200: found, **problem_responses(401, 403, 404, 429)}


def _named(file: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{file}"'}


class AccountOut(Struct):
    """Sums are whole minor units; `balance` is what is posted to the account's credit less its debit."""

    account_id: str
    ledger: int
    code: int
    flags: list[str]
    balance: int
    sums: Balance
    created_at: datetime


class TransferOut(Struct):
    """A transfer as it was made: `amount` is what moved, in minor units. An account of another resident is `acc_0…0`."""

    transfer_id: str
    debit_account_id: str
    credit_account_id: str
    amount: int
    ledger: int
    code: int
    flags: list[str]
    pending_id: str | None
    timeout_s: int
    at: datetime


class LineOut(Struct):
    """A transfer as the account sees it; `balance_after` where the account keeps its history."""

    kind: Literal["posted", "pending", "voided", "expired"]
    side: Literal["debit", "credit"]
    transfer: TransferOut
    balance_after: Balance | None


class LinesOut(Struct):
    """A page, newest first; `next_before` asks for the next one and is null on the last."""

    transfers: list[LineOut]
    next_before: str | None


@get(f"{PATH}/accounts", sync_to_thread=True, responses=problem_responses(401, 403))
def get_accounts(city: City, actor: Actor) -> list[AccountOut]:
    """The accounts that the resident or the organisation holds."""
    return [account_out(each) for each in reading.list_own_accounts(city, actor)]


@get(f"{PATH}/accounts/{{account_id:str}}", sync_to_thread=True, responses=_ERRORS)
def get_account(city: City, actor: Actor, account_id: _AccountId) -> AccountOut:
    """One account as it stands."""
    return account_out(reading.get_account(city, actor, number_of("acc", account_id)))


@get(f"{PATH}/accounts/{{account_id:str}}/balance", sync_to_thread=True, responses=_ERRORS)
def get_balance(city: City, actor: Actor, account_id: _AccountId, at: datetime) -> Balance:
    """The account's sums at a moment, such as 2026-04-01T00:00:00+09:00."""
    moment = at if at.tzinfo else at.replace(tzinfo=city.settings.zone)
    return reading.balance_at(city, actor, number_of("acc", account_id), moment)


@get(f"{PATH}/accounts/{{account_id:str}}/transfers", sync_to_thread=True, responses=_ERRORS)
def get_transfers(
    city: City, actor: Actor, account_id: _AccountId, before: _Before = None, limit: _Limit = 50
) -> LinesOut:
    """What was booked on the account, the newest first."""
    key = {} if before is None else {"before": _key(before)}
    lines = reading.list_newest(city, actor, number_of("acc", account_id), limit=limit, **key)
    return LinesOut([_line(line) for line in lines], _text(lines[-1].key) if len(lines) == limit else None)


@get(
    f"{PATH}/accounts/{{account_id:str}}/statement/camt.053",
    sync_to_thread=True,
    responses=_file("application/xml", "camt.053.001.08"),
)
def get_camt(city: City, actor: Actor, account_id: _AccountId, since: _Day, until: _Day) -> Response[bytes]:
    """What was booked in whole days, as an ISO 20022 message."""
    sheet = make_sheet(city, actor, number_of("acc", account_id), since=since, until=until)
    return Response(to_camt(sheet), media_type="application/xml", headers=_named(f"{account_id}_{since}_{until}.xml"))


@get(
    f"{PATH}/accounts/{{account_id:str}}/statement/csv",
    sync_to_thread=True,
    responses=_file("text/csv", "RFC 4180, with the balance after each line"),
)
def get_csv(city: City, actor: Actor, account_id: _AccountId, since: _Day, until: _Day) -> Response[bytes]:
    """What was booked in whole days, as a table."""
    sheet = make_sheet(city, actor, number_of("acc", account_id), since=since, until=until)
    return Response(to_csv(sheet).encode(), media_type="text/csv", headers=_named(f"{account_id}_{since}_{until}.csv"))


@get(f"{PATH}/transfers/{{transfer_id:str}}", sync_to_thread=True, responses=_ERRORS)
def get_transfer(city: City, actor: Actor, transfer_id: _TransferId) -> TransferOut:
    """One transfer, for who holds one of its accounts."""
    return transfer_out(reading.get_transfer(city, actor, number_of("trf", transfer_id)))


@get(f"{PATH}/closes", sync_to_thread=True, responses=problem_responses())
def get_closes(city: City, before: date | None = None, limit: _Limit = 50) -> list[Close]:
    """The closed days, the newest first, for everybody: the same figures stand in the journal."""
    return closing.list_closes(city, before=before, limit=limit)


def account_out(account: KeptAccount) -> AccountOut:
    sums = account.balance
    return AccountOut(
        id_of("acc", account.account_id),
        account.ledger,
        account.code,
        _names(AccountFlag, account.flags),
        sums.credits_posted - sums.debits_posted,
        sums,
        account.created_at,
    )


def transfer_out(kept: KeptTransfer) -> TransferOut:
    transfer = kept.transfer
    return TransferOut(
        id_of("trf", transfer.transfer_id),
        id_of("acc", transfer.debit_account_id),
        id_of("acc", transfer.credit_account_id),
        transfer.amount,
        transfer.ledger,
        transfer.code,
        _names(TransferFlag, transfer.flags),
        id_of("trf", transfer.pending_id) if transfer.pending_id else None,
        transfer.timeout_s,
        kept.at,
    )


def _line(line: Line) -> LineOut:
    return LineOut(line.kind, line.side, transfer_out(line.kept), line.balance)


def _names(kind: type[AccountFlag] | type[TransferFlag], flags: int) -> list[str]:
    return [str(flag.name).lower() for flag in kind if flags & flag]


def _text(key: LineKey) -> str:
    return f"{(key.at - _EPOCH) // timedelta(microseconds=1)}-{key.transfer_no}"


def _key(text: str) -> LineKey:
    at_us, _, number = text.partition("-")
    try:
        return LineKey(_EPOCH + timedelta(microseconds=int(at_us)), _bigint(int(number)))
    except (ValueError, OverflowError):
        raise KeyIsMalformed(given=text) from None


def _bigint(number: int) -> int:
    if not 0 <= number < 2**63:
        raise ValueError(number)
    return number


handlers: list[Any] = [
    get_accounts,
    get_account,
    get_balance,
    get_transfers,
    get_camt,
    get_csv,
    get_transfer,
    get_closes,
]

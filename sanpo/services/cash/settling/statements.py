"""A shop's statement: every movement of its account in whole days, between two balances of the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ledger import balance_at, list_statement
from sanpo.services.cash.errors import PeriodIsInvalid, StatementIsTooLong
from sanpo.services.cash.model import FIRST_DAY, number_of
from sanpo.services.cash.settling.model import FEE, FEE_BACK, PAYOUT
from sanpo.services.cash.settling.settling import check_reader
from sanpo.services.cash.settling.store import SQL
from sanpo.services.cash.shops import get_shop
from sanpo.services.cash.tables import to_csv

MAX_LINES = 200_000
COLUMNS = ("at", "kind", "amount_yen", "balance_yen", "reference", "shop")
_KINDS = {PAYOUT: "payout", FEE: "fee", FEE_BACK: "fee_back"}
_PAGE = 1000
_TICK = timedelta(microseconds=1)


class Line(msgspec.Struct, frozen=True):
    """One movement. `amount_yen` is negative where it left the shop; `reference` is the payment, refund or settlement."""

    at: datetime
    kind: str
    amount_yen: int
    balance_yen: int
    reference: str


@dataclass(frozen=True)
class Statement:
    """The lines add up from the one balance to the other."""

    shop_id: str
    shop_name: str
    since: datetime
    until: datetime
    opening_yen: int
    closing_yen: int
    lines: list[Line]


def make_statement(city: City, actor: Actor, shop_id: str, since: date, until: date) -> Statement:
    """From the beginning of the day `since` to the end of the day `until`, for the shop itself or an officer.

    Raises `PeriodIsInvalid`, `StatementIsTooLong`, `NotSignedIn`, `NotPermitted`, `NotFound`.
    """
    reader, shop = check_reader(city, actor, shop_id), get_shop(city, shop_id)
    start, end = days_between(city, since, until)
    account = number_of("shop", shop.shop_no)
    before = balance_at(city, reader, account, start - _TICK)
    opening = before.credits_posted - before.debits_posted
    lines = list(_lines(city, reader, shop_id, account, (start, end), opening))
    return Statement(shop_id, shop.local_name, start, end, opening, lines[-1].balance_yen if lines else opening, lines)


def statement_csv(city: City, statement: Statement, lang: str, *, bom: bool = False) -> bytes:
    """The statement as a table in the reader's language, with a row for each of the two balances."""
    name = statement.shop_name

    def word(kind: str) -> str:
        return city.words.text(lang, f"cash.statement.{kind}")

    rows: list[tuple[object, ...]] = [
        (statement.since.isoformat(), word("opening"), 0, statement.opening_yen, "", name),
        *(
            (line.at.isoformat(), word(line.kind), line.amount_yen, line.balance_yen, line.reference, name)
            for line in statement.lines
        ),
        (statement.until.isoformat(), word("closing"), 0, statement.closing_yen, "", name),
    ]
    return to_csv([word(f"column.{column}") for column in COLUMNS], rows, bom=bom)


def days_between(city: City, since: date, until: date) -> tuple[datetime, datetime]:
    """The moments between which whole days lie on the city's clock. Raises `PeriodIsInvalid`."""
    if not FIRST_DAY <= since <= until < date.max:
        raise PeriodIsInvalid(since=since.isoformat(), until=until.isoformat())
    zone = city.settings.zone
    return datetime.combine(since, time(), zone), datetime.combine(until + timedelta(days=1), time(), zone)


def _lines(
    city: City, reader: Actor, shop_id: str, account: int, period: tuple[datetime, datetime], balance: int
) -> Iterator[Line]:
    since, until = period
    names = _references(city, reader, shop_id, since, until)
    after: dict[str, Any] = {}
    count = 0
    while page := list_statement(city, reader, account, since=since, until=until, limit=_PAGE, **after):
        for line in page:
            if line.kind != "posted":
                continue
            transfer, gains = line.kept.transfer, line.side == "credit"
            amount = transfer.amount if gains else -transfer.amount
            balance += amount
            count += 1
            if count > MAX_LINES:
                raise StatementIsTooLong(limit=MAX_LINES)
            kind = _KINDS.get(transfer.code, "sale" if gains else "refund")
            at = line.kept.at.astimezone(city.settings.zone)
            yield Line(at, kind, amount, balance, names.get(transfer.transfer_id, ""))
        after = {"after": page[-1].key}


def _references(city: City, reader: Actor, shop_id: str, since: datetime, until: datetime) -> dict[int, str]:
    """What each transfer was for: the ledger knows only the number that was made from it."""
    margin = timedelta(days=1)  # the ledger's moment is a little later than the payment's
    with city.transaction(reader) as tx:
        rows = tx.all(SQL.references_of, shop_id=shop_id, since=since - margin, until=until + margin)
    return {number_of(row.kind, row.reference): row.reference for row in rows}

"""Statements as files, for whole days on the city's clock."""

from datetime import date, datetime, time, timedelta

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.ledger.actions import list_ledgers
from sanpo.ledger.camt import Sheet
from sanpo.ledger.closing import end_of
from sanpo.ledger.errors import PeriodIsInvalid, StatementIsTooLong
from sanpo.ledger.model import Line
from sanpo.ledger.reading import balance_at, get_account, walk_statement

MAX_LINES = 200_000


def make_sheet(city: City, actor: Actor, account_id: int, *, since: date, until: date) -> Sheet:
    """The booked lines from the day `since` to the end of the day `until`, with the balance before them.

    Raises `AccountNotFound`, `PeriodIsInvalid` or `StatementIsTooLong`.
    """
    if until < since or until == date.max:
        raise PeriodIsInvalid(since=since.isoformat(), until=until.isoformat())
    account = get_account(city, actor, account_id)
    zone = city.settings.zone
    start, end = datetime.combine(since, time(), zone), end_of(city, until).astimezone(zone)
    before = balance_at(city, actor, account_id, start - timedelta(microseconds=1))
    lines: list[Line] = []
    for line in walk_statement(city, actor, account_id, since=start, until=end):
        if line.kind == "posted":
            lines.append(line)
        if len(lines) > MAX_LINES:
            raise StatementIsTooLong(limit=MAX_LINES)
    (ledger,) = (each for each in list_ledgers(city) if each.ledger == account.ledger)
    opening = before.credits_posted - before.debits_posted
    return Sheet(new_id("sta"), account_id, ledger, start, end, city.now(), opening, lines)

"""The end of a day: its figures are fixed, stand in the journal, and nothing is booked into it any more.

The journal's checkpoint signs the entry with all others, so a figure cannot be changed later without anyone who kept one
noticing.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

from sanpo.ground.actors import Actor, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.journal import append
from sanpo.ledger import store
from sanpo.ledger.errors import DayIsBeforeTheLastClose, DayIsNotClosed, DayIsNotOver
from sanpo.ledger.model import Close
from sanpo.ledger.reading import BEGINNING

KIND = "ledger.close"
_DUTY = System(store.DUTY)


def close_day(city: City, actor: Actor, day: date) -> list[Close]:
    """Closes a day for all ledgers, with the days before it; a day that is closed comes back as it was recorded.

    For the time of one scan of the accounts nobody posts. Raises `DayIsNotOver` or `DayIsBeforeTheLastClose`.
    """
    require_officer(actor)
    until = end_of(city, day)
    with city.transaction(_DUTY) as tx:
        store.stop_posting(tx)
        last = store.last_close(tx)
        if last.day is not None and day <= last.day:
            closes = _closes(tx, day)
            if not closes:
                raise DayIsBeforeTheLastClose(day=day.isoformat(), last=last.day.isoformat())
            return closes
        if until > city.now():
            raise DayIsNotOver(day=day.isoformat())
        figures = [_figures(row) for row in store.figures(tx, since=last.closed_until or BEGINNING, until=until)]
        if figures:
            body = {"day": day.isoformat(), "closed_until": until.isoformat(), "ledgers": [_public(f) for f in figures]}
            entry_id = append(tx, kind=KIND, body=body).entry_id
            for each in figures:
                store.insert_close(tx, day=day, closed_until=until, entry_id=entry_id, **each)
        return _closes(tx, day)


def close_yesterday(city: City) -> None:
    """The duty: closes the day that is over, if it is not closed yet."""
    yesterday = city.now().astimezone(city.settings.zone).date() - timedelta(days=1)
    with city.transaction(_DUTY) as tx:
        last = store.last_close(tx).day
    if last is None or last < yesterday:
        close_day(city, _DUTY, yesterday)


def list_closes(city: City, *, before: date | None = None, limit: int = 100) -> list[Close]:
    """Closed days, the newest first. They are public: their figures stand in the journal."""
    with city.transaction(_DUTY) as tx:
        return [_close(row) for row in store.list_closes(tx, before=before, limit=min(limit, 1000))]


def differing(city: City, day: date) -> list[int]:
    """The ledgers whose figures, worked out anew from the transfers, are not those of the close. Raises `DayIsNotClosed`."""
    with city.transaction(_DUTY) as tx:
        closes = _closes(tx, day)
        if not closes:
            raise DayIsNotClosed(day=day.isoformat())
        since = store.closed_before(tx, day) or BEGINNING
        found = {row.ledger: _figures(row) for row in store.figures(tx, since=since, until=closes[0].closed_until)}
    recorded = {each.ledger: {name: getattr(each, name) for name in found[each.ledger]} for each in closes}
    return [ledger for ledger, figures in recorded.items() if figures != found[ledger]]


def end_of(city: City, day: date) -> datetime:
    """The moment at which the day ends on the city's clock."""
    return datetime.combine(day + timedelta(days=1), time(), city.settings.zone).astimezone(city.now().tzinfo)


def _closes(tx: Transaction, day: date) -> list[Close]:
    return [_close(row) for row in store.closes_of(tx, day)]


def _close(row: Any) -> Close:
    return Close(**{**row._asdict(), **_sums(row)})


def _figures(row: Any) -> dict[str, Any]:
    return {**row._asdict(), **_sums(row)}


def _sums(row: Any) -> dict[str, int]:
    names = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
    return {name: int(getattr(row, name)) for name in names}


def _public(figures: dict[str, Any]) -> dict[str, Any]:
    """Sums as text: they may pass what a JSON number holds exactly."""
    return {**figures, **{name: str(value) for name, value in figures.items() if name.endswith(("pending", "posted"))}}

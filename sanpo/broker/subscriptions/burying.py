"""The end of what never arrived: dead notifications go after a set time, and how many they were is kept."""

from datetime import timedelta

from sanpo.broker.sight import DUTY
from sanpo.broker.subscriptions.store import SQL
from sanpo.ground.city import City

MOST_EVENTS = 10_000
"""Kept for one subscription."""


def bury(city: City) -> int:
    """The duty: ends what has been dead for `broker_dead_hours`, and events after `broker_event_minutes`.

    Returns how many notifications it were.
    """
    with city.transaction(DUTY) as tx:
        before = tx.now - timedelta(hours=city.settings.broker_dead_hours)
        buried = int(tx.get(SQL.bury, before=before, now=tx.now).n)
        oldest = tx.now - timedelta(minutes=city.settings.broker_event_minutes)
        return buried + int(tx.get(SQL.end_events, before=oldest, most=MOST_EVENTS, now=tx.now).n)

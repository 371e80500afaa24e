"""Alerts on payments and charges that look as if cut to stay below a limit. A rule counts; what it means, people judge."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import groupby

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.ground.ids import check_id, new_id
from sanpo.journal import append
from sanpo.services.cash.oversight.model import Event, Rule, alert_rules, find
from sanpo.services.cash.oversight.store import SQL
from sanpo.services.cash.wallets import SERVICE

KIND = "cash.look"
_MARGIN = timedelta(hours=24)
"""How far back beyond a rule's hours is looked, so that no run is missed between two turns of the duty."""


class Purpose(Enum):
    """Why an officer looks. Chosen from a list, since the journal is public: a free text would name people."""

    REVIEW = "review"
    AUTHORITY = "authority"
    RESIDENT = "resident"


@dataclass(frozen=True)
class Alert:
    """What a rule found in some wallet, and not in whose."""

    alert_id: str
    rule: str
    day: date
    first_at: datetime
    last_at: datetime
    times: int
    sum_yen: int


@dataclass(frozen=True)
class Look:
    """An alert with whose wallet it was: the number by which the city's other districts know the resident."""

    alert: Alert
    subject_no: int


def watch(city: City) -> int:
    """The duty: looks for what the rules describe; returns how many alerts are new or have grown. Again it finds no more."""
    return sum(_watch(city, rule) for rule in alert_rules())


def list_alerts(city: City, actor: Actor, since: date, until: date) -> list[Alert]:
    """The alerts of these days, the newest first, for an officer; at most 1,000."""
    require_officer(actor)
    with city.transaction(SERVICE) as tx:
        return [Alert(*row) for row in tx.all(SQL.alerts, since=since, until=until)]


def list_rules(actor: Actor) -> list[Rule]:
    """What is counted, for an officer: who knew the numbers would stay below them."""
    require_officer(actor)
    return list(alert_rules())


def look_at_alert(city: City, actor: Actor, alert_id: str, purpose: Purpose) -> Look:
    """Whose wallet an alert is about, for an officer who says why: the resident finds the look in the journal.

    Raises `NotFound`, `NotPermitted`.
    """
    require_officer(actor)
    check_id("alr", alert_id)
    with city.transaction(SERVICE) as tx:
        row = tx.one(SQL.alert, alert_id=alert_id)
        if row is None:
            raise NotFound(what="alert")
        append(tx, kind=KIND, body={"alert_id": alert_id, "purpose": purpose.value}, subject_no=row.subject_no)
    return Look(Alert(**{name: getattr(row, name) for name in Alert.__dataclass_fields__}), row.subject_no)


def subject_of_alert(city: City, alert_id: str) -> int:
    """For what is done to the wallet itself, and told to its resident. Raises `NotFound`."""
    with city.transaction(SERVICE) as tx:
        row = tx.one(SQL.alert, alert_id=alert_id)
    if row is None:
        raise NotFound(what="alert")
    return int(row.subject_no)


def _watch(city: City, rule: Rule) -> int:
    found = 0
    with city.transaction(SERVICE) as tx:
        rows = tx.all(
            SQL.events,
            of=rule.of,
            times=rule.times,
            least_yen=rule.least_yen,
            most_yen=rule.most_yen,
            since=tx.now - timedelta(hours=rule.hours) - _MARGIN,
        )
        for subject_no, events in groupby(rows, lambda row: row.subject_no):
            finding = find([Event(row.at, row.yen) for row in events], rule)
            if finding is not None:
                found += len(
                    tx.all(
                        SQL.insert_alert,
                        alert_id=new_id("alr"),
                        subject_no=subject_no,
                        rule=rule.name,
                        day=finding.first_at.astimezone(city.settings.zone).date(),
                        first_at=finding.first_at,
                        last_at=finding.last_at,
                        times=finding.times,
                        sum_yen=finding.sum_yen,
                        at=tx.now,
                    )
                )
    return found

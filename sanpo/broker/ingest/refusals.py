"""What the doors could not use, for the operator."""

from dataclasses import dataclass
from datetime import timedelta

from sanpo.broker.ingest import store
from sanpo.broker.ingest.store import SQL
from sanpo.broker.sight import DUTY
from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City


@dataclass(frozen=True)
class Refused:
    """One reason at one source (a topic), how often, and the last message as a sample."""

    mapping: str
    source: str
    reason: str
    sample: str
    count: int
    first_at: str
    last_at: str


def list_refused(city: City, actor: Actor, *, limit: int = 1000) -> list[Refused]:
    """Newest first. For an officer."""
    require_officer(actor)
    with city.transaction(DUTY) as tx:
        rows = store.list_refused(tx, limit)
    return [
        Refused(r.mapping, r.source, r.reason, r.sample, r.count, r.first_at.isoformat(), r.last_at.isoformat())
        for r in rows
    ]


def forget_refused(city: City) -> int:
    """The duty: what was refused goes after `broker_dead_hours`; returns how many reasons it were."""
    with city.transaction(DUTY) as tx:
        return tx.execute(SQL.forget_refused, before=tx.now - timedelta(hours=city.settings.broker_dead_hours))

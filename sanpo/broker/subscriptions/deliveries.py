"""What has not arrived: for the owner of a subscription, and for the operator, who can have it sent again."""

from dataclasses import asdict, dataclass
from typing import Any

from sanpo.broker.entities import Place
from sanpo.broker.sight import DUTY
from sanpo.broker.subscriptions.actions import find_row, owner_of
from sanpo.broker.subscriptions.model import Kind
from sanpo.broker.subscriptions.store import SQL
from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City


@dataclass(frozen=True)
class Delivery:
    """One notification on its way. `state` is waiting, failing or dead; `error` is the receiver's last.

    `entities` is how many it tells of; of a subscription to registrations, how many of those.
    """

    notification_id: str
    subscription_id: str
    tenant: str
    endpoint: str
    state: str
    attempts: int
    entities: int
    queued_at: str
    error: str | None

    def as_public(self) -> dict[str, Any]:
        return {name: each for name, each in asdict(self).items() if each is not None}


@dataclass(frozen=True)
class Ended:
    """How many notifications of one subscription have ended without having arrived, and when the last did."""

    subscription_id: str
    tenant: str
    endpoint: str
    ended: int
    last_ended_at: str


def list_ended(city: City, actor: Actor, *, limit: int = 1000) -> list[Ended]:
    """What was given up for good, by subscription. For an officer."""
    require_officer(actor)
    with city.transaction(DUTY) as tx:
        rows = tx.all(SQL.ended, limit=limit)
    return [
        Ended(row.subscription_id, row.tenant, row.endpoint, row.ended, row.last_ended_at.isoformat()) for row in rows
    ]


def list_deliveries(city: City, actor: Actor, *, dead_only: bool = False, limit: int = 1000) -> list[Delivery]:
    """All of them, oldest first. For an officer."""
    require_officer(actor)
    return _list(city, None, dead_only=dead_only, limit=limit)


def list_own_deliveries(
    place: Place, subscription_id: str, *, limit: int = 100, kind: Kind = "entities"
) -> list[Delivery]:
    """Those of one subscription of the actor's own. Raises `SubscriptionNotFound`."""
    row = find_row(place, owner_of(place.actor, kind), subscription_id)
    return _list(place.city, row.subscription_no, dead_only=False, limit=limit)


def replay(city: City, actor: Actor, *, subscription_id: str | None = None, notification_id: str | None = None) -> int:
    """Lets dead notifications be sent again, under their old ids; returns how many. For an officer."""
    require_officer(actor)
    with city.transaction(DUTY) as tx:
        return int(tx.get(SQL.replay, subscription_id=subscription_id, notification_id=notification_id, now=tx.now).n)


def _list(city: City, subscription_no: int | None, *, dead_only: bool, limit: int) -> list[Delivery]:
    with city.transaction(DUTY) as tx:
        rows = tx.all(SQL.deliveries, subscription_no=subscription_no, dead_only=dead_only, limit=limit)
    return [
        Delivery(
            row.notification_id,
            row.subscription_id,
            row.tenant,
            row.endpoint,
            "dead" if row.dead else "failing" if row.error else "waiting",
            row.attempts,
            row.entities,
            row.queued_at.isoformat(),
            row.error,
        )
        for row in rows
    ]

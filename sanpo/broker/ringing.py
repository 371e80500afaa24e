"""The bell of the outbox: who turns changes into notifications is woken when some have been committed."""

from sanpo.ground.actors import System
from sanpo.ground.bell import Bell
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
CHANGES = "broker_changes"
_DUTY = System("broker")


def tell_of_change(tx: Transaction) -> None:
    """To be called by whatever may write into the outbox: rings after the commit, if there is something in it."""
    tx.on_commit(_bell_of(tx.city).pull)


def _bell_of(city: City) -> Bell:
    def ring() -> None:
        with city.transaction(_DUTY) as tx:
            tx.execute(SQL.ring)

    found: Bell = city.__dict__.setdefault("_broker_bell", Bell(ring))
    return found

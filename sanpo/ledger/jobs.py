"""The ledger's duties: what is pending lapses."""

from sanpo.ground.jobs import Registry
from sanpo.ledger.posting import expire_pending


def jobs(registry: Registry) -> None:
    registry.every(1.0, "ledger.expire", expire_pending)

"""The ledger's duties: what is pending lapses, and the day that is over is closed."""

from sanpo.ground.jobs import Registry
from sanpo.ledger.closing import close_yesterday
from sanpo.ledger.posting import expire_pending


def jobs(registry: Registry) -> None:
    registry.every(1.0, "ledger.expire", expire_pending)
    registry.every(600.0, "ledger.close", close_yesterday)

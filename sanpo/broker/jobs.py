"""The broker's duties: noted writes become observations."""

from sanpo.broker import history
from sanpo.ground.jobs import Registry


def jobs(registry: Registry) -> None:
    registry.every(1, "broker.spread", history.spread)

"""The broker's duties: noted writes become observations, changes become notifications."""

from sanpo.broker import history
from sanpo.broker.subscriptions.sending import notify
from sanpo.ground.jobs import Registry


def jobs(registry: Registry) -> None:
    registry.every(1, "broker.spread", history.spread)
    registry.every(0.2, "broker.notify", notify)

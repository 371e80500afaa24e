"""Recurring duties of `people`."""

from sanpo.ground.jobs import Registry
from sanpo.people.upkeep import forget_expired


def jobs(registry: Registry) -> None:
    registry.every(600, "people.forget_expired", forget_expired)

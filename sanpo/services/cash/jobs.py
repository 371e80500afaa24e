"""Recurring duties of the cash service."""

from sanpo.ground.jobs import Registry
from sanpo.services.cash.flow import flow_purchases


def jobs(registry: Registry) -> None:
    registry.every(60, "cash.flow", flow_purchases)

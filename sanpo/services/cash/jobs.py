"""Recurring duties of the cash service."""

from sanpo.ground.jobs import Registry
from sanpo.services.cash.benefits.campaigns import end_past_campaigns
from sanpo.services.cash.benefits.expiring import expire_lots
from sanpo.services.cash.benefits.payouts import distribute
from sanpo.services.cash.flow import flow_purchases
from sanpo.services.cash.oversight.alerts import watch
from sanpo.services.cash.oversight.dormant import tell_dormant
from sanpo.services.cash.oversight.unused import report_due
from sanpo.services.cash.settling.invoices import issue_due_invoices
from sanpo.services.cash.settling.settling import settle_when_closed
from sanpo.services.cash.settling.telling import TASK, tell_settlement
from sanpo.services.cash.slips.enrolling import end_keys


def jobs(registry: Registry) -> None:
    registry.every(60, "cash.flow", flow_purchases)
    registry.every(60, "cash.settle", settle_when_closed)
    registry.every(3600, "cash.invoice", issue_due_invoices)
    registry.every(600, "cash.watch", watch)
    registry.every(6 * 3600, "cash.dormant", tell_dormant)
    registry.every(3600, "cash.report", report_due)
    registry.task(TASK, tell_settlement)
    registry.every(60, "cash.expiry", expire_lots)
    registry.every(300, "cash.campaigns", end_past_campaigns)
    registry.every(10, "cash.payouts", distribute)
    registry.every(300, "cash.slips", end_keys)

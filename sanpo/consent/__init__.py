"""Consent: agreements that organisations publish, grants that residents give, and the gate every question passes.

Invariants: an agreement never changes after publication (its SHA-256 names it); only an approved agreement within
its term can be granted or used; a grant's bit is flipped in the transaction that records the grant; an `Admission`
is made by the gate alone; a release is confirmed against withdrawals under a lock.

Tables: `consent.agreements`, `consent.grants` (present state), `consent.grant_events` (history with signed receipts),
`consent.granted_chunks` (one bit per subject, 2,048 to a row), `consent.notices` (what recipients were told).
"""

from sanpo.consent.actions import Decision, decide, list_offers
from sanpo.consent.datasets import dataset_text
from sanpo.consent.gate import (
    Admission,
    Reading,
    admit,
    begin_reading,
    check_covered,
    check_genuine,
    check_in_force,
    confirm,
    get_own_agreement,
)
from sanpo.consent.model import AnalysisRule, Draft, PublishedAgreement
from sanpo.consent.publication import (
    approve_agreement,
    find_agreement,
    list_agreements,
    publish_agreement,
)

__all__ = [
    "Admission",
    "AnalysisRule",
    "Decision",
    "Draft",
    "PublishedAgreement",
    "Reading",
    "admit",
    "approve_agreement",
    "begin_reading",
    "check_covered",
    "check_genuine",
    "check_in_force",
    "confirm",
    "dataset_text",
    "decide",
    "find_agreement",
    "get_own_agreement",
    "list_agreements",
    "list_offers",
    "publish_agreement",
]

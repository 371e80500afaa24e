"""Returns: what each use gave back to the giver, the city and the organisation (三方良し), measured.

Invariants: a use accrues to all three sides in the transaction that releases its answer, by the metrics that the
agreement fixed, and what it pays is taken from the recipient's funds there; what cannot be measured at release is reported by
the recipient and marked as reported.

Tables: `returns.accruals` (one row per use and side), `returns.reports` (what recipients reported).
"""

from sanpo.returns.actions import (
    Accrual,
    accrue,
    list_totals,
    of_uses,
    report_return,
)
from sanpo.returns.uses import Use, list_uses

__all__ = ["Accrual", "Use", "accrue", "list_totals", "list_uses", "of_uses", "report_return"]

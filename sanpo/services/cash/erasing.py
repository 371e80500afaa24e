"""What cash brings to the erasure of a resident: nothing of theirs moves to the lake that has not moved yet, and what they
wrote in requests is gone.

What lies in the lake, the lake erases. The payments stay: they are the books of the shop that was paid.
"""

from collections.abc import Mapping

from sanpo.ground.db import Transaction
from sanpo.services.cash.store import SQL


def erase(tx: Transaction, subject_no: int) -> Mapping[str, int]:
    """Within the erasure's transaction: a move that goes on is waited for, and none begins until it ends."""
    tx.execute(SQL.lock_flow)
    payments = tx.execute(SQL.keep_payments_from_lake, subject_no=subject_no)
    refunds = tx.execute(SQL.keep_refunds_from_lake, subject_no=subject_no)
    notes = tx.execute(SQL.erase_notes, subject_no=subject_no)
    return {"purchases_kept_from_lake": payments + refunds, "notes_of_requests": notes}

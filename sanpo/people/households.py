"""Households, for the one rule that needs them: an agreement under which a household counts when a member agreed."""

from sanpo.ground.db import Transaction
from sanpo.people.store import SQL


def list_members_with(tx: Transaction, bits: bytes) -> list[int]:
    """Everybody who lives with one of these (bit n % 8 of byte n // 8 is subject n). Empty outside of an admission."""
    return [row.subject_no for row in tx.all(SQL.members_with, bits=bits)]

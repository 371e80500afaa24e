"""Taking rows out of the lake for good: one resident's when they ask, everybody's when the retention is over.

A deletion is one Delta commit and one journal entry. What was planned is in the database before the commit, so that a
crash at any point is repaired by the next turn of the duty; the old files are removed when no question can read them.
"""

from sanpo.lake.upkeep.erasure import ask_erasure, carry_out, erase_subject, list_erasures
from sanpo.lake.upkeep.records import Deletion, Erasure
from sanpo.lake.upkeep.retention import Retained, retain, retain_all

__all__ = [
    "Deletion",
    "Erasure",
    "Retained",
    "ask_erasure",
    "carry_out",
    "erase_subject",
    "list_erasures",
    "retain",
    "retain_all",
]

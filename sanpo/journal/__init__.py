"""The verifiable log: every use of data, every grant and withdrawal, in a Merkle tree that anyone can check.

Purpose: a resident can prove alone and offline what was used, and that a use did or did not include them, without
learning about anyone else (DESIGN §2, promises 2 and 6).

Invariants
* An entry commits in the transaction of the work that it records, or that work does not happen.
* Entries, tiles and checkpoints only grow. No number in the tree is ever given twice or changed.
* The public part of an entry names no resident: one is a salted commitment, many are the root of a sealed set.
* The same committed rows always give the same tree, so that a crash of the sequencer loses nothing.

Tables: `entries`, `tiles`, `checkpoints` (public); `entry_subjects`, `use_subjects`, `gathered`
(personal, row-level security).

The formats are in docs/reference/journal.md, exact enough for a verifier in another language.
"""

from sanpo.journal.actions import append, gather, latest_checkpoint, list_entries, list_uses_of, prove_entry, prove_use
from sanpo.journal.auditor import audit
from sanpo.journal.model import (
    Appended,
    Checkpoint,
    Entry,
    JournalEntryNotFound,
    JournalEntryNotYetSequenced,
    JournalUnavailable,
    ProofIsInvalid,
    SubjectSet,
)
from sanpo.journal.sequencer import sequence, verifier_key
from sanpo.journal.verifier import Verdict, verify

__all__ = [
    "Appended",
    "Checkpoint",
    "Entry",
    "JournalEntryNotFound",
    "JournalEntryNotYetSequenced",
    "JournalUnavailable",
    "ProofIsInvalid",
    "SubjectSet",
    "Verdict",
    "append",
    "audit",
    "gather",
    "latest_checkpoint",
    "list_entries",
    "list_uses_of",
    "prove_entry",
    "prove_use",
    "sequence",
    "verifier_key",
    "verify",
]

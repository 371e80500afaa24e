"""What a use of data is to pay residents, handed from who knows of the use to the service that has the money."""

from collections.abc import Callable
from dataclasses import dataclass

from sanpo.ground.db import Transaction


@dataclass(frozen=True)
class Payout:
    """`yen_each` for each subject of a use: bit n % 8 of byte n // 8 of `subjects` is subject n, `subject_count` of them.

    The use is the journal's `entry_no`; the agreement's organisation pays. `most_subjects` could have been in it.
    """

    entry_no: int
    agreement_no: int
    organisation_no: int
    yen_each: int
    subjects: bytes
    subject_count: int
    most_subjects: int


Payer = Callable[[Transaction, Payout], None]
"""Takes the money in the transaction that releases the use's answer, or raises: then there is no answer."""

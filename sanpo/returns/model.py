"""How much a use gives back to one side: pure arithmetic on whole units."""

from typing import Literal

Basis = Literal["answer", "cell", "subject", "reported"]


def quantity_of(basis: Basis, per: int, *, subject_count: int, released_cells: int) -> int | None:
    """Units accrued by one use; None where only the recipient can know (it reports later)."""
    match basis:
        case "answer":
            return per
        case "cell":
            return per * released_cells
        case "subject":
            return per * subject_count
        case "reported":
            return None

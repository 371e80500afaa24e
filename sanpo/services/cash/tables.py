"""Figures as CSV (RFC 4180) that a spreadsheet opens without running anything of what people have written."""

import csv
import io
from collections.abc import Iterable, Sequence

BOM = "\ufeff"
"""Some spreadsheets take UTF-8 for something else without it."""
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]], *, bom: bool = False) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    return ((BOM if bom else "") + out.getvalue()).encode()


def _harmless(cell: object) -> object:
    """A text that a spreadsheet would take for a formula is given an apostrophe, which it takes for the mark of a text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_STARTS_A_FORMULA) else cell

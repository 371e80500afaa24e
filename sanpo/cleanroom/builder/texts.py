"""Values as people type them into one line, read and written. Pure."""

import csv
import io
import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from sanpo.cleanroom.model import MOST_EDGES, Scalar


def whole_number(text: str) -> int | None:
    """The whole number of 64 bits that the text is, if it is one."""
    try:
        found = int(text)
    except ValueError:
        return None
    return found if -(2**63) <= found < 2**63 else None


def number(text: str) -> int | float | None:
    """The number that the text is, if it is one that is finite."""
    whole = whole_number(text)
    if whole is not None:
        return whole
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def thousandths(text: str, *, most: int) -> int | None:
    """1 to `most` thousandths, where the text is a decimal number of so many."""
    try:
        given = Decimal(text) * 1000
    except InvalidOperation:
        return None
    is_whole = given.is_finite() and given == given.to_integral_value()
    return int(given) if is_whole and 1 <= given <= most else None


def listed(text: str) -> list[str]:
    """The values between commas; one that holds a comma stands in quotation marks."""
    plain = text if '"' in text else text.replace("、", ",")
    try:
        rows = list(csv.reader([plain], skipinitialspace=True, strict=True))
    except csv.Error:
        return [text]
    return [value.strip() for value in rows[0] if value.strip()] if rows else []


def band_edges(text: str) -> tuple[int | float, ...] | None:
    """The edges of a band, each above the one before; None where the text is none."""
    found = [number(each) for each in listed(text)]
    edges = tuple(each for each in found if each is not None)
    is_right = len(edges) == len(found) and 1 <= len(edges) <= MOST_EDGES and all(a < b for a, b in pairwise(edges))
    return edges if is_right else None


def literal(text: str, kind: str) -> Scalar:
    """The text as a literal of this type (`int`, `float`, `bool`; others are texts). What is none stays a text."""
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    found = whole_number(text) if kind == "int" else number(text) if kind == "float" else None
    return text if found is None else found


def typed(value: Scalar) -> str:
    """The value as one would type it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def line(values: Sequence[Scalar]) -> str:
    """Values between commas, as `listed` reads them."""
    texts = [typed(value) for value in values]
    if any(mark in text for text in texts for mark in ',"、'):
        written = io.StringIO()
        csv.writer(written, lineterminator="", quoting=csv.QUOTE_ALL).writerow(texts)
        return written.getvalue()
    return ", ".join(texts)

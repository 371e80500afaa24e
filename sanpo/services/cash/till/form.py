"""The till's form: an amount, or lines that come to one. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from sanpo.services.cash.asking import read_yen
from sanpo.services.cash.model import MAX_LINES, MOST_YEN, Line
from sanpo.services.cash.view import CATEGORIES

ROWS, MORE_ROWS, MOST_ROWS = 3, 3, 60
RATES_PERMILLE = (80, 100, 0)
"""Reduced rate (food and drink to take away), standard rate, none."""
FIELDS = ("item", "quantity", "price", "tax", "category")


@dataclass(frozen=True)
class Sale:
    amount_yen: int
    lines: tuple[Line, ...]


class SaleIsUnclear(Exception):
    """What was filled in is no sale; `key` is the sentence that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def rows_of(data: Mapping[str, str]) -> list[dict[str, str]]:
    """The form's rows as they were filled in, empty ones too."""
    count = max([ROWS, *(at for at in range(MOST_ROWS + 1) if f"item_{at}" in data)])
    return [{field: data.get(f"{field}_{at}", "") for field in FIELDS} for at in range(1, count + 1)]


def kept(data: Mapping[str, str]) -> list[tuple[str, str]]:
    """The fields that carry a sale to the next page."""
    names = ["yen", *(f"{field}_{at}" for at in range(1, len(rows_of(data)) + 1) for field in FIELDS)]
    return [(name, data[name]) for name in names if data.get(name)]


def read_sale(data: Mapping[str, str]) -> Sale:
    """Raises `SaleIsUnclear`."""
    lines = tuple(_line(row) for row in rows_of(data) if row["item"].strip() or row["price"].strip())
    total = sum(line.quantity * line.unit_price_yen for line in lines)
    given = data.get("yen", "").strip()
    yen = read_yen(given) if given else total
    if yen is None or not 1 <= yen <= MOST_YEN:
        raise SaleIsUnclear("cash.till.amount_missing")
    if lines and yen != total:
        raise SaleIsUnclear("cash.till.amount_differs")
    return Sale(yen, lines)


def _line(row: Mapping[str, str]) -> Line:
    price, quantity = read_yen(row["price"]), read_yen(row["quantity"] or "1")
    tax = read_yen(row["tax"] or str(RATES_PERMILLE[0]))
    if (
        not row["item"].strip()
        or price is None
        or not quantity
        or quantity > MAX_LINES * 100
        or tax not in RATES_PERMILLE
    ):
        raise SaleIsUnclear("cash.till.line_incomplete")
    category = row["category"] if row["category"] in CATEGORIES else CATEGORIES[-1]
    return Line(row["item"].strip()[:100], category, quantity, price, tax)

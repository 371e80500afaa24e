"""Nouns of a replay and its pure rules: what a line of the file is, what it costs in yen, what a return gives back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any

from sanpo.ground.ids import id_of
from sanpo.services.cash.model import MAX_LINES, MAX_NAME, MAX_PIECES, Line

YEN_PER_POUND = 185
SHOWN = 5
"""Numbers of lines that a report names for each reason."""
WALK_IN = "walk-in"
"""Who buys without a number of a customer: one resident for all."""


class Reason(Enum):
    """Why a line of the file is not played, in the order in which it is looked for."""

    UNREADABLE = "unreadable"
    NO_PRICE = "no_price"
    ADJUSTMENT = "adjustment"
    WRITTEN_OFF = "written_off"
    TOO_MANY = "too_many"
    RETURN_OF_NOTHING = "return_of_nothing"


@dataclass(frozen=True)
class Bought:
    """A payment: at most `MAX_LINES` lines of an invoice."""

    payment_id: str
    customer: str
    country: str
    lines: Sequence[Line]
    yen: int


@dataclass(frozen=True)
class GivenBack:
    """A refund of a payment, or of part of it."""

    refund_id: str
    payment_id: str
    country: str
    yen: int


@dataclass
class Report:
    """What became of every line of the file: `lines` = `bought_lines` + `returned_lines` + the sum of `refused`."""

    lines: int = 0
    bought_lines: int = 0
    returned_lines: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)
    payments: int = 0
    refunds: int = 0
    played_before: int = 0
    shops: int = 0
    residents: int = 0
    paid_yen: int = 0
    refunded_yen: int = 0
    unmatched_yen: int = 0
    lake_rows: int = 0
    seconds: float = 0
    lines_per_s: int = 0
    debits_yen: int = 0
    credits_yen: int = 0

    def refuse(self, reason: Reason, numbers: Sequence[int]) -> None:
        self.refused[reason.value] += len(numbers)
        shown = self.examples.setdefault(reason.value, [])
        shown.extend(numbers[: SHOWN - len(shown)])

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "refused": dict(self.refused)}


@dataclass(frozen=True)
class Sold:
    """A line of the file that can be played. Of a return the pieces come back."""

    number: int
    invoice: str
    customer: str
    country: str
    line: Line
    is_return: bool


def key_of(prefix: str, *parts: object) -> str:
    """The same id for the same parts: what was played is known again."""
    return id_of(prefix, int.from_bytes(sha256(repr(("replay", *parts)).encode()).digest()[:16]))


def yen_of(price: str) -> int:
    """A price in pounds, of at most three decimals, as whole yen, half a yen up. Raises `ValueError`."""
    pounds, _, decimals = price.strip().removeprefix("-").partition(".")
    if not (pounds + decimals).isascii() or not (pounds + decimals).isdigit():
        raise ValueError(price)
    thousandths = int(pounds or 0) * 1000 + int(decimals[:3].ljust(3, "0"))
    yen = (thousandths * YEN_PER_POUND + 500) // 1000
    return -yen if price.strip().startswith("-") else yen


def read_row(number: int, row: Mapping[str, str | None]) -> Sold | Reason:
    """One line of the file, or why it is not played."""
    try:
        invoice, quantity, yen = (
            str(row["InvoiceNo"]).strip(),
            int(row["Quantity"] or ""),
            yen_of(row["UnitPrice"] or ""),
        )
    except (KeyError, ValueError):
        return Reason.UNREADABLE
    code, country = (row["StockCode"] or "").strip(), (row["Country"] or "").strip()
    if not invoice or not code or not code.isprintable() or not country or not quantity:
        return Reason.UNREADABLE
    is_return = invoice.startswith("C")
    if not yen:
        return Reason.NO_PRICE
    if yen < 0 or not invoice.removeprefix("C").isdigit():
        return Reason.ADJUSTMENT
    if (quantity < 0) is not is_return:
        return Reason.WRITTEN_OFF
    if abs(quantity) > MAX_PIECES:
        return Reason.TOO_MANY
    name = " ".join((row["Description"] or code).split())[:MAX_NAME]
    category = "goods" if code[:1].isdigit() else "service"
    line = Line(name if name.isprintable() and name else code, category, abs(quantity), yen)
    customer = (row["CustomerID"] or "").strip().removesuffix(".0") or WALK_IN
    return Sold(number, invoice, customer, country, line, is_return)


@dataclass
class Plan:
    """What the lines come to, as a pure rule of the file: the same file gives the same payments and refunds.

    A return gives back payments of the same customer in the same country's shop, the last first, as far as they go.
    """

    source: str
    report: Report
    _left: dict[tuple[str, str], list[list[Any]]] = field(default_factory=dict)
    _parts: Counter[str] = field(default_factory=Counter)

    def of_invoice(self, sold: Sequence[Sold]) -> Iterator[Bought | GivenBack]:
        first = sold[0]
        if first.is_return:
            yield from self._returned(sold)
            return
        for at in range(0, len(sold), MAX_LINES):
            lines = [each.line for each in sold[at : at + MAX_LINES]]
            payment_id = key_of("pay", self.source, first.invoice, self._part(first.invoice))
            yen = _sum(lines)
            self._left.setdefault((first.customer, first.country), []).append([payment_id, yen])
            self.report.bought_lines += len(lines)
            self.report.payments += 1
            self.report.paid_yen += yen
            yield Bought(payment_id, first.customer, first.country, lines, yen)

    def _returned(self, sold: Sequence[Sold]) -> Iterator[GivenBack]:
        first = sold[0]
        wanted = _sum([each.line for each in sold])
        payments = self._left.get((first.customer, first.country), [])
        if not payments:
            self.report.refuse(Reason.RETURN_OF_NOTHING, [each.number for each in sold])
            return
        self.report.returned_lines += len(sold)
        while payments and wanted:
            payment_id, left = payments[-1]
            yen = min(left, wanted)
            refund_id = key_of("rfd", self.source, first.invoice, self._part(first.invoice))
            yield GivenBack(refund_id, payment_id, first.country, yen)
            self.report.refunds += 1
            self.report.refunded_yen += yen
            wanted -= yen
            payments[-1][1] -= yen
            if not payments[-1][1]:
                payments.pop()
        self.report.unmatched_yen += wanted

    def _part(self, invoice: str) -> int:
        self._parts[invoice] += 1
        return self._parts[invoice]


def _sum(lines: Sequence[Line]) -> int:
    return sum([line.quantity * line.unit_price_yen for line in lines])

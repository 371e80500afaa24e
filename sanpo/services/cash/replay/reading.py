"""Reading the file: CSV as the UCI's *Online Retail* has it, gzip or not; lines of one invoice stand together."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from sanpo.services.cash.errors import FileHasNoInvoices
from sanpo.services.cash.replay.model import Reason, Report, Sold, read_row

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "UnitPrice", "CustomerID", "Country")
_GZIP = b"\x1f\x8b"
_PART_BYTES = 1 << 20


def digest_of(path: Path) -> str:
    """Of the file's bytes. Raises `FileHasNoInvoices` where there is none."""
    try:
        with path.open("rb") as file:
            found = sha256()
            while part := file.read(_PART_BYTES):
                found.update(part)
    except OSError as error:
        raise FileHasNoInvoices(file=path.name, problem=error.strerror or type(error).__name__) from error
    return found.hexdigest()


def read_invoices(path: Path, report: Report, progress: Callable[[int], None]) -> Iterator[list[Sold]]:
    """The lines of each invoice that can be played; the others are in the report. `progress` hears of bytes that were read.

    Raises `FileHasNoInvoices` for what is no such file.
    """
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        text = io.TextIOWrapper(gzip.GzipFile(fileobj=file) if packed else file, "utf-8", errors="replace", newline="")
        try:
            rows = csv.DictReader(text, strict=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise FileHasNoInvoices(file=path.name, problem=f"has no column {', '.join(missing)}")
            at = 0
            for _, found in groupby(_sold(rows, report), lambda sold: (sold.invoice, sold.customer, sold.country)):
                yield list(found)
                progress(file.tell() - at)
                at = file.tell()
        except (OSError, EOFError, csv.Error) as error:
            raise FileHasNoInvoices(file=path.name, problem=str(error)[:200] or "ends too soon") from error


def _sold(rows: "csv.DictReader[str]", report: Report) -> Iterator[Sold]:
    for row in rows:
        report.lines += 1
        number = report.lines + 1
        found = read_row(number, row)
        if isinstance(found, Reason):
            report.refuse(found, [number])
        else:
            yield found

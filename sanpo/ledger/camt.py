"""A statement as ISO 20022 camt.053.001.08 (BankToCustomerStatementV08) and as CSV. Pure.

What is booked is in it: what was reserved and given back is not (camt.053 is the message of booked entries). An account's
balance is what it is owed, so a credit raises it: `CRDT`.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import msgspec

from sanpo.ground.ids import id_of
from sanpo.ledger.model import Ledger, Line

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
COLUMNS = ("transfer_id", "at", "side", "amount", "currency", "counterpart", "code", "user_data", "balance")


class Sheet(msgspec.Struct, frozen=True):
    """What a statement is made of: `lines` are booked ones from `since` until before `until`, on the city's clock."""

    statement_id: str
    account_id: int
    ledger: Ledger
    since: datetime
    until: datetime
    made_at: datetime
    opening: int
    lines: Sequence[Line]

    @property
    def closing(self) -> int:
        return self.opening + sum(signed(line) for line in self.lines)


def signed(line: Line) -> int:
    """By how much it raised the account's balance."""
    amount = line.kept.transfer.amount
    return amount if line.side == "credit" else -amount


def decimal(amount: int, exponent: int) -> str:
    """Minor units as a decimal number: 1234 with exponent 2 is 12.34."""
    digits = str(abs(amount)).rjust(exponent + 1, "0")
    whole, places = (digits[:-exponent], digits[-exponent:]) if exponent else (digits, "")
    return ("-" if amount < 0 else "") + whole + ("." + places if places else "")


def to_csv(sheet: Sheet) -> str:
    """One row for each booked line, with the balance after it; times on the city's clock."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    writer.writerows(_rows(sheet))
    return out.getvalue()


def _rows(sheet: Sheet) -> Iterator[Sequence[object]]:
    balance, exponent, zone = sheet.opening, sheet.ledger.exponent, sheet.since.tzinfo
    for line in sheet.lines:
        balance += signed(line)
        transfer = line.kept.transfer
        counterpart = transfer.debit_account_id if line.side == "credit" else transfer.credit_account_id
        yield (
            id_of("trf", transfer.transfer_id),
            line.kept.at.astimezone(zone).isoformat(),
            line.side,
            decimal(transfer.amount, exponent),
            sheet.ledger.currency,
            id_of("acc", counterpart),
            transfer.code,
            f"{transfer.user_data:032x}" if transfer.user_data else "",
            decimal(balance, exponent),
        )


def to_camt(sheet: Sheet) -> bytes:
    """The message as UTF-8 XML."""
    root = ET.Element("Document", xmlns=NAMESPACE)
    message = ET.SubElement(root, "BkToCstmrStmt")
    _add(message, "GrpHdr/MsgId", sheet.statement_id)
    _add(message, "GrpHdr/CreDtTm", _time(sheet, sheet.made_at))
    statement = ET.SubElement(message, "Stmt")
    _add(statement, "Id", sheet.statement_id)
    _add(statement, "CreDtTm", _time(sheet, sheet.made_at))
    _add(statement, "FrToDt/FrDtTm", _time(sheet, sheet.since))
    _add(statement, "FrToDt/ToDtTm", _time(sheet, sheet.until))
    _add(statement, "Acct/Id/Othr/Id", id_of("acc", sheet.account_id))
    _add(statement, "Acct/Ccy", sheet.ledger.currency)
    _balance(statement, sheet, "OPBD", sheet.opening, sheet.since)
    _balance(statement, sheet, "CLBD", sheet.closing, sheet.until - timedelta(microseconds=1))
    for line in sheet.lines:
        _entry(statement, sheet, line)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root)


def _balance(statement: ET.Element, sheet: Sheet, code: str, amount: int, at: datetime) -> None:
    balance = ET.SubElement(statement, "Bal")
    _add(balance, "Tp/CdOrPrtry/Cd", code)
    _amount(balance, sheet, amount)
    _add(balance, "Dt/Dt", at.date().isoformat())


def _entry(statement: ET.Element, sheet: Sheet, line: Line) -> None:
    transfer = line.kept.transfer
    entry = ET.SubElement(statement, "Ntry")
    _add(entry, "NtryRef", str(line.kept.transfer_no))
    _amount(entry, sheet, signed(line), credit=line.side == "credit")
    _add(entry, "Sts/Cd", "BOOK")
    _add(entry, "BookgDt/DtTm", _time(sheet, line.kept.at))
    _add(entry, "ValDt/DtTm", _time(sheet, line.kept.at))
    _add(entry, "AcctSvcrRef", id_of("trf", transfer.transfer_id))
    _add(entry, "BkTxCd/Prtry/Cd", str(transfer.code))
    details = ET.SubElement(ET.SubElement(entry, "NtryDtls"), "TxDtls")
    _add(details, "Refs/AcctSvcrRef", id_of("trf", transfer.transfer_id))
    if transfer.user_data:
        _add(details, "Refs/EndToEndId", f"{transfer.user_data:032x}")
    _add(details, "RltdPties/DbtrAcct/Id/Othr/Id", id_of("acc", transfer.debit_account_id))
    _add(details, "RltdPties/CdtrAcct/Id/Othr/Id", id_of("acc", transfer.credit_account_id))


def _amount(parent: ET.Element, sheet: Sheet, amount: int, *, credit: bool | None = None) -> None:
    text = decimal(abs(amount), sheet.ledger.exponent)
    ET.SubElement(parent, "Amt", Ccy=sheet.ledger.currency).text = text
    _add(parent, "CdtDbtInd", "CRDT" if (amount >= 0 if credit is None else credit) else "DBIT")


def _add(parent: ET.Element, path: str, text: str) -> None:
    """Adds the element at the end of `path`; of what stands on the way, the last that is there is used."""
    *way, last = path.split("/")
    for name in way:
        below = parent[-1] if len(parent) and parent[-1].tag == name else None
        parent = ET.SubElement(parent, name) if below is None else below
    ET.SubElement(parent, last).text = text


def _time(sheet: Sheet, at: datetime) -> str:
    return at.astimezone(sheet.since.tzinfo).isoformat()

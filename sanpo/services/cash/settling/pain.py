"""An order to the bank as ISO 20022 pain.001.001.09 (CustomerCreditTransferInitiationV09). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
CLEARING = "JPZGN"
"""Zengin, the clearing system of Japan's banks (ISO external code): a member is a bank and its branch, seven digits."""


@dataclass(frozen=True)
class Payee:
    """An account at a bank of Japan."""

    bank_code: str
    branch_code: str
    account_no: str
    holder: str


@dataclass(frozen=True)
class Credit:
    """One payout; its settlement is the reference that comes back from end to end."""

    settlement_id: str
    yen: int
    payee: Payee


@dataclass(frozen=True)
class Order:
    """What the bank is asked for. `payer` is the city."""

    order_id: str
    made_at: datetime
    payer: str
    credits: Sequence[Credit]


def to_pain(order: Order, payer: Payee) -> bytes:
    """The message as UTF-8 XML: one instruction with all credits, drawn on the payer's account."""
    root = ET.Element("Document", xmlns=NAMESPACE)
    message = ET.SubElement(root, "CstmrCdtTrfInitn")
    header = ET.SubElement(message, "GrpHdr")
    _text(header, "MsgId", order.order_id)
    _text(header, "CreDtTm", order.made_at.isoformat(timespec="seconds"))
    _sums(header, order)
    _text(header, "InitgPty/Nm", order.payer)
    payment = ET.SubElement(message, "PmtInf")
    _text(payment, "PmtInfId", order.order_id)
    _text(payment, "PmtMtd", "TRF")
    _sums(payment, order)
    _text(payment, "ReqdExctnDt/Dt", order.made_at.date().isoformat())
    _text(payment, "Dbtr/Nm", payer.holder)
    _text(payment, "DbtrAcct/Id/Othr/Id", payer.account_no)
    _agent(payment, "DbtrAgt", payer)
    for credit in order.credits:
        transfer = ET.SubElement(payment, "CdtTrfTxInf")
        _text(transfer, "PmtId/EndToEndId", credit.settlement_id)
        ET.SubElement(ET.SubElement(transfer, "Amt"), "InstdAmt", Ccy="JPY").text = str(credit.yen)
        _agent(transfer, "CdtrAgt", credit.payee)
        _text(transfer, "Cdtr/Nm", credit.payee.holder)
        _text(transfer, "CdtrAcct/Id/Othr/Id", credit.payee.account_no)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root)


def _sums(parent: ET.Element, order: Order) -> None:
    _text(parent, "NbOfTxs", str(len(order.credits)))
    _text(parent, "CtrlSum", str(sum(credit.yen for credit in order.credits)))


def _agent(parent: ET.Element, name: str, account: Payee) -> None:
    member = ET.SubElement(ET.SubElement(ET.SubElement(parent, name), "FinInstnId"), "ClrSysMmbId")
    _text(member, "ClrSysId/Cd", CLEARING)
    _text(member, "MmbId", account.bank_code + account.branch_code)


def _text(parent: ET.Element, path: str, text: str) -> None:
    for name in path.split("/"):
        parent = ET.SubElement(parent, name)
    parent.text = text

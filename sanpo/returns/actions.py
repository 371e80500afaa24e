"""Accrue, list and report returns."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from sanpo.consent import PublishedAgreement, find_agreement
from sanpo.ground.actors import Actor, Client, Staff, System, require
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, Kind, NotFound, NotPermitted
from sanpo.ground.ids import new_id
from sanpo.ground.payouts import Payout
from sanpo.journal import SubjectSet
from sanpo.returns.model import quantity_of
from sanpo.returns.store import SQL

Side = Literal["giver", "city", "organisation"]
SIDES: tuple[Side, ...] = ("giver", "city", "organisation")


class ReturnIsNotReported(DomainError):
    """This side's gain is measured by the city, so nobody reports it. Fields: side, basis."""

    code = "returns.return_is_not_reported"
    kind = Kind.INVALID


class ReturnIsNotPaid(DomainError):
    """The agreement pays for uses, but the city has no service that could."""

    code = "returns.return_is_not_paid"
    kind = Kind.UNAVAILABLE


@dataclass(frozen=True)
class Accrual:
    """What one use gave one side. `quantity` is None while only a report can tell; `share` is one giver's part, in yen where
    it is `paid_in` points."""

    side: str
    metric: str
    unit_ja: str
    unit_en: str
    basis: str
    quantity: int | None
    share: int | None
    paid_in: str | None = None

    def unit(self, lang: str) -> str:
        return self.unit_en if lang == "en" else self.unit_ja


def accrue(
    tx: Transaction, *, entry_no: int, agreement: PublishedAgreement, subjects: SubjectSet, most: int, cells: int
) -> list[Accrual]:
    """Records the three returns of a use in the transaction that releases its answer of so many `cells`, and has those paid
    that are paid. `most` people could have been in it. Raises `ReturnIsNotPaid`, and what the payer raises."""
    accruals = []
    for side in SIDES:
        metric = agreement.gains.of(side).metric
        quantity = quantity_of(metric.basis, metric.per, subject_count=subjects.count, released_cells=cells)
        share = metric.per if metric.basis == "subject" else None
        paid_in = metric.paid_in or None
        unit = metric.unit
        accruals.append(Accrual(side, metric.name, unit.ja, unit.en, metric.basis, quantity, share, paid_in))
        if paid_in:
            paying = agreement.agreement_no, agreement.organisation_no, metric.per
            _pay(tx, Payout(entry_no, *paying, subjects.bits, subjects.count, most))
    tx.execute(
        SQL.insert_accruals,
        entry_no=entry_no,
        agreement_no=agreement.agreement_no,
        at=tx.now,
        sides=[a.side for a in accruals],
        metrics=[a.metric for a in accruals],
        units_ja=[a.unit_ja for a in accruals],
        units_en=[a.unit_en for a in accruals],
        bases=[a.basis for a in accruals],
        pers=[agreement.gains.of(side).metric.per for side in SIDES],
        quantities=[a.quantity for a in accruals],
        paid_ins=[a.paid_in for a in accruals],
    )
    return accruals


def _pay(tx: Transaction, payout: Payout) -> None:
    if tx.city.payer is None:
        raise ReturnIsNotPaid
    tx.city.payer(tx, payout)


def of_uses(city: City, actor: Actor, entry_nos: list[int]) -> dict[int, list[Accrual]]:
    """What came back for each of these uses, by journal entry number."""
    found: dict[int, list[Accrual]] = defaultdict(list)
    with city.transaction(actor) as tx:
        for row in tx.all(SQL.accruals_of, entry_nos=entry_nos):
            share = row.per if row.basis == "subject" else None
            found[row.entry_no].append(
                Accrual(row.side, row.metric, row.unit_ja, row.unit_en, row.basis, row.quantity, share, row.paid_in)
            )
    return dict(found)


def list_totals(city: City, actor: Actor, agreement_no: int) -> list[dict[str, Any]]:
    """Per side of one agreement: uses, what accrued, what was reported. Public."""
    with city.transaction(actor) as tx:
        reported = {row.side: row for row in tx.all(SQL.reported, agreement_no=agreement_no)}
        return [
            {
                "side": row.side,
                "metric": row.metric,
                "unit": {"ja": row.unit_ja, "en": row.unit_en},
                "basis": row.basis,
                "uses": row.uses,
                "measured": None if row.quantity is None else int(row.quantity),
                "reported": int(reported[row.side].quantity) if row.side in reported else None,
            }
            for row in tx.all(SQL.totals, agreement_no=agreement_no)
        ]


def report_return(city: City, actor: Actor, agreement_id: str, *, side: str, quantity: int, note: str) -> str:
    """The recipient reports what a gain came to, where its metric says `reported`. Returns the report's id."""
    who = actor if isinstance(actor, Client | Staff) else require(actor, System)
    agreement = find_agreement(city, actor, agreement_id)
    if agreement is None or (not isinstance(who, System) and who.organisation_no != agreement.organisation_no):
        raise NotFound(what="agreement")
    if side not in SIDES:
        raise NotPermitted(needed=" | ".join(SIDES))
    basis = agreement.gains.of(side).metric.basis
    if basis != "reported":
        raise ReturnIsNotReported(side=side, basis=basis)
    report_id = new_id("rep")
    with city.transaction(actor) as tx:
        tx.execute(
            SQL.insert_report,
            report_id=report_id,
            agreement_no=agreement.agreement_no,
            side=side,
            quantity=quantity,
            note=note[:1000],
            reported_by=getattr(who, "client_id", getattr(who, "staff_id", "operator")),
            at=tx.now,
        )
    return report_id

"""What an answer leaves behind, in the transaction that lets it out: the journal's entry, charges, returns, memory."""

from sanpo.cleanroom.answer import Answer, columns_of, returned, rows_of
from sanpo.cleanroom.budgets import charge
from sanpo.cleanroom.errors import AnswersAreTooClose, DisclosureIsNotSafe, TooFewSubjects
from sanpo.cleanroom.guard import SubjectBits
from sanpo.cleanroom.memory import remember
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.printer import print_sql
from sanpo.cleanroom.releasing import Ready
from sanpo.ground.actors import Client, Staff
from sanpo.ground.canonical import sha256_hex
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.journal import Appended, SubjectSet, append
from sanpo.returns import accrue

Withheld = TooFewSubjects | AnswersAreTooClose | DisclosureIsNotSafe
WITHHELD = (TooFewSubjects, AnswersAreTooClose, DisclosureIsNotSafe)
"""Refusals that tell something of the data, so that probing for them must show."""


def record(tx: Transaction, ready: Ready) -> Answer:
    """The answer with its record. Raises the journal's errors and the budgets'."""
    plan, agreement, answered_at = ready.plan, ready.plan.admission.agreement, tx.city.now()
    versions = {each.dataset.name: each.version for each in plan.snapshots}
    epsilon_milli = ready.privacy.epsilon_milli if ready.privacy else 0
    entry = _entry(tx, ready, versions)
    left = charge(tx, agreement, entry_no=entry.entry_no, epsilon_milli=epsilon_milli)
    if ready.told is not None:
        admitted = SubjectBits.of(plan.subjects)
        remember(tx, entry, agreement.organisation_no, plan.question, versions, admitted, ready.told)
    accruals = accrue(
        tx,
        entry_no=entry.entry_no,
        agreement=agreement,
        subjects=_subjects(ready),
        most=int.from_bytes(plan.admission.bits, "little").bit_count(),
        cells=len(ready.rows) - ready.suppressed,
    )
    return Answer(
        entry_id=entry.entry_id,
        agreement_id=agreement.agreement_id,
        agreement_sha256=agreement.sha256,
        question=print_sql(plan.question),
        snapshots=versions,
        answered_at=answered_at,
        columns=columns_of(plan.question, plan.scope),
        rows=rows_of(plan.question, ready.rows, ready.errors_95),
        subjects=ready.subjects,
        minimum=ready.minimum,
        suppressed_cells=ready.suppressed,
        returns=tuple(map(returned, accruals)),
        timings_ms={},
        as_before=ready.as_before,
        privacy=ready.privacy,
        budget_left=left,
    )


def _entry(tx: Transaction, ready: Ready, versions: dict[str, int]) -> Appended:
    """The use in the journal: no append, no answer."""
    plan, agreement = ready.plan, ready.plan.admission.agreement
    sql = print_sql(plan.question)
    body = {
        "agreement_id": agreement.agreement_id,
        "agreement_sha256": agreement.sha256,
        "organisation_id": agreement.organisation_id,
        "asked_by": plan.admission.asked_by,
        "purpose": list(agreement.purpose_codes),
        "dataset": plan.question.dataset,
        "snapshots": versions,
        "question": sql,
        "question_sha256": sha256_hex(sql.encode()),
        "subjects": ready.contributor_count,
        "cells_released": len(ready.rows) - ready.suppressed,
        "cells_suppressed": ready.suppressed,
        "answered_at": tx.city.now().isoformat(timespec="milliseconds"),
    }
    if ready.as_before is not None:
        body["as_before"] = ready.as_before
    if ready.privacy is not None:
        body["epsilon_milli"] = ready.privacy.epsilon_milli
    if agreement.gains.giver.metric.paid_in:
        body["paid_yen_each"] = agreement.gains.giver.metric.per
    return append(
        tx,
        kind="use",
        body=body,
        agreement_no=agreement.agreement_no,
        organisation_no=agreement.organisation_no,
        subjects=_subjects(ready),
    )


def _subjects(ready: Ready) -> SubjectSet:
    return SubjectSet(ready.contributors, ready.plan.admission.universe, ready.contributor_count)


def record_refusal(city: City, actor: Client | Staff, agreement_id: str, question: Question, refusal: Withheld) -> None:
    """Notes that an organisation tried and got nothing, so that probing shows; without residents, whom it is not about."""
    sql = print_sql(question)
    body = {
        "agreement_id": agreement_id,
        "question": sql,
        "question_sha256": sha256_hex(sql.encode()),
        "code": refusal.code,
        "minimum": refusal.fields["minimum"],
    }
    with city.transaction(actor) as tx:
        append(tx, kind="refusal", body=body, organisation_no=actor.organisation_no)

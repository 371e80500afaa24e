"""The walk of a question (DESIGN §7): gate, plan, engine, disclosure, journal and returns, then the answer.

Everything from the gate to the journal is one transaction: no append, no answer. Right before the release the gate
confirms that nobody who was admitted has withdrawn meanwhile; if somebody has, the question starts again.
"""

from collections.abc import Mapping
from dataclasses import replace

from sanpo.cleanroom.answer import Answer, arrange_for, columns_of, returned, rows_of
from sanpo.cleanroom.catalogue import scope_of
from sanpo.cleanroom.disclosure import Release, release
from sanpo.cleanroom.engines import duckdb_engine
from sanpo.cleanroom.errors import AgreementIsNotNamed, ConsentMovedDuringQuestion, TooFewSubjects
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import Plan, datasets_used, make_plan, time_span
from sanpo.cleanroom.printer import print_sql
from sanpo.cleanroom.rules import check_rule, check_types
from sanpo.cleanroom.scope import Scope
from sanpo.cleanroom.stages import Stages
from sanpo.consent import Admission, admit, confirm
from sanpo.ground.actors import Actor, Anonymous, Client, Staff
from sanpo.ground.canonical import sha256_hex
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotSignedIn
from sanpo.ground.ids import check_id
from sanpo.journal import SubjectSet, append
from sanpo.lake import Snapshot, snapshot
from sanpo.returns import accrue

ATTEMPTS = 3


def ask(city: City, actor: Actor, agreement_id: str | None, question: Question | str) -> Answer:
    """Answers a question (the model, or SQL of the subset) under an agreement, or refuses it.

    A client's token names its agreement, so that None will do there. Raises `NotSignedIn`, the errors of
    `cleanroom.errors`, the gate's (`NotFound`, `AgreementIsNotInForce`, `QuestionIsWiderThanAgreement`), the lake's and
    the journal's.
    """
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    stages = Stages()
    with stages.stage("total"):
        answer = _answered(city, actor, agreement_id, question, stages)
    return replace(answer, timings_ms=stages.as_dict())


def _answered(city: City, actor: Actor, agreement_id: str | None, question: Question | str, stages: Stages) -> Answer:
    with stages.stage("parse"):
        asked = parse_sql(question) if isinstance(question, str) else question
        named = _agreement_named(actor, agreement_id)
        scope = scope_of(city, asked.dataset)
        check_types(asked, scope)
    for _ in range(ATTEMPTS):
        try:
            answer = _attempt(city, actor, named, asked, scope, stages)
        except TooFewSubjects as refusal:
            if isinstance(actor, Client | Staff):
                _record_refusal(city, actor, named, asked, refusal)
            raise
        if answer is not None:
            return answer
    raise ConsentMovedDuringQuestion(attempts=ATTEMPTS)


def _attempt(
    city: City, actor: Actor, agreement_id: str, question: Question, scope: Scope, stages: Stages
) -> Answer | None:
    """One whole walk in one transaction; None where consent moved: then the end lets go of the gate's lock."""
    with city.transaction(actor) as tx:
        with stages.stage("gate"):
            admission = _admitted(tx, actor, agreement_id, datasets_used(question, scope))
            check_rule(question, admission.agreement.rule)
        with stages.stage("plan"):
            plan = make_plan(question, scope, _snapshots(city, question, scope), admission)
        with stages.stage("engine"):
            cells = duckdb_engine.run(plan, city.settings)
        with stages.stage("disclosure"):
            minimum = max(admission.agreement.rule.min_subjects, city.settings.minimum_subjects)
            functions = [measure.function for measure in question.measures]
            released = release(cells, functions, minimum=minimum, arrange=arrange_for(question))
        with stages.stage("confirm"):
            if not confirm(tx, admission):
                return None
        with stages.stage("record"):
            return _recorded(tx, plan, released, minimum)


def _agreement_named(actor: Actor, agreement_id: str | None) -> str:
    named = agreement_id or (actor.agreement_id if isinstance(actor, Client) else None)
    if named is None:
        raise AgreementIsNotNamed
    return check_id("agr", named)


def _admitted(tx: Transaction, actor: Actor, agreement_id: str, uses: Mapping[str, frozenset[str]]) -> Admission:
    """Asks the gate for every dataset touched. An agreement has one set of subjects, whichever dataset is meant."""
    admissions = [admit(tx, actor, agreement_id, dataset=name, columns=columns) for name, columns in uses.items()]
    return admissions[0]


def _snapshots(city: City, question: Question, scope: Scope) -> dict[str, Snapshot]:
    since, until = time_span(question, scope, city.settings.zone)
    rows, *attributes = datasets_used(question, scope)
    return {rows: snapshot(city, rows, since=since, until=until), **{name: snapshot(city, name) for name in attributes}}


def _recorded(tx: Transaction, plan: Plan, released: Release, minimum: int) -> Answer:
    """The use in the journal and what it gave back, in the transaction that lets the answer out."""
    agreement, answered_at = plan.admission.agreement, tx.city.now()
    versions = {each.dataset.name: each.version for each in (plan.rows, plan.attributes) if each is not None}
    suppressed = sum(row.subjects is None for row in released.rows)
    sql = print_sql(plan.question)
    entry = append(
        tx,
        kind="use",
        body={
            "agreement_id": agreement.agreement_id,
            "agreement_sha256": agreement.sha256,
            "organisation_id": agreement.organisation_id,
            "asked_by": plan.admission.asked_by,
            "purpose": list(agreement.purpose_codes),
            "dataset": plan.question.dataset,
            "snapshots": versions,
            "question": sql,
            "question_sha256": sha256_hex(sql.encode()),
            "subjects": released.contributor_count,
            "cells_released": len(released.rows) - suppressed,
            "cells_suppressed": suppressed,
            "answered_at": answered_at.isoformat(timespec="milliseconds"),
        },
        agreement_no=agreement.agreement_no,
        organisation_no=agreement.organisation_no,
        subjects=SubjectSet(released.contributors, plan.admission.universe, released.contributor_count),
    )
    accruals = accrue(
        tx,
        entry_no=entry.entry_no,
        agreement=agreement,
        subject_count=released.contributor_count,
        released_cells=len(released.rows) - suppressed,
    )
    return Answer(
        entry_id=entry.entry_id,
        agreement_id=agreement.agreement_id,
        agreement_sha256=agreement.sha256,
        question=sql,
        snapshots=versions,
        answered_at=answered_at,
        columns=columns_of(plan.question, plan.scope),
        rows=rows_of(plan.question, released.rows),
        subjects=released.contributor_count,
        minimum=minimum,
        suppressed_cells=suppressed,
        returns=tuple(map(returned, accruals)),
        timings_ms={},
    )


def _record_refusal(
    city: City, actor: Client | Staff, agreement_id: str, question: Question, refusal: TooFewSubjects
) -> None:
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

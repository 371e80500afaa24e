"""The walk of a question (DESIGN §7): gate, plan, engine, disclosure, journal and returns, then the answer.

Everything from the gate to the journal is one transaction: no append, no answer. Right before the release the gate
confirms that nobody who was admitted has withdrawn meanwhile; if somebody has, the question starts again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sanpo.cleanroom.answer import Answer, arrange_for, columns_of, returned, rows_of
from sanpo.cleanroom.catalogue import scope_for
from sanpo.cleanroom.disclosure import Release, protection_of, release
from sanpo.cleanroom.engines import duckdb_engine
from sanpo.cleanroom.errors import (
    AgreementIsNotNamed,
    AnswersAreTooClose,
    ConsentMovedDuringQuestion,
    TooFewSubjects,
)
from sanpo.cleanroom.guard import SubjectBits
from sanpo.cleanroom.guarded import Found, run_guarded
from sanpo.cleanroom.memory import remember
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import Cell, Plan, datasets_used, make_plan, time_span
from sanpo.cleanroom.printer import print_sql
from sanpo.cleanroom.rules import check_cost, check_rule, check_types, fewest_subjects, limits_of
from sanpo.cleanroom.running import Stop, under_way
from sanpo.cleanroom.scope import Scope
from sanpo.cleanroom.stages import Stages
from sanpo.consent import Admission, admit, confirm
from sanpo.ground.actors import Actor, Anonymous, Client, Staff, System
from sanpo.ground.canonical import sha256_hex
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotSignedIn
from sanpo.ground.ids import check_id
from sanpo.journal import SubjectSet, append
from sanpo.lake import Snapshot, snapshot
from sanpo.returns import accrue

ATTEMPTS = 3


@dataclass(frozen=True)
class Asked:
    """One question with all that stays the same when it has to start again."""

    agreement_id: str
    question: Question
    scope: Scope
    as_of: Mapping[str, int]
    question_id: str | None


def ask(
    city: City,
    actor: Actor,
    agreement_id: str | None,
    question: Question | str,
    *,
    as_of: Mapping[str, int] | None = None,
    question_id: str | None = None,
) -> Answer:
    """Answers a question (the model, or SQL of the subset) under an agreement, or refuses it.

    A client's token names its agreement, so that None will do there. `as_of` asks datasets as they were at a version
    (an answer's `snapshots`); consent is always that of now. `question_id` lets it be ended while it runs
    (`running.end_question`). Raises `NotSignedIn`, the errors of `cleanroom.errors`, the gate's (`NotFound`,
    `AgreementIsNotInForce`, `QuestionIsWiderThanAgreement`), the lake's and the journal's.
    """
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    stages = Stages()
    with stages.stage("total"):
        with stages.stage("parse"):
            asked = _read(city, actor, agreement_id, question, as_of or {}, question_id)
        with under_way(city, actor, question_id) as stop:
            answer = _answered(city, actor, asked, stages, stop)
    return replace(answer, timings_ms=stages.as_dict())


def _read(
    city: City,
    actor: Actor,
    agreement_id: str | None,
    question: Question | str,
    as_of: Mapping[str, int],
    question_id: str | None,
) -> Asked:
    read = parse_sql(question) if isinstance(question, str) else question
    named = _agreement_named(actor, agreement_id)
    scope = scope_for(city, read)
    check_types(read, scope)
    return Asked(named, read, scope, as_of, question_id)


def _answered(city: City, actor: Actor, asked: Asked, stages: Stages, stop: Stop) -> Answer:
    for _ in range(ATTEMPTS):
        try:
            answer = _attempt(city, actor, asked, stages, stop)
        except (TooFewSubjects, AnswersAreTooClose) as refusal:
            if isinstance(actor, Client | Staff):
                _record_refusal(city, actor, asked.agreement_id, asked.question, refusal)
            raise
        if answer is not None:
            return answer
    raise ConsentMovedDuringQuestion(attempts=ATTEMPTS)


def _attempt(city: City, actor: Actor, asked: Asked, stages: Stages, stop: Stop) -> Answer | None:
    """One whole walk in one transaction; None where consent moved: then the end lets go of the gate's lock."""
    question, scope = asked.question, asked.scope
    with city.transaction(actor) as tx:
        with stages.stage("gate"):
            admission = _admitted(tx, actor, asked)
            rule = admission.agreement.rule
            check_rule(question, scope, rule)
        with stages.stage("plan"):
            plan = make_plan(question, scope, _snapshots(city, asked), admission, limits_of(question, scope, rule))
            check_cost(plan, most=city.settings.question_most_rows)
            minimum = fewest_subjects(question, scope, max(rule.min_subjects, city.settings.minimum_subjects))
        found = _found(tx, actor, plan, stages, stop, minimum)
        with stages.stage("disclosure"):
            released = release(
                found.cells,
                question.measures,
                protection=protection_of(rule, minimum, totals=question.totals),
                arrange=arrange_for(question),
                withheld=found.withheld,
            )
        with stages.stage("confirm"):
            if not confirm(tx, admission):
                return None
        with stages.stage("record"):
            return _recorded(tx, found, released, minimum)


def _found(tx: Transaction, actor: Actor, plan: Plan, stages: Stages, stop: Stop, minimum: int) -> Found:
    """The cells. What a service asks for residents goes to them, not to its organisation: no recipient to guard."""
    settings = tx.city.settings

    def run(wanted: Plan) -> list[Cell]:
        with stages.stage("engine"):
            return duckdb_engine.run(wanted, settings, stop)

    if isinstance(actor, System) and actor.duty.startswith("service:"):
        return Found(plan, run(plan), is_guarded=False)
    with stages.stage("guard", without="engine"):
        return run_guarded(tx, plan, run, lambda each: duckdb_engine.holdings(each, settings, stop), minimum=minimum)


def _agreement_named(actor: Actor, agreement_id: str | None) -> str:
    named = agreement_id or (actor.agreement_id if isinstance(actor, Client) else None)
    if named is None:
        raise AgreementIsNotNamed
    return check_id("agr", named)


def _admitted(tx: Transaction, actor: Actor, asked: Asked) -> Admission:
    """Asks the gate for every personal dataset touched. An agreement has one set of subjects, whichever is meant."""
    personal = {each.name for each in asked.scope.datasets if each.personal}
    admissions = [
        admit(tx, actor, asked.agreement_id, dataset=name, columns=columns)
        for name, columns in datasets_used(asked.question, asked.scope).items()
        if name in personal
    ]
    return admissions[0]


def _snapshots(city: City, asked: Asked) -> dict[str, Snapshot]:
    """One snapshot of each dataset touched; of the question's own only the files that its time can mean."""
    since, until = time_span(asked.question, asked.scope, city.settings.zone)
    own, *others = datasets_used(asked.question, asked.scope)
    return {
        own: snapshot(city, own, asked.as_of.get(own), since=since, until=until),
        **{name: snapshot(city, name, asked.as_of.get(name)) for name in others},
    }


def _recorded(tx: Transaction, found: Found, released: Release, minimum: int) -> Answer:
    """The use in the journal and what it gave back, in the transaction that lets the answer out."""
    plan, agreement, answered_at = found.plan, found.plan.admission.agreement, tx.city.now()
    versions = {each.dataset.name: each.version for each in plan.snapshots}
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
            "as_before": found.as_before,
            "answered_at": answered_at.isoformat(timespec="milliseconds"),
        },
        agreement_no=agreement.agreement_no,
        organisation_no=agreement.organisation_no,
        subjects=SubjectSet(released.contributors, plan.admission.universe, released.contributor_count),
    )
    if found.is_guarded:
        told = [released.cells[row.cell_no] for row in released.rows if row.subjects is not None]
        admitted = SubjectBits.of(plan.subjects)
        remember(tx, entry, agreement.organisation_no, plan.question, versions, admitted, told)
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
        subjects=released.subjects,
        minimum=minimum,
        suppressed_cells=suppressed,
        returns=tuple(map(returned, accruals)),
        timings_ms={},
        as_before=found.as_before,
    )


def _record_refusal(
    city: City,
    actor: Client | Staff,
    agreement_id: str,
    question: Question,
    refusal: TooFewSubjects | AnswersAreTooClose,
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

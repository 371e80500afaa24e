"""The walk of a question (DESIGN §7): gate, plan, engine, disclosure, journal and returns, then the answer.

Everything from the gate to the journal is one transaction: no append, no answer. Right before the release the gate
confirms that nobody who was admitted has withdrawn meanwhile; if somebody has, the question starts again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sanpo.cleanroom.answer import Answer
from sanpo.cleanroom.catalogue import scope_for
from sanpo.cleanroom.errors import AgreementIsNotNamed, ConsentMovedDuringQuestion
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.plan import datasets_used, make_plan, time_span
from sanpo.cleanroom.recording import WITHHELD, record, record_refusal
from sanpo.cleanroom.releasing import check_release, release_protected, release_with_privacy
from sanpo.cleanroom.rules import check_cost, check_rule, check_types, fewest_subjects, limits_of
from sanpo.cleanroom.running import Stop, under_way
from sanpo.cleanroom.scope import Scope
from sanpo.cleanroom.stages import Stages
from sanpo.consent import Admission, admit, check_covered, confirm
from sanpo.ground.actors import Actor, Anonymous, Client, Staff
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotSignedIn
from sanpo.ground.ids import check_id
from sanpo.lake import Snapshot, snapshot

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
        except WITHHELD as refusal:
            if isinstance(actor, Client | Staff):
                record_refusal(city, actor, asked.agreement_id, asked.question, refusal)
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
            check_release(tx, question, scope, admission.agreement)
        with stages.stage("plan"):
            plan = make_plan(question, scope, _snapshots(city, asked), admission, limits_of(question, scope, rule))
            check_cost(plan, most=city.settings.question_most_rows)
            minimum = fewest_subjects(question, scope, max(rule.min_subjects, city.settings.minimum_subjects))
        if question.release is None:
            ready = release_protected(tx, actor, plan, stages, stop, minimum)
        else:
            ready = release_with_privacy(tx, plan, stages, stop, minimum)
        with stages.stage("confirm"):
            if not confirm(tx, admission):
                return None
        with stages.stage("record"):
            return record(tx, ready)


def _agreement_named(actor: Actor, agreement_id: str | None) -> str:
    named = agreement_id or (actor.agreement_id if isinstance(actor, Client) else None)
    if named is None:
        raise AgreementIsNotNamed
    return check_id("agr", named)


def _admitted(tx: Transaction, actor: Actor, asked: Asked) -> Admission:
    """Asks the gate for every personal dataset touched. An agreement has one set of subjects, whichever is meant."""
    personal = {each.name for each in asked.scope.datasets if each.personal}
    used = datasets_used(asked.question, asked.scope).items()
    (name, columns), *others = [(name, columns) for name, columns in used if name in personal]
    admission = admit(tx, actor, asked.agreement_id, dataset=name, columns=columns)
    for other, of_other in others:
        check_covered(admission.agreement, other, of_other)
    return admission


def _snapshots(city: City, asked: Asked) -> dict[str, Snapshot]:
    """One snapshot of each dataset touched; of the question's own only the files that its time can mean."""
    since, until = time_span(asked.question, asked.scope, city.settings.zone)
    own, *others = datasets_used(asked.question, asked.scope)
    return {
        own: snapshot(city, own, asked.as_of.get(own), since=since, until=until),
        **{name: snapshot(city, name, asked.as_of.get(name)) for name in others},
    }

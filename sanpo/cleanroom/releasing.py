"""From a plan to what may leave: through the guard and disclosure control, or with differential privacy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sanpo.cleanroom.answer import arrange_for
from sanpo.cleanroom.budgets import check_budget
from sanpo.cleanroom.disclosure import Row, protection_of, release
from sanpo.cleanroom.domains import declared_keys
from sanpo.cleanroom.engines import engine_of
from sanpo.cleanroom.guarded import Found, run_guarded
from sanpo.cleanroom.model import Question
from sanpo.cleanroom.plan import Cell, Plan
from sanpo.cleanroom.private import PrivacyStatement, bounding_of, check_private, release_private
from sanpo.cleanroom.running import Stop
from sanpo.cleanroom.scope import Scope
from sanpo.cleanroom.stages import Stages
from sanpo.consent import PublishedAgreement
from sanpo.ground.actors import Actor, System
from sanpo.ground.db import Transaction


@dataclass(frozen=True)
class Ready:
    """What may leave, and whom it is about (bit n % 8 of byte n // 8 for subject n).

    `told` are the cells that the guard remembers; None where nothing of this answer could be subtracted. `errors_95`
    holds, by a row's number, the expected errors of a private answer.
    """

    plan: Plan
    rows: tuple[Row, ...]
    contributors: bytes
    contributor_count: int
    subjects: int
    minimum: int
    told: tuple[Cell, ...] | None = None
    as_before: str | None = None
    privacy: PrivacyStatement | None = None
    errors_95: Mapping[int, tuple[float | None, ...]] = field(default_factory=dict)

    @property
    def suppressed(self) -> int:
        return 0 if self.privacy else sum(row.subjects is None for row in self.rows)


def check_release(tx: Transaction, question: Question, scope: Scope, agreement: PublishedAgreement) -> None:
    """Whether the answer could be released at all, before anything is read. Raises what `private` and `budgets` raise."""
    if question.release is None:
        check_budget(tx, agreement)
    else:
        check_private(question, scope, agreement.rule)
        check_budget(tx, agreement, epsilon_milli=question.release.epsilon_milli)


def release_protected(tx: Transaction, actor: Actor, plan: Plan, stages: Stages, stop: Stop, minimum: int) -> Ready:
    """Small groups stay hidden, in this answer and together with earlier ones. Raises what `release` and engines raise."""
    found = _found(tx, actor, plan, stages, stop, minimum)
    question = plan.question
    with stages.stage("disclosure"):
        released = release(
            found.cells,
            question.measures,
            protection=protection_of(plan.admission.agreement.rule, minimum, totals=question.totals),
            arrange=arrange_for(question),
            withheld=found.withheld,
        )
    told = tuple(released.cells[row.cell_no] for row in released.rows if row.subjects is not None)
    return Ready(
        found.plan,
        released.rows,
        released.contributors,
        released.contributor_count,
        released.subjects,
        minimum,
        told if found.is_guarded else None,
        found.as_before,
    )


def _found(tx: Transaction, actor: Actor, plan: Plan, stages: Stages, stop: Stop, minimum: int) -> Found:
    """The cells. What a service asks for residents goes to them, not to its organisation: no recipient to guard."""
    settings = tx.city.settings
    engine = engine_of(settings)

    def run(wanted: Plan) -> list[Cell]:
        with stages.stage("engine"):
            return engine.run(wanted, settings, stop)

    if isinstance(actor, System) and actor.duty.startswith("service:"):
        return Found(plan, run(plan), is_guarded=False)
    with stages.stage("guard", without="engine"):
        return run_guarded(tx, plan, run, lambda each: engine.holdings(each, settings, stop), minimum=minimum)


def release_with_privacy(tx: Transaction, plan: Plan, stages: Stages, stop: Stop, minimum: int) -> Ready:
    """With noise in place of hiding. Everybody admitted counts as having been in it: the noise hides who had rows.

    Raises what `private` and the engine raise.
    """
    question, rule = plan.question, plan.admission.agreement.rule
    keys = declared_keys(question, plan.scope)
    with stages.stage("engine"):
        settings = tx.city.settings
        bounded = engine_of(settings).run_bounded(plan, keys, bounding_of(question, rule, keys), settings, stop)
    with stages.stage("disclosure"):
        assert question.release is not None  # noqa: S101  # only then is a question released so
        released = release_private(bounded, question.measures, question.release.epsilon_milli)
    hidden = (False,) * len(question.measures)
    rows = [Row(row.key, row.values, hidden, None, at) for at, row in enumerate(released.rows)]
    flags = np.zeros(plan.admission.universe, dtype=np.uint8)
    flags[plan.subjects] = 1
    count = len(plan.subjects)
    return Ready(
        plan,
        tuple(arrange_for(question)(rows)),
        np.packbits(flags, bitorder="little").tobytes(),
        count,
        count,
        minimum,
        privacy=released.statement,
        errors_95={at: row.errors_95 for at, row in enumerate(released.rows)},
    )

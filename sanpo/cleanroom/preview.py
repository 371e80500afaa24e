"""What would become of a question, before it is asked: its SQL, and which choice breaks which rule.

The checks are those of `actions.ask` up to the plan, each choice by itself, so that all problems are told at once and in
the words of the refusal. Nothing is admitted, scanned, recorded or charged: no row and no grant is read.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from msgspec import structs

from sanpo.cleanroom.budgets import BudgetLeft, check_budget, get_budget
from sanpo.cleanroom.catalogue import scope_for
from sanpo.cleanroom.errors import (
    AgreementIsNotNamed,
    ColumnIsUnknown,
    DomainIsMissing,
    EndsAreMissing,
    FunctionIsNotPrivate,
    PrivacyIsNotInRule,
    QuestionIsMalformed,
    TypeDoesNotFit,
)
from sanpo.cleanroom.model import AllOf, Filter, Question, check_shape
from sanpo.cleanroom.plan import datasets_used, time_span
from sanpo.cleanroom.printer import print_sql
from sanpo.cleanroom.private import check_private
from sanpo.cleanroom.rules import check_rows, check_rule, check_types, fewest_subjects
from sanpo.cleanroom.scope import Scope
from sanpo.consent import PublishedAgreement, check_covered, check_in_force, get_own_agreement
from sanpo.ground.actors import Actor, Anonymous, Client
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, NotSignedIn
from sanpo.ground.ids import check_id
from sanpo.lake import snapshot

FindScope = Callable[[Question], Scope]
"""What a question with these joins can name."""
_FILTER, _RELEASE, _AGREEMENT = "$.filter", "$.release", "agreement"


@dataclass(frozen=True)
class Problem:
    """What a choice would be refused for. `where` is its path in the question (`$.measures[1]`, `$.filter.parts[0]`),
    `$` the question as a whole, `agreement` what it is asked under."""

    where: str
    error: DomainError


@dataclass(frozen=True)
class Preview:
    """`minimum` is the fewest subjects of a cell that would be told; None where noise protects the few instead."""

    sql: str
    problems: tuple[Problem, ...]
    minimum: int | None
    left: BudgetLeft


@dataclass(frozen=True)
class Inspector:
    """Looks at parts of questions over one scope, under one agreement."""

    scope: Scope
    agreement: PublishedAgreement

    def error(self, part: Question) -> DomainError | None:
        """The first refusal that `ask` would have for what this part adds to the dataset and its joins, or None."""
        try:
            check_types(part, self.scope)
            self._check_covered(datasets_used(bare(part), self.scope), datasets_used(part, self.scope))
            check_rule(part, self.scope, self.agreement.rule)
        except DomainError as error:
            return error
        return None

    def dataset_error(self) -> DomainError | None:
        """The same for the dataset by itself."""
        alone = Scope(self.scope.dataset, self.scope.attributes)
        question = Question(dataset=alone.dataset.name, measures=())
        try:
            check_types(question, alone)
            self._check_covered({}, datasets_used(question, alone))
        except DomainError as error:
            return error
        return None

    def join_error(self, at: int) -> DomainError | None:
        """The same for the scope's join at this place."""
        question = Question(dataset=self.scope.dataset.name, measures=())
        scopes = [Scope(self.scope.dataset, self.scope.attributes, self.scope.joined[:n]) for n in (at, at + 1)]
        try:
            self._check_covered(*(datasets_used(question, scope) for scope in scopes))
            joined = structs.replace(question, joins=(self.scope.joined[at].join,))
            check_rule(joined, scopes[1], self.agreement.rule)
        except DomainError as error:
            return error
        return None

    def _check_covered(self, known: dict[str, frozenset[str]], used: dict[str, frozenset[str]]) -> None:
        """Asks the agreement, as the gate does, for what is used beyond what is known."""
        personal = {each.name for each in self.scope.datasets if each.personal}
        for name, columns in used.items():
            more = columns - known.get(name, frozenset())
            if name in personal and (more or name not in known):
                check_covered(self.agreement, name, more)


@dataclass
class _Found:
    """Problems in the order in which they were found, each refusal once for each place."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, where: str, error: DomainError | None) -> None:
        if error is not None and not any(
            (each.where, str(each.error)) == (where, str(error)) for each in self.problems
        ):
            self.problems.append(Problem(where, error))

    @contextmanager
    def noting(self, where: str) -> Iterator[None]:
        try:
            yield
        except DomainError as error:
            self.add(where, error)


def check_question(city: City, actor: Actor, agreement_id: str | None, question: Question) -> Preview:
    """What `ask` would say to this question before it reads any row. Raises `NotSignedIn`, `AgreementIsNotNamed`, and
    `NotFound` or `NotPermitted` where the agreement is not the actor's."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    named = agreement_id or (actor.agreement_id if isinstance(actor, Client) else None)
    if named is None:
        raise AgreementIsNotNamed
    found = _Found()
    with city.transaction(actor) as tx:
        agreement = get_own_agreement(tx, actor, check_id("agr", named))
        with found.noting(_AGREEMENT):
            check_in_force(tx, agreement)
        with found.noting("$.dataset"):
            _look(city, question, agreement, found)
        _look_at_budget(tx, question, agreement, found)
    minimum = _minimum(city, question, agreement)
    left = get_budget(city, actor, named)
    return Preview(print_sql(question), tuple(found.problems), minimum, left)


def standing_scope(question: Question, find_scope: FindScope) -> tuple[Scope, dict[int, DomainError]]:
    """The scope with all joins that can be made, and why the others cannot, by place. Raises `DatasetIsUnknown`."""
    stands, broken = bare(question), {}
    for at, join in enumerate(question.joins):
        wider = structs.replace(stands, joins=(*stands.joins, join))
        try:
            find_scope(wider)
        except DomainError as error:
            broken[at] = error
        else:
            stands = wider
    return find_scope(stands), broken


def bare(question: Question) -> Question:
    """Its dataset, and nothing asked of it."""
    return Question(dataset=question.dataset, measures=())


def _look(city: City, question: Question, agreement: PublishedAgreement, found: _Found) -> None:
    """All that needs no budget. Raises what is wrong with the dataset, after which nothing else can be said."""
    scope, broken = standing_scope(question, partial(scope_for, city))
    inspector = Inspector(scope, agreement)
    wrong = inspector.dataset_error()
    if wrong is not None:
        raise wrong
    _look_at_joins(question, inspector, broken, found)
    for where, part in _parts(question):
        error = inspector.error(part)
        if not (broken and isinstance(error, ColumnIsUnknown)):  # it may lie in what could not be joined
            found.add(where, error)
    if question.release is not None:
        _look_at_privacy(question, scope, agreement, found)
    if not found.problems:
        _look_at_whole(city, question, inspector, found)


def _look_at_joins(question: Question, inspector: Inspector, broken: dict[int, DomainError], found: _Found) -> None:
    stands = 0
    for at in range(len(question.joins)):
        found.add(f"$.joins[{at}]", broken[at] if at in broken else inspector.join_error(stands))
        stands += at not in broken


def _parts(question: Question) -> Iterator[tuple[str, Question]]:
    """Each choice by itself, with its path."""
    empty = bare(question)
    for at, dimension in enumerate(question.dimensions):
        yield f"$.dimensions[{at}]", structs.replace(empty, dimensions=(dimension,))
    for at, measure in enumerate(question.measures):
        yield f"$.measures[{at}]", structs.replace(empty, measures=(measure,))
    for where, condition in _conditions(question.filter):
        yield where, structs.replace(empty, filter=condition)


def _conditions(filter: Filter | None) -> list[tuple[str, Filter]]:
    if filter is None:
        return []
    parts = filter.parts if isinstance(filter, AllOf) else ()
    return [(f"{_FILTER}.parts[{at}]", part) for at, part in enumerate(parts)] or [(_FILTER, filter)]


def _look_at_privacy(question: Question, scope: Scope, agreement: PublishedAgreement, found: _Found) -> None:
    """Each measure and each dimension by itself; what is wrong with neither is wrong with the release."""
    parts: list[tuple[str, dict[str, Any]]] = [
        *((f"$.measures[{at}]", {"measures": (each,), "dimensions": ()}) for at, each in enumerate(question.measures)),
        *(
            (f"$.dimensions[{at}]", {"measures": (), "dimensions": (each,)})
            for at, each in enumerate(question.dimensions)
        ),
        (_RELEASE, {}),
    ]
    for where, changes in parts:
        if (found.problems and where == _RELEASE) or any(each.where == where for each in found.problems):
            continue
        try:
            check_private(structs.replace(question, **changes), scope, agreement.rule)
        except (FunctionIsNotPrivate, TypeDoesNotFit, DomainIsMissing) as error:
            found.add(where, error)
        except EndsAreMissing as error:
            found.add(f"{_RELEASE}.bounds", error)
        except DomainError as error:
            found.add(str(error.fields.get("where", _RELEASE)), error)


def _look_at_whole(city: City, question: Question, inspector: Inspector, found: _Found) -> None:
    """What only shows once no choice is wrong by itself: shape, and how much would be read."""
    try:
        check_shape(question)
    except QuestionIsMalformed as error:
        found.add(error.fields["where"], error)
        return
    found.add("$", inspector.error(question))
    with found.noting("$"):
        since, until = time_span(question, inspector.scope, city.settings.zone)
        own, *others = datasets_used(question, inspector.scope)
        for each in (snapshot(city, own, since=since, until=until), *(snapshot(city, name) for name in others)):
            check_rows(each, most=city.settings.question_most_rows)


def _look_at_budget(tx: Transaction, question: Question, agreement: PublishedAgreement, found: _Found) -> None:
    epsilon_milli = 0 if question.release is None else question.release.epsilon_milli
    if any(isinstance(each.error, PrivacyIsNotInRule) for each in found.problems):
        return
    with found.noting(_RELEASE if epsilon_milli else _AGREEMENT):
        check_budget(tx, agreement, epsilon_milli=epsilon_milli)


def _minimum(city: City, question: Question, agreement: PublishedAgreement) -> int | None:
    if question.release is not None:
        return None
    minimum = max(agreement.rule.min_subjects, city.settings.minimum_subjects)
    try:
        return fewest_subjects(question, scope_for(city, question), minimum)
    except DomainError:  # which is among the problems
        return minimum

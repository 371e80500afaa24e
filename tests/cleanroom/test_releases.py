"""Releases with differential privacy and within budgets, through the whole walk."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from msgspec import structs

from sanpo import app
from sanpo.cleanroom import Answer, ask, parse_sql
from sanpo.cleanroom.budgets import get_budget
from sanpo.cleanroom.errors import PrivacyBudgetIsSpent, PrivacyIsNotInRule, QueryBudgetIsSpent
from sanpo.cleanroom.model import Bound, Private
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.journal import list_entries, list_uses_of
from tests.cleanroom.cities import BY_DWELLING, TOTAL, Metered
from tests.consent.drafts import draft

PRIVACY = {"epsilon_milli": 5000, "days": 30, "contribution_rows": 8}


@dataclass(frozen=True)
class Lab:
    """A metered city and an agreement with budgets, which the first thirty residents granted."""

    metered: Metered
    agreement: object

    def ask(self, sql: str, epsilon_milli: int = 0) -> Answer:
        question = parse_sql(sql)
        if epsilon_milli:
            release = Private(epsilon_milli=epsilon_milli, bounds=(Bound("energy_wh", 0, 200),))
            question = structs.replace(question, release=release)
        asker = self.metered.world.client(self.metered.world.university, self.agreement)  # type: ignore[arg-type]
        return ask(self.metered.city, asker, None, question)


@pytest.fixture
def lab(settings: Settings, clock: FixedClock) -> Iterator[Lab]:
    city = app.open_city(settings, clock=clock, pool=8)
    metered = Metered(city)
    plain = draft()
    rule = structs.replace(
        plain.rule, privacy=_of("privacy", PRIVACY), budget=_of("budget", {"questions": 3, "days": 7})
    )
    agreement = metered.world.agreement(the_draft=structs.replace(plain, rule=rule))
    metered.world.give(agreement, metered.people[:30])
    yield Lab(metered, agreement)
    city.db.close()


def _of(name: str, value: dict[str, int]) -> object:
    from sanpo.consent.model import Budget, Privacy

    return {"privacy": Privacy, "budget": Budget}[name](**value)


def test_private_answer_names_every_declared_cell_with_its_error(lab: Lab) -> None:
    answer = lab.ask(BY_DWELLING, 4000)
    assert len(answer.rows) == 6, "all kinds of dwelling that are declared, also those that nobody lives in"
    assert answer.privacy is not None
    assert (answer.privacy.epsilon_milli, answer.privacy.contribution_rows) == (4000, 8)
    for row in answer.rows:
        assert row.errors_95 is not None
        assert all(error is not None and error > 0 for error in row.errors_95)
        assert not row.suppressed
    told = {row.values[0]: row.values[1] for row in answer.rows}
    errors = {row.values[0]: row.errors_95[0] for row in answer.rows if row.errors_95}
    off = sum(abs(told[kind] - true) > 4 * errors[kind] for kind, true in {"detached": 160, "apartment": 80}.items())
    assert off == 0


def test_private_answer_is_a_use_of_everybody_admitted(lab: Lab) -> None:
    answer = lab.ask(BY_DWELLING, 1000)
    seen = [list_uses_of(lab.metered.city, lab.metered.people[place]) for place in (0, 29, 30)]
    assert [[entry.entry_id for entry in uses] for uses in seen] == [[answer.entry_id], [answer.entry_id], []]
    (entry,) = [each for each in list_entries(lab.metered.city, limit=200) if each.kind == "use"]
    assert entry.body["epsilon_milli"] == 1000


def test_epsilon_is_charged_until_it_is_spent_and_a_refusal_costs_nothing(lab: Lab) -> None:
    first = lab.ask(BY_DWELLING, 3000)
    assert first.budget_left is not None
    assert first.budget_left.epsilon_milli is not None
    assert (first.budget_left.epsilon_milli.spent, first.budget_left.epsilon_milli.left) == (3000, 2000)
    with pytest.raises(PrivacyBudgetIsSpent) as refused:
        lab.ask(BY_DWELLING, 3000)
    assert refused.value.fields["retry_after_s"] > 0
    assert lab.ask(BY_DWELLING, 2000).budget_left.epsilon_milli.left == 0  # type: ignore[union-attr]
    later = lab.metered.world.staff(lab.metered.world.university, "analyst")
    left = get_budget(lab.metered.city, later, lab.agreement.agreement_id)  # type: ignore[attr-defined]
    assert (left.epsilon_milli.left, left.questions.left) == (0, 1)  # type: ignore[union-attr]


def test_questions_are_counted_until_the_budget_is_spent(lab: Lab) -> None:
    for left in (2, 1, 0):
        answer = lab.ask(TOTAL)
        assert answer.budget_left is not None
        assert answer.budget_left.questions is not None
        assert answer.budget_left.questions.left == left
    with pytest.raises(QueryBudgetIsSpent):
        lab.ask(TOTAL)


def test_privacy_is_refused_where_the_agreement_does_not_offer_it(lab: Lab) -> None:
    world = lab.metered.world
    plain = world.agreement(title={"ja": "別", "en": "Another"})
    world.give(plain, lab.metered.people[:12])
    question = structs.replace(parse_sql(BY_DWELLING), release=Private(epsilon_milli=100))
    with pytest.raises(PrivacyIsNotInRule):
        ask(lab.metered.city, world.client(world.university, plain), None, question)

"""Budgets: nobody gets more answers or more epsilon than agreed, however many ask at once; a refusal costs nothing."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar, post
from litestar.di import Provide
from litestar.testing import TestClient, create_test_client

from sanpo.cleanroom import api_budgets
from sanpo.cleanroom.budgets import Allowance, BudgetLeft, charge, check_budget, get_budget
from sanpo.cleanroom.errors import EpsilonIsOutOfRange, PrivacyBudgetIsSpent, PrivacyIsNotInRule, QueryBudgetIsSpent
from sanpo.consent import PublishedAgreement, admit
from sanpo.ground.actors import Actor, Anonymous, Client, System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, NotFound, NotSignedIn
from sanpo.ground.problems import on_domain_error
from sanpo.journal import append
from tests.cleanroom.cities import Metered
from tests.cleanroom.questions import EXAMPLES
from tests.conftest import START
from tests.consent.drafts import draft_data
from tests.world import OPERATOR

RULE = draft_data()["rule"]
BUDGET = {"budget": {"questions": 3, "days": 7}}
PRIVACY = {"privacy": {"epsilon_milli": 1000, "days": 30, "contribution_rows": 24}}


class OwnTime:
    """A clock that several threads read and the test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Purse:
    """An agreement with budgets, in a city whose clock is this test's own."""

    city: City
    asker: Client
    agreement: PublishedAgreement
    clock: OwnTime

    def charge(self, epsilon_milli: int = 0) -> BudgetLeft:
        with self.admitted() as tx:
            return self.charge_in(tx, epsilon_milli)

    @contextmanager
    def admitted(self) -> Iterator[Transaction]:
        """A transaction that the gate has let through, as a question's."""
        with self.city.transaction(self.asker) as tx:
            columns = frozenset({"energy_wh"})
            admit(tx, self.asker, self.agreement.agreement_id, dataset="energy.readings", columns=columns)
            yield tx

    def charge_in(self, tx: Transaction, epsilon_milli: int = 0) -> BudgetLeft:
        agreement = self.agreement
        entry = append(tx, kind="refusal", body={"test": "a use"}, organisation_no=agreement.organisation_no)
        return charge(tx, agreement, entry_no=entry.entry_no, epsilon_milli=epsilon_milli)

    def check(self, epsilon_milli: int = 0) -> None:
        with self.admitted() as tx:
            check_budget(tx, self.agreement, epsilon_milli=epsilon_milli)

    @property
    def left(self) -> BudgetLeft:
        return get_budget(self.city, self.asker, self.agreement.agreement_id)

    def charges(self) -> list[tuple[datetime, int, int]]:
        """(when, questions, epsilon) of every charge, as the owner of the database sees them."""
        with psycopg.connect(self.city.settings.database_owner_url) as conn:
            return conn.execute(
                "select charged_at, questions, epsilon_milli from cleanroom.charges where agreement_no = %s"
                " order by charged_at",
                (self.agreement.agreement_no,),
            ).fetchall()


@pytest.fixture
def purse(metered: Metered) -> Callable[..., Purse]:
    def make(rule: Mapping[str, Any] | None = None) -> Purse:
        walk, clock = metered.walk(), OwnTime()
        city = replace(metered.city, clock=clock)
        title = {**draft_data()["title"], "en": f"Budgets {walk.agreement.agreement_no}"}
        agreement = walk.world.agreement(
            walk.organisation, title=title, rule={**RULE, **(BUDGET if rule is None else rule)}
        )
        return Purse(city, walk.world.client(walk.organisation, agreement), agreement, clock)

    return make


def test_answers_are_counted_and_the_one_too_many_is_refused(purse: Callable[..., Purse]) -> None:
    mine = purse()
    assert mine.left.questions == Allowance(limit=3, days=7, spent=0, left=3, next_at=None)
    lefts = [mine.charge().questions for _ in range(3)]
    assert [each and (each.spent, each.left) for each in lefts] == [(1, 2), (2, 1), (3, 0)]
    for ask in (mine.check, mine.charge):
        with pytest.raises(QueryBudgetIsSpent) as refused:
            ask()
        assert refused.value.fields == {
            "limit": 3,
            "days": 7,
            "spent": 3,
            "next_at": (START + timedelta(days=7)).astimezone(mine.city.settings.zone).isoformat(),
            "retry_after_s": 7 * 86_400,
        }
    assert len(mine.charges()) == 3


def test_budget_frees_what_is_older_than_its_days(purse: Callable[..., Purse]) -> None:
    mine = purse()
    for _ in range(3):
        mine.charge()
        mine.clock.at += timedelta(days=1)
    mine.clock.at = START + timedelta(days=7, microseconds=-1)
    with pytest.raises(QueryBudgetIsSpent) as refused:
        mine.charge()
    assert refused.value.fields["retry_after_s"] == 1
    mine.clock.at = START + timedelta(days=7)
    left = mine.charge().questions
    assert left == Allowance(limit=3, days=7, spent=3, left=0, next_at=START + timedelta(days=8))


def test_epsilon_is_charged_and_refused_until_enough_is_free(purse: Callable[..., Purse]) -> None:
    mine = purse(PRIVACY)
    for epsilon_milli in (300, 200, 400):
        mine.charge(epsilon_milli)
        mine.clock.at += timedelta(days=1)
    assert mine.left.questions is None
    assert mine.left.epsilon_milli == Allowance(1000, 30, 900, 100, START + timedelta(days=30))
    for asked, day in ((101, 30), (401, 31), (700, 32)):
        with pytest.raises(PrivacyBudgetIsSpent) as refused:
            mine.charge(asked)
        fields = refused.value.fields
        assert (fields["limit"], fields["days"], fields["spent"], fields["asked"]) == (1000, 30, 900, asked)
        assert fields["next_at"][:10] == (START + timedelta(days=day)).date().isoformat()
        assert fields["retry_after_s"] == (day - 3) * 86_400
    assert mine.charge(100).epsilon_milli == Allowance(1000, 30, 1000, 0, START + timedelta(days=30))


def test_answer_without_noise_costs_no_epsilon_and_private_one_also_a_question(purse: Callable[..., Purse]) -> None:
    mine = purse({**BUDGET, **PRIVACY})
    mine.charge()
    left = mine.charge(250)
    assert left.questions is not None
    assert left.epsilon_milli is not None
    assert (left.questions.spent, left.epsilon_milli.spent) == (2, 250)


@pytest.mark.parametrize("epsilon_milli", [1001, -1])
def test_epsilon_that_never_fits_is_refused_with_what_would(purse: Callable[..., Purse], epsilon_milli: int) -> None:
    mine = purse(PRIVACY)
    for ask in (mine.check, mine.charge):
        with pytest.raises(EpsilonIsOutOfRange) as refused:
            ask(epsilon_milli)
        assert refused.value.fields == {"asked": epsilon_milli, "lowest": 1, "highest": 1000}


def test_agreement_without_budgets_is_never_charged_and_never_private(purse: Callable[..., Purse]) -> None:
    free = purse({})
    for _ in range(5):
        assert free.charge() == BudgetLeft(None, None)
    assert (free.left, free.charges()) == (BudgetLeft(None, None), [])
    for ask in (free.check, free.charge):
        with pytest.raises(PrivacyIsNotInRule):
            ask(1)


def test_refused_question_costs_nothing(purse: Callable[..., Purse]) -> None:
    mine = purse()
    with pytest.raises(ZeroDivisionError), mine.admitted() as tx:
        mine.charge_in(tx)
        raise ZeroDivisionError
    assert mine.charges() == []
    assert mine.left.questions == Allowance(limit=3, days=7, spent=0, left=3, next_at=None)


def test_agreements_do_not_share_a_budget(purse: Callable[..., Purse]) -> None:
    mine, other = purse(), purse()
    for _ in range(3):
        mine.charge()
    assert other.charge().questions == Allowance(limit=3, days=7, spent=1, left=2, next_at=START + timedelta(days=7))


@pytest.mark.parametrize("is_released", [True, False])
def test_last_question_goes_to_one_of_two_at_once(purse: Callable[..., Purse], is_released: bool) -> None:
    """The second waits for the first to be released, or given up, and only then is counted."""
    mine = purse({"budget": {"questions": 1, "days": 7}})
    begun = threading.Event()

    def second() -> BudgetLeft:
        with mine.admitted() as tx:
            check_budget(tx, mine.agreement)
            begun.set()
            return mine.charge_in(tx)

    with ThreadPoolExecutor(1) as pool:
        later: Future[BudgetLeft]
        try:
            with mine.admitted() as tx:
                mine.charge_in(tx)
                later = pool.submit(second)
                assert begun.wait(20)
                time.sleep(0.2)
                assert not later.done()
                if not is_released:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            assert later.result(20).questions is not None
        else:
            with pytest.raises(QueryBudgetIsSpent):
                later.result(20)
    assert len(mine.charges()) == 1


ASKED = st.tuples(st.sampled_from([0, 0, 1, 250, 500, 1000]), st.booleans(), st.booleans())
ROUNDS = st.lists(
    st.tuples(st.sampled_from([0, 1, 4]), st.lists(ASKED, min_size=2, max_size=4)), min_size=1, max_size=4
)


@given(rounds=ROUNDS)
@settings(max_examples=EXAMPLES // 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_interleaving_overspends(
    purse: Callable[..., Purse], rounds: list[tuple[int, list[tuple[int, bool, bool]]]]
) -> None:
    """Rounds of questions at once, some days apart: each asks for so much epsilon, some linger and some are given up."""
    mine = purse({"budget": {"questions": 2, "days": 5}, "privacy": {**PRIVACY["privacy"], "days": 7}})
    for days, questions in rounds:
        mine.clock.at += timedelta(days=days)
        begin = threading.Barrier(len(questions))
        with ThreadPoolExecutor(len(questions)) as pool:
            for done in [pool.submit(ask_at_once, mine, begin, *question) for question in questions]:
                done.result(60)
    charges = mine.charges()
    for end, _, _ in charges:
        assert sum(n for at, n, _ in charges if end - timedelta(days=5) < at <= end) <= 2
        assert sum(n for at, _, n in charges if end - timedelta(days=7) < at <= end) <= 1000


def ask_at_once(mine: Purse, begin: threading.Barrier, epsilon_milli: int, lingers: bool, is_given_up: bool) -> None:
    """Asks when all others are ready too."""
    with suppress(QueryBudgetIsSpent, PrivacyBudgetIsSpent, ZeroDivisionError), mine.admitted() as tx:
        begin.wait(20)
        mine.charge_in(tx, epsilon_milli)
        time.sleep(0.01 * lingers)
        if is_given_up:
            raise ZeroDivisionError


def test_first_questions_of_many_at_once_all_get_their_part(purse: Callable[..., Purse]) -> None:
    """Nothing is wasted either: of twelve at once exactly as many as the budget has are answered."""
    mine = purse()
    begin = threading.Barrier(4)

    def ask_thrice(_: int) -> int:
        begin.wait(20)
        answered = 0
        for _ in range(3):
            try:
                mine.charge()
                answered += 1
            except QueryBudgetIsSpent:
                continue
        return answered

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask_thrice, range(4))) == 3


def test_budget_is_shown_to_the_organisation_and_to_the_city_only(
    purse: Callable[..., Purse], metered: Metered
) -> None:
    mine = purse()
    mine.charge()
    world, agreement_id = metered.world, mine.agreement.agreement_id
    stranger, resident = world.client(world.company), metered.people[0]
    for actor in (mine.asker, world.officer, OPERATOR):
        left = get_budget(mine.city, actor, agreement_id).questions
        assert left is not None
        assert left.spent == 1
    for actor in (stranger, resident, System("jobs")):
        with pytest.raises(NotFound):
            get_budget(mine.city, actor, agreement_id)
    with pytest.raises(NotSignedIn):
        get_budget(mine.city, Anonymous(), agreement_id)


def test_charges_are_behind_the_second_wall(purse: Callable[..., Purse], metered: Metered) -> None:
    mine = purse()
    mine.charge()
    count = "select count(*) as n from cleanroom.charges where agreement_no = %(no)s"
    seen = {}
    world = metered.world
    for name, actor in {
        "asker": mine.asker, "operator": OPERATOR, "officer": world.officer,
        "company": world.client(world.company), "resident": metered.people[0], "nobody": Anonymous(),
    }.items():  # fmt: skip
        with mine.city.transaction(actor) as tx:
            seen[name] = tx.get(count, no=mine.agreement.agreement_no).n
    assert seen == {"asker": 1, "operator": 1, "officer": 1, "company": 0, "resident": 0, "nobody": 0}


@pytest.mark.parametrize(
    "statement",
    [
        "update cleanroom.charges set questions = 0",
        "delete from cleanroom.charges",
        "insert into cleanroom.charges values (-1, 1, 1, now(), 1, 0)",
    ],
)
def test_charge_is_made_under_an_admission_and_never_changed(purse: Callable[..., Purse], statement: str) -> None:
    mine = purse()
    for actor in (mine.asker, OPERATOR):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), mine.city.transaction(actor) as tx:
            tx.execute(statement)


@pytest.fixture
def http(purse: Callable[..., Purse]) -> Iterator[tuple[Purse, TestClient[Litestar]]]:
    """The handler alone with the city's errors, and a door that charges an answer. The asker is behind every request
    that names no other."""
    mine = purse({**BUDGET, **PRIVACY})

    @post("/api/charges/{epsilon_milli:int}", sync_to_thread=True)
    def post_charge(epsilon_milli: int) -> BudgetLeft:
        return mine.charge(epsilon_milli)

    def actor(who: str = "asker") -> Actor:
        return mine.asker if who == "asker" else Anonymous()

    with create_test_client(
        [*api_budgets.handlers, post_charge],
        dependencies={
            "city": Provide(lambda: mine.city, sync_to_thread=False),
            "actor": Provide(actor, sync_to_thread=False),
        },
        exception_handlers={DomainError: on_domain_error},
        raise_server_exceptions=False,
    ) as client:
        client.app.state.city = mine.city
        yield mine, client


def test_api_lists_what_is_left(http: tuple[Purse, TestClient[Litestar]]) -> None:
    mine, client = http
    mine.charge()
    path = f"/api/cleanroom/budgets/{mine.agreement.agreement_id}"
    assert client.get(path).json() == {
        "questions": {"limit": 3, "days": 7, "spent": 1, "left": 2, "next_at": "2026-04-08T00:00:00Z"},
        "epsilon_milli": {"limit": 1000, "days": 30, "spent": 0, "left": 1000, "next_at": None},
    }
    assert client.get(path, params={"who": "nobody"}).status_code == 401
    assert client.get("/api/cleanroom/budgets/agr_guess").status_code == 404


@pytest.mark.parametrize(
    ("epsilon_milli", "code", "retry_after"),
    [(0, "cleanroom.query_budget_is_spent", 7 * 86_400), (600, "cleanroom.privacy_budget_is_spent", 30 * 86_400)],
)
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_spent_budget_is_429_with_a_time_to_come_back(
    http: tuple[Purse, TestClient[Litestar]], epsilon_milli: int, code: str, retry_after: int, lang: str
) -> None:
    client = http[1]
    answers = [client.post(f"/api/charges/{epsilon_milli}", headers={"accept-language": lang}) for _ in range(4)]
    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == str(retry_after)
    assert refused.json()["code"] == code
    assert refused.json()["fields"]["next_at"] in refused.json()["detail"]
    assert answers[0].status_code == 201

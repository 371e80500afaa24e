"""Runs the specification tables against the database and against the plain model."""

import re
from datetime import timedelta

import pytest

from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ledger import AccountFlag, Balance, TransferFlag, create_accounts, post
from sanpo.ledger.outcomes import AccountOutcome, Outcome
from sanpo.ledger.posting import expire_pending
from tests.conftest import ROOT, START
from tests.ledger import spec_outcomes
from tests.ledger.books import balance_of
from tests.ledger.plain import TRANSIENT, PlainLedger
from tests.ledger.reference_pages import ACCOUNT_FLAGS, PAGES, TRANSFER_FLAGS
from tests.ledger.tables import Case, account_cases, cases


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_batches_come_out_as_specified(case: Case, bank: City, clock: FixedClock) -> None:
    create_accounts(bank, case.accounts)
    for step in case.steps:
        if step.does == "wait":
            clock.advance(seconds=step.seconds)
        elif step.does == "expire":
            assert expire_pending(bank) == 1
        else:
            assert post(bank, step.batch) == step.outcomes
    assert {number: balance_of(bank, number) for number in case.after} == case.after


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_plain_model_agrees_with_the_specification(case: Case) -> None:
    plain, now = PlainLedger({each.account_id: each for each in case.accounts}), START
    for step in case.steps:
        if step.does == "wait":
            now += timedelta(seconds=step.seconds)
        elif step.does == "expire":
            plain.lapse(now)
        else:
            assert plain.post(step.batch, now) == step.outcomes
    assert {number: Balance(*plain.sums(number)) for number in case.after} == case.after


@pytest.mark.parametrize(("title", "requests"), account_cases())
def test_accounts_come_out_as_specified(title: str, requests: list, bank: City) -> None:  # type: ignore[type-arg]
    assert create_accounts(bank, [request for request, _ in requests]) == [outcome for _, outcome in requests]


def test_every_outcome_is_in_the_specification() -> None:
    told = {outcome for case in cases() for step in case.steps for outcome in step.outcomes}
    assert [outcome.value for outcome in Outcome if outcome not in told] == []
    opened = {outcome for _, requests in account_cases() for _, outcome in requests}
    assert [outcome.value for outcome in AccountOutcome if outcome not in opened] == []


def test_outcomes_of_a_request_put_right_step_by_step_are_in_the_order_of_the_enumeration() -> None:
    order = list(Outcome)
    ladders = [case for case in cases() if "put right one thing after the other" in case.title]
    assert len(ladders) == 2
    for case in ladders:
        places = [order.index(outcome) for outcome in case.steps[-1].outcomes if outcome is not Outcome.CREATED]
        assert places[:-1] == sorted(places[:-1])


def test_outcomes_that_use_up_an_id_are_marked() -> None:
    assert {outcome for outcome in Outcome if outcome.is_transient} == TRANSIENT
    assert re.search(r"id_already_failed", spec_outcomes.CASES)


@pytest.mark.parametrize("path", PAGES)
def test_reference_page_is_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run: make docs"


def test_every_flag_is_explained() -> None:
    assert list(TRANSFER_FLAGS) == list(TransferFlag)
    assert list(ACCOUNT_FLAGS) == list(AccountFlag)

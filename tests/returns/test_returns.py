"""Returns: each use accrues to three sides by the agreement's metrics, in whole units; reports fill what only they can."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.consent.model import AgreementIsInvalid
from sanpo.ground.errors import NotFound, NotPermitted
from sanpo.journal import SubjectSet
from sanpo.returns import accrue, list_totals, of_uses, report_return
from sanpo.returns.actions import ReturnIsNotPaid, ReturnIsNotReported
from sanpo.returns.model import quantity_of
from tests.consent.drafts import draft_data
from tests.world import OPERATOR, World

TWELVE = SubjectSet((0xFFF).to_bytes(2, "little"), 16, 12)
TABLE = """
basis      per   subjects   cells   quantity
answer     1     64         6       1
answer     5     64         6       5
cell       1     64         6       6
cell       3     64         0       0
subject    2     64         6       128
subject    1     10         1       10
reported   1     64         6       -
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()[1:]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row))
def test_quantity(row: list[str]) -> None:
    basis, per, subjects, cells, expected = row
    found = quantity_of(basis, int(per), subject_count=int(subjects), released_cells=int(cells))  # type: ignore[arg-type]
    assert found == (None if expected == "-" else int(expected))


@given(st.integers(1, 10**6), st.integers(0, 10**7), st.integers(0, 10**7))
def test_shares_of_all_givers_add_up_to_what_accrued(per: int, subjects: int, cells: int) -> None:
    assert quantity_of("subject", per, subject_count=subjects, released_cells=cells) == per * subjects


def reported_gain() -> dict[str, Any]:
    gains = draft_data()["gains"]
    gains["giver"]["metric"]["basis"] = "reported"
    return dict(gains)


def test_use_accrues_to_three_sides(world: World) -> None:
    agreement = world.agreement()
    with world.city.transaction(OPERATOR) as tx:
        accrued = accrue(tx, entry_no=1, agreement=agreement, subjects=TWELVE, most=20, cells=3)
    assert {one.side: one.quantity for one in accrued} == {"giver": 24, "city": 1, "organisation": 3}
    assert of_uses(world.city, OPERATOR, [1])[1][0].side in ("city", "giver", "organisation")
    totals = {one["side"]: one["measured"] for one in list_totals(world.city, OPERATOR, agreement.agreement_no)}
    assert totals == {"giver": 24, "city": 1, "organisation": 3}


def test_recipient_reports_what_only_it_can_know(world: World) -> None:
    agreement = world.agreement(gains=reported_gain())
    client = world.client(world.university)
    with world.city.transaction(OPERATOR) as tx:
        accrue(tx, entry_no=1, agreement=agreement, subjects=TWELVE, most=20, cells=3)
    report_return(world.city, client, agreement.agreement_id, side="giver", quantity=4200, note="first month")
    giver = next(one for one in list_totals(world.city, client, agreement.agreement_no) if one["side"] == "giver")
    assert (giver["measured"], giver["reported"]) == (None, 4200)


def test_report_is_refused_where_the_city_measures_or_the_asker_is_another(world: World) -> None:
    agreement = world.agreement(gains=reported_gain())
    ask: dict[str, Any] = {"quantity": 1, "note": ""}
    with pytest.raises(ReturnIsNotReported):
        report_return(world.city, world.client(world.university), agreement.agreement_id, side="city", **ask)
    with pytest.raises(NotFound):
        report_return(world.city, world.client(world.company), agreement.agreement_id, side="giver", **ask)
    with pytest.raises(NotPermitted):
        report_return(world.city, world.residents(1)[0], agreement.agreement_id, side="giver", **ask)


def test_city_without_a_service_that_pays_releases_nothing_that_must_be_paid(world: World) -> None:
    gains = draft_data()["gains"]
    gains["giver"]["metric"]["paid_in"] = "points"
    agreement = world.agreement(gains=gains)
    poor = replace(world.city, payer=None)
    with pytest.raises(ReturnIsNotPaid), poor.transaction(OPERATOR) as tx:
        accrue(tx, entry_no=1, agreement=agreement, subjects=TWELVE, most=20, cells=3)
    assert of_uses(world.city, OPERATOR, [1]) == {}


@pytest.mark.parametrize(("side", "basis"), [("giver", "answer"), ("city", "subject"), ("organisation", "subject")])
def test_agreement_pays_givers_by_subject_only(world: World, side: str, basis: str) -> None:
    gains = draft_data()["gains"]
    gains[side]["metric"] |= {"paid_in": "points", "basis": basis}
    with pytest.raises(AgreementIsInvalid):
        world.agreement(gains=gains)

"""Comparison with similar homes that agreed: who is counted, what is shown, and what stands in the way."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sanpo.consent import Decision, decide
from sanpo.ground.clock import FixedClock
from sanpo.journal import list_uses_of
from sanpo.services.energy import Home
from sanpo.services.energy import comparison as comparison_module
from sanpo.services.energy.comparison import (
    SERVICE,
    Comparison,
    Group,
    Period,
    State,
    compare,
    last_weeks,
    question_of,
    similar_groups,
)
from sanpo.services.energy.curves import Day
from sanpo.services.energy.usage import read_days
from tests.services.energy.homes import offer_comparison, settle
from tests.services.energy.test_curves import MONDAY, whole
from tests.world import World


def day(ahead: int, quarters: int = 96) -> Day:
    return Day(MONDAY + timedelta(days=ahead), (1,) * quarters, (2,) * 48)


def days(first: int, count: int) -> list[Day]:
    return [day(first + ahead) for ahead in range(count)]


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        ([], None),
        (days(0, 6), None),
        (days(1, 7), None),
        (days(0, 7), (0, 6)),
        ([*days(0, 6), day(6, 50)], None),
        (days(0, 13), (0, 6)),
        (days(2, 20), (7, 20)),
        (days(0, 70), (42, 69)),
        ([*days(0, 69), day(69, 50)], (35, 62)),
    ],
    ids=[
        "none",
        "no Sunday",
        "no Monday",
        "a week",
        "half a Sunday",
        "13 days",
        "from Wednesday",
        "ten weeks",
        "Sunday to come",
    ],
)
def test_period_is_of_whole_weeks(some: list[Day], expected: tuple[int, int] | None) -> None:
    period = None if expected is None else Period(*(MONDAY + timedelta(days=ahead) for ahead in expected))
    assert last_weeks(some) == period


@pytest.mark.parametrize(
    ("home", "groups"),
    [
        (None, []),
        (Home(1, "中央"), []),
        (Home(1, "中央", "other", "other"), []),
        (Home(1, "中央", "detached", "gas"), [Group("detached", "gas"), Group("", "gas"), Group("detached", "")]),
        (Home(1, "中央", "detached", "unknown"), [Group("detached", "")]),
        (Home(1, "中央", "unknown", "gas"), [Group("", "gas")]),
    ],
)
def test_groups_go_from_narrow_to_wide(home: Home | None, groups: list[Group]) -> None:
    assert similar_groups(home) == groups


def test_question_asks_for_sums_over_the_group_and_the_period_only() -> None:
    question = question_of(Group("detached", ""), Period(date(2026, 3, 2), date(2026, 3, 15)))
    assert question.columns == {"start_at", "energy_wh", "dwelling_type"}
    assert question.names == ("half_hour", "energy", "quarters")


@pytest.mark.parametrize(
    ("own", "similar", "percent"), [(100, 100, 0), (150, 100, 50), (50, 100, -50), (100, 300, -67), (5, 0, 0)]
)
def test_difference_is_in_percent_of_the_similar(own: int, similar: int, percent: int) -> None:
    assert Comparison(State.READY, own_wh=(own,), similar_wh=(similar,)).difference_percent == percent


def test_nothing_is_compared_without_a_week_a_home_or_an_agreement(world: World, tmp_path: Path) -> None:
    first, homeless = world.residents(2)
    assert compare(world.city, first, []).state is State.NO_WEEK
    settle(world.city, tmp_path, [first])
    assert (
        compare(world.city, homeless, [whole(MONDAY + timedelta(days=ahead)) for ahead in range(7)]).state
        is State.NO_HOME
    )
    assert compare(world.city, first, read_days(world.city, first)).state is State.NO_AGREEMENT


def test_ten_similar_homes_that_agreed_are_compared_and_nine_are_not(world: World, tmp_path: Path) -> None:
    city, residents = world.city, world.residents(12)
    settle(city, tmp_path, residents[:11])
    settle(city, tmp_path, residents[11:], dwelling="apartment", heating="gas")
    agreement = offer_comparison(world)
    mine = residents[10]
    own = read_days(city, mine)

    world.give(agreement, [*residents[:9], residents[11]])
    assert compare(city, mine, own).state is State.TOO_FEW

    world.give(agreement, [residents[9]])
    found = compare(city, mine, own)
    assert (found.state, found.homes, found.widened) == (State.READY, 10, False)
    assert found.group == Group("detached", "heat_pump")
    assert found.period == Period(date(2026, 3, 2), date(2026, 3, 15))
    # Ten homes with 100, 110 … 190 Wh a quarter: 145 on average; mine has 200.
    assert set(found.similar_wh) == {290}
    assert set(found.own_wh) == {400}
    assert found.difference_percent == 38

    # Everybody who was counted sees it in the journal, and nobody else.
    assert len(list_uses_of(city, residents[0])) == 1
    assert [use.included for use in list_uses_of(city, residents[0])] == [True]
    assert all(not use.included for use in list_uses_of(city, residents[11]))


def test_wider_group_is_tried_and_said(world: World, tmp_path: Path) -> None:
    city, residents = world.city, world.residents(11)
    settle(city, tmp_path, residents[:6])
    settle(city, tmp_path, residents[6:], dwelling="apartment")
    agreement = offer_comparison(world)
    world.give(agreement, residents)
    found = compare(city, residents[0], read_days(city, residents[0]))
    assert (found.state, found.group, found.widened, found.homes) == (State.READY, Group("", "heat_pump"), True, 11)


def test_answer_is_kept_for_a_day_and_then_asked_anew(
    world: World, tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, residents = world.city, world.residents(11)
    settle(city, tmp_path, residents)
    agreement = offer_comparison(world)
    world.give(agreement, residents)
    own = read_days(city, residents[0])
    asked: list[Any] = []
    real = comparison_module.ask
    monkeypatch.setattr(comparison_module, "ask", lambda *args: (asked.append(args), real(*args))[1])
    assert [compare(city, residents[place], own).homes for place in (0, 1, 0)] == [11, 11, 11]
    assert len(asked) == 1
    decide(city, residents[5], agreement.agreement_id, Decision.WITHDRAW)
    clock.advance(days=1)
    assert compare(city, residents[0], own).homes == 10
    assert len(asked) == 2


def test_service_asks_under_its_own_agreement_only(world: World) -> None:
    from sanpo.cleanroom import ask
    from sanpo.ground.errors import NotFound

    other = world.agreement()
    with pytest.raises(NotFound):
        ask(world.city, SERVICE, other.agreement_id, "SELECT count(*) FROM energy.readings")

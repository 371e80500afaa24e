"""Bills by hand-computed tables, and what must hold for every tariff."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.services.energy.tariff import Step, Tariff, cost_of_month, example_tariff, read_tariff

NAME = {"ja": "見本", "en": "example"}
THREE = Tariff(NAME, 900, (Step(0, 3000), Step(120, 3650), Step(300, 4050)), 350)


@pytest.mark.parametrize(
    ("energy_wh", "energy_yen", "levy_yen"),
    [
        (0, 900, 0),
        (1, 900, 0),  # 3 sen
        (1_000, 930, 3),  # 30.00 and 3.50
        (120_000, 900 + 3600, 420),
        (120_001, 900 + 3600, 420),  # 3 sen of the second step
        (121_000, 900 + 3636, 423),  # 3600 + 36.50
        (300_000, 900 + 3600 + 6570, 1050),
        (441_234, 900 + 3600 + 6570 + 5719, 1544),  # 141.234 × 40.50 = 5719.977; 441.234 × 3.50 = 1544.319
    ],
)
def test_bill_is_cut_off_to_whole_yen(energy_wh: int, energy_yen: int, levy_yen: int) -> None:
    cost = cost_of_month(THREE, energy_wh)
    assert (cost.energy_yen, cost.levy_yen, cost.total_yen) == (energy_yen, levy_yen, energy_yen + levy_yen)


def test_steps_of_a_bill_show_their_energy() -> None:
    assert [part.energy_wh for part in cost_of_month(THREE, 441_234).steps] == [120_000, 180_000, 141_234]
    assert [part.energy_wh for part in cost_of_month(THREE, 50_000).steps] == [50_000, 0, 0]


tariffs = st.builds(
    lambda basic, starts, prices, levy: Tariff(
        NAME, basic, tuple(Step(at, price) for at, price in zip([0, *sorted(starts)], prices, strict=False)), levy
    ),
    st.integers(0, 5000),
    st.sets(st.integers(1, 1000), max_size=4),
    st.lists(st.integers(0, 9999), min_size=5, max_size=5),
    st.integers(0, 999),
)


@given(tariffs, st.integers(0, 5_000_000))
def test_steps_hold_all_the_energy_once(tariff: Tariff, energy_wh: int) -> None:
    assert sum(part.energy_wh for part in cost_of_month(tariff, energy_wh).steps) == energy_wh


@given(tariffs, st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_more_energy_never_costs_less(tariff: Tariff, energy_wh: int, more_wh: int) -> None:
    assert cost_of_month(tariff, energy_wh + more_wh).total_yen >= cost_of_month(tariff, energy_wh).total_yen


@given(tariffs, st.integers(0, 5_000))
def test_whole_kwh_cost_what_adding_them_one_by_one_gives(tariff: Tariff, kwh: int) -> None:
    sen = 0
    for used in range(kwh):
        sen += [step.sen_per_kwh for step in tariff.steps if step.above_kwh <= used][-1]
    cost = cost_of_month(tariff, kwh * 1000)
    assert cost.energy_yen == tariff.basic_yen + sen // 100
    assert cost.levy_yen == kwh * tariff.levy_sen_per_kwh // 100


def test_example_tariff_is_that_of_the_manifest_and_says_that_it_is_one() -> None:
    assert example_tariff() == read_tariff(
        {
            "name": example_tariff().name,
            "basic_yen": 900,
            "levy_sen_per_kwh": 350,
            "steps": [{"above_kwh": k, "sen_per_kwh": s} for k, s in ((0, 3000), (120, 3650), (300, 4050))],
        }
    )
    assert "見本" in example_tariff().name["ja"]
    assert "xample" in example_tariff().name["en"]


@pytest.mark.parametrize("starts", [[], [1], [0, 0], [0, 200, 100]])
def test_steps_must_begin_at_zero_and_ascend(starts: list[int]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        Tariff(NAME, 0, tuple(Step(at, 1) for at in starts), 0)


def test_negative_energy_has_no_price() -> None:
    with pytest.raises(ValueError, match="negative"):
        cost_of_month(THREE, -1)

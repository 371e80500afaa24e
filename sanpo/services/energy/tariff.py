"""What a month of electricity costs under a tariff with steps: exact, in whole numbers. Pure.

The unit of the sums is a hundred-thousandth of a yen (1 Wh at 1 sen for each kWh), so that nothing is lost before the
end. Like a Japanese bill, the energy with the basic charge and the levy are each cut off to whole yen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from tomllib import loads
from typing import Any

_PER_YEN = 100_000


@dataclass(frozen=True)
class Step:
    """The price of each kWh above `above_kwh` in a month, up to the next step, in hundredths of a yen."""

    above_kwh: int
    sen_per_kwh: int


@dataclass(frozen=True)
class Tariff:
    """A basic charge for each month, steps in ascending order that begin at 0, and a levy on every kWh."""

    name: Mapping[str, str]
    basic_yen: int
    steps: tuple[Step, ...]
    levy_sen_per_kwh: int

    def __post_init__(self) -> None:
        starts = [step.above_kwh for step in self.steps]
        if not starts or starts[0] != 0 or any(low >= high for low, high in pairwise(starts)):
            raise ValueError("a tariff's steps begin at 0 and ascend")


@dataclass(frozen=True)
class StepCost:
    """The part of a month's energy that lies in one step. `exact` counts hundred-thousandths of a yen."""

    step: Step
    energy_wh: int
    exact: int


@dataclass(frozen=True)
class MonthCost:
    """A month's bill in whole yen, and how its steps make it up."""

    energy_wh: int
    basic_yen: int
    steps: tuple[StepCost, ...]
    energy_yen: int
    levy_yen: int

    @property
    def total_yen(self) -> int:
        return self.energy_yen + self.levy_yen


def cost_of_month(tariff: Tariff, energy_wh: int) -> MonthCost:
    """The bill for a month's energy. `energy_yen` holds the basic charge."""
    if energy_wh < 0:
        raise ValueError("energy is not negative")
    steps = tuple(_in_step(tariff, place, energy_wh) for place in range(len(tariff.steps)))
    energy_yen = tariff.basic_yen + sum(part.exact for part in steps) // _PER_YEN
    levy_yen = energy_wh * tariff.levy_sen_per_kwh // _PER_YEN
    return MonthCost(energy_wh, tariff.basic_yen, steps, energy_yen, levy_yen)


def read_tariff(table: Mapping[str, Any]) -> Tariff:
    """A tariff as a manifest writes it."""
    steps = tuple(Step(step["above_kwh"], step["sen_per_kwh"]) for step in table["steps"])
    return Tariff(table["name"], table["basic_yen"], steps, table["levy_sen_per_kwh"])


@cache
def example_tariff() -> Tariff:
    """The one in the service's manifest: an example, no supplier's."""
    text = files("sanpo.services.energy").joinpath("manifest.toml").read_text(encoding="utf-8")
    return read_tariff(loads(text)["tariff"])


def _in_step(tariff: Tariff, place: int, energy_wh: int) -> StepCost:
    step = tariff.steps[place]
    begin = step.above_kwh * 1000
    end = tariff.steps[place + 1].above_kwh * 1000 if place + 1 < len(tariff.steps) else energy_wh
    inside = max(0, min(energy_wh, end) - begin)
    return StepCost(step, inside, inside * step.sen_per_kwh)

"""Electricity load of a made-up home: always-on share, people's day, heating by the weather. Watt-hours per 15 minutes."""

import math
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from sanpo.simulator.population import Home

STEP = timedelta(minutes=15)
STEPS_A_DAY = 96
_HEATING_W_PER_DEGREE = {"heat_pump": 45, "electric": 110, "kerosene": 6, "gas": 5}
_COMFORT_C = 18.0


def temperature_c(days: int, first: datetime, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Outdoor temperature, °C, for each step: the year's wave, the day's wave, and weather that persists for days."""
    steps = np.arange(days * STEPS_A_DAY)
    day_of_year = first.timetuple().tm_yday + steps / STEPS_A_DAY
    year = 11.5 - 12.5 * np.cos(2 * math.pi * (day_of_year - 25) / 365)
    day = -3.5 * np.cos(2 * math.pi * (steps % STEPS_A_DAY - 14 * 4) / STEPS_A_DAY + math.pi)
    fronts = np.repeat(np.convolve(rng.normal(0, 2.2, days + 4), np.ones(3) / 3, "same")[:days], STEPS_A_DAY)
    return np.asarray(year + day + fronts)


def load_wh(
    home: Home, first: datetime, temperature: npt.NDArray[np.float64], rng: np.random.Generator
) -> npt.NDArray[np.int32]:
    """The home's energy in Wh for each 15 minutes from `first` (local midnight), as long as `temperature`."""
    steps = np.arange(len(temperature))
    hour = (steps % STEPS_A_DAY) / 4
    weekend = ((first.weekday() + steps // STEPS_A_DAY) % 7) >= 5
    base_w = rng.uniform(60, 140) + 25 * home.occupants
    morning = _bump(hour, rng.uniform(6.2, 7.8), 0.9) * np.where(weekend, 0.6, 1.0)
    evening = _bump(hour, rng.uniform(18.3, 20.5), 1.8)
    midday = _bump(hour, 12.5, 1.5) * np.where(weekend, 0.9, 0.35)
    people_w = (120 + 140 * home.occupants) * (0.7 * morning + evening + midday)
    size = 1.0 if home.dwelling_type == "detached" else 0.6
    heating_w = _HEATING_W_PER_DEGREE[home.heating_type] * size * np.clip(_COMFORT_C - temperature, 0, None)
    awake = np.clip(_bump(hour, 7.5, 2.5) + _bump(hour, 19.5, 4.0) + 0.35, 0, 1)
    noise = rng.gamma(4.0, 0.25, len(steps))
    watts = base_w + (people_w + heating_w * awake) * noise
    return np.asarray(np.rint(watts / 4), dtype=np.int32)


def _bump(hour: npt.NDArray[np.float64], centre: float, width: float) -> npt.NDArray[np.float64]:
    away = np.minimum(np.abs(hour - centre), 24 - np.abs(hour - centre))
    return np.asarray(np.exp(-0.5 * (away / width) ** 2))

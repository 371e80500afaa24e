"""What a second dataset adds to a prediction: the same model with and without it, tried on areas it has not seen. Pure.

A target known by unit (a mesh square, a district, an hour) is predicted from base columns alone and from base and added
ones: yes or no by logistic regression (scored by AUC, the chance that a unit with is ranked above one without), a number
by least squares (scored by R²). Every area is predicted by a model fitted without it, since neighbours resemble each
other and would flatter both (Roberts et al., Ecography 40, 2017). The interval of the gain is drawn by taking areas at
random with replacement (cluster bootstrap: Davison & Hinkley, Bootstrap Methods, 1997, ch. 3.8).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Metric = Literal["auc", "r2"]
DRAWS = 1_000
FEWEST_UNITS, FEWEST_AREAS = 30, 5
SMALL_GAIN = 0.01
"""A gain of the score below this is called small, whatever the interval says."""
_RIDGE = 1.0
"""Penalty on standardised coefficients, so that a column that separates perfectly has a finite one."""


@dataclass(frozen=True)
class Increment:
    """Scores without and with the added columns, and the gain with its 95 % interval.

    `verdict`: `gain` where the interval lies above zero and the gain is not small, `small` where it lies above zero,
    `none` where it does not: then nothing was shown to be gained.
    """

    metric: Metric
    n: int
    areas: int
    without: float
    with_added: float
    gain: float
    low: float
    high: float
    verdict: Literal["gain", "small", "none"]


def measure_increment(
    target: Numbers, base: Numbers, added: Numbers, areas: npt.NDArray[np.int64], *, seed: int = 1
) -> Increment:
    """`target` (n,), `base` (n, p), `added` (n, q), `areas` (n,): the area of each unit. A target of two values is taken
    for yes and no. Raises `ValueError` for too few units or areas, or a target that does not vary.
    """
    count = len(np.unique(areas))
    if len(target) < FEWEST_UNITS or count < FEWEST_AREAS:
        raise ValueError(f"it needs {FEWEST_UNITS} units in {FEWEST_AREAS} areas; there are {len(target)} in {count}")
    values = np.unique(target)
    if len(values) < 2:
        raise ValueError("the target is the same everywhere")
    metric: Metric = "auc" if len(values) == 2 else "r2"
    wanted = (target == values[1]).astype(float) if metric == "auc" else target
    plain = predict_elsewhere(wanted, base, areas, metric)
    fuller = predict_elsewhere(wanted, np.column_stack([base, added]), areas, metric)
    without, with_added = score(wanted, plain, metric), score(wanted, fuller, metric)
    low, high = _interval(wanted, plain, fuller, areas, metric, seed)
    gain = with_added - without
    verdict: Literal["gain", "small", "none"] = "none" if low <= 0 else "gain" if gain >= SMALL_GAIN else "small"
    return Increment(metric, len(target), count, without, with_added, gain, low, high, verdict)


def predict_elsewhere(target: Numbers, columns: Numbers, areas: npt.NDArray[np.int64], metric: Metric) -> Numbers:
    """The prediction for each unit by a model that was fitted on all other areas."""
    predicted = np.zeros(len(target))
    for area in np.unique(areas):
        here = areas == area
        known = columns[~here]
        middle, spread = known.mean(axis=0), known.std(axis=0)
        spread[spread == 0] = 1
        weights = _fitted(_with_one((known - middle) / spread), target[~here], metric)
        predicted[here] = _with_one((columns[here] - middle) / spread) @ weights
    return predicted


def score(target: Numbers, predicted: Numbers, metric: Metric) -> float:
    """AUC (0.5 is chance) or R² (0 is the mean)."""
    if metric == "r2":
        return float(1 - np.sum((target - predicted) ** 2) / np.sum((target - target.mean()) ** 2))
    yes, no = predicted[target == 1], predicted[target == 0]
    ordered = np.sort(no)
    below = np.searchsorted(ordered, yes, side="left")
    ties = np.searchsorted(ordered, yes, side="right") - below
    return float((below + ties / 2).sum() / (len(yes) * len(no)))


def _fitted(columns: Numbers, target: Numbers, metric: Metric) -> Numbers:
    penalty = np.diag([0.0] + [_RIDGE] * (columns.shape[1] - 1))
    if metric == "r2":
        return np.asarray(np.linalg.solve(columns.T @ columns + penalty, columns.T @ target))
    weights = np.zeros(columns.shape[1])
    for _ in range(100):  # Newton's method on the penalised likelihood, which is concave
        chance = 1 / (1 + np.exp(-np.clip(columns @ weights, -30, 30)))
        slope = columns.T @ (chance - target) + penalty @ weights
        bend = (columns.T * (chance * (1 - chance))) @ columns + penalty + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def _with_one(columns: Numbers) -> Numbers:
    return np.column_stack([np.ones(len(columns)), columns])


def _interval(
    target: Numbers, plain: Numbers, fuller: Numbers, areas: npt.NDArray[np.int64], metric: Metric, seed: int
) -> tuple[float, float]:
    """The middle 95 % of the gain when areas are drawn anew."""
    chance = np.random.default_rng(seed)
    places = [np.flatnonzero(areas == area) for area in np.unique(areas)]
    gains = []
    for _ in range(DRAWS):
        drawn = np.concatenate([places[at] for at in chance.integers(len(places), size=len(places))])
        some = target[drawn]
        if len(np.unique(some)) > 1:
            gains.append(score(some, fuller[drawn], metric) - score(some, plain[drawn], metric))
    low, high = np.percentile(gains, [2.5, 97.5])
    return float(low), float(high)

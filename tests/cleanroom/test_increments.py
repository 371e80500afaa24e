"""What a second dataset adds: found where it is there, not found where it is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.cleanroom.increments import measure_increment, predict_elsewhere, score
from tests.chance import often
from tests.cleanroom.questions import MARKS

pytestmark = MARKS


def city(seed: int, *, effect: float, binary: bool, n: int = 400) -> tuple[np.ndarray, ...]:
    """Units in 40 areas; the target follows the base column and, by `effect`, the added one."""
    chance = np.random.default_rng(seed)
    base, added = chance.normal(size=(n, 1)), chance.normal(size=(n, 1))
    areas = np.arange(n) % 40
    drive = base[:, 0] + effect * added[:, 0] + chance.normal(size=n)
    target = (drive > 0).astype(float) if binary else drive
    return target, base, added, areas


@pytest.mark.parametrize(("binary", "metric"), [(True, "auc"), (False, "r2")])
def test_gain_is_found_where_it_is(binary: bool, metric: str) -> None:
    found = measure_increment(*city(1, effect=1.0, binary=binary))
    assert (found.metric, found.n, found.areas, found.verdict) == (metric, 400, 40, "gain")
    assert found.without < found.with_added
    assert found.low < found.gain < found.high


@pytest.mark.parametrize("binary", [True, False])
def test_no_gain_is_claimed_for_noise(binary: bool) -> None:
    worlds = often(4, 40)
    verdicts = [measure_increment(*city(seed, effect=0.0, binary=binary)).verdict for seed in range(worlds)]
    assert verdicts.count("gain") == 0
    assert verdicts.count("none") >= 0.9 * worlds


def test_same_seed_gives_the_same_interval() -> None:
    assert measure_increment(*city(3, effect=0.4, binary=True)) == measure_increment(*city(3, effect=0.4, binary=True))


def test_column_that_never_varies_adds_nothing() -> None:
    target, base, added, areas = city(4, effect=0.0, binary=True)
    found = measure_increment(target, base, np.ones_like(added), areas)
    assert (found.gain, found.verdict) == (pytest.approx(0, abs=1e-9), "none")


def test_target_that_a_column_separates_is_no_trouble() -> None:
    target, base, _, areas = city(5, effect=0.0, binary=True)
    assert measure_increment(target, base, target[:, None], areas).with_added == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t, b, a, g: (t[:20], b[:20], a[:20], g[:20]), "30 units"),
        (lambda t, b, a, g: (t, b, a, g % 4), "5 areas"),
        (lambda t, b, a, g: (t * 0, b, a, g), "same everywhere"),
    ],
)
def test_too_little_to_judge_by_is_refused(change: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        measure_increment(*change(*city(6, effect=1.0, binary=True)))  # type: ignore[operator]


def test_area_is_predicted_without_itself() -> None:
    """A target that is its area's number alone cannot be told from elsewhere: a model that had seen it could."""
    areas = np.repeat(np.arange(20), 10)
    columns = np.eye(20)[areas]
    predicted = predict_elsewhere(areas % 2 * 1.0, columns, areas, "auc")
    assert score(areas % 2 * 1.0, predicted, "auc") < 0.6


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=30))
def test_auc_is_the_share_of_pairs_in_order(units: list[tuple[bool, int]]) -> None:
    yes = [value for is_yes, value in units if is_yes]
    no = [value for is_yes, value in units if not is_yes]
    if not yes or not no:
        return
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in yes for b in no]
    target = np.array([float(is_yes) for is_yes, _ in units])
    assert score(target, np.array([float(v) for _, v in units]), "auc") == pytest.approx(sum(pairs) / len(pairs))

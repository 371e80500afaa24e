"""How the cells of two engines are compared: to the last digit where a result is exact, else to nine digits."""

import math
from collections.abc import Sequence
from typing import Any

from sanpo.cleanroom.model import Measure
from sanpo.cleanroom.plan import Cell, Plan

PRECISION = 1e-9
INEXACT = ("quantile", "variance", "correlation")


def assert_same_cells(plan: Plan, found: Sequence[Cell], expected: Sequence[Cell]) -> None:
    """Keys, counts, subjects and exact measures are equal in value and type.

    Variance, correlation and shares are sums of squares, products and parts in floating point: each engine adds them in
    an order of its own, and the last digits depend on it. A quantile's rank is a product with a fraction, which each
    rounds in its own place. Whatever is measured of a column of averages is inexact as well, since thirds and sevenths
    have no exact binary form. All other generated numbers are whole or halves, whose sums are exact.
    """
    ordered = [sorted(cells, key=lambda cell: repr(cell.key)) for cells in (found, expected)]
    assert [repr(_counted(cell)) for cell in ordered[0]] == [repr(_counted(cell)) for cell in ordered[1]]
    exact = [is_exact(measure, plan) for measure in plan.question.measures]
    for one, other in zip(*ordered, strict=True):
        for measure, to_the_digit, a, b in zip(plan.question.measures, exact, one.values, other.values, strict=True):
            assert repr(a) == repr(b) if to_the_digit else is_near(a, b), (measure, a, b)
        assert len(one.largest) == len(other.largest)
        assert all(map(is_near, one.largest, other.largest)), (one.largest, other.largest)


def is_exact(measure: Measure, plan: Plan) -> bool:
    """Whether every engine gives the same digits."""
    places = [plan.scope.place(name) for name in measure.columns]
    averages = {
        (joined.name, stored)
        for joined in plan.scope.joined
        for stored, derived in joined.derived
        if derived.function == "avg"
    }
    return measure.function not in INEXACT and not any((place.side, place.stored) in averages for place in places)


def is_near(one: float | None, other: float | None) -> bool:
    """Whether both are missing, or both there and equal to nine digits."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=PRECISION, abs_tol=PRECISION)


def _counted(cell: Cell) -> tuple[Any, ...]:
    return cell.key, cell.rows, cell.filled, cell.subjects

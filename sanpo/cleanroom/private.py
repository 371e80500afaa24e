"""Release with differential privacy, on demand: the answer hardly depends on whether any one resident was in it. Pure.

For every resident, the chance of any answer differs by a factor of at most e^epsilon between the city with and without
that resident's rows (Dwork and Roth 2014, definition 2.4, over residents added or removed). It rests on three things:

* one subject counts by at most so many rows in the whole answer, with values moved to between two ends (`Bounding`);
* the cells are declared before any row is read (`domains.declared_keys`), and all of them are told;
* noise from the discrete Laplace distribution, drawn by OpenDP from the system's secure source, in whole numbers, so that
  no trace of a true value stays in the digits of a floating-point number (Mironov 2012; Canonne, Kamath, Steinke 2020).

There is no minimum and nothing is suppressed: the noise protects the few as well as the many.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from sanpo.cleanroom.domains import Key, declared_keys
from sanpo.cleanroom.errors import (
    EndsAreMissing,
    EpsilonIsOutOfRange,
    FunctionIsNotPrivate,
    PrivacyIsNotInRule,
    QuestionIsMalformed,
    TypeDoesNotFit,
)
from sanpo.cleanroom.model import Measure, Private, Question
from sanpo.cleanroom.scope import WHOLE, Scope
from sanpo.consent import AnalysisRule
from sanpo.ground.canonical import sha256_hex

MECHANISM = "discrete Laplace"
FUNCTIONS = ("count", "subjects", "sum", "avg")
SURE = 0.95
"""How often the error of a value stays within what is stated."""
_LARGEST = 2**62
"""A true value beyond this is told as this; it leaves room for noise in 64 bits."""

SeriesKind = Literal["rows", "subjects", "sum", "values"]


@dataclass(frozen=True)
class Bounding:
    """How far one subject counts in one answer: by `contribution_rows` rows, in `most_cells` cells.

    `ends` are the lowest and highest value of each measured column; `seed` decides which rows of a subject are taken.
    """

    contribution_rows: int
    most_cells: int
    ends: Mapping[str, tuple[int, int]]
    seed: str


@dataclass(frozen=True)
class Series:
    """One number for each cell: rows, subjects, or of one column the sum and the number of its values."""

    kind: SeriesKind
    column: str | None = None


@dataclass(frozen=True)
class BoundedCells:
    """What an engine found after bounding. For each series one whole number for each key, in the keys' order.

    It must not leave the clean room but through `release_private`.
    """

    keys: tuple[Key, ...]
    series: Mapping[Series, tuple[int, ...]]
    bounding: Bounding


@dataclass(frozen=True)
class Noise:
    """The noise of one series. `error_95`: in 95 of 100 cells its value is off by no more than this.

    `sensitivity` is by how much one subject can change the whole series at most; `scale` that of the distribution.
    """

    series: Series
    mechanism: str
    epsilon: float
    sensitivity: int
    scale: float
    error_95: int


@dataclass(frozen=True)
class PrivateRow:
    """One cell. `values` and `errors_95` follow the question's measures.

    A value can lie below zero, and so it should: cells then add up without bias. An average is None where the number of
    values came out below one. `errors_95` is about noise only, not about what bounding left out.
    """

    key: Key
    values: tuple[int | float | None, ...]
    errors_95: tuple[float | None, ...]


@dataclass(frozen=True)
class PrivacyStatement:
    """How an answer was protected, for whoever reads it. Epsilon is in thousandths, and was split over the noise."""

    epsilon_milli: int
    contribution_rows: int
    most_cells: int
    noise: tuple[Noise, ...]


@dataclass(frozen=True)
class PrivateRelease:
    """What may leave: every declared cell, and how it was protected."""

    rows: tuple[PrivateRow, ...]
    statement: PrivacyStatement


def check_private(question: Question, scope: Scope, rule: AnalysisRule) -> None:
    """Whether the question can be released with differential privacy under this rule, as `question.release` asks.

    Raises `PrivacyIsNotInRule`, `EpsilonIsOutOfRange`, `FunctionIsNotPrivate`, `TypeDoesNotFit`, `EndsAreMissing`,
    `QuestionIsMalformed`, and for the cells `DomainIsMissing`, `AnswerIsTooLarge`.
    """
    if rule.privacy is msgspec.UNSET:
        raise PrivacyIsNotInRule
    asked, highest = _release(question).epsilon_milli, rule.privacy.epsilon_milli
    if not 1 <= asked <= highest:
        raise EpsilonIsOutOfRange(asked=asked, lowest=1, highest=highest)
    if question.totals:
        raise QuestionIsMalformed(
            where="$.totals", problem="with differential privacy cells are added up by the reader"
        )
    for measure in question.measures:
        _check_measure(measure, question, scope)
    bounding = bounding_of(question, rule, declared_keys(question, scope))
    for series in series_of(question.measures):
        noise = _noise(series, bounding, _share(asked, question.measures))
        if max(noise.error_95, noise.sensitivity) >= _LARGEST:
            raise QuestionIsMalformed(where="$.release.bounds", problem=f"too wide for this epsilon: {series.column}")


def bounding_of(question: Question, rule: AnalysisRule, keys: Sequence[Key]) -> Bounding:
    """The bounding that the rule and the question ask for. The same question always takes the same rows."""
    if rule.privacy is msgspec.UNSET:
        raise PrivacyIsNotInRule
    rows = rule.privacy.contribution_rows
    measured = {measure.column for measure in question.measures}
    ends = {each.column: (each.low, each.high) for each in _release(question).bounds if each.column in measured}
    return Bounding(rows, min(rows, len(keys)), ends, sha256_hex(msgspec.json.encode(question)))


def series_of(measures: Sequence[Measure]) -> tuple[Series, ...]:
    """The series that these measures are made from, each once."""
    return tuple(dict.fromkeys(series for measure in measures for series in _made_from(measure)))


def sensitivity_of(series: Series, bounding: Bounding) -> int:
    """By how much the series can change, all cells taken together, when one subject is added or removed (L1)."""
    match series.kind:
        case "subjects":
            return min(bounding.most_cells, bounding.contribution_rows)
        case "sum":
            return bounding.contribution_rows * max(map(abs, bounding.ends[series.column or ""]))
        case _:
            return bounding.contribution_rows


def release_private(cells: BoundedCells, measures: Sequence[Measure], epsilon_milli: int) -> PrivateRelease:
    """Adds the noise. Epsilon is split evenly over the series; sequential composition adds it up again."""
    bounding = cells.bounding
    noise = {each: _noise(each, bounding, _share(epsilon_milli, measures)) for each in series_of(measures)}
    told = {each: _noised(cells.series[each], noise[each]) for each in noise}
    rows = tuple(_row(at, key, measures, told, noise, bounding) for at, key in enumerate(cells.keys))
    statement = PrivacyStatement(epsilon_milli, bounding.contribution_rows, bounding.most_cells, tuple(noise.values()))
    return PrivateRelease(rows, statement)


def half_width(scale: float, sure: float) -> int:
    """The smallest whole t with P(|noise| ≤ t) ≥ `sure` for the discrete Laplace distribution of this scale."""
    # P(|X| > t) = 2 a^(t+1) / (1 + a) with a = exp(-1/scale)
    return max(0, math.ceil(-scale * math.log((1 - sure) * (1 + math.exp(-1 / scale)) / 2) - 1))


def _release(question: Question) -> Private:
    if question.release is None:
        raise QuestionIsMalformed(where="$.release", problem="it is missing")
    return question.release


def _check_measure(measure: Measure, question: Question, scope: Scope) -> None:
    if measure.function not in FUNCTIONS:
        raise FunctionIsNotPrivate(function=measure.function, accepted=", ".join(FUNCTIONS))
    if measure.column is None:
        return
    column = scope.column(measure.column)
    if column.type not in WHOLE:
        raise TypeDoesNotFit(column=measure.column, type=column.type, found=MECHANISM, accepted=_whole_columns(scope))
    if measure.column not in {each.column for each in _release(question).bounds}:
        accepted = f"release.bounds: column={measure.column}, low=0, high=1000"
        raise EndsAreMissing(column=measure.column, accepted=accepted)


def _whole_columns(scope: Scope) -> str:
    columns = {name: place.column for name, place in scope.places.items()}
    return ", ".join(n for n, each in columns.items() if each.type in WHOLE and each.role not in ("subject", "key"))


def _made_from(measure: Measure) -> tuple[Series, ...]:
    match measure.function:
        case "count":
            return (Series("rows"),)
        case "subjects":
            return (Series("subjects"),)
        case "sum":
            return (Series("sum", measure.column),)
        case "avg":
            return (Series("sum", measure.column), Series("values", measure.column))
        case _:
            raise FunctionIsNotPrivate(function=measure.function, accepted=", ".join(FUNCTIONS))


def _share(epsilon_milli: int, measures: Sequence[Measure]) -> float:
    """Epsilon of one series, in whole millionths so that all together do not exceed the whole."""
    return epsilon_milli * 1000 // len(series_of(measures)) / 1_000_000


def _noise(series: Series, bounding: Bounding, epsilon: float) -> Noise:
    sensitivity = sensitivity_of(series, bounding)
    scale = sensitivity / epsilon
    return Noise(series, MECHANISM, epsilon, sensitivity, scale, half_width(scale, SURE))


def _noised(values: Sequence[int], noise: Noise) -> tuple[int, ...]:
    mechanism = _mechanism(noise.sensitivity, noise.epsilon)
    # Cutting moves two neighbouring values no further apart, so that the sensitivity stays what it was.
    return tuple(mechanism([max(-_LARGEST, min(_LARGEST, value)) for value in values]))


def _mechanism(sensitivity: int, epsilon: float) -> Any:
    """OpenDP's measurement, which by its own account spends no more than epsilon at this sensitivity."""
    # Loading the library takes half a second, which only those pay who ask for it.
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_laplace
    from opendp.metrics import l1_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    space = vector_domain(atom_domain(T="i64")), l1_distance(T="i64")
    scale = sensitivity / epsilon
    mechanism: Any = make_laplace(*space, scale=scale)
    while mechanism.map(sensitivity) >= epsilon:  # less, since the float may lie above the decimal number it stands for
        scale = math.nextafter(scale, math.inf)
        mechanism = make_laplace(*space, scale=scale)
    return mechanism


def _row(
    at: int,
    key: Key,
    measures: Sequence[Measure],
    told: Mapping[Series, Sequence[int]],
    noise: Mapping[Series, Noise],
    bounding: Bounding,
) -> PrivateRow:
    values: list[int | float | None] = []
    errors: list[float | None] = []
    for measure in measures:
        first, *others = _made_from(measure)
        if others:
            value, error = _average(told[first][at], told[others[0]][at], noise[first], noise[others[0]], bounding)
        else:
            value, error = told[first][at], noise[first].error_95
        values.append(value)
        errors.append(error)
    return PrivateRow(key, tuple(values), tuple(errors))


def _average(
    total: int, count: int, of_total: Noise, of_count: Noise, bounding: Bounding
) -> tuple[float | None, float | None]:
    """The quotient, inside the ends, and how far it can be off when each of both is within its own error in 97.5 %."""
    low, high = bounding.ends[of_total.series.column or ""]
    if count < 1:
        return None, None
    value = min(max(total / count, low), high)
    total_error, count_error = (half_width(each.scale, (1 + SURE) / 2) for each in (of_total, of_count))
    if count <= count_error:
        return value, float(max(value - low, high - value))
    corners = [(total + a * total_error) / (count + b * count_error) for a in (-1, 1) for b in (-1, 1)]
    return value, max(abs(min(max(corner, low), high) - value) for corner in corners)

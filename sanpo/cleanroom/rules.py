"""Whether a question may be asked: first of its dataset (types), then under its agreement (the analysis rule). Pure.

Each refusal says which rule it is and what would pass. Whether a column is in the agreement at all is the gate's to
say (`consent`), before these rules are asked.
"""

import msgspec

from sanpo.cleanroom.errors import (
    BoundsAreMissing,
    ColumnIdentifiesPeople,
    DatasetIsNotPersonal,
    DimensionIsNotInRule,
    FunctionIsNotInRule,
    JoinIsNotInRule,
    MeasureIsNotInRule,
    QuantileIsExtreme,
    QuestionScansTooMuch,
    TimeNeedsBucket,
    TypeDoesNotFit,
)
from sanpo.cleanroom.model import Between, Comparison, Filter, Measure, Question, literals_of, parts_of
from sanpo.cleanroom.plan import HIGHEST_QUANTILE, LOWEST_QUANTILE, Limits, Plan, is_extreme
from sanpo.cleanroom.scope import Scope
from sanpo.consent import AnalysisRule
from sanpo.lake import Snapshot

IDENTIFYING = ("subject", "key")
FEWEST_SENSITIVE = 50


def check_types(question: Question, scope: Scope) -> None:
    """Raises `DatasetIsNotPersonal`, `ColumnIsUnknown`, `ColumnIdentifiesPeople`, `TimeNeedsBucket` or
    `TypeDoesNotFit`."""
    if not scope.dataset.personal:
        raise DatasetIsNotPersonal(dataset=scope.dataset.name)
    for name in sorted(question.columns):
        if scope.column(name).role in IDENTIFYING:
            accepted = ", ".join(n for n, place in scope.places.items() if place.column.role not in IDENTIFYING)
            raise ColumnIdentifiesPeople(column=name, accepted=accepted)
    for dimension in question.dimensions:
        if dimension.bucket is None and scope.type_of(dimension.term) == "timestamp":
            accepted = ", ".join(scope.buckets(dimension.column))
            raise TimeNeedsBucket(column=dimension.column, accepted=accepted)
    for term in question.terms:
        scope.type_of(term)
    for measure in question.measures:
        scope.type_of_measure(measure)
    for term, literal in literals_of(question.filter):
        scope.value(term, literal)
    _check_order_of_bools(question.filter, scope)


def check_rule(question: Question, scope: Scope, rule: AnalysisRule) -> None:
    """Raises `JoinIsNotInRule`, `DimensionIsNotInRule`, `MeasureIsNotInRule`, `FunctionIsNotInRule`,
    `BoundsAreMissing`, `QuantileIsExtreme`."""
    join_keys = () if rule.join_keys is msgspec.UNSET else rule.join_keys
    for key in (key for join in question.joins for key in join.on):
        if key not in join_keys:
            raise JoinIsNotInRule(key=key, accepted=", ".join(join_keys) or "—")
    for dimension in question.dimensions:
        for name in _ruled(dimension.column, scope):
            if name not in rule.dimensions:
                raise DimensionIsNotInRule(column=name, accepted=", ".join(rule.dimensions))
    for measure in question.measures:
        _check_measure(measure, scope, rule)


def fewest_subjects(question: Question, scope: Scope, minimum: int) -> int:
    """The minimum for this question: 50 at least where a column that it touches is of a sensitive kind."""
    touched = [scope.column(name) for name in question.columns]
    return max(minimum, FEWEST_SENSITIVE) if any(column.sensitive for column in touched) else minimum


def check_cost(plan: Plan, *, most: int) -> None:
    """Raises `QuestionScansTooMuch` where the files to be read hold more rows than one question may read."""
    for snapshot in plan.snapshots:
        check_rows(snapshot, most=most)


def check_rows(snapshot: Snapshot, *, most: int) -> None:
    """Raises `QuestionScansTooMuch` where this state of a dataset holds more rows than one question may read."""
    if snapshot.rows > most:
        raise QuestionScansTooMuch(rows=snapshot.rows, most=most, dataset=snapshot.dataset.name)


def limits_of(question: Question, scope: Scope, rule: AnalysisRule) -> Limits:
    """What the rule wants of the engine for this question."""
    clamps = {}
    for measure in question.measures:
        for column in measure.columns:
            for clamp in filter(None, map(rule.clamp_of, _ruled(column, scope))):
                clamps[column] = (clamp.low, clamp.high)
    return Limits(clamps, 0 if rule.dominance is msgspec.UNSET else rule.dominance.n)


def _ruled(name: str, scope: Scope) -> tuple[str, ...]:
    """The columns of personal datasets that this name stands for: an open dataset's are free, derived ones stand for
    their source (none for a count of rows)."""
    place, dataset = scope.place(name), scope.dataset_of(name)
    if not dataset.personal:
        return ()
    derived = [each for joined in scope.joined if joined.name == place.side for each in joined.join.columns]
    if derived:
        return tuple(each.column for each in derived if each.as_ == place.column.name and each.column is not None)
    return (place.column.name,)


def _check_measure(measure: Measure, scope: Scope, rule: AnalysisRule) -> None:
    ruled = [name for column in measure.columns for name in _ruled(column, scope)]
    for name in ruled:
        if name not in rule.measures:
            raise MeasureIsNotInRule(column=name, accepted=", ".join(rule.measures))
    function = "count" if measure.function == "subjects" else measure.function
    if function not in rule.functions:
        raise FunctionIsNotInRule(function=function, accepted=", ".join(rule.functions))
    _check_quantile(measure, rule)
    for name in ruled:
        if is_extreme(measure) and rule.clamp_of(name) is None:
            raise BoundsAreMissing(function=function, column=name)


def _check_quantile(measure: Measure, rule: AnalysisRule) -> None:
    if measure.q is None or not is_extreme(measure):
        return
    function = "min" if measure.q < LOWEST_QUANTILE else "max"
    if function not in rule.functions:
        raise QuantileIsExtreme(
            q=str(measure.q), function=function, lowest=str(LOWEST_QUANTILE), highest=str(HIGHEST_QUANTILE)
        )


def _check_order_of_bools(condition: Filter | None, scope: Scope) -> None:
    """True is neither more nor less than false."""
    for part in parts_of(condition):
        found = part.op if isinstance(part, Comparison) else "between" if isinstance(part, Between) else "="
        if found not in ("=", "!=") and scope.type_of(part.term) == "bool":
            raise TypeDoesNotFit(column=part.term.column, type="bool", found=found, accepted="=, !=")

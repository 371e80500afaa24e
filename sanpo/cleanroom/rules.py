"""Whether a question may be asked: first of its dataset (types), then under its agreement (the analysis rule). Pure.

Each refusal says which rule it is and what would pass. Whether a column is in the agreement at all is the gate's to
say (`consent`), before these rules are asked.
"""

from sanpo.cleanroom.errors import (
    ColumnIdentifiesPeople,
    DatasetIsNotPersonal,
    DimensionIsNotInRule,
    FunctionIsNotInRule,
    MeasureIsNotInRule,
    QuantileIsExtreme,
    TimeNeedsBucket,
    TypeDoesNotFit,
)
from sanpo.cleanroom.model import Between, Comparison, Filter, Measure, Question, literals_of, parts_of
from sanpo.cleanroom.scope import Scope
from sanpo.consent import AnalysisRule

IDENTIFYING = ("subject", "key")
LOWEST_QUANTILE, HIGHEST_QUANTILE = 0.05, 0.95
"""Outside of these a quantile of a small cell is close to one person's value."""


def check_types(question: Question, scope: Scope) -> None:
    """Raises `DatasetIsNotPersonal`, `ColumnIsUnknown`, `ColumnIdentifiesPeople`, `TimeNeedsBucket` or
    `TypeDoesNotFit`."""
    if not scope.dataset.personal:
        raise DatasetIsNotPersonal(dataset=scope.dataset.name)
    for name in sorted(question.columns):
        if scope.column(name).role in IDENTIFYING:
            accepted = ", ".join(n for n, (_, c) in scope.columns.items() if c.role not in IDENTIFYING)
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


def check_rule(question: Question, rule: AnalysisRule) -> None:
    """Raises `DimensionIsNotInRule`, `MeasureIsNotInRule`, `FunctionIsNotInRule`, `QuantileIsExtreme`."""
    for dimension in question.dimensions:
        if dimension.column not in rule.dimensions:
            raise DimensionIsNotInRule(column=dimension.column, accepted=", ".join(rule.dimensions))
    for measure in question.measures:
        if measure.column is not None and measure.column not in rule.measures:
            raise MeasureIsNotInRule(column=measure.column, accepted=", ".join(rule.measures))
        function = "count" if measure.function == "subjects" else measure.function
        if function not in rule.functions:
            raise FunctionIsNotInRule(function=function, accepted=", ".join(rule.functions))
        _check_quantile(measure, rule)


def _check_quantile(measure: Measure, rule: AnalysisRule) -> None:
    if measure.q is None or LOWEST_QUANTILE <= measure.q <= HIGHEST_QUANTILE:
        return
    function = "min" if measure.q < LOWEST_QUANTILE else "max"
    if function not in rule.functions:
        raise QuantileIsExtreme(
            q=str(measure.q), function=function, lowest=str(LOWEST_QUANTILE), highest=str(HIGHEST_QUANTILE)
        )


def _check_order_of_bools(filter: Filter | None, scope: Scope) -> None:
    """True is neither more nor less than false."""
    for part in parts_of(filter):
        found = part.op if isinstance(part, Comparison) else "between" if isinstance(part, Between) else "="
        if found not in ("=", "!=") and scope.type_of(part.term) == "bool":
            raise TypeDoesNotFit(column=part.term.column, type="bool", found=found, accepted="=, !=")

"""From a question to the form that would ask it. Pure.

Not every question can be shown so: one with `or`, with bands in its filter, or with texts that no line of a form can
hold. Then there is no form, rather than one that asks something else.
"""

from sanpo.cleanroom.builder.building import build
from sanpo.cleanroom.builder.sheet import (
    BUCKETS,
    BoundRow,
    DerivedRow,
    DimensionRow,
    FilterRow,
    JoinRow,
    MeasureRow,
    OrderRow,
    Sheet,
    Way,
)
from sanpo.cleanroom.builder.texts import line, typed
from sanpo.cleanroom.model import (
    AllOf,
    Among,
    Between,
    Comparison,
    Derived,
    Filter,
    IsNull,
    Join,
    Measure,
    Not,
    Private,
    Question,
    Term,
)
from sanpo.cleanroom.preview import FindScope

_BUCKET_WAYS: dict[str, Way] = {bucket: way for way, bucket in BUCKETS.items()}  # type: ignore[misc]
_UNIT_WAYS: dict[str, Way] = {
    "hour": "hours", "day": "days", "week": "weeks", "month": "months", "quarter": "quarters", "year": "years"
}  # fmt: skip


def open_sheet(question: Question, agreement_id: str, find_scope: FindScope) -> Sheet | None:
    """The form filled in with the question; None where the form could not ask exactly this."""
    filters = _filters(question.filter)
    if filters is None:
        return None
    release = question.release
    sheet = Sheet(
        agreement=agreement_id,
        dataset=question.dataset,
        joins=tuple(map(_join, question.joins)),
        dimensions=tuple(
            DimensionRow(column=each.column, way=_way(each.term), edges=line(each.band or ()), name=each.as_ or "")
            for each in question.dimensions
        ),
        measures=tuple(map(_measure, question.measures)),
        filters=filters,
        totals="1" if question.totals else "",
        order=tuple(
            OrderRow(name=each.name, direction="down" if each.descending else "") for each in question.order_by
        ),
        limit="" if question.limit is None else str(question.limit),
        private="" if release is None else "1",
        epsilon="" if release is None else str(release.epsilon_milli / 1000),
        bounds=_bounds(release),
    )
    return sheet if _asks(sheet, question, find_scope) else None


def _asks(sheet: Sheet, question: Question, find_scope: FindScope) -> bool:
    """Whether the form asks exactly this question."""
    built = build(sheet, find_scope)
    return not built.gaps and built.question == question


def _join(join: Join) -> JoinRow:
    return JoinRow(
        dataset=join.dataset,
        on=dict.fromkeys(join.on, "1"),
        columns=tuple(map(_derived, join.columns)),
        name=join.as_ or "",
    )


def _derived(each: Derived) -> DerivedRow:
    return DerivedRow(function=each.function, column=each.column or "", name=each.as_)


def _measure(measure: Measure) -> MeasureRow:
    return MeasureRow(
        function=measure.function,
        column=measure.column or "",
        other=measure.other or "",
        level="" if measure.q is None else typed(measure.q),
        name=measure.as_ or "",
    )


def _way(term: Term) -> Way:
    if term.band is not None:
        return "band"
    if term.unit is not None:
        return _UNIT_WAYS[term.unit]
    return _BUCKET_WAYS[term.bucket] if term.bucket is not None else ""


def _filters(filter: Filter | None) -> tuple[FilterRow, ...] | None:
    parts = filter.parts if isinstance(filter, AllOf) else () if filter is None else (filter,)
    rows = [filter_row(part) for part in parts]
    return None if None in rows else tuple(row for row in rows if row is not None)


def filter_row(part: Filter) -> FilterRow | None:
    match part:
        case Not(part=IsNull(term=term)):
            return FilterRow(column=term.column, way=_way(term), op="not_null")
        case IsNull(term=term):
            return FilterRow(column=term.column, way=_way(term), op="is_null")
        case Comparison(term=term, value=value):
            return FilterRow(column=term.column, way=_way(term), op=part.op, value=typed(value))  # type: ignore[arg-type]
        case Among(term=term, values=values):
            return FilterRow(column=term.column, way=_way(term), op="in", value=line(values))
        case Between(term=term, low=low, high=high):
            return FilterRow(column=term.column, way=_way(term), op="between", value=typed(low), high=typed(high))
        case _:
            return None


def _bounds(release: Private | None) -> tuple[BoundRow, ...]:
    bounds = () if release is None else release.bounds
    return tuple(BoundRow(column=each.column, low=str(each.low), high=str(each.high)) for each in bounds)

"""From the form to a question: rows that are whole become its parts, and each row that is not says what it lacks. Pure.

Whether the question may be asked is not looked at here: that is `preview`'s to say, in the words of the refusal.
"""

from dataclasses import dataclass, field

from msgspec import structs

from sanpo.cleanroom.builder.sheet import (
    BUCKETS,
    UNITS,
    BoundRow,
    DerivedRow,
    DimensionRow,
    FilterRow,
    JoinRow,
    MeasureRow,
    Sheet,
    name_of,
)
from sanpo.cleanroom.builder.texts import band_edges, listed, literal, number, thousandths, whole_number
from sanpo.cleanroom.errors import ColumnIsAmbiguous, ColumnIsUnknown, TypeDoesNotFit
from sanpo.cleanroom.model import (
    COMPARISONS,
    AllOf,
    Among,
    Between,
    Bound,
    Derived,
    Dimension,
    Filter,
    IsNull,
    Join,
    Measure,
    Not,
    Order,
    Private,
    Question,
    Term,
)
from sanpo.cleanroom.preview import FindScope
from sanpo.cleanroom.scope import Scope

MOST_EPSILON_MILLI = 100_000


@dataclass(frozen=True)
class Gap:
    """What a control lacks: its name on the page, and the word for what belongs there (`cleanroom.gap.<lacks>`)."""

    field: str
    lacks: str


@dataclass
class Built:
    """The question as far as it stands. `places` tells for a path in it (`$.measures[0]`) which row it came from."""

    question: Question
    gaps: list[Gap] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def lacks(self, control: str, what: str) -> None:
        self.gaps.append(Gap(control, what))


def build(sheet: Sheet, find_scope: FindScope) -> Built:
    """The question that the form asks so far. Raises what `find_scope` raises, as for a dataset that is not there."""
    built = Built(Question(dataset=sheet.dataset, measures=()))
    built.question = structs.replace(built.question, joins=_joins(sheet, built))
    scope = find_scope(built.question)
    dimensions = _dimensions(sheet, built)
    measures = _measures(sheet, built, {each.name for each in dimensions})
    built.question = structs.replace(
        built.question,
        dimensions=dimensions,
        measures=measures,
        filter=_filter(sheet, scope, built),
        totals=bool(sheet.totals),
        limit=_limit(sheet, built),
        release=_release(sheet, built),
    )
    built.question = structs.replace(built.question, order_by=_order(sheet, built))
    return built


def _joins(sheet: Sheet, built: Built) -> tuple[Join, ...]:
    made: list[Join] = []
    for at, row in enumerate(sheet.joins):
        place = f"joins-{at}"
        if row.is_blank:
            continue
        columns = _derived(row, place, built)
        if not row.dataset:
            built.lacks(f"{place}-dataset", "dataset")
        elif not row.on:
            built.lacks(f"{place}-on", "key")
        else:
            join = Join(dataset=row.dataset, as_=row.name or None, on=tuple(row.on), columns=columns)
            if join.name in [other.name for other in made]:
                built.lacks(f"{place}-name", "name_twice")
            else:
                built.places[f"$.joins[{len(made)}]"] = place
                made.append(join)
    return tuple(made)


def _derived(row: JoinRow, place: str, built: Built) -> tuple[Derived, ...]:
    made: list[Derived] = []
    for at, each in enumerate(row.columns):
        control = f"{place}-columns-{at}"
        if each.is_blank:
            continue
        lacks = _lacks_derived(each, [other.as_ for other in made])
        if lacks is not None:
            built.lacks(f"{control}-{lacks[0]}", lacks[1])
        elif each.function:
            column = None if each.function == "count" else each.column
            made.append(Derived(function=each.function, column=column, as_=name_of(each)))
    return tuple(made)


def _lacks_derived(row: DerivedRow, taken: list[str]) -> tuple[str, str] | None:
    if not row.function:
        return "function", "function"
    if row.function != "count" and not row.column:
        return "column", "column"
    return ("name", "name_twice") if name_of(row) in taken else None


def _dimensions(sheet: Sheet, built: Built) -> tuple[Dimension, ...]:
    made: list[Dimension] = []
    for at, row in enumerate(sheet.dimensions):
        if row.is_blank:
            continue
        place = f"dimensions-{at}"
        term = _term(row, place, built)
        if term is None:
            continue
        each = Dimension(column=term.column, bucket=term.bucket, unit=term.unit, band=term.band, as_=row.name or None)
        if each.term in [other.term for other in made]:
            built.lacks(f"{place}-column", "twice")
        elif each.name in [other.name for other in made]:
            built.lacks(f"{place}-name", "name_twice")
        else:
            built.places[f"$.dimensions[{len(made)}]"] = place
            made.append(each)
    return tuple(made)


def _term(row: DimensionRow | FilterRow, place: str, built: Built) -> Term | None:
    if not row.column:
        built.lacks(f"{place}-column", "column")
        return None
    if row.way == "band":
        edges = band_edges(row.edges) if isinstance(row, DimensionRow) else None
        if edges is None:
            built.lacks(f"{place}-edges", "edges")
            return None
        return Term(column=row.column, band=edges)
    if row.way in UNITS:
        return Term(column=row.column, bucket="date_trunc", unit=UNITS[row.way])
    return Term(column=row.column, bucket=BUCKETS.get(row.way))


def _measures(sheet: Sheet, built: Built, taken: set[str]) -> tuple[Measure, ...]:
    made: list[Measure] = []
    for at, row in enumerate(sheet.measures):
        if row.is_blank:
            continue
        place = f"measures-{at}"
        measure = _measure(row, place, built)
        if measure is None:
            continue
        if measure.name in taken | {other.name for other in made}:
            built.lacks(f"{place}-name", "name_twice")
            continue
        built.places[f"$.measures[{len(made)}]"] = place
        made.append(measure)
    if not made:
        built.lacks("measures", "measure")
    return tuple(made)


def _measure(row: MeasureRow, place: str, built: Built) -> Measure | None:
    """Whatever a function does not take is left out, so that changing it leaves nothing behind."""
    if not row.function:
        built.lacks(f"{place}-function", "function")
        return None
    name = row.name or None
    if row.function in ("count", "subjects"):
        return Measure(function=row.function, as_=name)
    level = number(row.level) if row.function == "quantile" else None
    if not row.column:
        built.lacks(f"{place}-column", "column")
    elif row.function == "correlation" and not row.other:
        built.lacks(f"{place}-other", "column")
    elif row.function == "quantile" and not (level is not None and 0 <= level <= 1):
        built.lacks(f"{place}-level", "level")
    else:
        other = row.other if row.function == "correlation" else None
        q = None if level is None else float(level)
        return Measure(function=row.function, column=row.column, other=other, q=q, as_=name)
    return None


def _filter(sheet: Sheet, scope: Scope, built: Built) -> Filter | None:
    made: list[tuple[str, Filter]] = []
    for at, row in enumerate(sheet.filters):
        place = f"filters-{at}"
        if row.is_blank:
            continue
        condition = condition_of(row, place, scope, built)
        if condition is not None:
            made.append((place, condition))
    if len(made) == 1:
        built.places["$.filter"] = made[0][0]
        return made[0][1]
    for at, (place, _) in enumerate(made):
        built.places[f"$.filter.parts[{at}]"] = place
    return AllOf(parts=tuple(each for _, each in made)) if made else None


def condition_of(row: FilterRow, place: str, scope: Scope, built: Built) -> Filter | None:
    term = _term(row, place, built)
    if term is None:
        return None
    kind = kind_of(term, scope)
    if row.op == "is_null":
        return IsNull(term=term)
    if row.op == "not_null":
        return Not(part=IsNull(term=term))
    if row.op == "in":
        values = tuple(literal(each, kind) for each in listed(row.value))
        if values:
            return Among(term=term, values=values)
    elif row.value and row.op == "between":
        if row.high:
            return Between(term=term, low=literal(row.value, kind), high=literal(row.high, kind))
        built.lacks(f"{place}-high", "value")
        return None
    elif row.value:
        comparison: Filter = COMPARISONS[row.op](term=term, value=literal(row.value, kind))  # type: ignore[assignment]
        return comparison
    built.lacks(f"{place}-value", "value")
    return None


def kind_of(term: Term, scope: Scope) -> str:
    """The type of the values that the term is compared with; text where it is not known."""
    try:
        return scope.type_of(term)
    except (ColumnIsUnknown, ColumnIsAmbiguous, TypeDoesNotFit):
        return "text"


def _order(sheet: Sheet, built: Built) -> tuple[Order, ...]:
    made: list[Order] = []
    for at, row in enumerate(sheet.order):
        if row.is_blank:
            continue
        if row.name in built.question.names:
            made.append(Order(row.name, descending=row.direction == "down"))
        else:
            built.lacks(f"order-{at}-name", "order")
    return tuple(made)


def _limit(sheet: Sheet, built: Built) -> int | None:
    if not sheet.limit:
        return None
    limit = whole_number(sheet.limit)
    if limit is None or not 1 <= limit <= 10_000:
        built.lacks("limit", "limit")
        return None
    return limit


def _release(sheet: Sheet, built: Built) -> Private | None:
    if not sheet.private:
        return None
    built.places |= {"$.release": "epsilon", "$.release.bounds": "bounds", "$.totals": "totals"}
    bounds = [_bound(row, f"bounds-{at}", built) for at, row in enumerate(sheet.bounds)]
    epsilon_milli = thousandths(sheet.epsilon, most=MOST_EPSILON_MILLI)
    if epsilon_milli is None:
        built.lacks("epsilon", "epsilon")
        return None
    return Private(epsilon_milli=epsilon_milli, bounds=tuple(each for each in bounds if each is not None))


def _bound(row: BoundRow, place: str, built: Built) -> Bound | None:
    if not (row.column and (row.low or row.high)):
        return None
    low, high = whole_number(row.low), whole_number(row.high)
    if low is None or high is None or low >= high:
        built.lacks(f"{place}-low", "ends")
        return None
    return Bound(row.column, low, high)

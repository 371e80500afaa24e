"""Strategies that generate questions, and the data that they are asked of."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from sanpo.cleanroom.model import (
    COMPARISONS,
    DEEPEST,
    AllOf,
    Among,
    AnyOf,
    Between,
    Derived,
    Dimension,
    Filter,
    IsNull,
    Join,
    Measure,
    Not,
    Order,
    Question,
    Simple,
    Term,
    check_shape,
    is_deeper,
    parts_of,
)
from sanpo.cleanroom.parse_terms import BUCKETS, UNITS
from tests.chance import LONG, often

SUBJECTS = 24
MARKS = [pytest.mark.long] if LONG else []
EXAMPLES = often(8, 300)
NAMES = [
    "a",
    "b2",
    "energy_wh",
    "start_at",
    "area",
    "x_",
    "select",
    "date",
    "rows",
    "group",
    "hour",
    "and",
    "order",
    "e",
]
names = st.sampled_from([*NAMES, "subjects", "z" * 60])
references = st.one_of(
    names,
    st.sampled_from(["y" * 121, f"{'y' * 60}.{'z' * 60}", "readings.area", "from.from", "b_1.x", "own.x", "w.order"]),
    st.builds("{}.{}".format, st.sampled_from(NAMES), st.sampled_from(NAMES)),
)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
scalars = st.booleans() | numbers | texts
edges = st.lists(numbers, min_size=1, max_size=5, unique_by=float).map(sorted).map(tuple)


any_terms = st.one_of(
    st.builds(Term, column=references, bucket=st.sampled_from([None, *(b for b in BUCKETS if b != "date_trunc")])),
    st.builds(Term, column=references, bucket=st.just("date_trunc"), unit=st.sampled_from(UNITS)),
    st.builds(Term, column=references, band=edges),
)


def filters(terms: st.SearchStrategy[Term], literals: Any) -> st.SearchStrategy[Filter]:
    """Conditions over these terms; `literals` gives a strategy of literals for a term."""

    def simple(term: Term) -> st.SearchStrategy[Filter]:
        value = literals(term)
        return st.one_of(
            st.builds(
                lambda kind, v: COMPARISONS[kind](term=term, value=v), st.sampled_from(sorted(COMPARISONS)), value
            ),
            st.builds(lambda vs: Among(term=term, values=tuple(vs)), st.lists(value, min_size=1, max_size=4)),
            st.builds(lambda low, high: Between(term=term, low=low, high=high), value, value),
            st.just(IsNull(term=term)),
        )

    def compound(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
        parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            st.builds(lambda part: Not(part=part), inner),
            st.builds(lambda each: AllOf(parts=each), parts),
            st.builds(lambda each: AnyOf(parts=each), parts),
        )

    return st.recursive(terms.flatmap(simple), compound, max_leaves=5)


dataset_names = st.sampled_from(["energy.readings", "select.from", "a.b_1", "own.own", "w." + "d" * 119])
any_derived = st.builds(Derived, function=st.sampled_from(["sum", "avg", "min", "max"]), column=names, as_=names)
any_counts = st.builds(Derived, function=st.just("count"), as_=names)
any_joins = st.builds(
    Join,
    dataset=dataset_names,
    as_=st.none() | names,
    on=st.lists(names, min_size=1, max_size=4, unique=True).map(tuple),
    columns=st.lists(any_derived | any_counts, max_size=3, unique_by=lambda each: each.as_).map(tuple),
)


def dimension_of(term: Term, name: str | None) -> Dimension:
    return Dimension(column=term.column, bucket=term.bucket, unit=term.unit, band=term.band, as_=name)


@st.composite
def any_questions(draw: st.DrawFn) -> Question:
    """A well-formed question, whether or not its columns exist: what parse and print must agree on."""
    dimensions = [
        dimension_of(term, draw(st.none() | names)) for term in draw(st.lists(any_terms, max_size=3, unique=True))
    ]
    measures = draw(st.lists(measures_of(references, st.none() | names), min_size=1, max_size=3))
    named = [each.name for each in (*dimensions, *measures)]
    assume(len(set(named)) == len(named))
    sortable = [name for name in named if len(name) <= 80]
    orders = st.builds(Order, st.sampled_from(sortable or named), st.booleans())
    question = Question(
        dataset=draw(dataset_names),
        joins=tuple(draw(st.lists(any_joins, max_size=3, unique_by=lambda join: join.name))),
        dimensions=tuple(dimensions),
        measures=tuple(measures),
        filter=draw(st.none() | any_filters),
        totals=draw(st.booleans()),
        order_by=tuple(draw(st.lists(orders, max_size=2 if sortable else 0))),
        limit=draw(st.none() | st.integers(1, 10_000)),
    )
    assume(not is_deeper(question.filter, DEEPEST))
    return check_shape(question)


def measures_of(columns: st.SearchStrategy[str], aliases: st.SearchStrategy[str | None]) -> st.SearchStrategy[Measure]:
    plain = st.sampled_from(["sum", "avg", "min", "max", "variance"])
    return st.one_of(
        st.builds(Measure, function=st.sampled_from(["count", "subjects"]), as_=aliases),
        st.builds(Measure, function=plain, column=columns, as_=aliases),
        st.builds(Measure, function=st.just("quantile"), column=columns, q=st.floats(0, 1), as_=aliases),
        st.builds(Measure, function=st.just("correlation"), column=columns, other=columns, as_=aliases),
    )


any_filters = filters(any_terms, lambda term: scalars)

TIME_BUCKETS = [b for b in BUCKETS if b != "date_trunc"]
time_terms = st.one_of(
    st.sampled_from([Term(column="start_at", bucket=bucket) for bucket in TIME_BUCKETS]),
    st.sampled_from([Term(column="start_at", bucket="date_trunc", unit=unit) for unit in UNITS]),
)
date_terms = st.one_of(
    st.sampled_from([Term(column="moved_in", bucket=b) for b in ("date", "weekday", "week", "month")]),
    st.sampled_from([Term(column="moved_in", bucket="date_trunc", unit=unit) for unit in UNITS]),
)
attribute_terms = st.sampled_from([Term(column=c) for c in ("area", "occupants", "solar", "note", "moved_in")])
band_terms = st.one_of(
    st.builds(Term, column=st.sampled_from(["energy_wh", "occupants"]), band=st.just((-1, 0, 3, 200))),
    st.builds(Term, column=st.just("volts"), band=st.sampled_from([(95, 100.5), (99.5, 100, 2**62)])),
    st.builds(Term, column=st.just("total_wh"), band=st.sampled_from([(5.5, 2.0**62, 2.0**63), (-1e300, 2**63 - 1)])),
)
split_terms = attribute_terms | time_terms | date_terms | band_terms
filter_terms = split_terms | st.sampled_from([Term(column=c) for c in ("start_at", "volts", "energy_wh")])
NUMBERS = ["energy_wh", "total_wh", "volts", "occupants"]
MOMENTS = [datetime.fromisoformat("2025-12-28") + timedelta(minutes=15 * step) for step in range(0, 700, 3)]
DATES = [date(2024, 2, 28) + timedelta(days=step) for step in range(0, 800, 61)]


def literals_for(term: Term) -> st.SearchStrategy[Any]:
    """Literals of the term's type, near the values that generated data has."""
    if term.band is not None:
        return st.integers(-1, 5)
    moments = st.sampled_from(MOMENTS).map(lambda moment: moment.isoformat(sep=" "))
    dates = st.sampled_from([*DATES, *(moment.date() for moment in MOMENTS)]).map(str)
    if term.bucket in ("hour", "half_hour", "weekday", "week", "month"):
        return st.integers(-1, 53)
    if term.bucket == "date" or (term.column == "moved_in" and term.bucket is None):
        return dates
    if term.bucket == "date_trunc" or term.column == "start_at":
        return moments | dates
    return {
        "area": st.sampled_from(["中央", "港", "A'--", ""]),
        "note": st.sampled_from(["x", "y", "", "é"]),
        "occupants": st.integers(-1, 6),
        "solar": st.booleans(),
        "energy_wh": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 400),
        "volts": st.integers(90, 110) | st.sampled_from([99.5, 100.25]),
    }[term.column]


def is_equality(part: Simple) -> bool:
    """Whether it may look at true and false, between which there is no order: other conditions are refused."""
    return isinstance(part, (COMPARISONS["="], COMPARISONS["!="], Among, IsNull))


def _fits(filter: Filter) -> bool:
    return all(is_equality(part) for part in parts_of(filter) if part.term.column == "solar")


fitting_filters = filters(filter_terms, literals_for).filter(_fits)


@st.composite
def fitting_questions(draw: st.DrawFn) -> Question:
    """A question that the readings and homes of `worlds` can answer."""
    terms = draw(st.lists(split_terms, max_size=3, unique=True))
    dimensions = [dimension_of(term, f"d{at}") for at, term in enumerate(terms)]
    count = draw(st.integers(1, 3))
    measures = [draw(measures_of(st.sampled_from(NUMBERS), st.just(f"m{at}"))) for at in range(count)]
    named = [f"d{at}" for at in range(len(terms))] + [f"m{at}" for at in range(count)]
    return Question(
        dataset="energy.readings",
        dimensions=tuple(dimensions),
        measures=tuple(measures),
        filter=draw(st.none() | fitting_filters),
        order_by=tuple(draw(st.lists(st.builds(Order, st.sampled_from(named), st.booleans()), max_size=2))),
        limit=draw(st.none() | st.integers(1, 20)),
    )


halves = st.integers(190, 220).map(lambda number: number / 2)
reading_rows = st.lists(
    st.fixed_dictionaries(
        {
            "subject_no": st.integers(0, SUBJECTS - 1),
            "start_local": st.sampled_from(MOMENTS),
            "energy_wh": st.none() | st.integers(-5, 400),
            "total_wh": st.none() | st.sampled_from([2**62, -(2**62), 2**63 - 1, 5]),
            "volts": st.none() | halves,
            "note": st.none() | st.sampled_from(["x", "y", "", "é"]),
        }
    ),
    max_size=60,
)
home_rows = st.dictionaries(
    st.integers(0, SUBJECTS - 1),
    st.fixed_dictionaries(
        {
            "area": st.none() | st.sampled_from(["中央", "港", "A'--", ""]),
            "occupants": st.none() | st.integers(0, 5),
            "solar": st.none() | st.booleans(),
            "moved_in": st.none() | st.sampled_from(DATES),
        }
    ),
).map(lambda homes: [{"subject_no": number, **home} for number, home in homes.items()])

"""Strategies that generate questions with joins, and the datasets that are joined, for any engine to agree on."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from sanpo.cleanroom.model import Derived, DerivedFunction, Filter, Join, Measure, Order, Question, Term, parts_of
from sanpo.cleanroom.parse_terms import UNITS
from sanpo.cleanroom.plan import Limits
from sanpo.cleanroom.scope import NUMERIC, Scope
from tests.cleanroom.questions import (
    DATES,
    dimension_of,
    filters,
    is_equality,
    measures_of,
)
from tests.cleanroom.worlds import Rows, scope_for

MOMENTS = [datetime.fromisoformat("2025-12-31 22:00") + timedelta(minutes=45 * step) for step in range(6)]
"""Few, so that rows meet; around a midnight at which day, month and year change."""
HOURS = sorted({moment.replace(minute=0) for moment in MOMENTS} | {datetime.fromisoformat("2026-01-01 09:00")})
TEXTS = ["中央", "港", "A'--", "", "x"]
ALIASES = ["w", "b", "rows", "attributes", "r", "h", "j0", "j1", "admitted", "key_0", "derived_0", "readings", "order"]
"""Names that an engine could confuse with its own, if it used them."""


def _derived(columns: list[str]) -> st.SearchStrategy[tuple[Derived, ...]]:
    functions: list[DerivedFunction] = ["sum", "avg", "min", "max"]
    one = st.one_of(
        st.builds(Derived, function=st.just("count"), as_=st.sampled_from(["rides", "key_0", "kind"])),
        st.builds(
            Derived,
            function=st.sampled_from(functions),
            column=st.sampled_from(columns),
            as_=st.sampled_from(["total", "level", "select", "derived_1", "energy_wh"]),
        ),
    )
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda each: each.as_).map(tuple)


def _joins(dataset: str, on: list[tuple[str, ...]], columns: Any) -> st.SearchStrategy[Join]:
    aliases = st.none() | st.sampled_from(ALIASES)
    return st.builds(Join, dataset=st.just(dataset), as_=aliases, on=st.sampled_from(on), columns=columns)


weather_joins = _joins("open.weather", [("area", "hour"), ("hour", "area")], st.just(()))
mean_weather_joins = _joins(
    "open.weather", [("area",), ("day",), ("area", "day"), ("hour",)], _derived(["temperature_c", "rain_mm"])
)
ride_joins = _joins("bus.rides", [("subject",), ("subject", "day"), ("hour", "subject")], _derived(["fare_yen"]))
reading_joins = _joins("energy.readings", [("subject",), ("subject", "day")], _derived(["energy_wh", "volts"]))
pass_joins = _joins("bus.passes", [("subject",)], st.just(()))


@st.composite
def join_lists(draw: st.DrawFn) -> tuple[Join, ...]:
    """One to four joins. The passes come last: they bring a second area by which weather could be meant."""
    others = st.one_of(weather_joins, mean_weather_joins, ride_joins, reading_joins)
    joins = draw(st.lists(others, min_size=1, max_size=3)) + draw(st.lists(pass_joins, max_size=1))
    assume(len({join.name for join in joins}) == len(joins))
    return tuple(joins)


def terms_in(scope: Scope) -> st.SearchStrategy[Term]:
    """Any way to look at any column of the scope that names nobody, under each of its names; joined ones more often."""
    names = [name for name, place in scope.places.items() if place.column.role not in ("subject", "key")]
    joined = [name for name in names if "." in name]
    return st.one_of(st.sampled_from(joined), st.sampled_from(joined), st.sampled_from(names)).flatmap(
        lambda name: _terms_of(name, scope)
    )


def _terms_of(name: str, scope: Scope) -> st.SearchStrategy[Term]:
    place = scope.place(name)
    if place.column.type in NUMERIC:
        bands = st.sampled_from([(0,), (-5, 0.5, 10), (1, 2, 3, 200.25), (9.75, 10.5)])
        return st.builds(Term, column=st.just(name), band=st.none() | bands)
    buckets = [bucket for bucket in place.buckets if bucket != "date_trunc"]
    if not buckets:
        return st.just(Term(column=name))
    return st.one_of(
        st.builds(Term, column=st.just(name), bucket=st.sampled_from(buckets)),
        st.builds(Term, column=st.just(name), bucket=st.just("date_trunc"), unit=st.sampled_from(UNITS)),
    )


def literals_in(scope: Scope, term: Term) -> st.SearchStrategy[Any]:
    """Literals of the term's type, near the values that generated data has."""
    moments = st.sampled_from([*MOMENTS, *HOURS])
    return {
        "int": st.integers(-1, 60) | st.integers(-(2**63), 2**63 - 1),
        "float": st.integers(-5, 200) | st.sampled_from([0.5, 10.25, 100.5]),
        "text": st.sampled_from(TEXTS),
        "bool": st.booleans(),
        "date": st.sampled_from([*DATES, *(moment.date() for moment in MOMENTS)]).map(str),
        "timestamp": moments.map(str) | moments.map(lambda moment: str(moment.date())),
    }[scope.type_of(term)]


@st.composite
def joined_questions(draw: st.DrawFn) -> Question:
    """A question on the readings with one to four joins that the lakes of `worlds` can answer."""
    joins = draw(join_lists())
    count = Measure(function="count")
    scope = scope_for(Question(dataset="energy.readings", joins=joins, measures=(count,)))
    terms = draw(st.lists(terms_in(scope), max_size=2, unique=True))
    numbers = [name for name, place in scope.places.items() if place.column.type in NUMERIC]
    columns = st.sampled_from([name for name in numbers if scope.column(name).role not in ("subject", "key")])
    chosen = [draw(measures_of(columns, st.just(f"m{at}"))) for at in range(draw(st.integers(1, 3)))]
    filter = draw(st.none() | st.none() | filters(terms_in(scope), lambda term: literals_in(scope, term)))
    assume(_fits(filter, scope))
    return Question(
        dataset="energy.readings",
        joins=joins,
        dimensions=tuple(dimension_of(term, f"d{at}") for at, term in enumerate(terms)),
        measures=tuple(chosen),
        filter=filter,
        order_by=(Order("m0", descending=draw(st.booleans())),),
    )


def _fits(filter: Filter | None, scope: Scope) -> bool:
    return all(is_equality(part) for part in parts_of(filter) if scope.type_of(part.term) == "bool")


@st.composite
def limits_for(draw: st.DrawFn, question: Question) -> Limits:
    """What a rule may want of the engine: ends of what is measured, and the share of the largest."""
    ends = st.sampled_from([(0, 10), (-5, 150), (100, 10**6), (-(2**63), 2**63 - 1)])
    columns = sorted({measure.column for measure in question.measures if measure.column is not None})
    clamps = {column: draw(ends) for column in columns if draw(st.booleans())}
    return Limits(clamps, draw(st.integers(0, 3)))


@dataclass(frozen=True)
class World:
    """Rows of every dataset, as `write_lake` takes them."""

    readings: Rows
    homes: Rows
    weather: Rows
    rides: Rows
    passes: Rows

    def without(self, subjects: set[int]) -> "World":
        """The same world where these people have no rows at all."""

        def kept(rows: Rows) -> Rows:
            return [row for row in rows if row["subject_no"] not in subjects]

        return World(kept(self.readings), kept(self.homes), self.weather, kept(self.rides), kept(self.passes))


FEW = 7
"""People of a world: so few that most of them have rows in every dataset."""


def world_of(seed: int, rows: int) -> World:
    """A world of this many readings and rides, in which most rows meet. From a seed: drawn row by row few would."""
    chance = random.Random(seed)

    def maybe(choices: Sequence[Any]) -> Any:
        return None if chance.random() < 0.1 else chance.choice(choices)

    areas = [maybe(TEXTS[:3]) for _ in range(FEW)]
    return World(
        readings=[
            {
                "subject_no": chance.randrange(FEW),
                "start_local": chance.choice(MOMENTS),
                "energy_wh": maybe(range(-5, 400)),
                "total_wh": maybe([2**62, -(2**62), 2**63 - 1, 5, 6]),
                "volts": maybe([number / 2 for number in range(190, 220)]),
                "note": maybe(TEXTS),
            }
            for _ in range(rows)
        ],
        homes=[
            {
                "subject_no": number,
                "area": areas[number],
                "occupants": maybe(range(6)),
                "solar": maybe([True, False]),
                "moved_in": maybe(DATES),
            }
            for number in range(FEW)
            if chance.random() < 0.9
        ],
        weather=[
            {
                "area": area,
                "hour_local": hour + timedelta(minutes=chance.choice([0, 0, 30])),
                "temperature_c": maybe([number / 2 for number in range(-9, 30)]),
                "rain_mm": maybe(range(10)),
                "kind": maybe(TEXTS),
            }
            for area in (None, *TEXTS[:3])
            for hour in HOURS
            if chance.random() < 0.8
        ],
        rides=[
            {
                "subject_no": chance.randrange(FEW),
                "card_no": chance.randrange(9),
                "boarded_local": maybe(MOMENTS),
                "fare_yen": maybe(range(-9, 500)),
                "stop": maybe(TEXTS),
            }
            for _ in range(rows)
        ],
        passes=[
            {
                "subject_no": number,
                "kind": maybe(TEXTS),
                "price_yen": maybe(range(9000)),
                "bought_on": maybe(DATES),
                "area_from": maybe(TEXTS[:3]),
            }
            for number in range(FEW)
            if chance.random() < 0.9
        ],
    )


joined_worlds = st.builds(world_of, st.integers(0, 2**32), st.integers(0, 40) | st.just(40))
admitted_sets = st.just(list(range(FEW))) | st.lists(st.integers(0, FEW - 1), unique=True)

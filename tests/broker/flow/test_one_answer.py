"""One answer from PostgreSQL and the lake: over random histories and ages, what it was before anything had flowed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.broker.entities import Place
from sanpo.broker.flow.moving import flow
from sanpo.broker.language.temporal import TIME_PROPERTIES, TemporalQuery
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.model import written
from sanpo.broker.selection import HasAttribute, OfType, Window
from sanpo.broker.sight import DUTY, OPEN
from sanpo.broker.temporal import aggregates, evolutions, recording
from sanpo.broker.temporal.durations import parse_duration
from sanpo.broker.temporal.model import METHODS, Aggregation, Span
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock

START = datetime(2025, 10, 1, tzinfo=UTC)
NAMES = ("urn:a:x", "urn:a:y")
TYPE = [OfType(TypeSelection((("T",),)))]
moments = st.integers(0, 150 * 24).map(lambda hours: START + timedelta(hours=hours))
values = st.one_of(
    st.integers(-9, 9), st.integers(-99, 99).map(lambda n: n / 8), st.text("ab", max_size=2), st.booleans(),
    st.lists(st.integers(0, 3), max_size=2),
)  # fmt: skip
instances = st.fixed_dictionaries(
    {"type": st.just("Property"), "value": values},
    optional={
        "observedAt": moments.map(written),
        "unitCode": st.just("KMH"),
        "datasetId": st.sampled_from(["urn:d:1", "urn:d:2"]),
    },
)
things = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.lists(instances, min_size=1, max_size=8), min_size=1),
    min_size=1,
    max_size=4,
)
times = st.one_of(
    st.none(),
    st.builds(
        lambda ends, name: TemporalQuery(*(None if each is None else written(each) for each in ends), name),
        st.tuples(st.none() | moments, st.none() | moments).map(
            lambda ends: ends if None in ends else tuple(sorted(ends))
        ),
        st.sampled_from(TIME_PROPERTIES),
    ),
)
spans = st.builds(
    Span, times, st.none() | st.integers(1, 3), st.none() | st.frozensets(st.sampled_from(NAMES), min_size=1)
)


def told(city: City, number: int, span: Span, offset: int) -> list[Any]:
    """All that can be asked of these histories, in one list."""
    place = Place(city, OPEN)
    aggregation = Aggregation(METHODS, parse_duration("P20D"))
    found: list[Any] = []
    for ask in (
        lambda: evolutions.query_evolutions(place, TYPE, span, Window(2, offset, count=True)),
        lambda: evolutions.query_evolutions(
            place, [*TYPE, HasAttribute(frozenset(NAMES[:1]))], span, Window(9, count=True)
        ),
        lambda: aggregates.query_aggregates(place, TYPE, span, Window(9), aggregation),
        *(_one(place, at, span) for at in range(number)),
        *(
            lambda at=at: aggregates.retrieve_aggregates(place, f"urn:t:{at}", span, aggregation)
            for at in range(number)
        ),
    ):
        try:
            each = ask()
            found.append((each.docs, each.more, each.count, each.cut))
        except Exception as error:  # what is refused is refused in both
            found.append(type(error).__name__)
    return found


def _one(place: Place, at: int, span: Span) -> Callable[[], Any]:
    return lambda: evolutions.retrieve_evolution(place, f"urn:t:{at}", span)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(things=things, span=spans, days=st.lists(st.integers(1, 150), min_size=1, max_size=2), offset=st.integers(0, 1))
def test_answer_is_that_of_postgresql_alone(
    city: City, clock: FixedClock, things: list[Any], span: Span, days: list[int], offset: int
) -> None:
    place = Place(city, DUTY)
    for at, attrs in enumerate(things):
        recording.put_evolution(place, f"urn:t:{at}", {"type": ["T"], "attrs": attrs})  # type: ignore[typeddict-item]
    try:
        before = told(city, len(things), span, offset)
        for recent in sorted(days, reverse=True):
            flow(replace(city, settings=replace(city.settings, broker_recent_days=recent)), limit=20)
            assert told(city, len(things), span, offset) == before
    finally:
        for at in range(len(things)):
            recording.delete_evolution(place, f"urn:t:{at}")

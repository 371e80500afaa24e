"""Aggregates in PostgreSQL equal what plain Python makes of the same instances, over random histories and periods."""

import math
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.broker.entities import Place
from sanpo.broker.language.temporal import TemporalQuery
from sanpo.broker.model import written
from sanpo.broker.sight import DUTY, OPEN
from sanpo.broker.temporal import aggregates, recording
from sanpo.broker.temporal.durations import Duration, later, parse_duration, periods
from sanpo.broker.temporal.model import METHODS, Aggregation, Span
from sanpo.ground.city import City

ID = "urn:a:b"
START = datetime(2024, 1, 31, tzinfo=UTC)
END = datetime(2024, 7, 1, tzinfo=UTC)
REFERENCE: dict[str, Callable[[list[float]], float]] = {
    "totalCount": len,
    "distinctCount": lambda found: len(set(found)),
    "sum": math.fsum,
    "avg": statistics.fmean,
    "min": min,
    "max": max,
    "stddev": statistics.pstdev,
    "sumsq": lambda found: math.fsum(each * each for each in found),
}
moments = st.integers(0, int((END - START).total_seconds()) + 86_400 * 40).map(
    lambda seconds: START - timedelta(days=20) + timedelta(seconds=seconds)
)
numbers = st.integers(-1000, 1000).map(lambda number: number / 4)
durations = st.sampled_from(["PT0S", "P1M", "P2M", "P1Y", "P1W", "P10D", "P1M15DT12H", "PT36H"])


def plain(history: list[tuple[datetime, float]], text: str, method: str) -> list[tuple[float, datetime, datetime]]:
    """One value for each period that has any, looked for instance by instance."""
    duration, found, number = parse_duration(text), [], 0
    while True:
        since = START if duration.is_whole else later(START, duration, number)
        until = END if duration.is_whole else later(START, duration, number + 1)
        if since >= END or (duration.is_whole and number):
            return found
        values = [value for at, value in history if since <= at < until and START <= at < END]
        if values:
            found.append((REFERENCE[method](values), since, until))
        number += 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(st.tuples(moments, numbers), min_size=1, max_size=40), duration=durations)
def test_aggregates_are_those_of_plain_python(city: City, history: list[tuple[datetime, float]], duration: str) -> None:
    place = Place(city, DUTY)
    instances = [{"type": "Property", "value": value, "observedAt": written(at)} for at, value in history]
    told: Any = {"type": ["T"], "attrs": {"urn:a:x": instances}}
    recording.put_evolution(place, ID, told)
    span = Span(TemporalQuery(written(START), written(END)))
    found = aggregates.retrieve_aggregates(Place(city, OPEN), ID, span, Aggregation(METHODS, parse_duration(duration)))
    (attribute,) = found.docs[0]["attrs"].get("urn:a:x", [dict.fromkeys(METHODS, ())])
    for method in METHODS:
        wanted = plain(history, duration, method)
        assert len(attribute[method]) == len(wanted)
        for (value, since, until), (expected, begin, end) in zip(attribute[method], wanted, strict=True):
            assert (datetime.fromisoformat(since), datetime.fromisoformat(until)) == (begin, end)
            assert math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-6), method
    recording.delete_evolution(place, ID)


@given(
    origin=st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    months=st.integers(0, 30),
    days=st.integers(0, 40),
    length=st.integers(1, 2000),
)
def test_periods_cover_the_span_without_a_gap(origin: datetime, months: int, days: int, length: int) -> None:
    end = origin + timedelta(days=length)
    edges = periods(origin, end, Duration(months, timedelta(days=days)))
    assert edges[0] == origin
    assert edges[-2] < end <= edges[-1]
    assert edges == sorted(set(edges))
